import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { TASK_QUEUES } from '../../pipelines/contracts/policies.ts';
import { WATCH_ID } from '../../pipelines/stages/schedules/facts.ts';
import { findSchedule } from '../../scripts/schedules/found.ts';
import { pause, unpause } from '../../scripts/schedules/operate.ts';
import { applyWatch, planOfWatch } from '../../scripts/schedules/watch.ts';
import type { TestRuns } from '../helpers/temporal.ts';
import { runWith } from '../helpers/workflow-runs.ts';

const FOUND = { schedules: 2, missing: 1, waiting: 0, unread: [] };
const begin = ({ client }: TestRuns, args: unknown[]) =>
  client.workflow.start('watchSchedules', {
    ...{ workflowId: `test/${randomUUID()}`, taskQueue: TASK_QUEUES.workflows, args },
  });

describe('watchSchedules', () => {
  test('looks once, as of the time of its start, and answers how things stand; whatever it was sent', async () => {
    const looks: { now: string; settleSeconds: number }[] = [];
    await runWith(
      {
        tellMissedRuns: async (input) => {
          looks.push(input);
          return FOUND;
        },
      },
      async (runs) => {
        const began = Date.now();
        for (const args of [[], [null], ['now'], [{ pipeline: 7 }]]) {
          const handle = await begin(runs, args);
          expect(await handle.result()).toEqual(FOUND);
          if (args.length === 0) await runs.record(handle, 'watched');
        }
        expect(looks).toHaveLength(4);
        for (const { now, settleSeconds } of looks) {
          expect(Math.abs(Date.parse(now) - began)).toBeLessThan(60_000);
          expect(settleSeconds).toBeGreaterThan(0);
        }
      },
    );
  });

  test('tries again where the database is away, as of the same time', async () => {
    const moments: string[] = [];
    await runWith(
      {
        tellMissedRuns: async ({ now }) => {
          moments.push(now);
          if (moments.length === 1)
            throw ApplicationFailure.create({ type: 'POSTGRES_UNREACHABLE', message: 'it is restarting' });
          return FOUND;
        },
      },
      async (runs) => {
        await (await begin(runs, [])).result();
        expect(moments).toEqual([moments[0], moments[0]]);
      },
    );
  });
});

describe('the schedule of the watch', () => {
  const watch = { everyMinutes: 240, isWanted: true, isOfAll: true };

  test('is made and changed by apply, starts looks, and goes when that is asked once nobody has a schedule', async () => {
    let looks = 0;
    await runWith(
      {
        tellMissedRuns: async () => {
          looks++;
          return FOUND;
        },
      },
      async ({ client }) => {
        try {
          const stateOf = async (asked: typeof watch) =>
            (await planOfWatch(client, asked)).map(({ state, changes }) => [
              state,
              changes.map(({ fact }) => fact),
            ]);
          const done = async (asked: typeof watch, deletes = false) =>
            (await applyWatch(client, asked, { deletes })).map((one) => one.done);
          expect((await planOfWatch(client, watch))[0]!.changes).toContainEqual({
            ...{ fact: 'frequency', from: '', to: 'every 240 minutes' },
          });
          expect(await done(watch)).toEqual(['created']);
          expect(await stateOf(watch)).toEqual([['same', []]]);
          expect(await done(watch)).toEqual(['nothing']);
          const rarer = { ...watch, everyMinutes: 1440 };
          expect(await stateOf(rarer)).toEqual([['changed', ['frequency']]]);
          expect(await done(rarer)).toEqual(['updated']);
          expect(await stateOf(rarer)).toEqual([['same', []]]);

          await client.schedule.getHandle(WATCH_ID).trigger();
          while (looks === 0) await sleep(100);
          const { info } = await client.schedule.getHandle(WATCH_ID).describe();
          expect(info.recentActions.at(-1)!.action.workflow.workflowId).toMatch(/^watch-schedules-2/);

          const byAda = { schedule: 'watch-schedules', note: null, author: 'Ada' };
          expect(await pause(client, byAda)).toContain('watch-schedules is paused by Ada');
          expect(await stateOf(rarer)).toEqual([['same', []]]);
          expect(await unpause(client, byAda)).toMatch(/unpaused by Ada\nnext \d{4}/);

          // Of one pipeline without a schedule it is not said that no other has one.
          const nobody = { ...rarer, isWanted: false };
          expect(await stateOf({ ...nobody, isOfAll: false })).toEqual([]);
          expect(await done(nobody)).toEqual(['left']);
          expect(await done(nobody, true)).toEqual(['deleted']);
          expect(await stateOf(nobody)).toEqual([]);
          expect(await findSchedule(client, WATCH_ID)).toBeNull();
        } finally {
          await client.schedule
            .getHandle(WATCH_ID)
            .delete()
            .catch(() => undefined);
        }
      },
    );
  });
});
