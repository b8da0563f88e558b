import type { Client, ScheduleDescription } from '@temporalio/client';
import { msToTs, tsToDate } from '@temporalio/common/lib/time.js';
import { type Gap, unmetTimes } from '../../pipelines/stages/schedules/unmet.ts';
import { type Found, foundSchedules } from './found.ts';
import { type ListedRun, lastRuns } from './list.ts';

// Whether every due time has its run. Asked of what is there, not of the server's counters, which only ever grow: a gap
// that was filled, by a backfill or by hand, is none any more.

const DAY_MS = 24 * 3_600_000;
/** A run that is due has so long to begin, beside its jitter. */
const GRACE_MS = 5 * 60_000;

export interface CheckedSchedule {
  id: string;
  timezone: string;
  /** Why it is paused; null where it is not. */
  paused: string | null;
  /** The newest run, where it failed or was rejected. */
  failed: ListedRun | null;
  /** ISO time from which due times were looked at: when it was made or changed, at most so many days ago. */
  since: string;
  due: number;
  gaps: Gap[];
  /** Due times that wait for a run that is still going on; no gaps. */
  waiting: number;
}

/**
 * @param now ISO time
 * @param days so far back
 */
export async function checkSchedules(
  client: Client,
  { pipeline, now, days }: { pipeline?: string | undefined; now: string; days: number },
): Promise<CheckedSchedule[]> {
  const found = (await foundSchedules(client, { pipeline })).filter(({ isOurs }) => isOurs);
  return Promise.all(found.map((one) => checkOne(client, one, { now: Date.parse(now), days })));
}

async function checkOne(
  client: Client,
  { id, description }: Found,
  { now, days }: { now: number; days: number },
): Promise<CheckedSchedule> {
  const { info, spec, state } = description;
  // Before that it was due at other times, or not at all.
  const changed = (info.lastUpdatedAt ?? info.createdAt).getTime();
  const since = Math.max(changed, now - days * DAY_MS);
  const until = now - GRACE_MS - (spec.jitter ?? 0);
  const due = since < until ? await dueTimes(client, id, { since, until }) : [];
  const gaps = unmetTimes(due, due.length > 0 ? await ranFor(client, id) : []);
  const waits = isBuffering(description);
  const [newest] = await lastRuns(client, description, 1);
  return {
    ...{ id, timezone: spec.timezone || 'UTC', since: new Date(since).toISOString(), due: due.length },
    paused: state.paused ? state.note || 'without a word why' : null,
    failed: newest && FAILED.includes(newest.outcome) ? newest : null,
    gaps: waits ? [] : gaps,
    waiting: waits ? gaps.reduce((sum, { times }) => sum + times, 0) : 0,
  };
}

const FAILED = ['failed', 'rejected', 'terminated', 'timed out'];

function isBuffering({ info, policies }: ScheduleDescription): boolean {
  return info.runningActions.length > 0 && (policies.overlap ?? '').startsWith('BUFFER');
}

async function dueTimes(
  { workflowService, options }: Client,
  scheduleId: string,
  { since, until }: { since: number; until: number },
): Promise<string[]> {
  const { startTime } = await workflowService.listScheduleMatchingTimes({
    namespace: options.namespace,
    scheduleId,
    startTime: msToTs(since),
    endTime: msToTs(until),
  });
  return (startTime ?? []).map((time) => tsToDate(time).toISOString());
}

/** Scheduled times of all runs that Temporal keeps, whatever came of them. */
async function ranFor(client: Client, scheduleId: string): Promise<string[]> {
  const times: string[] = [];
  const query = `TemporalScheduledById = "${scheduleId}"`;
  for await (const { searchAttributes } of client.workflow.list({ query })) {
    const due = searchAttributes.TemporalScheduledStartTime?.[0];
    if (due instanceof Date) times.push(due.toISOString());
  }
  return times;
}
