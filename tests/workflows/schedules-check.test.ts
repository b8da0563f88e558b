import { stripVTControlCharacters } from 'node:util';
import type { Client } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { apply } from '../../scripts/schedules/apply.ts';
import { checkSchedules } from '../../scripts/schedules/check.ts';
import { listSchedules } from '../../scripts/schedules/list.ts';
import { pause } from '../../scripts/schedules/operate.ts';
import { checkReport, needsPerson } from '../../scripts/schedules/report.ts';
import { newPipelineName, once, openSchedules } from '../helpers/made-schedules.ts';

let schedules: Awaited<ReturnType<typeof openSchedules>>;
let client: Client;
let pipeline: string;
beforeAll(async () => {
  schedules = await openSchedules();
  client = schedules.client;
});
afterEach(() => schedules.clear());
afterAll(() => schedules?.close());

const newPipeline = () => {
  pipeline = newPipelineName();
};
const wantedOf = (schedule: string) => schedules.wantedOf(pipeline, schedule);

describe('schedules check', () => {
  /** To the minute: of those hours, and not of all on their days. */
  const ofMoments = (from: string, to: string) => ({
    from: `${from.slice(0, 16)}Z`,
    to: `${to.slice(0, 16)}Z`,
  });
  /** Half an hour from now: none comes due while a test goes on. */
  const MINUTE = (new Date().getUTCMinutes() + 30) % 60;
  const HOURLY = `{ kind: refit, frequency: "${MINUTE} * * * *", timezone: UTC, overlap: skip }`;
  /** The check as it would be an hour and a bit after the schedule was due for the third time; no worker is there. */
  async function checkedLater(schedule: string) {
    newPipeline();
    const wanted = wantedOf(schedule);
    await apply(client, wanted, { pipeline, deletes: false });
    const handle = client.schedule.getHandle(wanted[0]!.id);
    const due = (await handle.describe()).info.nextActionTimes.slice(0, 3);
    const now = new Date(due[2]!.getTime() + 10 * 60_000).toISOString();
    const check = async () => (await checkSchedules(client, { pipeline, now, days: 30 }))[0]!;
    const [first, second, third] = due.map((time) => time.toISOString()) as [string, string, string];
    await once(async () => (await checkSchedules(client, { pipeline, now, days: 30 })).length === 1);
    const run = async (time: string) => {
      const moment = Date.parse(time);
      await handle.backfill({ start: new Date(moment - 1000), end: new Date(moment + 1000) });
      const query = `TemporalScheduledById = "${wanted[0]!.id}"`;
      await once(async () => (await client.workflow.count(query)).count > 0);
    };
    const end = async () => {
      for (const { workflow } of (await handle.describe()).info.runningActions)
        await client.workflow.getHandle(workflow.workflowId).terminate();
    };
    return { check, run, end, first, second, third };
  }

  test('tells due times that have no run, until they have one', async () => {
    const { check, run, end, first, second, third } = await checkedLater(HOURLY);
    const before = await check();
    expect(before).toMatchObject({
      due: 3,
      gaps: [{ first, last: third, times: 3, backfill: ofMoments(first, third) }],
      paused: null,
      failed: null,
    });
    expect(needsPerson(before)).toBe(true);
    expect(stripVTControlCharacters(checkReport([before], null))).toContain(
      `schedules backfill ${pipeline}/refit --from ${ofMoments(first, third).from} --to ${ofMoments(first, third).to}`,
    );
    expect(stripVTControlCharacters(checkReport([before], null))).toContain(
      '! watch-schedules  is not there: nobody is sent what is missed',
    );
    await run(second);
    expect((await check()).gaps).toEqual([
      { first, last: first, times: 1, backfill: ofMoments(first, first) },
      { first: third, last: third, times: 1, backfill: ofMoments(third, third) },
    ]);
    expect(await check()).toEqual(await check());
    await end();
    await once(async () => (await check()).failed !== null);
    expect((await check()).failed?.outcome).toBe('terminated');
  });

  test('what waits behind a run that is going on is not missing', async () => {
    const { check, run, end, first } = await checkedLater(HOURLY.replace('skip', 'buffer_all'));
    await run(first);
    const waiting = await check();
    expect(waiting).toMatchObject({ due: 3, gaps: [], waiting: 2 });
    expect(needsPerson(waiting)).toBe(false);
    await end();
  });

  test('a pause needs a person, and says whose it is', async () => {
    newPipeline();
    await apply(client, wantedOf(HOURLY), { pipeline, deletes: false });
    await pause(client, { schedule: `${pipeline}/refit`, note: 'the export is late', author: 'Ada' });
    await once(async () => (await listSchedules(client, pipeline)).length === 1);
    const [checked] = await checkSchedules(client, { pipeline, now: new Date().toISOString(), days: 30 });
    expect(checked).toMatchObject({ due: 0, gaps: [], paused: 'paused by Ada: the export is late' });
    expect(needsPerson(checked!)).toBe(true);
  });
});
