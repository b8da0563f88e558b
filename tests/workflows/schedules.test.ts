import type { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { StartInput } from '../../pipelines/contracts/run.ts';
import { scheduleIdOf } from '../../pipelines/stages/schedules/facts.ts';
import { apply, planOf } from '../../scripts/schedules/apply.ts';
import { findSchedule } from '../../scripts/schedules/found.ts';
import { listSchedules } from '../../scripts/schedules/list.ts';
import { backfill, pause, trigger, unpause } from '../../scripts/schedules/operate.ts';
import { fakeStages } from '../helpers/fake-stages.ts';
import { newPipelineName, once, openSchedules } from '../helpers/made-schedules.ts';
import { runWith } from '../helpers/workflow-runs.ts';

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

const NIGHTLY = `
  - { name: nightly, kind: assign, frequency: "30 2 * * *", timezone: Europe/Berlin, note: what the shop sold }
`;
const BOTH = `${NIGHTLY}  - { name: monthly, kind: refit, frequency: { every: month, at: "04:00" }, timezone: Europe/Berlin, overlap: skip, jitterMinutes: 10, catchupWindowHours: 1.5, pauseOnFailure: true }
`;

const statesOf = (plan: readonly { id: string; state: string }[]) =>
  Object.fromEntries(plan.map(({ id, state }) => [id.split('/').at(-1), state]));

describe('schedules apply', () => {
  test('makes what files say, and a second one has nothing to do', async () => {
    newPipeline();
    const wanted = wantedOf(BOTH);
    expect(statesOf(await planOf(client, wanted, pipeline))).toEqual({ monthly: 'new', nightly: 'new' });
    const first = await apply(client, wanted, { pipeline, deletes: false });
    expect(first.map(({ done }) => done)).toEqual(['created', 'created']);
    expect(await planOf(client, wanted, pipeline)).toEqual([
      { id: scheduleIdOf(pipeline, 'monthly'), state: 'same', changes: [] },
      { id: scheduleIdOf(pipeline, 'nightly'), state: 'same', changes: [] },
    ]);
    const second = await apply(client, wanted, { pipeline, deletes: false });
    expect(second.map(({ done }) => done)).toEqual(['nothing', 'nothing']);
  });

  test('changes what has changed in the file, field by field, and what was changed by hand', async () => {
    newPipeline();
    await apply(client, wantedOf(BOTH), { pipeline, deletes: false });
    const wanted = wantedOf(
      BOTH.replace('30 2 * * *', '0 3,15 * * 1-5').replace('overlap: skip', 'overlap: buffer_one'),
    );
    const plan = await planOf(client, wanted, pipeline);
    expect(plan.map(({ changes }) => changes)).toEqual([
      [{ fact: 'overlap', from: 'skip', to: 'buffer_one' }],
      [{ fact: 'frequency', from: '30 2 * * *', to: '0 3,15 * * 1-5' }],
    ]);
    await apply(client, wanted, { pipeline, deletes: false });
    expect(statesOf(await planOf(client, wanted, pipeline))).toEqual({ monthly: 'same', nightly: 'same' });

    await client.schedule.getHandle(scheduleIdOf(pipeline, 'nightly')).update((present) => ({
      ...present,
      spec: { ...present.spec, intervals: [{ every: '7h' }], endAt: new Date('2030-01-01') },
      policies: { ...present.policies, catchupWindow: '1h' },
    }));
    const byHand = await planOf(client, wanted, pipeline);
    expect(byHand.find(({ state }) => state === 'changed')?.changes).toEqual([
      { fact: 'catchupWindowHours', from: '1', to: '72' },
      { fact: 'besides', from: 'intervals, an end at 2030-01-01T00:00:00.000Z', to: 'none' },
    ]);
    await apply(client, wanted, { pipeline, deletes: false });
    expect(statesOf(await planOf(client, wanted, pipeline))).toEqual({ monthly: 'same', nightly: 'same' });
  });

  test('what stands in no file any more is left, and deleted when that is asked', async () => {
    newPipeline();
    await apply(client, wantedOf(BOTH), { pipeline, deletes: false });
    const wanted = wantedOf(NIGHTLY);
    // The server's list comes a moment later than what was made.
    await once(async () => (await planOf(client, wanted, pipeline)).length === 2);
    const left = await apply(client, wanted, { pipeline, deletes: false });
    expect(left.map(({ done }) => done)).toEqual(['left', 'nothing']);
    const deleted = await apply(client, wanted, { pipeline, deletes: true });
    expect(deleted.map(({ done }) => done)).toEqual(['deleted', 'nothing']);
    expect(await findSchedule(client, scheduleIdOf(pipeline, 'monthly'))).toBeNull();
    expect(await findSchedule(client, scheduleIdOf(pipeline, 'nightly'))).not.toBeNull();
  });

  test('one of somebody else is never touched, whatever it is called', async () => {
    newPipeline();
    const wanted = wantedOf(NIGHTLY);
    for (const name of ['nightly', 'theirs']) {
      schedules.made.push(scheduleIdOf(pipeline, name));
      await client.schedule.create({
        scheduleId: scheduleIdOf(pipeline, name),
        spec: { intervals: [{ every: '30d' }] },
        action: { type: 'startWorkflow', workflowType: 'theirs', taskQueue: 'theirs' },
      });
    }
    const before = await findSchedule(client, scheduleIdOf(pipeline, 'nightly'));
    await once(async () => (await listIds(pipeline)).length === 2);
    const applied = await apply(client, wanted, { pipeline, deletes: true });
    expect(applied).toEqual([{ id: wanted[0]!.id, state: 'foreign', changes: [], done: 'left' }]);
    const after = await findSchedule(client, scheduleIdOf(pipeline, 'nightly'));
    expect(after?.description.spec).toEqual(before?.description.spec);
    expect(await findSchedule(client, scheduleIdOf(pipeline, 'theirs'))).not.toBeNull();
    await expect(pause(client, { schedule: `${pipeline}/theirs`, note: null, author: 'me' })).rejects.toThrow(
      /needs to be one that apply made/,
    );
  });

  test('a pause by hand outlives an apply, unless the file says paused', async () => {
    newPipeline();
    const wanted = wantedOf(NIGHTLY);
    await apply(client, wanted, { pipeline, deletes: false });
    const schedule = `${pipeline}/nightly`;
    expect(await pause(client, { schedule, note: 'the export is late', author: 'Ada' })).toContain(
      'paused by Ada',
    );
    expect(await pause(client, { schedule, note: null, author: 'Bob' })).toMatch(
      /paused already: paused by Ada: the export is late; nothing was changed/,
    );
    expect(statesOf(await planOf(client, wanted, pipeline))).toEqual({ nightly: 'same' });
    const later = wantedOf(NIGHTLY.replace('30 2', '45 2'));
    await apply(client, later, { pipeline, deletes: false });
    const state = (await findSchedule(client, wanted[0]!.id))!.description.state;
    expect(state).toMatchObject({ paused: true, note: 'paused by Ada: the export is late' });

    const running = wantedOf(NIGHTLY.replace('note:', 'paused: false, note:'));
    await apply(client, running, { pipeline, deletes: false });
    expect((await findSchedule(client, wanted[0]!.id))!.description.state).toMatchObject({
      paused: false,
      note: 'unpaused by pipeline.yaml',
    });
    await pause(client, { schedule, note: null, author: 'Ada' });
    expect(await unpause(client, { schedule, note: null, author: 'Ada' })).toMatch(
      /is unpaused by Ada\nnext \d{4}/,
    );
  });

  test('a zone that the server does not know is told with the schedule', async () => {
    newPipeline();
    const [one] = wantedOf(NIGHTLY);
    const elsewhere = { ...one!, schedule: { ...one!.schedule, timezone: 'Nowhere/Nothing' } };
    const applied = apply(client, [elsewhere], { pipeline, deletes: false });
    await expect(applied).rejects.toMatchObject({
      code: 'DEFINITION_INVALID',
      message: expect.stringMatching(new RegExp(`${pipeline}/nightly needs .* it says .*Nowhere/Nothing`)),
    });
  });

  test('a name that is not there is answered with those that are', async () => {
    await expect(trigger(client, 'nowhere/nothing')).rejects.toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });
});

const DAY_MS = 24 * 3_600_000;
/** Each begins some seconds after the one before it has ended. */
const RUNS_MS = 60_000;

describe('runs of a schedule', () => {
  /** Every run that was opened, in order, while the schedule was asked for some. */
  async function openedBy(ask: () => Promise<unknown>, runs: number) {
    const opened: { workflowId: string; input: StartInput; scheduledAt: string | null; kind?: string }[] = [];
    await runWith(
      {
        openRun: async (opening) => {
          const { workflow, ...rest } = opening;
          opened.push({ workflowId: workflow.id, ...rest });
          return fakeStages().openRun(opening);
        },
        // They have shown what they are.
        takeTurn: async () => ({ granted: true, waitsFor: null, refused: ['a test has seen enough of it'] }),
      },
      async () => {
        await ask();
        await once(async () => opened.length >= runs, RUNS_MS);
        await once(async () => {
          const [listed] = await listSchedules(client, pipeline);
          return listed!.last.length > 0 && listed!.last.every(({ outcome }) => outcome === 'rejected');
        }, RUNS_MS);
      },
    );
    return opened;
  }

  test('have the scheduled time and the zone of its date, one after the other, over changes of the clock', async () => {
    newPipeline();
    await apply(client, wantedOf(NIGHTLY), { pipeline, deletes: false });
    const schedule = `${pipeline}/nightly`;
    const opened = await openedBy(async () => {
      await backfill(client, { schedule, from: '2025-10-26', to: '2025-10-26' });
      await backfill(client, { schedule, from: '2026-03-28', to: '2026-03-30' });
    }, 3);
    // The clock of Berlin shows 02:30 twice on 2025-10-26, and not at all on 2026-03-29.
    const moments = ['2025-10-26T01:30', '2026-03-28T01:30', '2026-03-30T00:30'];
    expect(opened).toEqual(
      moments.map((moment) => ({
        workflowId: `assign/${pipeline}/nightly-${moment}:00Z`,
        input: { pipeline, timezone: 'Europe/Berlin' },
        scheduledAt: `${moment}:00.000Z`,
        kind: 'assign',
      })),
    );
    const [listed] = await listSchedules(client, pipeline);
    expect(listed!.last.map(({ asOf }) => asOf)).toEqual(['2026-03-30', '2026-03-28', '2025-10-26']);
    expect(listed!.next).toHaveLength(3);
  }, 90_000);

  test.each([
    [
      'of an hourly one, those of its range alone',
      '0 * * * *',
      0,
      ['2026-03-01T05:00Z', '2026-03-01T06:00Z'],
      2,
    ],
    [
      'with jitter, those that it carries over midnight, too',
      '58 23 * * *',
      30,
      ['2026-03-01', '2026-03-03'],
      3,
    ],
    ['with jitter, none of the day after', '1 0 * * *', 30, ['2026-03-01', '2026-03-03'], 3],
  ])(
    'are backfilled: %s',
    async (_, frequency, jitterMinutes, [from, to], runs) => {
      newPipeline();
      const file = `{ kind: refit, frequency: "${frequency}", timezone: UTC, jitterMinutes: ${jitterMinutes} }`;
      await apply(client, wantedOf(file), { pipeline, deletes: false });
      const schedule = `${pipeline}/refit`;
      const opened = await openedBy(() => backfill(client, { schedule, from: from!, to: to! }), runs);
      // One more would have been opened by then.
      const scheduled = opened.map(({ scheduledAt }) => scheduledAt!);
      const [first, last] = [from!, to!].map((text) => Date.parse(text));
      expect(scheduled).toHaveLength(runs);
      for (const time of scheduled) expect(Date.parse(time)).toBeGreaterThanOrEqual(first!);
      for (const time of scheduled)
        expect(Date.parse(time)).toBeLessThan(last! + (to!.includes('T') ? 60_000 : DAY_MS));
    },
    90_000,
  );

  test.each([
    ['Europe/Berlin', '30 2 * * *', '2025-10-25T12:00Z', '2025-10-26T12:00Z', ['2025-10-26T01:30']],
    [
      'America/New_York',
      '30 1 * * *',
      '2025-11-01T12:00Z',
      '2025-11-02T12:00Z',
      ['2025-11-02T05:30', '2025-11-02T06:30'],
    ],
    ['America/New_York', '30 2 * * *', '2026-03-07T12:00Z', '2026-03-08T12:00Z', []],
  ])(
    'in %s a time that comes twice is due, one that does not come is not',
    async (timezone, frequency, from, to, due) => {
      newPipeline();
      await apply(client, wantedOf(`{ kind: refit, frequency: "${frequency}", timezone: ${timezone} }`), {
        pipeline,
        deletes: false,
      });
      const { startTime } = await client.workflowService.listScheduleMatchingTimes({
        namespace: 'default',
        scheduleId: scheduleIdOf(pipeline, 'refit'),
        startTime: msToTs(Date.parse(from)),
        endTime: msToTs(Date.parse(to)),
      });
      const moments = startTime!.map((time) =>
        new Date(Number(time.seconds) * 1000).toISOString().slice(0, 16),
      );
      expect(moments).toEqual(due);
    },
  );

  test('a trigger starts one at once, also where the schedule is paused', async () => {
    newPipeline();
    await apply(client, wantedOf(BOTH.replaceAll('note:', 'paused: true, note:')), {
      pipeline,
      deletes: false,
    });
    let triggered: Awaited<ReturnType<typeof trigger>> | undefined;
    const opened = await openedBy(async () => {
      triggered = await trigger(client, `${pipeline}/monthly`);
    }, 1);
    expect(opened).toHaveLength(1);
    expect(opened[0]).toMatchObject({ input: { pipeline, timezone: 'Europe/Berlin' } });
    expect(opened[0]!.workflowId).toBe(triggered!.action!.action.workflow.workflowId);
    expect(opened[0]!.workflowId).toMatch(new RegExp(`^segment/${pipeline}/monthly-2`));
    expect(Math.abs(Date.parse(opened[0]!.scheduledAt!) - triggered!.action!.takenAt.getTime())).toBeLessThan(
      5_000,
    );
  });
});

async function listIds(of: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId } of client.schedule.list())
    if (scheduleId.includes(of)) ids.push(scheduleId);
  return ids;
}
