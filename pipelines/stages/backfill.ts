import type { BackfillPlan, CheckedBackfillInput, Interval } from '../contracts/backfill.ts';
import { PipelineError } from '../contracts/errors.ts';
import type { BeforePublished } from '../contracts/run.ts';

/** Each is carried from one execution of the workflow to the next, and told in its result. */
const MOST_DATES = 366;
/** Dates of a backfill that was given no first one. */
const DEFAULT_DATES = 12;
const DAYS = { day: 1, week: 7 } as const;
const DAY_MS = 86_400_000;

export interface DateQuestion extends Pick<CheckedBackfillInput, 'from' | 'to' | 'every'> {
  /** As of when is what readers see; null when they see nothing yet. */
  publishedAsOf: string | null;
  /** The last as-of date that the data is known to have something new for. */
  lastKnown: string;
}

/**
 * The as-of dates, rising. They are counted from `from`; without it months begin on their first day, and weeks and
 * days are counted back from `to`.
 *
 * @throws PipelineError INPUT_INVALID for more than a backfill takes, and for a first date after the last one
 */
export function asOfDates({ from, to, every, publishedAsOf, lastKnown }: DateQuestion): string[] {
  const until = to ?? lastKnown;
  if (from !== undefined) return datesFrom(from, until, every);
  const anchor = every === 'month' ? `${until.slice(0, 8)}01` : until;
  const count = publishedAsOf === null ? DEFAULT_DATES : stepsBetween(publishedAsOf, anchor, every);
  const dates = Array.from({ length: Math.min(count, MOST_DATES) }, (_, i) =>
    stepped(anchor, every, i + 1 - count),
  );
  if (count > MOST_DATES) throw tooMany(dates, until, every);
  return dates;
}

function datesFrom(from: string, until: string, every: Interval): string[] {
  if (from > until) {
    throw new PipelineError(
      'INPUT_INVALID',
      `a backfill needs from <= to; from is ${from}, and without to it ends on ${until}, as far as the data is known to go: name to, or an earlier from`,
    );
  }
  const dates: string[] = [];
  for (let i = 0; ; i += 1) {
    const date = stepped(from, every, i);
    if (date > until) return dates;
    if (i === MOST_DATES) throw tooMany(dates, until, every);
    dates.push(date);
  }
}

/** @param first the oldest dates, as many as a backfill takes */
function tooMany(first: readonly string[], until: string, every: Interval): PipelineError {
  return new PipelineError(
    'INPUT_INVALID',
    `a backfill needs at most ${MOST_DATES} as-of dates, ${first[0]} to ${until} by the ${every} has more; ` +
      `ask for a part (from ${first[0]} to ${first.at(-1)}), and then for the rest`,
  );
}

/** How many dates of the anchor's line lie after the published one, the anchor itself the last of them. */
function stepsBetween(publishedAsOf: string, anchor: string, every: Interval): number {
  if (every !== 'month') {
    const days = (Date.parse(anchor) - Date.parse(publishedAsOf)) / DAY_MS;
    return Math.max(0, Math.ceil(days / DAYS[every]));
  }
  const monthOf = (date: string) => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7));
  return Math.max(0, monthOf(anchor) - monthOf(publishedAsOf));
}

/** From the anchor each time, so that months from the 31st on are 28 February and 31 March. */
function stepped(anchor: string, every: Interval, steps: number): string {
  const [year, month, day] = anchor.split('-').map(Number) as [number, number, number];
  if (every !== 'month') return isoDate(Date.UTC(year, month - 1, day + steps * DAYS[every]));
  const daysInMonth = new Date(Date.UTC(year, month + steps, 0)).getUTCDate();
  return isoDate(Date.UTC(year, month - 1 + steps, Math.min(day, daysInMonth)));
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 'YYYY-MM-DD'.length);
}

/**
 * Only history that goes forward can be built in the line that readers follow: a run older than what they see would
 * be compared with its own future.
 *
 * @throws PipelineError AS_OF_BEFORE_PUBLISHED with the ways out
 */
export function refuseOlder(
  { pipeline, dates, done }: Pick<BackfillPlan, 'pipeline' | 'dates' | 'done'>,
  { publishedAsOf, beforePublished }: { publishedAsOf: string | null; beforePublished: BeforePublished },
): void {
  if (publishedAsOf === null || beforePublished === 'aside') return;
  const isDone = new Set(done.map(({ asOf }) => asOf));
  const older = dates.filter((date) => date < publishedAsOf && !isDone.has(date));
  if (older.length === 0) return;
  const next = dates.find((date) => date >= publishedAsOf);
  throw new PipelineError(
    'AS_OF_BEFORE_PUBLISHED',
    `a backfill of ${pipeline} needs as-of dates from ${publishedAsOf} on, which is what readers see; found ${older.length} before it ` +
      `(${older[0]}${older.length > 1 ? ` to ${older.at(-1)}` : ''}): ${next === undefined ? '' : `begin with --from ${next}, `}` +
      'build the history under a pipeline name of its own, or let older runs join the history beside what readers see ' +
      '(review.beforePublished: aside in pipeline.yaml)',
    { pipeline, publishedAsOf, older: older.length },
  );
}

/** @param date ISO date */
export function dayAfter(date: string): string {
  return stepped(date, 'day', 1);
}
