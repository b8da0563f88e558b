import colors from 'picocolors';
import type { Outcome } from '../../pipelines/contracts/run.ts';
import type { RunRecord } from '../../store/postgres/run-records.ts';
import { shortId } from '../find-run.ts';
import { thousands } from '../terminal.ts';
import { howFar } from './estimate.ts';
import { age, howLong, inColumn, minute } from './moments.ts';
import type { RunView } from './view.ts';

/** A run that has ended, as a line of the list. */
export interface EndedRun {
  runId: string;
  workflow: { id: string; runId: string };
  pipeline: string;
  kind: string;
  asOf: string | null;
  version: number | null;
  outcome: Outcome;
  verdict: string | null;
  segments: number | null;
  customers: number | null;
  ms: number;
  openedAt: string;
  closedAt: string;
}

export function endedRun(record: RunRecord): EndedRun {
  const { runId, workflow, pipeline, kind, asOf, version, outcome, verdict, summary } = record;
  const { openedAt } = record;
  const closedAt = record.closedAt ?? openedAt;
  return {
    ...{ runId, workflow, pipeline, kind, asOf, version, outcome: outcome ?? 'failed', verdict },
    segments: summary?.k ?? null,
    customers: summary && summary.counts.customers > 0 ? summary.counts.customers : null,
    ms: Date.parse(closedAt) - Date.parse(openedAt),
    ...{ openedAt, closedAt },
  };
}

const PAINTS: Readonly<Record<string, (text: string) => string>> = {
  published: colors.green,
  rejected: colors.red,
  failed: colors.red,
  cancelled: colors.yellow,
};

const NONE = '–';

/** Those that go on, with what they are at; below them those that have ended, newest first. */
export function runsReport(
  { open, ended }: { open: readonly RunView[]; ended: readonly EndedRun[] },
  { width, nowMs }: { width: number; nowMs: number },
): string {
  if (open.length === 0 && ended.length === 0) return 'no run yet: npm start starts one';
  const going = open.map((view) => [
    shortId(view.runId ?? NONE),
    view.pipeline ?? NONE,
    view.kind,
    view.asOf ?? NONE,
    view.elapsedMs === null ? '' : inColumn(view.elapsedMs),
    doing(view),
  ]);
  const past = ended.map((run) => [
    ...[shortId(run.runId), run.pipeline, run.kind, run.asOf ?? NONE, run.outcome, run.verdict ?? NONE],
    ...[
      run.segments === null ? NONE : `${run.segments}`,
      run.customers === null ? NONE : thousands(run.customers),
    ],
    ...[inColumn(run.ms), age(nowMs - Date.parse(run.closedAt))],
  ]);
  const tables = [
    drawn(['run', 'pipeline', 'kind', 'as of', 'for', 'is at'], going, { right: [4], width }),
    drawn(['run', 'pipeline', 'kind', 'as of', 'outcome', 'verdict', 'k', 'customers', 'took', 'ago'], past, {
      right: [6, 7, 8, 9],
      width,
    }),
  ];
  return tables
    .filter((lines) => lines.length > 1)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** What a run is at, in a few words. */
export function doing({ state, waits, retries, now, leftMs, beside }: RunView): string {
  const [wait] = waits;
  if (state === 'lost') return 'lost: its workflow is gone';
  if (wait?.for === 'review')
    return wait.until === null ? 'held for review' : `held until ${minute(wait.until)}`;
  if (wait) return wait.says.split(':', 1)[0]!;
  const [retry] = retries;
  if (retry) return `${retry.what}, attempt ${retry.attempt}: ${retry.fault}`;
  if (now === null) return beside ?? 'between two stages';
  const far = now.of > 0 ? ` ${howFar(now)}` : '';
  return `${now.stage}${far}${leftMs === null ? '' : `, about ${howLong(leftMs)} left`}`;
}

const PIPELINE = 1;
const LEAST_PIPELINE = 6;

/** Aligned; where it is too wide, with less between the columns, then with shorter names of pipelines. */
function drawn(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  { right, width }: { right: readonly number[]; width: number },
): string[] {
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const isText = !right.includes(titles.length - 1);
  // A last column of words is cut where the line ends.
  const fixed = (isText ? widths.slice(0, -1) : widths).reduce((sum, each) => sum + each, 0);
  const gap = fixed + 2 * (titles.length - 1) <= width ? 2 : 1;
  const over = fixed + gap * (titles.length - 1) - width;
  if (over > 0) widths[PIPELINE] = Math.max(LEAST_PIPELINE, widths[PIPELINE]! - over);
  const line = (cells: readonly string[], paint: (text: string, i: number) => string) => {
    const padded = cells.map((cell, i) => {
      const cut = i === PIPELINE ? shortened(cell, widths[i]!) : cell;
      return right.includes(i) ? cut.padStart(widths[i]!) : cut.padEnd(widths[i]!);
    });
    if (isText)
      padded[padded.length - 1] = shortened(
        cells.at(-1)!,
        Math.max(12, width - fixed - gap * (titles.length - 1)),
      );
    return padded.map(paint).join(' '.repeat(gap)).trimEnd();
  };
  const painted = (text: string) => PAINTS[text.trim()]?.(text) ?? text;
  return [line(titles, (text) => colors.dim(text)), ...rows.map((row) => line(row, painted))];
}

function shortened(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
