import colors from 'picocolors';
import type {
  AssignedQuality,
  Quality,
  RefitAdvice,
  RunSummary,
  SegmentSummary,
  TableCounts,
} from '../pipelines/contracts/run.ts';
import { coresetSentence } from '../pipelines/stages/coreset-words.ts';
import { type ArtifactsConfig, findArtifact } from './open-artifacts.ts';
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

/** What a run's own summary does not hold of the publication before it. */
export interface SinceLast {
  /** Customers more or less than before, by segment id. */
  changes: ReadonlyMap<string, number>;
  /** Who moved, as lines. */
  lines: readonly string[];
}

/** What a person reads when a run has ended: outcome, segments as a table, where to look. */
export function runReport(
  summary: RunSummary,
  places: Record<string, string>,
  since: SinceLast | null = null,
): string {
  return [runTitle(summary), ...runBody(summary, since), '', ...links(places)].join('\n');
}

/** What a run found, without how it is called and where it is. */
export function runBody(summary: RunSummary, since: SinceLast | null = null): string[] {
  const sections = [...counts(summary), ...warnings(summary), ...reasons(summary)];
  if (summary.segments.length > 0) {
    const { assigned } = summary.quality ?? {};
    const worth = assigned ? assignedQuality(summary, assigned) : quality(summary);
    sections.push('', segmentTable(summary.segments, since?.changes), '', worth);
  }
  if (since && since.lines.length > 0) sections.push('', ...since.lines);
  if (summary.refit) sections.push('', ...refitLines(summary, summary.refit));
  return sections;
}

/** The run, and the page that describes its extract where it is kept: a run that changed nothing lets it go. */
export async function whereToLook(
  { stages }: Pick<RunSummary, 'stages'>,
  { config, address }: { config: ArtifactsConfig; address: string },
): Promise<Record<string, string>> {
  const page = stages.find(({ stage }) => stage === 'profile')?.artifact;
  const profile = page && (await findArtifact(config, page));
  return { run: address, ...(profile && { profile }) };
}

export const OUTCOME_SIGNS: Record<RunSummary['outcome'], string> = {
  published: colors.green('✓ published'),
  held: colors.yellow('⏸ held for review'),
  rejected: colors.red('✗ rejected'),
  failed: colors.red('✗ failed'),
  cancelled: colors.yellow('✗ cancelled'),
};

/** The others let go of it. */
const KEEPS_QUARANTINE = new Set<RunSummary['outcome']>(['published', 'held', 'rejected']);

function runTitle({ outcome, pipeline, asOf, runId }: RunSummary): string {
  return `${OUTCOME_SIGNS[outcome]}  ${colors.bold(pipeline)}${asOf ? ` as of ${asOf}` : ''} ${colors.dim(runId)}`;
}

function counts({ outcome, runId, counts, champion }: RunSummary): string[] {
  const lines = [
    ...(champion ? [`assigned by the model of ${champion.runId}, fitted as of ${champion.asOf}`] : []),
    `${rowsOf(counts)}; ${counted(counts.customers, 'customer')}`,
    ...refusedOf(counts),
  ];
  const { rowsReleased, rowsQuarantined, tables = [] } = counts;
  if (rowsReleased) lines.push(`  ${dot} released rows joined: ${thousands(rowsReleased)} of the accepted`);
  if (rowsQuarantined > 0 && KEEPS_QUARANTINE.has(outcome))
    lines.push(`  ${colors.dim(`· to see them: npm run strata -- quarantine show ${runId}`)}`);
  for (const table of tables) lines.push(`${table.table}: ${rowsOf(table)}`, ...refusedOf(table));
  return lines;
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

function segmentTable(segments: SegmentSummary[], changes?: SinceLast['changes']): string {
  const largest = Math.max(...segments.map(({ share }) => share));
  const rows = segments.map((segment) => [
    segment.nameStatus === 'questionable' ? `${segment.name} (?)` : segment.name,
    thousands(segment.customers),
    ...(changes ? [signed(changes.get(segment.segmentId) ?? 0)] : []),
    percent(segment.share),
    bar(segment.share / largest, BAR_WIDTH),
    segment.spendShare === null ? '' : percent(segment.spendShare),
    segment.typical.slice(0, 3).join(' · '),
  ]);
  const change = changes ? ['change'] : [];
  const titles = ['segment', 'customers', ...change, 'share', '', 'spend', 'what is typical'];
  return table(titles, rows, changes ? [1, 2, 3, 5] : [1, 2, 4]);
}

function signed(count: number): string {
  if (count === 0) return '±0';
  return `${count > 0 ? '+' : '−'}${thousands(Math.abs(count))}`;
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
  if (found.coreset) lines.push(colors.dim(coresetSentence(found.coreset)));
  if (found.laterSpend !== null) {
    const { days, separation } = found.laterSpend;
    lines.push(
      colors.dim(
        `they explain ${percent(separation)} of the ranks of what customers spent in the ${days} days after`,
      ),
    );
  }
  return [...lines, ...againstLast(found, verdict)].join('\n');
}

function againstLast({ adjustedRand, movedShare }: Quality, verdict: RunSummary['verdict']): string[] {
  if (adjustedRand === null || movedShare === null) return [];
  return [
    `against the last publication: ${verdict}, ${percent(movedShare)} of the customers moved, adjusted Rand index ${adjustedRand.toFixed(2)}`,
  ];
}

/** What was measured on these customers, and what is known of the model from its own. */
function assignedQuality({ k, quality: found, verdict }: RunSummary, assigned: AssignedQuality): string {
  const { simplifiedSilhouette, distance, whenFitted, novelShare, abstainedShare } = assigned;
  const then = (text: string | undefined) => (text === undefined ? '' : ` (${text} when it was fitted)`);
  const lines = [
    `${k} segments of the model; on ${counted(assigned.customers, 'customer')}: simplified silhouette ${simplifiedSilhouette.toFixed(3)}${then(whenFitted?.simplifiedSilhouette.toFixed(3))}, distance to the centre ${distance.toFixed(2)}${then(whenFitted?.distance.toFixed(2))}`,
    ...(novelShare === null ? [] : [`unlike any segment: ${percent(novelShare)} of the customers`]),
    ...(abstainedShare > 0
      ? [`too near to a border for the definition to say: ${percent(abstainedShare)} of the customers`]
      : []),
    colors.dim(`when it was fitted the model was ${found!.verdict} (docs/verdicts.md)`),
  ];
  return [...lines, ...againstLast(found!, verdict)].join('\n');
}

function refitLines({ pipeline, asOf }: RunSummary, { due, reasons, started }: RefitAdvice): string[] {
  const says = due ? colors.yellow('a refit is due') : 'no refit is due';
  const lines = [`${says}:`, ...reasons.map((reason) => `  ${dot} ${reason}`)];
  if (started) lines.push(`  ${dot} started: ${started}`);
  else if (due)
    lines.push(
      `  ${dot} to start it: npm start -- --once --pipeline ${pipeline}${asOf ? ` --as-of ${asOf}` : ''}`,
    );
  return lines;
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
