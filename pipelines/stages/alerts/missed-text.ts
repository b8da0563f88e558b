import type { AlertRuleOf } from '../../contracts/alert-settings.ts';
import type { Finding } from '../../contracts/alerts.ts';
import type { DueTime, MissedTime } from '../../contracts/missed-runs.ts';
import { dateIn, timeIn } from '../../contracts/shop-date.ts';
import { counted } from '../figures.ts';
import { blockersOf, type ScheduleState } from '../schedules/missed.ts';
import { backfillRange, unmetTimes } from '../schedules/unmet.ts';

// What is said of due times without a run: which, why, and the command that mends it.

type Rule = AlertRuleOf<'missed-run'>;

const NOTE_LENGTH = 200;
const MOST_WAYS = 3;

/** @param times at least one, rising, all for one reason */
export function missedFinding(rule: Rule, schedule: ScheduleState, times: readonly MissedTime[]): Finding {
  const { pipeline, name } = schedule;
  const isPaused = times[0]!.cause === 'paused';
  return {
    ...finding(rule, times),
    title: `${name} has no run ${ofTimes(schedule, times)}`,
    details: [
      ...reasonsOf(schedule, times[0]!),
      ...(isPaused && schedule.paused !== null
        ? [
            'nothing more is sent about this pause',
            `let it go on: npm run strata -- schedules unpause ${pipeline}/${name}`,
          ]
        : []),
      ...waysOut(schedule, times),
    ],
  };
}

/** Of an alert that is over. @param came due times whose runs have come last, rising */
export function overFinding(rule: Rule, schedule: ScheduleState, came: readonly DueTime[]): Finding {
  return {
    ...finding(rule, came),
    title: `${schedule.name} has its ${came.length === 1 ? 'run' : 'runs'} ${ofTimes(schedule, came)}`,
    details: [],
  };
}

function finding(rule: Rule, times: readonly DueTime[]): Omit<Finding, 'title' | 'details'> {
  const { name, kind, severity, owner = null, channels = null } = rule;
  return {
    ...{ rule: name, kind, severity, owner, channels },
    subject: subjectOf(times[0]!),
    magnitude: times.length,
    // It is told once, however many more fall due.
    worseBy: 0,
    ...{ customers: null, spendCents: null, features: [], pValue: null },
  };
}

/** What tells alerts of missed runs apart. */
export function subjectOf({ schedule, dueAt }: DueTime): string {
  return `${schedule}:${dueAt}`;
}

function ofTimes({ timezone }: ScheduleState, times: readonly DueTime[]): string {
  const [first, last] = [times[0]!, times.at(-1)!].map(({ dueAt }) => momentIn(dueAt, timezone));
  if (times.length > 1) return `for ${counted(times.length, 'due time')}, ${first} to ${last} (${timezone})`;
  return `as of ${first!.slice(0, 10)}, due ${first!.slice(11)} (${timezone})`;
}

function momentIn(moment: string, timezone: string): string {
  return `${dateIn(moment, timezone)} ${timeIn(moment, timezone)}`;
}

/** A backfill starts a run for each due time of its range: none for those that have one in between. */
function waysOut(schedule: ScheduleState, times: readonly DueTime[]): string[] {
  const { pipeline, name, due, timezone, isDueOnceADay } = schedule;
  const wanted = new Set(times.map(({ dueAt }) => Date.parse(dueAt)));
  const gaps = unmetTimes(
    due,
    due.filter((time) => !wanted.has(Date.parse(time))),
  );
  // Some of longer ago than is looked at.
  const isWhole = gaps.reduce((sum, gap) => sum + gap.times, 0) === times.length;
  const ways = isWhole ? gaps : [{ first: times[0]!.dueAt, last: times.at(-1)!.dueAt }];
  if (ways.length > MOST_WAYS) return [`mend them: npm run strata -- schedules check ${pipeline} says how`];
  const known = [...new Set([...due, ...times.map(({ dueAt }) => dueAt)])];
  return ways.map((way) => {
    const { from, to } = backfillRange(way, { due: known, timezone, isDueOnceADay });
    return `mend it: npm run strata -- schedules backfill ${pipeline}/${name} --from ${from} --to ${to}`;
  });
}

function reasonsOf(schedule: ScheduleState, { cause, dueAt }: MissedTime): string[] {
  const { overlap, paused, timezone, catchupWindowHours } = schedule;
  switch (cause) {
    case 'paused':
      return [
        paused === null
          ? 'the schedule was paused'
          : `the schedule is paused: ${paused.slice(0, NOTE_LENGTH)}`,
      ];
    case 'overlap': {
      const blocker = blockersOf(schedule)(dueAt);
      const which = blocker
        ? `the run due ${momentIn(blocker.dueAt, timezone)} (${blocker.workflowId})`
        : 'another run';
      return [`it was skipped, as overlap: ${overlap} says: ${which} was still going on`];
    }
    case 'missed':
      return [
        `nothing started it: the Temporal server was away for longer than ${counted(catchupWindowHours, 'hour')} (catchupWindowHours), the schedule was paused at that time, or it has no actions left`,
      ];
  }
}
