import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { foundSchedules } from '../../activities/read-schedules.ts';
import { MARK, scheduleIdOf } from '../../pipelines/stages/schedules/facts.ts';

const MINUTE_MS = 60_000;
const APPEARS_WITHIN_MS = 20_000;

export interface DueSchedule {
  id: string;
  /** Its next three due times, which nothing will have started by `later`. ISO times. */
  due: [string, string, string];
  /** ISO time: some minutes after the third. */
  later: string;
  /** Starts the run for one of them, as a backfill does; no worker knows it. */
  run(dueAt: string): Promise<void>;
  remove(): Promise<void>;
}

/** A schedule of every hour, as `apply` makes it; what is due in three hours is missed by a look that comes later. */
export async function makeDueSchedule(client: Client, pipeline: string, name: string): Promise<DueSchedule> {
  const id = scheduleIdOf(pipeline, name);
  const handle = await client.schedule.create({
    scheduleId: id,
    spec: { calendars: [{ minute: 0, hour: '*' }], timezone: 'UTC' },
    action: { type: 'startWorkflow', workflowType: 'unknown', workflowId: `test/${id}`, taskQueue: id },
    policies: { overlap: 'SKIP' },
    memo: MARK,
  });
  const { info } = await handle.describe();
  const due = info.nextActionTimes.slice(0, 3).map((time) => time.toISOString()) as DueSchedule['due'];
  const runsOf = async () => {
    const known: { workflowId: string; runId: string }[] = [];
    const query = `TemporalScheduledById = "${id}"`;
    for await (const { workflowId, runId } of client.workflow.list({ query }))
      known.push({ workflowId, runId });
    return known;
  };
  await until(async () => (await foundSchedules(client, { pipeline })).some((one) => one.id === id));
  return {
    ...{ id, due, later: new Date(Date.parse(due[2]) + 10 * MINUTE_MS).toISOString() },
    async run(dueAt) {
      const before = (await runsOf()).length;
      const moment = Date.parse(dueAt);
      await handle.backfill({
        ...{ start: new Date(moment - 1000), end: new Date(moment + 1000), overlap: 'ALLOW_ALL' },
      });
      await until(async () => (await runsOf()).length > before);
    },
    async remove() {
      await handle.delete();
      for (const { workflowId, runId } of await runsOf())
        await client.workflow
          .getHandle(workflowId, runId)
          .terminate()
          .catch(() => undefined);
    },
  };
}

/** The server's lists come a moment later than what is in them. */
async function until(check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + APPEARS_WITHIN_MS;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error('it never came');
    await sleep(100);
  }
}
