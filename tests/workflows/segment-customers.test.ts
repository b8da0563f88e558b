import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import type { Closing } from '../../pipelines/contracts/stages.ts';
import { failing, fakeStages, unstable } from '../helpers/fake-stages.ts';
import { moment } from '../helpers/moment.ts';
import { codeOf, runWith, untilOutcome } from '../helpers/workflow-runs.ts';

describe('segmentCustomers', () => {
  test('a healthy run with no input at all is published, and every stage is reported in order', () =>
    runWith({}, async (runs) => {
      const handle = await runs.start();
      const summary = await handle.result();
      expect(summary.outcome).toBe('published');
      expect(summary.stages.map(({ stage }: { stage: string }) => stage)).toEqual([
        'extract',
        'validate',
        'profile',
        'features',
        'cluster',
        'match',
        'name',
        'persist',
        'stability',
        'publish',
        'notify',
      ]);
      const { typedSearchAttributes } = await handle.describe();
      const attributes = Object.fromEntries(
        typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]),
      );
      expect(attributes).toMatchObject({
        StrataPipeline: 'shop',
        StrataOutcome: 'published',
        StrataVerdict: 'first',
        StrataCustomers: 100,
        StrataSegments: 3,
      });
      await runs.record(handle, 'published');
    }));

  test('data that fails its contract is a return value: rejected, and nothing after validation runs', () =>
    runWith(
      {
        validateExtract: async () => ({
          ...(await fakeStages().validateExtract({} as never)),
          verdict: 'fail',
          reasons: ['no row satisfies the contract'],
        }),
        profileExtract: failing('WAREHOUSE_FAILED', 'must not be called'),
      },
      async (runs) => {
        const handle = await runs.start();
        const summary = await handle.result();
        expect(summary).toMatchObject({
          outcome: 'rejected',
          verdict: 'refused',
          reasons: ['no row satisfies the contract'],
        });
        await runs.record(handle, 'rejected');
      },
    ));

  test('what was noticed on the way stops nothing, and stands in the summary', () =>
    runWith(
      {
        validateExtract: async (input) => ({
          ...(await fakeStages().validateExtract(input)),
          verdict: 'warn',
          reasons: ['46 rows are odd by rule other-currency'],
        }),
        buildFeatures: async (input) => ({
          ...(await fakeStages().buildFeatures(input)),
          warnings: ['spend and spendCents say the same'],
        }),
      },
      async ({ start }) => {
        const summary = await (await start()).result();
        expect(summary).toMatchObject({
          outcome: 'published',
          warnings: ['46 rows are odd by rule other-currency', 'spend and spendCents say the same'],
        });
      },
    ));

  test('a broken run fails with the code of its cause, after it was closed as failed', async () => {
    const closed: Closing[] = [];
    await runWith(
      {
        fitClusters: failing('KERNEL_FAILED', 'a kernel thread ended early'),
        closeRun: async ({ closing }) => {
          closed.push(closing);
          return { ...closing, manifest: null };
        },
      },
      async (runs) => {
        const handle = await runs.start();
        const error = await handle.result().catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(WorkflowFailedError);
        expect(codeOf(error)).toBe('KERNEL_FAILED');
        expect(closed).toMatchObject([
          { outcome: 'failed', reasons: ['a kernel thread ended early (KERNEL_FAILED)'] },
        ]);
        await runs.record(handle, 'failed');
      },
    );
  });

  test('a refused input fails before anything is registered, with the field in its message', () =>
    runWith({ openRun: failing('INPUT_INVALID', 'start input: asof: unknown field') }, async (runs) => {
      const error = await (await runs.start({ asof: '2026-01-01' }))
        .result()
        .catch((caught: unknown) => caught);
      expect(codeOf(error)).toBe('INPUT_INVALID');
    }));

  test('a cancelled run waits for its activity to stop, is closed as cancelled, and ends cancelled', async () => {
    const closed: string[] = [];
    let closedWhenStopped: number | undefined;
    const fitting = moment();
    await runWith(
      {
        fitClusters: async () => {
          fitting.happens();
          const { cancelled } = Context.current();
          const beats = setInterval(() => Context.current().heartbeat(), 50);
          await cancelled
            .catch(async (cancel: unknown) => {
              await sleep(300);
              closedWhenStopped = closed.length;
              throw cancel;
            })
            .finally(() => clearInterval(beats));
          throw new Error('unreachable');
        },
        closeRun: async ({ closing }) => {
          closed.push(closing.outcome);
          return { ...closing, manifest: null };
        },
      },
      async (runs) => {
        const handle = await runs.start();
        await fitting.happened;
        await handle.cancel();
        await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
        expect((await handle.describe()).status.name).toBe('CANCELLED');
        expect(closed).toEqual(['cancelled']);
        expect(closedWhenStopped).toBe(0);
        await runs.record(handle, 'cancelled');
      },
    );
  });

  test('two runs of one pipeline do not mix: the later one says what it waits for', async () => {
    const [waiting, ended] = [moment(), moment()];
    await runWith(
      {
        takeTurn: async () => ({
          granted: false,
          waitsFor: { runId: 'run_earlier', workflowId: 'segment/shop/earlier' },
        }),
        awaitTurn: async () => {
          waiting.happens();
          await ended.happened;
          return { granted: true, waitsFor: null };
        },
      },
      async (runs) => {
        const handle = await runs.start();
        await waiting.happened;
        const progress = await handle.query<RunProgress>('progress').finally(ended.happens);
        expect(progress.waitsFor).toBe('segment/shop/earlier');
        expect((await handle.result()).outcome).toBe('published');
      },
    );
  });

  test('a message that cannot be delivered does not undo the publication', () =>
    runWith({ deliverOutbox: failing('DELIVERY_FAILED', 'the receiver answered 500') }, async (runs) => {
      const summary = await (await runs.start()).result();
      expect(summary.outcome).toBe('published');
      expect(summary.reasons.join()).toContain('the receiver answered 500');
    }));

  test('an unknown signal is kept by name and changes nothing', () =>
    runWith({ measureStability: unstable }, async (runs) => {
      const handle = await runs.start();
      await untilOutcome(runs, handle.workflowId, 'held');
      await handle.signal('reveiw', { decision: 'publish' });
      const { unknownSignals, outcome } = await untilOutcome(runs, handle.workflowId, 'held');
      expect({ unknownSignals, outcome }).toEqual({ unknownSignals: ['reveiw'], outcome: 'held' });
      await handle.terminate();
    }));
});

