import { stripVTControlCharacters } from 'node:util';
import colors from 'picocolors';
import { HELD_BACK } from '../pipelines/stages/releases.ts';
import type { ReleaseRecord } from '../store/postgres/releases.ts';
import type { Released } from './quarantine-release.ts';
import type { QuarantineShown } from './quarantine-show.ts';
import { bar, counted, dot, percent, table, thousands } from './terminal.ts';

const BAR_WIDTH = 24;
const VALUE_WIDTH = 24;
/** What says why a row was refused is worth more room. */
const REASON_WIDTHS: Record<string, number> = { broken_rules: 80, malformed: 60 };
const COMMAND = 'npm run strata -- quarantine';
/** Told by the headings, or the same in every row of a quarantine. */
const UNTOLD = new Set(['refused_by', 'is_released']);

/** What a person reads of a quarantine: how many rows by which rule, then rows of each. */
export function quarantineReport(shown: QuarantineShown): string {
  const { runId, pipeline, asOf, outcome, rowsRead, rowsQuarantined, rules } = shown;
  const rows =
    rowsRead === null
      ? counted(rowsQuarantined, 'row')
      : `${thousands(rowsQuarantined)} of ${counted(rowsRead, 'row')}`;
  const share = rowsRead ? ` (${percent(rowsQuarantined / rowsRead)})` : '';
  const lines = [
    `${colors.bold(pipeline)}${asOf ? ` as of ${asOf}` : ''} ${colors.dim(runId)} ${outcome ?? 'running'}`,
    `${rows} ${(rowsRead ?? rowsQuarantined) === 1 ? 'is' : 'are'} in quarantine${share}`,
  ];
  if (rules.length === 0) return lines.join('\n');
  const mostFirst = Math.max(...rules.map(({ first }) => first));
  const mostAll = Math.max(...rules.map(({ all }) => all));
  const counts = rules.map(({ rule, first, all, reason }) => [
    rule,
    thousands(first),
    bar(first / mostFirst, BAR_WIDTH),
    thousands(all),
    bar(all / mostAll, BAR_WIDTH),
    reason ?? '',
  ]);
  lines.push('', table(['rule', 'first', '', 'in all', '', 'a row is refused since'], counts, [1, 3]));
  lines.push(
    colors.dim('first: rows by the first rule they break, once each; in all: rows that break it at all'),
  );
  for (const example of shown.examples) lines.push('', exampleTable(example));
  lines.push('', colors.dim(`${COMMAND} release ${runId} --rule NAME lets rows join the runs to come`));
  return lines.join('\n');
}

function exampleTable({ rule, rows }: QuarantineShown['examples'][number]): string {
  // A column in which no row has a value says nothing.
  const columns = Object.keys(rows[0]!).filter(
    (name) => !UNTOLD.has(name) && rows.some((row) => row[name] !== null),
  );
  const cells = rows.map((row) => columns.map((name) => printable(row[name] ?? '', REASON_WIDTHS[name])));
  return `${colors.bold(rule)}\n${table(columns, cells)}`;
}

/** What a release did, or would do. */
export function releaseReport({
  runId,
  pipeline,
  chosen,
  rows,
  heldBack,
  otherRules,
  ...made
}: Released): string {
  const { release, isNew } = made;
  const lines = [`${counted(chosen, 'row')} chosen of run ${colors.dim(runId)}`];
  for (const { because, rows: held } of heldBack)
    lines.push(
      `  ${dot} ${thousands(held)} ${held === 1 ? 'stays' : 'stay'} in quarantine: ${HELD_BACK[because]}`,
    );
  for (const { rule, rows: held } of otherRules)
    lines.push(`    ${dot} ${rule} ${thousands(held)}: add --rule ${rule}, if that is meant`);
  if (release === null) {
    lines.push(`${colors.yellow('dry run')}: ${counted(rows, 'row')} would be released; nothing was changed`);
  } else if (isNew) {
    lines.push(
      `${colors.green('✓')} ${counted(rows, 'row')} released: ${rows === 1 ? 'it joins' : 'they join'} every run of ${pipeline} opened from now on`,
      colors.dim(`${COMMAND} revoke ${release.releaseId} ends release ${release.releaseId}`),
    );
  } else {
    lines.push(
      `${colors.green('✓')} released before: ${counted(rows, 'row')} by release ${release.releaseId} of ${day(release.releasedAt)} by ${printable(release.author)}`,
    );
  }
  return lines.join('\n');
}

export function releasesReport(releases: readonly ReleaseRecord[]): string {
  if (releases.length === 0) return `nothing was released; ${COMMAND} show RUN shows what could be`;
  const rows = releases.map((release) => [
    String(release.releaseId),
    release.pipeline,
    thousands(release.rows),
    release.revokedAt === null
      ? 'in force'
      : `revoked ${day(release.revokedAt)} by ${printable(release.revokedBy ?? '')}`,
    release.rules.join(', '),
    `${day(release.releasedAt)} by ${printable(release.author)}`,
    release.runId,
    [release.where && `where ${release.where}`, release.note]
      .filter(Boolean)
      .map((text) => oneLine(text!))
      .join('; '),
  ]);
  const titles = ['id', 'pipeline', 'rows', 'state', 'rules', 'released', 'from run', 'which, why'];
  return table(titles, rows, [0, 2]);
}

export function revokeReport({ release, isNew }: { release: ReleaseRecord; isNew: boolean }): string {
  const { releaseId, rows, pipeline } = release;
  return isNew
    ? `${colors.green('✓')} release ${releaseId} is revoked: runs of ${pipeline} opened from now on judge its ${counted(rows, 'row')} by the contract alone`
    : `release ${releaseId} was revoked before: ${day(release.revokedAt!)} by ${printable(release.revokedBy!)}`;
}

/** A value of a source may hold anything, sequences that steer a terminal too. */
function printable(text: string, width = VALUE_WIDTH): string {
  const plain = oneLine(text);
  return plain.length > width ? `${plain.slice(0, width - 1)}…` : plain;
}

function oneLine(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, '·');
}

function day(iso: string): string {
  return iso.slice(0, 'YYYY-MM-DD'.length);
}
