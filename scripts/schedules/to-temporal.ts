import {
  type CalendarSpec,
  DAYS_OF_WEEK,
  type LooseRange,
  MONTHS,
  type ScheduleDescription,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import { timesOf } from '../../activities/calendar-times.ts';
import { type CalendarTimes, formatCron, spansOf, valuesOfSpans } from '../../pipelines/contracts/cron.ts';
import type { RunKind } from '../../pipelines/contracts/run.ts';
import type { Overlap } from '../../pipelines/contracts/schedule-settings.ts';
import { WORKFLOWS } from '../../pipelines/contracts/signatures.ts';
import {
  figure,
  inputOfSchedule,
  NOTHING,
  type ScheduleFacts,
  SERVER_ZONE,
  startsText,
  type WantedSchedule,
  workflowIdOfSchedule,
} from '../../pipelines/stages/schedules/facts.ts';

// A schedule of a file as Temporal takes it, and the facts of one as Temporal answers it.

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

const WORKFLOW_OF: Record<RunKind, string> = {
  refit: WORKFLOWS.segmentCustomers,
  assign: WORKFLOWS.assignCustomers,
};

type Options = ScheduleOptions<ScheduleOptionsStartWorkflowAction<(input: unknown) => Promise<unknown>>>;

/** @param taskQueue where runs begin */
export function toTemporal(
  wanted: WantedSchedule,
  taskQueue: string,
): Required<Pick<Options, 'spec' | 'action' | 'policies'>> {
  const { pipeline, schedule } = wanted;
  const { kind, name, frequency, timezone = SERVER_ZONE, note } = schedule;
  return {
    spec: {
      calendars: frequency.map(calendarOf),
      timezone,
      jitter: schedule.jitterMinutes * MINUTE_MS,
    },
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOW_OF[kind],
      workflowId: workflowIdOfSchedule(wanted),
      taskQueue,
      args: [inputOfSchedule(wanted)],
      staticSummary: `${kind === 'assign' ? 'assign' : 'segment'} customers of ${pipeline}, by the schedule ${name}`,
      ...(note !== undefined && { staticDetails: note }),
    },
    policies: {
      overlap: schedule.overlap.toUpperCase() as Uppercase<Overlap>,
      catchupWindow: Math.round(schedule.catchupWindowHours * HOUR_MS),
      pauseOnFailure: schedule.pauseOnFailure,
    },
  };
}

function calendarOf(times: CalendarTimes): CalendarSpec {
  const named = <T extends string>(values: readonly number[], names: readonly T[], least: number) =>
    values.map((value): LooseRange<T> => names[value - least]!);
  return {
    second: 0,
    minute: spansOf(times.minute),
    hour: spansOf(times.hour),
    dayOfMonth: spansOf(times.dayOfMonth),
    month: times.month.length === MONTHS.length ? '*' : named(times.month, MONTHS, 1),
    dayOfWeek: times.dayOfWeek.length === DAYS_OF_WEEK.length ? '*' : named(times.dayOfWeek, DAYS_OF_WEEK, 0),
    comment: formatCron(times),
  };
}

/** Of one that `apply` made, and that a person may have changed since. */
export function factsOfDescription(description: ScheduleDescription): ScheduleFacts {
  const { spec, action, policies, state } = description;
  const { workflowType, workflowId, taskQueue, args, staticDetails } = action;
  const kind = (['refit', 'assign'] as const).find((one) => WORKFLOW_OF[one] === workflowType);
  const calendars = (spec.calendars ?? []).map(timesOf).map(formatCron).sort();
  return {
    kind: kind ?? workflowType,
    frequency: calendars.join(' and ') || NOTHING,
    timezone: spec.timezone || SERVER_ZONE,
    overlap: (policies.overlap ?? 'skip').toLowerCase(),
    catchupWindowHours: figure(policies.catchupWindow / HOUR_MS),
    pauseOnFailure: String(policies.pauseOnFailure),
    jitterMinutes: figure((spec.jitter ?? 0) / MINUTE_MS),
    paused: String(state.paused),
    note: staticDetails ?? NOTHING,
    starts: startsText(workflowId ?? '', taskQueue, args?.[0]),
    besides: besidesOf(description).join(', ') || NOTHING,
  };
}

/** What a file cannot say: set by hand, and taken away by the next apply. */
export function besidesOf({ spec, action, state }: ScheduleDescription): string[] {
  const { calendars = [], intervals = [], skip = [], startAt, endAt } = spec;
  const seconds = calendars.some(({ second }) => valuesOfSpans(second).join() !== '0');
  const found: [boolean, string][] = [
    [seconds, 'seconds'],
    [calendars.some(({ year }) => year.length > 0), 'years'],
    [intervals.length > 0, 'intervals'],
    [skip.length > 0, 'times that are skipped'],
    [startAt !== undefined, `a start at ${startAt?.toISOString()}`],
    [endAt !== undefined, `an end at ${endAt?.toISOString()}`],
    [state.remainingActions !== undefined, `${state.remainingActions} runs left`],
    [(action.args?.length ?? 0) > 1, 'a second argument'],
    [action.retry !== undefined, 'a retry policy'],
    [Boolean(action.workflowExecutionTimeout || action.workflowRunTimeout), 'a time-out'],
  ];
  return found.flatMap(([is, words]) => (is ? [words] : []));
}
