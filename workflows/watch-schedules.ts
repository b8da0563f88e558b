import { proxyActivities } from '@temporalio/workflow';
import type { Watched, WatchStages } from '../pipelines/contracts/missed-runs.ts';
import { IO } from '../pipelines/contracts/policies.ts';
import { openChoreBoard } from './chore-board.ts';
import { nowMs } from './clock.ts';

const io = proxyActivities<WatchStages>(IO);

/** A server that was away starts what it missed within seconds of its return, and its list lags a moment behind. */
const SETTLE_SECONDS = 30;

/**
 * Looks once whether each due time of every schedule has its run, and tells those that have none. A schedule of its own,
 * which `strata schedules apply` makes, starts it.
 */
export async function watchSchedules(): Promise<Watched> {
  openChoreBoard()('looks whether each due time of every schedule has its run');
  const now = new Date(nowMs()).toISOString();
  return io.tellMissedRuns.executeWithOptions({ summary: 'look for due times without a run' }, [
    { now, settleSeconds: SETTLE_SECONDS },
  ]);
}
