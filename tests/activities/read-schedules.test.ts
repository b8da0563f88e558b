import { randomUUID } from 'node:crypto';
import { Client, Connection, type ScheduleSpec } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type ReadSchedule, readSchedules } from '../../activities/read-schedules.ts';
import { MARK, scheduleIdOf } from '../../pipelines/stages/schedules/facts.ts';
import { unmetOf } from '../../pipelines/stages/schedules/missed.ts';
import { temporalAddress } from '../helpers/temporal.ts';

const HOUR_MS = 3_600_000;

let connection: Connection;
let client: Client;
beforeAll(async () => {
  connection = await Connection.connect({ address: temporalAddress() });
  client = new Client({ connection });
});
afterAll(() => connection?.close());

let id: string;
afterEach(async () => {
  await client.schedule.getHandle(id).delete();
  for await (const { workflowId, runId } of client.workflow.list({
    query: `TemporalScheduledById = "${id}" AND ExecutionStatus = "Running"`,
  }))
    await client.workflow.getHandle(workflowId, runId).terminate();
});

/** @returns how it would be read in some hours */
async function readLater(
  spec: ScheduleSpec,
): Promise<(hours: number, days?: number) => Promise<ReadSchedule>> {
  const pipeline = `p${randomUUID().slice(0, 8)}`;
  id = scheduleIdOf(pipeline, 'often');
  await client.schedule.create({
    ...{ scheduleId: id, spec: { timezone: 'Europe/Berlin', ...spec }, memo: MARK },
    action: { type: 'startWorkflow', workflowType: 'unknown', workflowId: `test/${id}`, taskQueue: id },
    // What falls due meanwhile is not started.
    state: { paused: true },
  });
  const start = Date.now();
  return async (hours, days = 30) => {
    const now = new Date(start + hours * HOUR_MS).toISOString();
    let read: ReadSchedule | undefined;
    // The server's list lags behind.
    await expect
      .poll(async () => ([read] = await readSchedules(client, { pipeline, now, days })), {
        timeout: 20_000,
      })
      .toHaveLength(1);
    return read!;
  };
}

test('a due time that is jittered is met by its run, which is told by the time without it', async () => {
  const readIn = await readLater({ calendars: [{ minute: [5, 25, 45], hour: '*' }], jitter: '10 minutes' });
  const missing = async () => unmetOf(await readIn(6)).missing.map(({ dueAt }) => dueAt);
  const before = await missing();
  expect(before.length).toBeGreaterThanOrEqual(16);
  for (const dueAt of before) expect([5, 25, 45]).toContain(new Date(dueAt).getUTCMinutes());
  await client.schedule.getHandle(id).backfill({
    start: new Date(Date.parse(before[0]!) - 1000),
    end: new Date(Date.parse(before.at(-1)!) + 11 * 60_000),
    overlap: 'ALLOW_ALL',
  });
  await expect.poll(missing, { timeout: 20_000 }).toEqual([]);
}, 60_000);

test('is looked for no longer back than the server knows runs', async () => {
  const readIn = await readLater({ calendars: [{ minute: 0, hour: 0 }] });
  const { config } = await client.workflowService.describeNamespace({ namespace: 'default' });
  const keptHours = Number(config!.workflowExecutionRetentionTtl!.seconds) / 3600;
  const { since } = await readIn(keptHours + 24, keptHours);
  // A schedule that was made 24 hours before what is looked at.
  expect((Date.parse(since) - Date.now()) / HOUR_MS).toBeGreaterThan(24);
}, 60_000);

test('are all found, also where the server answers them in several parts', async () => {
  const readIn = await readLater({ calendars: [{ minute: '*', hour: '*' }] });
  const { due, since } = await readIn(20);
  const moments = due.map((time) => Date.parse(time));
  expect(moments.length).toBeGreaterThan(19 * 60);
  expect(moments).toEqual(moments.map((_, i) => moments[0]! + i * 60_000));
  expect(moments[0]! - Date.parse(since)).toBeLessThanOrEqual(60_000);
}, 60_000);
