import { formatCron } from '../../contracts/cron.ts';
import type { StartInput } from '../../contracts/run.ts';
import type { Schedule } from '../../contracts/schedule-settings.ts';
import { workflowIds } from '../../contracts/signatures.ts';

/** What is compared and shown, named as in `pipeline.yaml` and in the order in which a person reads it. */
export const FACTS = [
  'kind',
  'frequency',
  'timezone',
  'overlap',
  'catchupWindowHours',
  'pauseOnFailure',
  'jitterMinutes',
  'paused',
  'note',
  'starts',
  'besides',
] as const;
export type Fact = (typeof FACTS)[number];

/** Each fact as text, so that the two sides are compared as they are shown; a fact left out is left to the other side. */
export type ScheduleFacts = Readonly<Partial<Record<Fact, string>>>;

export const NOTHING = 'none';

/** Of a schedule that stands in a file. */
export interface WantedSchedule {
  id: string;
  pipeline: string;
  schedule: Schedule;
}

/** Ids of the schedules that come from files all begin so. */
export const SCHEDULE_PREFIX = 'strata/';

export function scheduleIdOf(pipeline: string, name: string): string {
  return `${SCHEDULE_PREFIX}${pipeline}/${name}`;
}

/** The pipeline and name in an id; null for one that is not made so. */
export function nameOfSchedule(id: string): { pipeline: string; name: string } | null {
  const [, pipeline, name] = /^strata\/([^/]+)\/([^/]+)$/.exec(id) ?? [];
  return pipeline && name ? { pipeline, name } : null;
}

/** Marks what `apply` made: an id alone may be chosen by anybody. */
export const MARK = { madeBy: 'strata schedules apply' } as const;

/** The watch over all schedules: no name of a pipeline in it, so that it is none of theirs. */
export const WATCH_ID = `${SCHEDULE_PREFIX}${workflowIds.watch()}`;

/** Of the watch; whether it is paused is left to people. */
export function factsOfWatch(everyMinutes: number, taskQueue: string): ScheduleFacts {
  return {
    kind: WATCH_KIND,
    frequency: everyText(everyMinutes),
    ...{ overlap: 'skip', catchupWindowHours: figure(WATCH_CATCHUP_HOURS) },
    starts: startsText(workflowIds.watch(), taskQueue, {}),
    besides: NOTHING,
  };
}

export const WATCH_KIND = 'watch';
/** The next look sees what one that was missed would have seen. */
export const WATCH_CATCHUP_HOURS = 1 / 60;

export function everyText(minutes: number): string {
  return minutes === 1 ? 'every minute' : `every ${figure(minutes)} minutes`;
}

/** Without a zone a schedule is due in every hour, and the server's clock is as good as any. */
export const SERVER_ZONE = 'UTC';

/** What its runs are started with: their date is one of the schedule's own clock. */
export function inputOfSchedule({ pipeline, schedule: { timezone } }: WantedSchedule): StartInput {
  return { pipeline, ...(timezone !== undefined && { timezone }) };
}

/** Temporal adds the scheduled time to it. */
export function workflowIdOfSchedule({ pipeline, schedule: { kind, name } }: WantedSchedule): string {
  return `${kind === 'assign' ? 'assign' : 'segment'}/${pipeline}/${name}`;
}

export function startsText(workflowId: string, taskQueue: string, input: unknown): string {
  return `${workflowId} on ${taskQueue} with ${JSON.stringify(input)}`;
}

export function factsOfSchedule(wanted: WantedSchedule, taskQueue: string): ScheduleFacts {
  const { kind, frequency, timezone, overlap, catchupWindowHours, pauseOnFailure, jitterMinutes } =
    wanted.schedule;
  const { paused, note } = wanted.schedule;
  return {
    ...{ kind, frequency: frequency.map(formatCron).join(' and '), timezone: timezone ?? SERVER_ZONE },
    ...{ overlap, catchupWindowHours: figure(catchupWindowHours), pauseOnFailure: String(pauseOnFailure) },
    jitterMinutes: figure(jitterMinutes),
    ...(paused !== undefined && { paused: String(paused) }),
    note: note ?? NOTHING,
    starts: startsText(workflowIdOfSchedule(wanted), taskQueue, inputOfSchedule(wanted)),
    besides: NOTHING,
  };
}

/** The server keeps whole seconds: no more digits than that. */
export function figure(value: number): string {
  return String(Number(value.toFixed(4)));
}
