import { WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { failing, fakeRun, fakeStages, unstable } from '../helpers/fake-stages.ts';
import { moment } from '../helpers/moment.ts';
import { runWith, untilOutcome } from '../helpers/workflow-runs.ts';

describe('review', () => {
  test('a held run is published when a person says so, with the note in its reasons', () =>
    runWith({ measureStability: unstable }, async (runs) => {
      const handle = await runs.start();
      await untilOutcome(runs, handle.workflowId, 'held');
      await handle.executeUpdate('review', { args: [{ decision: 'publish', note: 'looked at it' }] });
      const summary = await handle.result();
      expect(summary).toMatchObject({ outcome: 'published', reasons: ['review: publish (looked at it)'] });
      await runs.record(handle, 'held');
    }));

  test('a held run is rejected when a person says so', () =>
    runWith(
      { measureStability: unstable, publishRun: failing('PUBLICATION_STALE', 'must not be called') },
      async (runs) => {
        const handle = await runs.start();
        await untilOutcome(runs, handle.workflowId, 'held');
        await handle.executeUpdate('review', { args: [{ decision: 'reject' }] });
        expect((await handle.result()).outcome).toBe('rejected');
      },
    ));

  test('when no one comes, the definition decides', () =>
    runWith(
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
    runWith({ measureStability: unstable }, async (runs) => {
      const handle = await runs.start();
      await untilOutcome(runs, handle.workflowId, 'held');
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
      expect((await untilOutcome(runs, handle.workflowId, 'held')).outcome).toBe('held');
      await handle.terminate();
    }));

  test('refuses a decision on a run that is not held', async () => {
    const [fitting, refused] = [moment(), moment()];
    await runWith(
      {
        fitClusters: async (input) => {
          fitting.happens();
          await refused.happened;
          return fakeStages().fitClusters(input);
        },
      },
      async (runs) => {
        const handle = await runs.start();
        await fitting.happened;
        const refusal = await handle
          .executeUpdate('review', { args: [{ decision: 'publish' }] })
          .catch((caught: unknown) => caught)
          .finally(refused.happens);
        expect(String((refusal as Error).cause)).toContain('needs a run that is held');
        expect((await handle.result()).outcome).toBe('published');
      },
    );
  });
});
