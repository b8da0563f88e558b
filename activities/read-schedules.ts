import type { Context } from '@temporalio/activity';
import { msToTs, optionalTsToMs, tsToDate } from '@temporalio/common/lib/time.js';
import { nominalTimes } from '../pipelines/stages/schedules/clock-changes.ts';
import { MARK, nameOfSchedule, SCHEDULE_PREFIX } from '../pipelines/stages/schedules/facts.ts';
import { judgedRange, type ScheduledRun, type ScheduleState } from '../pipelines/stages/schedules/missed.ts';
import { timesOf } from './calendar-times.ts';
import { listExecutions } from './list-executions.ts';

// Schedules as the Temporal server has them: those that `apply` made, when they were due, and what they started. For the
// watch and for commands alike.

export type TemporalClient = Context['client'];
export type ScheduleDescription = Awaited<
  ReturnType<ReturnType<TemporalClient['schedule']['getHandle']>['describe']>
>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface Found {
  id: string;
  isOurs: boolean;
  description: ScheduleDescription;
}

/**
 * What the server has of these ids, and of all others that Strata's schedules are called by, in the order of the ids.
 * The server's list lags behind a moment: what is asked for by its id does not.
 *
 * @param pipeline only of this one
 */
export async function foundSchedules(
  client: TemporalClient,
  { ids = [], pipeline }: { ids?: readonly string[]; pipeline?: string | undefined },
): Promise<Found[]> {
  const asked = new Set(ids);
  for await (const { scheduleId } of client.schedule.list()) {
    const named = scheduleId.startsWith(SCHEDULE_PREFIX) ? nameOfSchedule(scheduleId) : null;
    if (named && (pipeline === undefined || named.pipeline === pipeline)) asked.add(scheduleId);
  }
  const found = await Promise.all([...asked].sort().map((id) => findSchedule(client, id)));
  return found.filter((one) => one !== null);
}

export async function findSchedule(client: TemporalClient, id: string): Promise<Found | null> {
  try {
    const description = await client.schedule.getHandle(id).describe();
    return { id, isOurs: description.memo?.madeBy === MARK.madeBy, description };
  } catch (error) {
    if (error instanceof Error && error.name === 'ScheduleNotFoundError') return null;
    throw error;
  }
}

export interface ReadSchedule extends ScheduleState {
  id: string;
  /** ISO time from which due times were looked at. */
  since: string;
  description: ScheduleDescription;
}

export interface Reading {
  pipeline?: string | undefined;
  /** ISO time. */
  now: string;
  /** So far back. */
  days: number;
  /** ISO time: runs for due times from then on, where that is longer ago; absent or null: it is not. */
  runsSince?: string | null;
}

/** The schedules that `apply` made, with the due times that may be judged by now and the runs there are for them. */
export async function readSchedules(client: TemporalClient, reading: Reading): Promise<ReadSchedule[]> {
  const found = await foundSchedules(client, { pipeline: reading.pipeline });
  const keptMs = await keptFor(client);
  const ours = found.filter(({ isOurs }) => isOurs);
  return Promise.all(ours.map((one) => readSchedule(client, one, { ...reading, keptMs })));
}

/** How long runs that have ended are known, in milliseconds; null where the server does not say. */
async function keptFor({ workflowService, options }: TemporalClient): Promise<number | null> {
  const { config } = await workflowService.describeNamespace({ namespace: options.namespace });
  return optionalTsToMs(config?.workflowExecutionRetentionTtl) || null;
}

async function readSchedule(
  client: TemporalClient,
  { id, description }: Found,
  { now, days, runsSince, keptMs }: Reading & { keptMs: number | null },
): Promise<ReadSchedule> {
  const { info, spec, state, policies } = description;
  const { jitter: jitterMs = 0 } = spec;
  const timezone = zoneOf(spec);
  const { since, until } = judgedRange({
    ...{ now, days, jitterMs, keptMs },
    changedAt: (info.lastUpdatedAt ?? info.createdAt).toISOString(),
  });
  // Before the runs: what starts meanwhile is not missed.
  const late = until === null ? [] : await dueTimes(client, id, { since, until });
  const due = withoutJitter(spec, late);
  const earliest = Math.min(Date.parse(now) - days * DAY_MS, ...(runsSince ? [Date.parse(runsSince)] : []));
  return {
    ...{ id, ...nameOfSchedule(id)!, since, description, due, timezone },
    isDueOnceADay: isDueOnceADay(spec),
    overlap: (policies.overlap ?? 'skip').toLowerCase(),
    catchupWindowHours: policies.catchupWindow / HOUR_MS,
    paused: state.paused ? state.note || 'without a word why' : null,
    runs: await runsOf(client, id, new Date(earliest).toISOString()),
  };
}

type Spec = ScheduleDescription['spec'];

export function zoneOf({ timezone }: Spec): string {
  return timezone || 'UTC';
}

/** Due times as the server tells them, without their jitter. */
export function withoutJitter(spec: Spec, late: readonly string[]): string[] {
  const { jitter: jitterMs = 0, calendars = [] } = spec;
  if (jitterMs === 0) return [...late];
  return nominalTimes(late, { times: calendars.map(timesOf), timezone: zoneOf(spec), jitterMs });
}

function isDueOnceADay({ calendars = [], intervals = [] }: Spec): boolean {
  const times = calendars
    .map(timesOf)
    .flatMap(({ hour, minute }) => hour.flatMap((h) => minute.map((m) => `${h}:${m}`)));
  return intervals.length === 0 && new Set(times).size === 1;
}

/** So many, the earliest, are what the server answers at once. */
const TIMES_OF_A_PAGE = 1000;

/**
 * When the schedule is due, each with its jitter, whether or not it is paused.
 *
 * @param range ISO times; `since` itself is left out
 */
export async function dueTimes(
  { workflowService, options }: TemporalClient,
  scheduleId: string,
  { since, until }: { since: string; until: string },
): Promise<string[]> {
  const due: string[] = [];
  let page: string[];
  do {
    const { startTime } = await workflowService.listScheduleMatchingTimes({
      namespace: options.namespace,
      scheduleId,
      // Left out itself.
      startTime: msToTs(Date.parse(due.at(-1) ?? since)),
      endTime: msToTs(Date.parse(until)),
    });
    page = (startTime ?? []).map((time) => tsToDate(time).toISOString());
    due.push(...page);
  } while (page.length >= TIMES_OF_A_PAGE);
  return due;
}

/** Of all runs that Temporal keeps, whatever came of them. */
async function runsOf(client: TemporalClient, scheduleId: string, since: string): Promise<ScheduledRun[]> {
  const runs: ScheduledRun[] = [];
  const query = `TemporalScheduledById = "${scheduleId}" AND TemporalScheduledStartTime >= "${since}"`;
  for await (const { workflowId, searchAttributes, startTime, closeTime } of listExecutions(client, query)) {
    const due = searchAttributes.TemporalScheduledStartTime?.[0];
    if (!(due instanceof Date)) continue;
    runs.push({
      ...{ workflowId, dueAt: due.toISOString(), startedAt: startTime.toISOString() },
      closedAt: closeTime?.toISOString() ?? null,
    });
  }
  return runs;
}
