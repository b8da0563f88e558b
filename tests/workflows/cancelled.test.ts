import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { beforeEach, describe, expect, test } from 'vitest';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import type { Closing } from '../../pipelines/contracts/stages.ts';
import { fakeStages, unstable } from '../helpers/fake-stages.ts';
import { runWith, untilOutcome } from '../helpers/workflow-runs.ts';

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
    await runWith({ openRun: slowly(fakeStages().openRun, begun), closeRun }, async (runs) => {
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
    await runWith({ takeTurn, awaitTurn, closeRun }, async (runs) => {
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
    await runWith({ publishRun: slowly(fakeStages().publishRun, begun), closeRun }, async (runs) => {
      const handle = await runs.start();
      await happened;
      await handle.cancel();
      expect((await handle.result()).outcome).toBe('published');
      expect(closings).toMatchObject([{ outcome: 'published', reasons: [] }]);
    });
  });

  test('while it is being closed: it is closed once, as what it was', async () => {
    const { begun, happened } = moment();
    await runWith({ closeRun: slowly(closeRun, begun) }, async (runs) => {
      const handle = await runs.start();
      await happened;
      await handle.cancel();
      expect((await handle.result()).outcome).toBe('published');
      expect(closings).toHaveLength(1);
    });
  });

  test('while it is held: it is closed as cancelled, and takes no decision any more', async () => {
    await runWith(
      { measureStability: unstable, closeRun: slowly(closeRun, () => undefined) },
      async (runs) => {
        const handle = await runs.start();
        await untilOutcome(runs, handle.workflowId, 'held');
        await handle.cancel();
        await sleep(300);
        const refusal = await handle
          .executeUpdate('review', { args: [{ decision: 'publish' }] })
          .catch((caught: unknown) => caught);
        expect(refusal).toBeInstanceOf(WorkflowUpdateFailedError);
        await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
        expect(closings.map(({ outcome }) => outcome)).toEqual(['cancelled']);
      },
    );
  });
});
