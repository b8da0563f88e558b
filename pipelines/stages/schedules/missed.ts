import type { MissedCause } from '../../contracts/missed-runs.ts';

// Which due times have no run, and why. Asked of what is there, not of the server's counters, which only ever grow: a
// due time that got its run later, by a backfill, is met.

const DAY_MS = 24 * 3_600_000;
/** A run that is due has so long to begin, beside its jitter. */
const GRACE_MS = 5 * 60_000;
/** The server does not forget runs to the second. */
const KEPT_MARGIN_MS = 10 * 60_000;

/** A run that the schedule started, whatever came of it. ISO times. */
export interface ScheduledRun {
  workflowId: string;
  /** The time for which it was scheduled. */
  dueAt: string;
  startedAt: string;
  /** Null while it goes on. */
  closedAt: string | null;
}

/** A schedule as the server tells it, with the due times that may be judged. */
export interface ScheduleState {
  pipeline: string;
  /** In pipeline.yaml. */
  name: string;
  timezone: string;
  /** One of `OVERLAPS`, as in pipeline.yaml. */
  overlap: string;
  catchupWindowHours: number;
  /** Why it is paused; null where it is not. */
  paused: string | null;
  /** ISO times, rising. */
  due: string[];
  /** As it is now, by its clock; not where a change of the clock shows its time twice. */
  isDueOnceADay: boolean;
  runs: ScheduledRun[];
}

export interface Missing {
  dueAt: string;
  cause: MissedCause;
  /** The run that was going on; of `overlap` alone. */
  blockedBy: ScheduledRun | null;
}

/**
 * Which due times may be judged by now. Before it was made or last changed, a schedule was due at other times or not
 * at all.
 *
 * @param now, changedAt ISO times
 * @param keptMs for how long the server knows runs that have ended: of longer ago nobody can say whether there was one;
 *   null: as long as anybody asks
 * @returns ISO times of a range; null where there is nothing to judge yet
 */
export function judgedRange({
  now,
  changedAt,
  jitterMs,
  days,
  keptMs = null,
}: {
  now: string;
  changedAt: string;
  jitterMs: number;
  days: number;
  keptMs?: number | null;
}): { since: string; until: string | null } {
  const moment = Date.parse(now);
  const asked = keptMs === null ? days * DAY_MS : Math.min(days * DAY_MS, keptMs - KEPT_MARGIN_MS);
  const since = Math.max(Date.parse(changedAt), moment - asked);
  const until = moment - GRACE_MS - jitterMs;
  return {
    since: new Date(since).toISOString(),
    until: since < until ? new Date(until).toISOString() : null,
  };
}

/** Due times that have no run: those that wait for one that is going on, and those that will have none. */
export function unmetOf(schedule: ScheduleState): { missing: Missing[]; waiting: string[] } {
  const met = new Set(schedule.runs.map(({ dueAt }) => Date.parse(dueAt)));
  const unmet = schedule.due.filter((time) => !met.has(Date.parse(time)));
  // Paused, it starts none of them.
  const waiting = schedule.paused === null ? waitingOf(schedule, unmet) : [];
  const waits = new Set(waiting);
  const blockerAt = blockersOf(schedule);
  const missing = unmet
    .filter((time) => !waits.has(time))
    .map((dueAt): Missing => {
      const blockedBy = schedule.paused === null ? blockerAt(dueAt) : null;
      const cause = schedule.paused !== null ? 'paused' : blockedBy ? 'overlap' : 'missed';
      return { dueAt, cause, blockedBy };
    });
  return { missing, waiting };
}

/** Of those that the server keeps for later, as the overlap policy has it: each gets its run, in its turn. */
function waitingOf({ overlap, runs }: ScheduleState, unmet: readonly string[]): string[] {
  const open = runs.filter(({ closedAt }) => closedAt === null);
  if (open.length === 0) return [];
  const after = (time: (run: ScheduledRun) => string) => {
    const first = Math.min(...open.map((run) => Date.parse(time(run))));
    return unmet.filter((dueAt) => Date.parse(dueAt) > first);
  };
  if (overlap === 'buffer_all') return after(({ dueAt }) => dueAt);
  // One is kept, the first that fell due once the run had begun: before, it was itself the one that is kept.
  if (overlap === 'buffer_one') return after(({ startedAt }) => startedAt).slice(0, 1);
  return [];
}

/**
 * The run on whose account a due time was skipped, of several the one that lasted longest; null where the schedule
 * skips none, or no run was going on.
 */
export function blockersOf({ overlap, runs }: ScheduleState): (dueAt: string) => ScheduledRun | null {
  if (overlap !== 'skip' && overlap !== 'buffer_one') return () => null;
  const spans = runs
    .map((run) => ({
      ...{ run, start: Date.parse(run.startedAt) },
      end: run.closedAt === null ? Number.POSITIVE_INFINITY : Date.parse(run.closedAt),
    }))
    .sort((a, b) => a.start - b.start);
  // Of each and those before it the one that ends last.
  const longest = spans.map((_, i) => i);
  for (let i = 1; i < spans.length; i++)
    if (spans[longest[i - 1]!]!.end >= spans[i]!.end) longest[i] = longest[i - 1]!;
  return (dueAt) => {
    const moment = Date.parse(dueAt);
    let [low, high] = [0, spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spans[middle]!.start <= moment) low = middle + 1;
      else high = middle;
    }
    const before = low === 0 ? undefined : spans[longest[low - 1]!];
    return before && before.end > moment ? before.run : null;
  };
}
