import colors from 'picocolors';
import { mixedMoneyText } from '../../pipelines/init/currencies.ts';
import type { Seen } from '../../pipelines/init/draft.ts';
import { percent } from '../../pipelines/init/role-evidence.ts';
import { counted, dot, links, tableLines, thousands } from '../terminal.ts';
import type { LookedAt } from './look.ts';
import type { WrittenDefinition } from './write.ts';

export interface DraftedTables {
  transactions: Pick<LookedAt, 'names'>;
  /** The second table, with the columns that join the two. */
  customers: {
    name: string;
    rows: number;
    key: string;
    joins: string;
    /** Share of the values of `joins` that are in `key`. */
    found: number;
    attributes: readonly string[];
  } | null;
}

/** What a person reads of a draft: what the contract would refuse, what was noticed, where it is. */
export function draftReport(
  given: { name: string; currency: string; seen: Seen; tables: DraftedTables },
  written: WrittenDefinition,
): string {
  const { rows, rules, customers, money } = given.seen;
  const broken = rules.filter(({ brokenRows }) => brokenRows > 0);
  const refusedRows = broken
    .filter(({ severity }) => severity === 'reject')
    .reduce((sum, { brokenRows }) => sum + brokenRows, rows.unreadableLines);
  const unreadable = ['unreadable-line', rows.unreadableLines, UNREADABLE_LINE] as const;
  const told = [
    ...(rows.unreadableLines > 0 ? [unreadable] : []),
    ...broken.map(
      ({ name, severity, brokenRows, reason }) =>
        [name, brokenRows, severity === 'warn' ? `told only: ${reason}` : reason] as const,
    ),
  ];
  const cells = told.map(([rule, count, reason]) => [rule, thousands(count), colors.dim(reason)]);
  const [, ...lines] = tableLines(['', '', ''], cells, [1]);
  const { duplicates, future } = rows;
  return [
    `${colors.green('✓')} pipeline ${colors.bold(given.name)} is drafted: ${counted(rows.rows, 'row')}, ${counted(customers.customers, 'customer')}, ${percent(refusedRows / rows.rows)} of the rows refused`,
    ...tablesText(given.tables),
    ...lines,
    ...(duplicates > 0
      ? [
          colors.dim(
            duplicates === 1
              ? '1 row is the same as another one in every column; it stays in'
              : `${thousands(duplicates)} rows are the same as another one in every column; they stay in`,
          ),
        ]
      : []),
    ...(future > 0
      ? [
          colors.yellow(
            `${counted(future, 'row')} ${future === 1 ? 'lies' : 'lie'} in the future: this run is as of the day after the newest other row`,
          ),
        ]
      : []),
    ...money.map((mixed) => colors.yellow(mixedMoneyText(mixed, given.currency))),
    colors.dim(written.pipeline),
    colors.dim(written.contract),
  ]
    .map((line, i) => (i === 0 ? line : `  ${line}`))
    .join('\n');
}

const UNREADABLE_LINE = 'the line cannot be split into the columns of the header';

/** Of a single file there is nothing to say. */
function tablesText({ transactions, customers }: DraftedTables): string[] {
  const { names } = transactions;
  if (customers === null)
    return names.length === 1 ? [] : [`${dot} ${names.join(', ')} have the same columns: one table`];
  const { name, rows, key, joins, found, attributes } = customers;
  const gives = attributes.length === 0 ? 'nothing for features' : attributes.join(', ');
  return [
    `${dot} transactions: ${names.join(', ')}`,
    `${dot} customers: ${name}, ${counted(rows, 'row')}, joined by ${key} = ${joins} of the transactions (${percent(found)} of the values of ${joins} are there); gives ${gives}`,
  ];
}

/** @param hasRun whether it ran just now */
export function nextSteps(
  name: string,
  { pipeline, contract }: WrittenDefinition,
  { hasRun }: { hasRun: boolean },
): string {
  const steps = links({
    'what is what, features, names': pipeline,
    'what a row must satisfy': contract,
    [hasRun ? 'run it again' : 'run it']: `npm start -- --pipeline ${name}`,
  });
  return ['What is next:', ...steps.map((step) => `  ${step}`)].join('\n');
}
