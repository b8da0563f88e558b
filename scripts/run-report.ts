import { existsSync } from 'node:fs';
import { join } from 'node:path';
import colors from 'picocolors';
import type { Quality, RunSummary, SegmentSummary, TableCounts } from '../pipelines/contracts/run.ts';
import { bar, counted, dot, links, percent, table, thousands } from './terminal.ts';

/** What a command ends with that ran the main job. */
export const EXIT_CODES: Readonly<Record<RunSummary['outcome'], number>> = {
  published: 0,
  held: 0,
  rejected: 2,
  failed: 1,
  cancelled: 1,
};

const BAR_WIDTH = 16;

/** What a person reads when a run has ended: outcome, segments as a table, where to look. */
export function runReport(summary: RunSummary, places: Record<string, string>): string {
  const sections = [headline(summary), ...warnings(summary), ...reasons(summary)];
  if (summary.segments.length > 0) sections.push('', segmentTable(summary.segments), '', quality(summary));
  sections.push('', ...links(places));
  return sections.join('\n');
}

/** The run, and the page that describes its extract where it is kept: a run that changed nothing lets it go. */
export function whereToLook(
  { stages }: Pick<RunSummary, 'stages'>,
  { artifacts, address }: { artifacts: string; address: string },
): Record<string, string> {
  const page = stages.find(({ stage }) => stage === 'profile')?.artifact;
  const file = page && join(artifacts, page.uri);
  return { run: address, ...(file && existsSync(file) && { profile: file }) };
}

const SIGNS: Record<RunSummary['outcome'], string> = {
  published: colors.green('✓ published'),
  held: colors.yellow('⏸ held for review'),
  rejected: colors.red('✗ rejected'),
  failed: colors.red('✗ failed'),
  cancelled: colors.yellow('✗ cancelled'),
};

/** The others let go of it. */
const KEEPS_QUARANTINE = new Set<RunSummary['outcome']>(['published', 'held', 'rejected']);

function headline({ outcome, pipeline, asOf, runId, counts }: RunSummary): string {
  const lines = [
    `${SIGNS[outcome]}  ${colors.bold(pipeline)}${asOf ? ` as of ${asOf}` : ''} ${colors.dim(runId)}`,
    `${rowsOf(counts)}; ${counted(counts.customers, 'customer')}`,
    ...refusedOf(counts),
  ];
  const { rowsReleased, rowsQuarantined, tables = [] } = counts;
  if (rowsReleased) lines.push(`  ${dot} released rows joined: ${thousands(rowsReleased)} of the accepted`);
  if (rowsQuarantined > 0 && KEEPS_QUARANTINE.has(outcome))
    lines.push(`  ${colors.dim(`· to see them: npm run strata -- quarantine show ${runId}`)}`);
  for (const table of tables) lines.push(`${table.table}: ${rowsOf(table)}`, ...refusedOf(table));
  return lines.join('\n');
}

type TableRows = Omit<TableCounts, 'table'>;

function rowsOf({ rowsRead, rowsAccepted, rowsQuarantined }: TableRows): string {
  return `${counted(rowsRead, 'row')} = ${thousands(rowsAccepted)} accepted + ${thousands(rowsQuarantined)} in quarantine`;
}

function refusedOf({ quarantinedBy }: TableRows): string[] {
  const refused = quarantinedBy
    .filter(({ rows }) => rows > 0)
    .map(({ rule, rows }) => `${rule} ${thousands(rows)}`);
  return refused.length === 0 ? [] : [`  ${dot} refused: ${refused.join(', ')}`];
}

function warnings({ warnings = [] }: RunSummary): string[] {
  return warnings.map((warning) => `  ${dot} ${colors.yellow(warning)}`);
}

function reasons(summary: RunSummary): string[] {
  const held = `to decide: npm run strata -- review ${summary.runId} publish (or reject), or in the Temporal UI update "review" with {"decision": "publish"}`;
  const lines = summary.outcome === 'held' ? [...summary.reasons, held] : summary.reasons;
  return lines.map((reason) => `  ${dot} ${reason}`);
}

function segmentTable(segments: SegmentSummary[]): string {
  const largest = Math.max(...segments.map(({ share }) => share));
  const rows = segments.map((segment) => [
    segment.nameStatus === 'questionable' ? `${segment.name} (?)` : segment.name,
    thousands(segment.customers),
    percent(segment.share),
    bar(segment.share / largest, BAR_WIDTH),
    segment.spendShare === null ? '' : percent(segment.spendShare),
    segment.typical.slice(0, 3).join(' · '),
  ]);
  const titles = ['segment', 'customers', 'share', '', 'spend', 'what is typical'];
  return table(titles, rows, [1, 2, 4]);
}

function quality({ k, quality: found, verdict }: RunSummary): string {
  if (!found) return '';
  const { rows, of } = found.scoredOn;
  const scored =
    rows === of
      ? `all ${counted(of, 'customer')}`
      : `a sample of ${thousands(rows)} of ${thousands(of)} customers`;
  const lines = [
    `${k} segments, ${colors.bold(found.verdict)}: silhouette ${found.silhouette.toFixed(3)}, smallest bootstrap Jaccard ${found.minJaccard.toFixed(2)} (${found.bootstraps} resamples), on ${scored}`,
    colors.dim(meaning(found)),
  ];
  if (found.laterSpend !== null) {
    const { days, separation } = found.laterSpend;
    lines.push(
      colors.dim(
        `they explain ${percent(separation)} of the ranks of what customers spent in the ${days} days after`,
      ),
    );
  }
  if (found.adjustedRand !== null && found.movedShare !== null) {
    lines.push(
      `against the last publication: ${verdict}, ${percent(found.movedShare)} of the customers moved, adjusted Rand index ${found.adjustedRand.toFixed(2)}`,
    );
  }
  return lines.join('\n');
}

/** What the verdict means for whoever acts on the segments. */
function meaning({ verdict, decidedBy, stableK, nullDraws }: Quality): string {
  const others = stableK.length > 0 ? `; found again on resamples: k = ${stableK.join(', ')}` : '';
  const chosen = decidedBy === 'person' ? 'k was fixed by a person; ' : '';
  const sentence = {
    natural: `between neighbouring segments there are few customers, as in none of ${nullDraws} data sets without groups`,
    reproducible: `cuts through one crowd that come out the same again: useful, not a discovery about customers`,
    constructed: `the borders move from sample to sample: a decision, not a discovery about customers`,
  }[verdict];
  return `${chosen}${verdict}: ${sentence}${others}`;
}
