import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { beforeEach, describe, expect, test } from 'vitest';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import type { Closing } from '../../pipelines/contracts/stages.ts';
import { fakeStages, unstable } from '../helpers/fake-stages.ts';
import { type Moment, moment } from '../helpers/moment.ts';
import { runWith, untilOutcome } from '../helpers/workflow-runs.ts';

/** A stage that hears no cancel, as one whose work is already done: it ends some time after `until`. */
const deaf =
  <A extends unknown[], R>(
    stage: (...args: A) => Promise<R>,
    { begun, until }: { begun: Moment; until: Moment },
  ) =>
  async (...args: A): Promise<R> => {
    begun.happens();
    await until.happened;
    await sleep(100);
    return stage(...args);
  };

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
    const [begun, until] = [moment(), moment()];
    await runWith({ openRun: deaf(fakeStages().openRun, { begun, until }), closeRun }, async (runs) => {
      const handle = await runs.start();
      await begun.happened;
      await handle.cancel().finally(until.happens);
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
      expect((await handle.describe()).status.name).toBe('CANCELLED');
      expect(closings.map(({ outcome }) => outcome)).toEqual(['cancelled']);
    });
  });

  test('while it waits for its turn: it is closed as cancelled, and waits for nothing', async () => {
    const begun = moment();
    const awaitTurn = async () => {
      begun.happens();
      const beats = setInterval(() => Context.current().heartbeat(), 50);
      return Context.current().cancelled.finally(() => clearInterval(beats));
    };
    const takeTurn = async () => ({
      granted: false,
      waitsFor: { runId: 'run_1', workflowId: 'segment/shop/1' },
    });
    await runWith({ takeTurn, awaitTurn, closeRun }, async (runs) => {
      const handle = await runs.start();
      await begun.happened;
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
      expect(await handle.query<RunProgress>('progress')).toMatchObject({
        outcome: 'cancelled',
        waitsFor: null,
      });
      expect(closings).toHaveLength(1);
    });
  });

  test('when the last stage before it is published has done its work: it is cancelled, not published', async () => {
    const [begun, until] = [moment(), moment()];
    const { measureStability, publishRun } = fakeStages();
    let publications = 0;
    const stages = {
      measureStability: deaf(measureStability, { begun, until }),
      publishRun: (input: never) => {
        publications += 1;
        return publishRun(input);
      },
      closeRun,
    };
    await runWith(stages, async (runs) => {
      const handle = await runs.start();
      await begun.happened;
      await handle.cancel().finally(until.happens);
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
      expect((await handle.describe()).status.name).toBe('CANCELLED');
      expect({ publications, outcomes: closings.map(({ outcome }) => outcome) }).toEqual({
        publications: 0,
        outcomes: ['cancelled'],
      });
    });
  });

  test('while the pointer moves: readers see the run, so it is published, in Temporal too', async () => {
    const [begun, until] = [moment(), moment()];
    await runWith({ publishRun: deaf(fakeStages().publishRun, { begun, until }), closeRun }, async (runs) => {
      const handle = await runs.start();
      await begun.happened;
      await handle.cancel().finally(until.happens);
      expect((await handle.result()).outcome).toBe('published');
      expect(closings).toMatchObject([{ outcome: 'published', reasons: [] }]);
    });
  });

  test('while it is being closed: it is closed once, as what it was', async () => {
    const [begun, until] = [moment(), moment()];
    await runWith({ closeRun: deaf(closeRun, { begun, until }) }, async (runs) => {
      const handle = await runs.start();
      await begun.happened;
      await handle.cancel().finally(until.happens);
      expect((await handle.result()).outcome).toBe('published');
      expect(closings).toHaveLength(1);
    });
  });

  test('while it is held: it is closed as cancelled, and takes no decision any more', async () => {
    const [begun, until] = [moment(), moment()];
    await runWith(
      { measureStability: unstable, closeRun: deaf(closeRun, { begun, until }) },
      async (runs) => {
        const handle = await runs.start();
        await untilOutcome(runs, handle.workflowId, 'held');
        await handle.cancel();
        await begun.happened;
        const refusal = await handle
          .executeUpdate('review', { args: [{ decision: 'publish' }] })
          .catch((caught: unknown) => caught)
          .finally(until.happens);
        expect(refusal).toBeInstanceOf(WorkflowUpdateFailedError);
        await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
        expect(closings.map(({ outcome }) => outcome)).toEqual(['cancelled']);
      },
    );
  });
});
