import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { TASK_QUEUES } from '../../pipelines/contracts/policies.ts';
import { moment } from '../helpers/moment.ts';
import type { TestRuns } from '../helpers/temporal.ts';
import { runWith } from '../helpers/workflow-runs.ts';

const begin = (runs: TestRuns, args: unknown[] = [{ pipeline: 'shop' }]) =>
  runs.client.workflow.start('deliverMessages', {
    workflowId: `test/${randomUUID()}`,
    taskQueue: TASK_QUEUES.workflows,
    args,
  });

describe('deliverMessages', () => {
  test.each([
    ['nothing', []],
    ['null', [null]],
    ['a word', ['shop']],
    ['no pipeline', [{}]],
    ['a pipeline that is no name', [{ pipeline: 7 }]],
  ])('started with %s fails and says what it needs', async (_, args) => {
    await runWith({}, async (runs) => {
      const handle = await begin(runs, args);
      await expect(handle.result()).rejects.toMatchObject({
        cause: { type: 'INPUT_INVALID', message: expect.stringContaining('{"pipeline": NAME}') },
      });
    });
  });

  test('goes round until nothing waits, and ends', async () => {
    const waits = [0, 0, null];
    let rounds = 0;
    await runWith(
      { deliverPipeline: async () => ({ secondsToNext: waits[rounds++] ?? null }) },
      async (runs) => {
        const handle = await begin(runs);
        // Two rests of its shortest length would be half a minute: it is woken instead.
        while (rounds < 3) {
          await handle.signal('more');
          await sleep(100);
        }
        await handle.result();
        expect(rounds).toBeGreaterThanOrEqual(3);
      },
    );
  });

  test('a message left while it is ending is not left lying', async () => {
    const [looking, left] = [moment(), moment()];
    let rounds = 0;
    await runWith(
      {
        deliverPipeline: async ({ pipeline }) => {
          expect(pipeline).toBe('shop');
          rounds++;
          if (rounds === 1) {
            looking.happens();
            await left.happened;
          }
          return { secondsToNext: null };
        },
      },
      async (runs) => {
        const handle = await begin(runs);
        await looking.happened;
        await handle.signal('more');
        left.happens();
        await handle.result();
        expect(rounds).toBe(2);
      },
    );
  });

  test('rests, is woken, goes round by itself when a rest is over, and goes on in another history', async () => {
    const ROUNDS = 100;
    const rounds = { shop: 0, busy: 0 };
    let busy: Awaited<ReturnType<typeof begin>> | undefined;
    await runWith(
      {
        deliverPipeline: async ({ pipeline }) => {
          if (pipeline === 'shop') {
            rounds.shop++;
            return { secondsToNext: rounds.shop < 3 ? 1 : null };
          }
          rounds.busy++;
          // While it looks another run leaves another message.
          if (rounds.busy <= ROUNDS) await busy!.signal('more');
          return { secondsToNext: null };
        },
      },
      async (runs) => {
        const resting = await begin(runs);
        busy = await begin(runs, [{ pipeline: 'busy' }]);
        const isResting = async () =>
          (await resting.fetchHistory()).events?.some((event) => event.timerStartedEventAttributes) ?? false;
        while (!(await isResting())) await sleep(100);
        const began = performance.now();
        await resting.signal('more');
        await resting.result();
        // The second rest is as long as a rest is at least.
        expect(performance.now() - began).toBeGreaterThan(14_000);
        expect(rounds.shop).toBe(3);
        await busy.result();
        expect(rounds.busy).toBe(ROUNDS + 1);
        const first = runs.client.workflow.getHandle(busy.workflowId, busy.firstExecutionRunId);
        expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');
        await runs.record(resting, 'delivered');
        await runs.record(first, 'deliver-goes-on');
      },
    );
  }, 120_000);
});
