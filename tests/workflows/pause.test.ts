import { WorkflowFailedError, type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import type { Stages } from '../../pipelines/contracts/stages.ts';
import { fakeStages, unstable } from '../helpers/fake-stages.ts';
import { type Moment, moment } from '../helpers/moment.ts';
import type { TestRuns } from '../helpers/temporal.ts';
import { runWith, untilOutcome } from '../helpers/workflow-runs.ts';

/** The fit, which begins and then ends when it is let. */
function heldFit(): { begun: Moment; let: Moment; fitClusters: Stages['fitClusters'] } {
  const [begun, ends] = [moment(), moment()];
  return {
    begun,
    let: ends,
    async fitClusters(input) {
      begun.happens();
      await ends.happened;
      return fakeStages().fitClusters(input);
    },
  };
}

const progressOf = (handle: WorkflowHandle) => handle.query<RunProgress>('progress');

const untilStanding = (handle: WorkflowHandle, stage: string) =>
  expect
    .poll(async () => (await progressOf(handle)).paused?.standsBefore, { timeout: 25_000, interval: 50 })
    .toBe(stage);

async function refusalOf(handle: WorkflowHandle, update: string, sent?: unknown): Promise<string> {
  const asked =
    sent === undefined ? handle.executeUpdate(update) : handle.executeUpdate(update, { args: [sent] });
  const refusal = await asked.catch((caught: unknown) => caught);
  expect(refusal).toBeInstanceOf(WorkflowUpdateFailedError);
  return String((refusal as Error).cause);
}

const listed = async ({ client }: TestRuns, { workflowId }: WorkflowHandle, outcome: string) => {
  const query = `WorkflowId = '${workflowId}' AND StrataOutcome = '${outcome}'`;
  return (await client.workflow.count(query)).count;
};

describe('a paused run', () => {
  test('ends the stage that is going on, begins none until it is resumed, and is listed as paused', async () => {
    const fit = heldFit();
    await runWith({ fitClusters: fit.fitClusters }, async (runs) => {
      const handle = await runs.start();
      await fit.begun.happened;
      const said = await handle.executeUpdate('pause', { args: [{ because: 'the export is wrong' }] });
      expect(said).toBe('the run ends cluster and then begins no stage until it is resumed');
      expect(await progressOf(handle)).toMatchObject({
        stage: 'cluster',
        paused: { because: 'the export is wrong', before: null, standsBefore: null },
      });
      fit.let.happens();
      await untilStanding(handle, 'match');
      expect(await progressOf(handle)).toMatchObject({ outcome: 'running', stage: null });
      await expect.poll(() => listed(runs, handle, 'paused'), { timeout: 10_000 }).toBe(1);
      const { currentDetails } = await handle.query<{ currentDetails: string }>(
        '__temporal_workflow_metadata',
      );
      expect(currentDetails).toContain(
        '▪ paused before **match** until it is sent the update `resume` (the export is wrong)',
      );
      expect(await handle.executeUpdate('resume')).toBe('the run goes on with match');
      expect(await handle.result()).toMatchObject({ outcome: 'published', reasons: [] });
      expect((await progressOf(handle)).paused).toBeNull();
      await runs.record(handle, 'paused');
    });
  });

  test('stops before the stage that was named, whatever comes before it', () =>
    runWith({}, async (runs) => {
      const handle = await runs.start();
      await handle.executeUpdate('pause', { args: [{ before: 'publish' }] });
      await untilStanding(handle, 'publish');
      const { done } = await progressOf(handle);
      expect(done.at(-1)?.stage).toBe('stability');
      expect(await refusalOf(handle, 'pause')).toContain('this one is; resume makes it go on');
      await handle.executeUpdate('resume');
      expect((await handle.result()).outcome).toBe('published');
    }));

  test('can be cancelled', () =>
    runWith({}, async (runs) => {
      const handle = await runs.start();
      await handle.executeUpdate('pause', { args: [{ before: 'validate' }] });
      await untilStanding(handle, 'validate');
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
      expect((await handle.describe()).status.name).toBe('CANCELLED');
      expect(await progressOf(handle)).toMatchObject({ outcome: 'cancelled', paused: null });
    }));

  test('that comes to be held is not paused again, is reviewed, and is still paused', () =>
    runWith({ measureStability: unstable }, async (runs) => {
      const handle = await runs.start();
      await handle.executeUpdate('pause', { args: [{ before: 'publish' }] });
      await untilOutcome(runs, handle.workflowId, 'held');
      expect(await refusalOf(handle, 'pause')).toContain('this one is held and does nothing');
      await handle.executeUpdate('review', { args: [{ decision: 'publish' }] });
      await untilStanding(handle, 'publish');
      await handle.executeUpdate('resume');
      expect((await handle.result()).outcome).toBe('published');
    }));
});

describe('a pause is refused in words', () => {
  test('where it is no pause, or of a stage that is not to come', async () => {
    const fit = heldFit();
    await runWith({ fitClusters: fit.fitClusters }, async (runs) => {
      const handle = await runs.start();
      await fit.begun.happened;
      const refused: [unknown, string][] = [
        ['now', 'found no object'],
        [[], 'found no object'],
        [{ because: 7 }, 'found a "because" that is no text'],
        [{ why: 'x' }, 'found unknown fields why'],
        [{ before: 'publishing' }, 'one of match, name, persist, stability, publish; found "publishing"'],
        [{ before: 'cluster' }, 'needs a stage that is to come'],
        [{ before: 'notify' }, 'needs a stage that is to come'],
      ];
      for (const [sent, words] of refused) expect(await refusalOf(handle, 'pause', sent)).toContain(words);
      expect(await refusalOf(handle, 'resume')).toContain(
        'needs a run that is paused, this one is in stage cluster',
      );
      // A person in the UI who empties the field sends this.
      await handle.executeUpdate('pause', { args: [null] });
      expect(await refusalOf(handle, 'resume', { before: 'match' })).toContain('found unknown fields before');
      await handle.executeUpdate('resume', { args: [null] });
      fit.let.happens();
      expect((await handle.result()).outcome).toBe('published');
    });
  });

  test('while the pointer moves, which ends as it would have', async () => {
    const [begun, refused] = [moment(), moment()];
    const publishRun: Stages['publishRun'] = async (input) => {
      begun.happens();
      await refused.happened;
      return fakeStages().publishRun(input);
    };
    await runWith({ publishRun }, async (runs) => {
      const handle = await runs.start();
      await begun.happened;
      const refusal = await refusalOf(handle, 'pause').finally(refused.happens);
      expect(refusal).toContain('this one is in stage publish: from here on it is too late');
      expect((await handle.result()).outcome).toBe('published');
    });
  });
});