test('when closing fails, too, the run fails with what broke it', () =>
  runWith(
    {
      fitClusters: failing('KERNEL_FAILED', 'a kernel thread ended early'),
      closeRun: failing('MIGRATION_FAILED', 'closing failed as well'),
    },
    async (runs) => {
      const error = await (await runs.start()).result().catch((caught: unknown) => caught);
      expect(codeOf(error)).toBe('KERNEL_FAILED');
    },
  ));

test('a run that fails in closing after it was published is published', () =>
  runWith(
    {
      fitClusters: failing('KERNEL_FAILED', 'a kernel thread ended early'),
      closeRun: async ({ closing }) => ({ ...closing, outcome: 'published', manifest: null }),
    },
    async (runs) => {
      expect((await (await runs.start()).result()).outcome).toBe('published');
    },
  ));

test('a refused start keeps its history, too', async () => {
  const kept: unknown[] = [];
  await runWith(
    {
      openRun: failing('INPUT_INVALID', 'start input: asof: unknown field'),
      keepHistory: async (input) => {
        kept.push(input);
        return null;
      },
    },
    async (runs) => {
      const handle = await runs.start({ asof: 1 });
      await handle.result().catch(() => undefined);
      const { runId } = await handle.describe();
      await runs.client.workflow.getHandle(`history/${runId}`).result();
      expect(kept).toEqual([{ runId: null, workflow: { id: handle.workflowId, runId } }]);
    },
  );
});
