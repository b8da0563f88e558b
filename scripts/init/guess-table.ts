import colors from 'picocolors';
import { currencyNames } from '../../pipelines/init/currencies.ts';
import { rowsWords, type TableFacts } from '../../pipelines/init/facts.ts';
import type { Guesses } from '../../pipelines/init/guess-roles.ts';
import { percent } from '../../pipelines/init/role-evidence.ts';
import { ROLES } from '../../pipelines/init/role-words.ts';
import { counted, thousands } from '../terminal.ts';

const LEAST_WHY = 30;

/** Which column is what and why, as a person reads it. */
export function guessTable(
  facts: TableFacts,
  guesses: Guesses,
  { width, examples = {} }: { width: number; examples?: Readonly<Record<string, readonly string[]>> },
): string {
  const chosen = ROLES.map((role) => guesses[role]).filter(({ column }) => column !== null);
  const rows = chosen.map(({ role, column, reasons, others, isSure }) => {
    const doubt =
      isSure || others.length === 0 ? [] : [`or ${others.map((other) => other.column).join(', ')}?`];
    const values = examples[column!] ?? [];
    const seen = values.length === 0 ? [] : [`such as ${values.join(', ')}`];
    return {
      role,
      column: isSure ? column! : `${column} ?`,
      why: [...doubt, ...reasons, ...seen].join('; '),
    };
  });
  const roleWidth = Math.max(...rows.map(({ role }) => role.length), 4);
  const columnWidth = Math.max(...rows.map(({ column }) => column.length), 6);
  const indent = roleWidth + columnWidth + 6;
  const why = Math.max(LEAST_WHY, width - indent - 1);
  const lines = rows.flatMap(({ role, column, why: text }) => {
    const [first, ...rest] = wrap(text, why);
    return [
      `  ${colors.cyan(role.padEnd(roleWidth))}  ${colors.bold(column.padEnd(columnWidth))}  ${colors.dim(first ?? '')}`,
      ...rest.map((line) => ' '.repeat(indent) + colors.dim(line)),
    ];
  });
  return [headline(facts), '', ...lines, ...leftOver(facts, guesses, width)].join('\n');
}

function headline(facts: TableFacts): string {
  const { name, rows, rowsSeen, columns } = facts;
  const sample = rowsSeen < rows ? `, judged by ${thousands(rowsSeen)} of them` : '';
  return `${colors.bold(name)}: ${rowsWords(facts)}${sample}, ${counted(columns.length, 'column')}`;
}

function leftOver(facts: TableFacts, guesses: Guesses, width: number): string[] {
  const { columns } = facts;
  const money = currencyNames(facts);
  const used = new Set(ROLES.map((role) => guesses[role].column));
  const left = columns
    .filter(({ name }) => !used.has(name) && !money.includes(name))
    .map(({ name, filled, rows }) => {
      const missing = rows === 0 ? 0 : 1 - filled / rows;
      return missing === 1
        ? `${name} (empty)`
        : missing > 0.5
          ? `${name} (${percent(missing)} missing)`
          : name;
    });
  const told = [
    ...(money.length === 0 ? [] : [`read for the currency: ${money.join(', ')}`]),
    ...(left.length === 0 ? [] : [`not used: ${left.join(', ')}`]),
  ];
  const lines = told.flatMap((text) => wrap(text, width - 3)).map((line) => colors.dim(`  ${line}`));
  return lines.length === 0 ? [] : ['', ...lines];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
