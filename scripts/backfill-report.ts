import colors from 'picocolors';
import type { BackfilledDate, BackfillSummary } from '../pipelines/contracts/backfill.ts';
import type { RunFigures } from '../store/postgres/backfills.ts';
import { counted, dot, links, percent, table, thousands } from './terminal.ts';

/** A date with what the records say of its run; null where none was published. */
export interface ReportedDate extends BackfilledDate {
  figures: Omit<RunFigures, 'runId'> | null;
}

export interface BackfillReport extends Omit<BackfillSummary, 'dates'> {
  dates: ReportedDate[];
}

/** The workflow's summary and the figures of its published runs, of those too that were published before. */
export function reportOf(summary: BackfillSummary, figures: readonly RunFigures[]): BackfillReport {
  const byRun = new Map(figures.map(({ runId, ...rest }) => [runId, rest]));
  const dates = summary.dates.map((date) => ({
    ...date,
    figures: (date.runId !== null && byRun.get(date.runId)) || null,
  }));
  return { ...summary, dates };
}

/** 1: a run failed or was cancelled; 2: one was rejected, by its data or a person; 0: all are published. */
export function exitCodeOf({ dates }: Pick<BackfillSummary, 'dates'>): number {
  const outcomes = new Set(dates.map(({ outcome }) => outcome));
  if (outcomes.has('failed') || outcomes.has('cancelled')) return 1;
  return outcomes.has('rejected') ? 2 : 0;
}

const MISSING = '–';
const TITLES = [
  'as of',
  'outcome',
  'verdict',
  'customers',
  'k',
  'survived',
  'born',
  'retired',
  'moved',
  'behaviour',
  'model',
  'border',
  'ARI',
];
const FIGURES = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/** What a person reads when a backfill has ended: a line for each date, and why some are missing. */
export function backfillReport(report: BackfillReport, places: Record<string, string>): string {
  const { pipeline, every, outcome, reasons, review, dates, left } = report;
  const exit = exitCodeOf(report);
  const sign =
    exit === 0 && outcome === 'completed' ? colors.green('✓ backfilled') : colors.yellow(`▪ ${outcome}`);
  const published = dates.filter((date) => date.outcome === 'published').length;
  const before = dates.filter((date) => date.outcome === 'skipped').length;
  const lines = [
    `${sign}  ${colors.bold(pipeline)}: ${published} of ${counted(dates.length + left.length, 'as-of date')} by the ${every} published` +
      `${before > 0 ? `, ${before} had been before` : ''}; review ${review}`,
    ...reasons.map((reason) => `  ${dot} ${reason}`),
    ...dates.flatMap(({ asOf, reason }) => (reason === undefined ? [] : [`  ${dot} ${asOf}: ${reason}`])),
  ];
  if (left.length > 0) lines.push(`  ${dot} not come to: ${left[0]} to ${left.at(-1)}`);
  if (dates.length > 0) lines.push('', table(TITLES, dates.map(cellsOf), FIGURES), colors.dim(LEGEND));
  lines.push('', ...links(places));
  return lines.join('\n');
}

const LEGEND =
  'moved: share of the customers in common with the run before who are in another segment; then how many, by cause · ARI: agreement with the run before, 1 = the same';

function cellsOf({ asOf, outcome, figures }: ReportedDate): string[] {
  if (figures === null) return [asOf, outcome, ...Array.from({ length: TITLES.length - 2 }, () => MISSING)];
  const { verdict, customers, k, survived, born, retired, moved, movedShare, adjustedRand } = figures;
  const share = movedShare === null ? MISSING : percent(movedShare);
  const cause = (count: number) => (movedShare === null ? MISSING : thousands(count));
  return [
    ...[asOf, outcome === 'skipped' ? 'before' : outcome, verdict ?? MISSING, thousands(customers), `${k}`],
    ...[`${survived}`, `${born}`, `${retired}`, share],
    ...[cause(moved.behaviour), cause(moved.model), cause(moved.border)],
    adjustedRand === null ? MISSING : adjustedRand.toFixed(3),
  ];
}
