import colors from 'picocolors';
import type { TableCounts } from '../pipelines/contracts/run.ts';
import type { ColumnFit } from '../pipelines/stages/column-fit.ts';
import { percent } from '../pipelines/stages/judge.ts';
import type { CheckedExtract, CheckedTable } from './check-extract.ts';
import { counted, dot, tableLines, thousands } from './terminal.ts';

const SIGNS = {
  pass: colors.green('✓ fits the contract'),
  warn: colors.yellow('✓ fits the contract, with warnings'),
  fail: colors.red('✗ does not fit the contract'),
};

const MEANINGS = { reject: 'refused', fail: 'refused', warn: 'kept' };

/** What a person reads of a check: the verdict, why, and a line for each rule of each table. */
export function checkText({ extract, report }: CheckedExtract, name: string): string {
  const { verdict, reasons, counts, rules, tables = [], notChecked } = report;
  const later =
    extract.rowsAfterAsOf > 0
      ? [`  ${dot} not part of it: ${counted(extract.rowsAfterAsOf, 'row')} of later days`]
      : [];
  return [
    `${SIGNS[verdict]}  ${colors.bold(name)}`,
    `${rowsOf(counts)}; ${counted(counts.customers, 'customer')}, as of ${extract.asOf}`,
    ...later,
    ...reasons.map((reason) => `  ${dot} ${reason}`),
    '',
    ruleTable(rules, counts.rowsRead),
    ...tables.flatMap((second) => [
      '',
      `${colors.bold(second.table)}: ${rowsOf(second)}`,
      ruleTable(second.rules, second.rowsRead),
    ]),
    ...(notChecked.length > 0 ? ['', 'not checked', ...notChecked.map((what) => `  ${dot} ${what}`)] : []),
  ].join('\n');
}

function rowsOf({ rowsRead, rowsAccepted, rowsQuarantined }: Omit<TableCounts, 'table'>): string {
  return `${counted(rowsRead, 'row')} = ${thousands(rowsAccepted)} accepted + ${thousands(rowsQuarantined)} refused`;
}

function ruleTable(rules: CheckedTable['rules'], rowsRead: number): string {
  const cells = rules.map(({ name, severity, broken, refused, reason }) => [
    name,
    thousands(broken),
    severity === 'warn' ? '' : thousands(refused),
    broken === 0 ? '' : percent(broken / rowsRead),
    broken === 0 ? '' : MEANINGS[severity],
    broken === 0 ? '' : reason,
  ]);
  const [head, ...lines] = tableLines(['rule', 'broken by', 'counted', '', '', ''], cells, [1, 2, 3]);
  const coloured = rules.map(({ broken, severity }, i) => {
    const line = lines[i]!;
    if (broken === 0) return colors.dim(line);
    return severity === 'warn' ? colors.yellow(line) : line;
  });
  return [head, ...coloured].map((line) => `  ${line}`).join('\n');
}

/** Whether columns fit, from names and types alone. */
export function columnsText({ columns, unused }: ColumnFit, name: string): string {
  const bad = columns.filter(({ state }) => state !== 'fits');
  const headline =
    bad.length === 0
      ? `${colors.green('✓ the columns fit')}  ${colors.bold(name)}`
      : `${colors.red('✗ the columns do not fit')}  ${colors.bold(name)}`;
  const [widest, named] = [
    Math.max(...columns.map(({ column }) => column.length)),
    Math.max(...columns.map((one) => one.name.length)),
  ];
  const lines = columns.map(({ column, name: role, type, state, needs }) => {
    const text = `  ${column.padEnd(widest)}  ${role.padEnd(named)}  `;
    if (state === 'fits') return `${text}${colors.dim(String(type))}`;
    if (state === 'missing')
      return `${text}${colors.red('missing')}: add it, or name another column in pipeline.yaml`;
    return `${text}${colors.red(String(type))}: needs ${needs}`;
  });
  const rest = unused.length === 0 ? [] : ['', `nobody reads ${unused.join(', ')}`];
  return [
    headline,
    `${columns.length - bad.length} of ${columns.length} columns fit; values are not looked at`,
    ...lines,
    ...rest,
  ].join('\n');
}
