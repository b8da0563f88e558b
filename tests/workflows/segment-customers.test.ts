import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import type { Closing } from '../../pipelines/contracts/stages.ts';
import { failing, fakeRun, fakeStages, unstable } from '../helpers/fake-stages.ts';
import { bundleWorkflows, type TestRuns, withWorker } from '../helpers/temporal.ts';

let bundle: Awaited<ReturnType<typeof bundleWorkflows>>;
beforeAll(async () => {
  bundle = await bundleWorkflows();
}, 60_000);

const run = (stages: Parameters<typeof fakeStages>[0], check: (runs: TestRuns) => Promise<void>) =>
  withWorker({ bundle, activities: fakeStages(stages) }, check);

async function until(runs: TestRuns, workflowId: string, outcome: string): Promise<RunProgress> {
  for (let tries = 0; tries < 200; tries++) {
    const progress = await runs.client.workflow.getHandle(workflowId).query<RunProgress>('progress');
    if (progress.outcome === outcome) return progress;
    await sleep(50);
  }
  throw new Error(`run never became ${outcome}`);
}

const typeOf = (error: unknown) => {
  let cause = error as { type?: string; cause?: unknown };
  while (cause.cause) cause = cause.cause as typeof cause;
  return cause.type;
};

describe('segmentCustomers', () => {
  test('a healthy run with no input at all is published, and every stage is reported in order', () =>
    run({}, async (runs) => {
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
    run(
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

  test('a broken run fails with the code of its cause, after it was closed as failed', async () => {
    const closed: Closing[] = [];
    await run(
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
        expect(typeOf(error)).toBe('KERNEL_FAILED');
        expect(closed).toMatchObject([
          { outcome: 'failed', reasons: ['a kernel thread ended early (KERNEL_FAILED)'] },
        ]);
        await runs.record(handle, 'failed');
      },
    );
  });

  test('a refused input fails before anything is registered, with the field in its message', () =>
    run({ openRun: failing('INPUT_INVALID', 'start input: asof: unknown field') }, async (runs) => {
      const error = await (await runs.start({ asof: '2026-01-01' }))
        .result()
        .catch((caught: unknown) => caught);
      expect(typeOf(error)).toBe('INPUT_INVALID');
    }));

  test('a cancelled run waits for its activity to stop, is closed as cancelled, and ends cancelled', async () => {
    const closed: string[] = [];
    let stoppedAt = 0;
    await run(
      {
        fitClusters: async () => {
          const { cancelled } = Context.current();
          const beats = setInterval(() => Context.current().heartbeat(), 50);
          await cancelled
            .catch(async (cancel: unknown) => {
              await sleep(300);
              stoppedAt = closed.length;
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
        await sleep(1_500);
        await handle.cancel();
        await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
        expect((await handle.describe()).status.name).toBe('CANCELLED');
        expect(closed).toEqual(['cancelled']);
        expect(stoppedAt).toBe(0);
        await runs.record(handle, 'cancelled');
      },
    );
  });

  test('two runs of one pipeline do not mix: the later one says what it waits for', () =>
    run(
      {
        takeTurn: async () => ({
          granted: false,
          waitsFor: { runId: 'run_earlier', workflowId: 'segment/shop/earlier' },
        }),
        awaitTurn: async () => {
          await sleep(800);
          return { granted: true, waitsFor: null };
        },
      },
      async (runs) => {
        const handle = await runs.start();
        await sleep(500);
        const progress = await handle.query<RunProgress>('progress');
        expect(progress.waitsFor).toBe('segment/shop/earlier');
        expect((await handle.result()).outcome).toBe('published');
      },
    ));

  test('a message that cannot be delivered does not undo the publication', () =>
    run({ deliverOutbox: failing('DELIVERY_FAILED', 'the receiver answered 500') }, async (runs) => {
      const summary = await (await runs.start()).result();
      expect(summary.outcome).toBe('published');
      expect(summary.reasons.join()).toContain('the receiver answered 500');
    }));

  test('an unknown signal is kept by name and changes nothing', () =>
    run({ measureStability: unstable }, async (runs) => {
      const handle = await runs.start();
      await until(runs, handle.workflowId, 'held');
      await handle.signal('reveiw', { decision: 'publish' });
      const { unknownSignals, outcome } = await until(runs, handle.workflowId, 'held');
      expect({ unknownSignals, outcome }).toEqual({ unknownSignals: ['reveiw'], outcome: 'held' });
      await handle.terminate();
    }));
});

/** A stage that takes its time and hears no cancel, as one whose work is already done. */
const slowly =
  <A extends unknown[], R>(stage: (...args: A) => Promise<R>, begun: () => void) =>
  async (...args: A): Promise<R> => {
    begun();
    await sleep(1_200);
    return stage(...args);
  };

/** Resolves when the activity has begun; for a cancel at exactly that moment. */
function moment() {
  let begun!: () => void;
  const happened = new Promise<void>((resolve) => {
    begun = resolve;
  });
  return { begun, happened };
}

describe('a cancel that comes at a bad moment', () => {
  const closings: Closing[] = [];
  const closeRun: ReturnType<typeof fakeStages>['closeRun'] = async ({ closing }) => {
    closings.push(closing);
    return { ...closing, manifest: null };
  };
  beforeEach(() => {
    closings.length = 0;
  });

  test('while the run is being opened: it is closed as cancelled, once', async () => {
    const { begun, happened } = moment();
    await run({ openRun: slowly(fakeStages().openRun, begun), closeRun }, async (runs) => {
      const handle = await runs.start();
      await happened;
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
      expect((await handle.describe()).status.name).toBe('CANCELLED');
      expect(closings.map(({ outcome }) => outcome)).toEqual(['cancelled']);
    });
  });

  test('while it waits for its turn: it is closed as cancelled, and waits for nothing', async () => {
    const { begun, happened } = moment();
    const awaitTurn = async () => {
      begun();
      const beats = setInterval(() => Context.current().heartbeat(), 50);
      return Context.current().cancelled.finally(() => clearInterval(beats));
    };
    const takeTurn = async () => ({
      granted: false,
      waitsFor: { runId: 'run_1', workflowId: 'segment/shop/1' },
    });
    await run({ takeTurn, awaitTurn, closeRun }, async (runs) => {
      const handle = await runs.start();
      await happened;
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
      expect(await handle.query<RunProgress>('progress')).toMatchObject({
        outcome: 'cancelled',
        waitsFor: null,
      });
      expect(closings).toHaveLength(1);
    });
  });

  test('while the pointer moves: readers see the run, so it is published, in Temporal too', async () => {
    const { begun, happened } = moment();
    await run({ publishRun: slowly(fakeStages().publishRun, begun), closeRun }, async (runs) => {
      const handle = await runs.start();
      await happened;
      await handle.cancel();
      expect((await handle.result()).outcome).toBe('published');
      expect(closings).toMatchObject([{ outcome: 'published', reasons: [] }]);
    });
  });

  test('while it is being closed: it is closed once, as what it was', async () => {
    const { begun, happened } = moment();
    await run({ closeRun: slowly(closeRun, begun) }, async (runs) => {
      const handle = await runs.start();
      await happened;
      await handle.cancel();
      expect((await handle.result()).outcome).toBe('published');
      expect(closings).toHaveLength(1);
    });
  });

  test('while it is held: it is closed as cancelled, and takes no decision any more', async () => {
    await run({ measureStability: unstable, closeRun: slowly(closeRun, () => undefined) }, async (runs) => {
      const handle = await runs.start();
      await until(runs, handle.workflowId, 'held');
      await handle.cancel();
      await sleep(300);
      const refusal = await handle
        .executeUpdate('review', { args: [{ decision: 'publish' }] })
        .catch((caught: unknown) => caught);
      expect(refusal).toBeInstanceOf(WorkflowUpdateFailedError);
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
      expect(closings.map(({ outcome }) => outcome)).toEqual(['cancelled']);
    });
  });
});

test('when closing fails, too, the run fails with what broke it', () =>
  run(
    {
      fitClusters: failing('KERNEL_FAILED', 'a kernel thread ended early'),
      closeRun: failing('MIGRATION_FAILED', 'closing failed as well'),
    },
    async (runs) => {
      const error = await (await runs.start()).result().catch((caught: unknown) => caught);
      expect(typeOf(error)).toBe('KERNEL_FAILED');
    },
  ));

test('a run that fails in closing after it was published is published', () =>
  run(
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
  await run(
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

describe('review', () => {
  test('a held run is published when a person says so, with the note in its reasons', () =>
    run({ measureStability: unstable }, async (runs) => {
      const handle = await runs.start();
      await until(runs, handle.workflowId, 'held');
      await handle.executeUpdate('review', { args: [{ decision: 'publish', note: 'looked at it' }] });
      const summary = await handle.result();
      expect(summary).toMatchObject({ outcome: 'published', reasons: ['review: publish (looked at it)'] });
      await runs.record(handle, 'held');
    }));

  test('a held run is rejected when a person says so', () =>
    run(
      { measureStability: unstable, publishRun: failing('PUBLICATION_STALE', 'must not be called') },
      async (runs) => {
        const handle = await runs.start();
        await until(runs, handle.workflowId, 'held');
        await handle.executeUpdate('review', { args: [{ decision: 'reject' }] });
        expect((await handle.result()).outcome).toBe('rejected');
      },
    ));

  test('when no one comes, the definition decides', () =>
    run(
      {
        measureStability: unstable,
        openRun: async ({ workflow }) => ({
          run: fakeRun(workflow),
          review: { timeoutHours: 1 / 3600, onTimeout: 'reject' },
          k: { min: 3, max: 8 },
        }),
      },
      async (runs) => {
        const summary = await (await runs.start()).result();
        expect(summary.outcome).toBe('rejected');
        expect(summary.reasons[0]).toContain('no decision within');
      },
    ));

  test('refuses what is no decision on the spot, in words, and the run stays held', () =>
    run({ measureStability: unstable }, async (runs) => {
      const handle = await runs.start();
      await until(runs, handle.workflowId, 'held');
      const refused: [unknown, string][] = [
        [undefined, 'found no object'],
        [null, 'found no object'],
        ['publish', 'found no object'],
        [{}, 'found no such decision'],
        [{ decision: 'maybe' }, 'found no such decision'],
        [{ decision: 'publish', note: 7 }, 'found a note that is no text'],
        [{ decision: 'publish', why: 'x' }, 'found unknown fields why'],
      ];
      for (const [sent, words] of refused) {
        const update =
          sent === undefined
            ? handle.executeUpdate('review')
            : handle.executeUpdate('review', { args: [sent] });
        const refusal = await update.catch((caught: unknown) => caught);
        expect(refusal).toBeInstanceOf(WorkflowUpdateFailedError);
        expect(String((refusal as Error).cause)).toContain(words);
      }
      expect((await until(runs, handle.workflowId, 'held')).outcome).toBe('held');
      await handle.terminate();
    }));

  test('refuses a decision on a run that is not held', () =>
    run(
      { fitClusters: async (input) => sleep(2_000).then(() => fakeStages().fitClusters(input)) },
      async (runs) => {
        const handle = await runs.start();
        await sleep(700);
        const refusal = await handle
          .executeUpdate('review', { args: [{ decision: 'publish' }] })
          .catch((caught: unknown) => caught);
        expect(String((refusal as Error).cause)).toContain('needs a run that is held');
        expect((await handle.result()).outcome).toBe('published');
      },
    ));
});
