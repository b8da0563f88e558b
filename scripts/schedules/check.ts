import type { Client } from '@temporalio/client';
import { type ReadSchedule, readSchedules } from '../../activities/read-schedules.ts';
import { unmetOf } from '../../pipelines/stages/schedules/missed.ts';
import {
  type BackfillRange,
  backfillRange,
  type Gap,
  unmetTimes,
} from '../../pipelines/stages/schedules/unmet.ts';
import { type ListedRun, lastRuns } from './list.ts';

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
  gaps: (Gap & { backfill: BackfillRange })[];
  /** Due times that wait for a run that is still going on; no gaps. */
  waiting: number;
}

/**
 * Whether every due time has its run.
 *
 * @param now ISO time
 * @param days so far back
 */
export async function checkSchedules(
  client: Client,
  { pipeline, now, days }: { pipeline?: string | undefined; now: string; days: number },
): Promise<CheckedSchedule[]> {
  const read = await readSchedules(client, { pipeline, now, days });
  return Promise.all(read.map((one) => checkOne(client, one)));
}

async function checkOne(client: Client, schedule: ReadSchedule): Promise<CheckedSchedule> {
  const { id, timezone, since, due, paused, description, runs, isDueOnceADay } = schedule;
  const { waiting } = unmetOf(schedule);
  const gaps = unmetTimes(due, [...runs.map(({ dueAt }) => dueAt), ...waiting]);
  const [newest] = await lastRuns(client, description, 1);
  return {
    ...{ id, timezone, since, due: due.length, paused },
    failed: newest && FAILED.includes(newest.outcome) ? newest : null,
    gaps: gaps.map((gap) => ({ ...gap, backfill: backfillRange(gap, { due, timezone, isDueOnceADay }) })),
    waiting: waiting.length,
  };
}

const FAILED = ['failed', 'rejected', 'terminated', 'timed out'];
