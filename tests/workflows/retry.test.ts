import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import type { Stage } from '../../pipelines/contracts/run.ts';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import { currentExecution } from '../../scripts/current-execution.ts';
import { eventBefore, eventBeforeAll, resetRun } from '../../scripts/reset-run.ts';
import { fakeStages, unstable } from '../helpers/fake-stages.ts';
import type { TestRuns } from '../helpers/temporal.ts';
import { runWith, untilOutcome } from '../helpers/workflow-runs.ts';

type Fakes = ReturnType<typeof fakeStages>;

/** Stages that note how often they are done. */
function counted(stages: Partial<Fakes>) {
  const counts = new Map<string, number>();
  const all = Object.entries(fakeStages(stages)).map(([name, stage]) => [
    name,
    (input: never) => {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return (stage as (input: never) => Promise<unknown>)(input);
    },
  ]);
  return { counts, stages: Object.fromEntries(all) as Fakes };
}

async function back(runs: TestRuns, handle: WorkflowHandle, stage: Stage | null): Promise<WorkflowHandle> {
  const { runId } = await handle.describe();
  const { events } = await handle.fetchHistory();
  const to = stage === null ? eventBeforeAll(events!) : eventBefore(events!, stage);
  const execution = { id: handle.workflowId, runId };
  const next = await resetRun(runs.client, { execution, to: to!, reason: 'a test' });
  expect((await currentExecution(runs.client, execution)).execution).toEqual(next);
  return runs.client.workflow.getHandle(next.id, next.runId);
}

describe('a run that is taken back to before a stage', () => {
  test('goes on from there as the same run, and what a person asked of it before is not asked again', async () => {
    const { counts, stages } = counted({ measureStability: unstable });
    await runWith(stages, async (runs) => {
      const before = await runs.start();
      const { runId } = await untilOutcome(runs, before.workflowId, 'held');
      const named = { segment: 'seg_0', name: 'Regulars', because: 'shorter', by: 'ada' };
      await before.executeUpdate('renameSegment', { args: [named] });
      const old = runs.client.workflow.getHandle(before.workflowId, (await before.describe()).runId);

      const handle = await back(runs, before, 'features');
      expect((await old.describe()).status.name).toBe('TERMINATED');
      const again = await untilOutcome(runs, handle.workflowId, 'held');
      expect(again.runId).toBe(runId);
      await handle.executeUpdate('review', { args: [{ decision: 'publish' }] });
      expect(await handle.result()).toMatchObject({ outcome: 'published', runId });
      const times = (name: keyof Fakes) => counts.get(name);
      expect([times('openRun'), times('profileExtract'), times('renameSegment')]).toEqual([1, 1, 1]);
      expect([times('buildFeatures'), times('fitClusters'), times('measureStability')]).toEqual([2, 2, 2]);
    });
  });

  test('where it was resumed stands there paused, until it is resumed once more', () =>
    runWith({ measureStability: unstable }, async (runs) => {
      const before = await runs.start();
      await before.executeUpdate('pause', { args: [{ before: 'match' }] });
      const standing = async (handle: WorkflowHandle) =>
        (await handle.query<RunProgress>('progress')).paused?.standsBefore;
      await expect.poll(() => standing(before), { timeout: 25_000 }).toBe('match');
      await before.executeUpdate('resume');
      await untilOutcome(runs, before.workflowId, 'held');
      const handle = await back(runs, before, 'match');
      await expect.poll(() => standing(handle), { timeout: 25_000 }).toBe('match');
      await handle.executeUpdate('resume');
      await untilOutcome(runs, handle.workflowId, 'held');
      await handle.executeUpdate('review', { args: [{ decision: 'reject' }] });
      await handle.result();
    }));

  test('after it was cancelled begins anew, as another run with a keeper of its own, and is not cancelled', () =>
    runWith({ measureStability: unstable }, async (runs) => {
      const before = await runs.start();
      const { runId } = await untilOutcome(runs, before.workflowId, 'held');
      await before.cancel();
      await before.result().catch(() => undefined);
      const handle = await back(runs, before, null);
      const again = await untilOutcome(runs, handle.workflowId, 'held');
      expect(again.runId).not.toBe(runId);
      await handle.executeUpdate('review', { args: [{ decision: 'publish' }] });
      expect(await handle.result()).toMatchObject({ outcome: 'published', runId: again.runId });
      const keeper = runs.client.workflow.getHandle(`history/${again.runId}`);
      expect(await keeper.result()).toMatchObject({ kind: 'history' });
    }));
});
