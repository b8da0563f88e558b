import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import type { RenameRequest } from '../../pipelines/contracts/rename.ts';
import { failing, fakeStages, unstable } from '../helpers/fake-stages.ts';
import { moment } from '../helpers/moment.ts';
import { bundleWorkflows } from '../helpers/temporal.ts';
import { runWith, untilOutcome } from '../helpers/workflow-runs.ts';

const WISH = { segment: 'Active regulars', name: ' Our  best ', because: 'the spring campaign', by: 'ann' };

/** What the person reads who sent it: the code, and the words. */
async function refusalOf(update: Promise<unknown>): Promise<string> {
  const refusal = await update.catch((caught: unknown) => caught);
  expect(refusal).toBeInstanceOf(WorkflowUpdateFailedError);
  const { type, message } = (refusal as Error).cause as ApplicationFailure;
  return `${type}: ${message}`;
}

describe('renameSegment', () => {
  test('puts a name in force while the run is held, and the run goes on as it would', () => {
    const asked: RenameRequest[] = [];
    const stages = {
      measureStability: unstable,
      renameSegment: (input: Parameters<ReturnType<typeof fakeStages>['renameSegment']>[0]) => {
        asked.push(input.rename);
        return fakeStages().renameSegment(input);
      },
    };
    return runWith(stages, async (runs) => {
      const handle = await runs.start();
      await untilOutcome(runs, handle.workflowId, 'held');
      expect(await handle.executeUpdate('renameSegment', { args: [WISH] })).toMatchObject({
        ...{
          segmentId: 'seg_0',
          pipeline: 'shop',
          name: 'Our best',
          by: 'ann',
          previousName: 'Active regulars',
        },
      });
      expect(asked).toEqual([{ ...WISH, name: 'Our best', segment: 'seg_0', seen: 1 }]);
      await handle.executeUpdate('review', { args: [{ decision: 'publish' }] });
      expect((await handle.result()).outcome).toBe('published');
      await runs.record(handle, 'renamed');
      const history = await handle.fetchHistory();
      await Worker.runReplayHistory({ workflowBundle: await bundleWorkflows() }, history, handle.workflowId);
    });
  });

  test('refuses what is no name on the spot, in words, and asks no activity', () =>
    runWith(
      { measureStability: unstable, renameSegment: failing('VALUE_REFUSED', 'must not be called') },
      async (runs) => {
        const handle = await runs.start();
        await untilOutcome(runs, handle.workflowId, 'held');
        const refused: [unknown, string][] = [
          [undefined, 'INPUT_INVALID: renameSegment needs {"segment": '],
          ['Our best', 'found no object'],
          [{ segment: 'seg_0', name: 'Best' }, 'found no text as because, by'],
          [{ ...WISH, segment: ' ' }, 'found an empty segment'],
          [{ ...WISH, seen: 'one' }, 'found a version seen that is no whole number'],
          [{ ...WISH, why: 'x' }, 'found unknown fields why'],
          [{ ...WISH, by: ' ' }, 'the person who decides needs a few words, found none'],
          [
            { ...WISH, name: '<b>Best</b>' },
            'NAME_REFUSED: a segment\'s name needs plain text, without markup, found "<b>"',
          ],
        ];
        for (const [sent, words] of refused) {
          const update =
            sent === undefined
              ? handle.executeUpdate('renameSegment')
              : handle.executeUpdate('renameSegment', { args: [sent] });
          expect(await refusalOf(update)).toContain(words);
        }
        expect((await untilOutcome(runs, handle.workflowId, 'held')).outcome).toBe('held');
        await handle.terminate();
      },
    ));

  test('what the database refuses fails the update with its code and words, and not the run', () =>
    runWith(
      { measureStability: unstable, renameSegment: failing('NAME_CHANGED', 'given by bob at 2026-07-01') },
      async (runs) => {
        const handle = await runs.start();
        await untilOutcome(runs, handle.workflowId, 'held');
        expect(await refusalOf(handle.executeUpdate('renameSegment', { args: [WISH] }))).toBe(
          'NAME_CHANGED: given by bob at 2026-07-01',
        );
        await handle.executeUpdate('review', { args: [{ decision: 'reject' }] });
        expect((await handle.result()).outcome).toBe('rejected');
      },
    ));

  test('what was tried until the minute was over is not said to be tried again', () =>
    runWith(
      {
        measureStability: unstable,
        renameSegment: failing('POSTGRES_UNREACHABLE', 'PostgreSQL needs to answer; it is tried again'),
      },
      async (runs) => {
        const handle = await runs.start();
        await untilOutcome(runs, handle.workflowId, 'held');
        expect(await refusalOf(handle.executeUpdate('renameSegment', { args: [WISH] }))).toBe(
          'POSTGRES_UNREACHABLE: a name needs to be given within a minute, found: PostgreSQL needs to answer; nobody ' +
            'tries any longer, and it may be in force all the same: npm run strata -- names list shows it, if not send it again',
        );
        await handle.terminate();
      },
    ));

  test.each(['ends', 'is cancelled'])(
    'one that is under way while the run %s is answered all the same',
    async (how) => {
      const [renaming, go] = [moment(), moment()];
      await runWith(
        {
          measureStability: unstable,
          renameSegment: async (input) => {
            renaming.happens();
            await go.happened;
            return fakeStages().renameSegment(input);
          },
        },
        async (runs) => {
          const handle = await runs.start();
          await untilOutcome(runs, handle.workflowId, 'held');
          const update = handle.executeUpdate('renameSegment', { args: [WISH] });
          await renaming.happened;
          if (how === 'ends') await handle.executeUpdate('review', { args: [{ decision: 'reject' }] });
          else await handle.cancel();
          await untilOutcome(runs, handle.workflowId, how === 'ends' ? 'rejected' : 'cancelled');
          go.happens();
          expect(await update).toMatchObject({ name: 'Our best' });
          const ended = await handle.result().catch((caught: unknown) => caught);
          if (how === 'ends') expect(ended).toMatchObject({ outcome: 'rejected' });
          else expect(ended).toMatchObject({ cause: { name: 'CancelledFailure' } });
        },
      );
    },
  );

  test('a run takes so many, and then says where to go on', () =>
    runWith({ measureStability: unstable }, async (runs) => {
      const handle = await runs.start();
      await untilOutcome(runs, handle.workflowId, 'held');
      for (let i = 0; i < 20; i++)
        await handle.executeUpdate('renameSegment', { args: [{ ...WISH, name: `Best ${i}` }] });
      expect(await refusalOf(handle.executeUpdate('renameSegment', { args: [WISH] }))).toContain(
        'go on with npm run strata -- names set',
      );
      await handle.terminate();
    }));
});
