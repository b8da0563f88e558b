import colors from 'picocolors';
import type { ColumnFit } from '../pipelines/stages/column-fit.ts';
import { percent } from '../pipelines/stages/judge.ts';
import type { CheckedExtract, CheckReport } from './check-extract.ts';

const SIGNS = {
  pass: colors.green('✓ fits the contract'),
  warn: colors.yellow('✓ fits the contract, with warnings'),
  fail: colors.red('✗ does not fit the contract'),
};

const MEANINGS = { reject: 'refused', fail: 'refused', warn: 'kept' };

/** What a person reads of a check: the verdict, why, and a line for each rule. */
export function checkText({ extract, report }: CheckedExtract, name: string): string {
  const { verdict, reasons, counts, notChecked } = report;
  const rows = `${thousands(counts.rowsRead)} rows = ${thousands(counts.rowsAccepted)} accepted + ${thousands(counts.rowsQuarantined)} refused; ${thousands(counts.customers)} customers, as of ${extract.asOf}`;
  const later =
    extract.rowsAfterAsOf > 0
      ? [`  ${dot} ${thousands(extract.rowsAfterAsOf)} rows of later days are not part of it`]
      : [];
  return [
    `${SIGNS[verdict]}  ${colors.bold(name)}`,
    rows,
    ...later,
    ...reasons.map((reason) => `  ${dot} ${reason}`),
    '',
    ruleTable(report),
    ...(notChecked.length > 0 ? ['', 'not checked', ...notChecked.map((what) => `  ${dot} ${what}`)] : []),
  ].join('\n');
}

const dot = colors.dim('·');

function ruleTable({ rules, counts }: CheckReport): string {
  const cells = rules.map(({ name, severity, broken, refused, reason }) => ({
    name,
    broken: thousands(broken),
    refused: severity === 'warn' ? '' : thousands(refused),
    share: broken === 0 ? '' : percent(broken / counts.rowsRead),
    does: broken === 0 ? '' : MEANINGS[severity],
    reason,
    isBroken: broken > 0,
    isWarning: severity === 'warn',
  }));
  const head = { name: 'rule', broken: 'broken by', refused: 'counted', share: '', does: '', reason: '' };
  const width = (key: 'name' | 'broken' | 'refused' | 'share' | 'does') =>
    Math.max(...[head, ...cells].map((cell) => cell[key].length));
  const [names, brokens, refuseds, shares, does] = [
    width('name'),
    width('broken'),
    width('refused'),
    width('share'),
    width('does'),
  ];
  const line = (cell: typeof head) =>
    `  ${cell.name.padEnd(names)}  ${cell.broken.padStart(brokens)}  ${cell.refused.padStart(refuseds)}  ${cell.share.padStart(shares)}  ${cell.does.padEnd(does)}  ${cell.reason}`.trimEnd();
  return [
    colors.dim(line(head)),
    ...cells.map((cell) => {
      const text = line({ ...cell, reason: cell.isBroken ? cell.reason : '' });
      if (!cell.isBroken) return colors.dim(text);
      return cell.isWarning ? colors.yellow(text) : text;
    }),
  ].join('\n');
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

function thousands(count: number): string {
  return count.toLocaleString('en-US');
}
