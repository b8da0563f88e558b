import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test, vi } from 'vitest';
import { runIdOf } from '../../activities/run.ts';
import type { Run, Stage } from '../../pipelines/contracts/run.ts';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import { currentExecution } from '../../scripts/current-execution.ts';
import { hasClosed } from '../../scripts/follow-run.ts';
import { eventBefore, eventBeforeAll, resetRun } from '../../scripts/reset-run.ts';
import { takeBack } from '../../scripts/retry.ts';
import type { RunInHand } from '../../scripts/run-in-hand.ts';
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
  const follows = stage === null ? execution : next;
  expect((await currentExecution(runs.client, execution)).execution).toEqual(follows);
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

interface InHand {
  runId: string;
  /** Of the run's record. */
  workflow: Run['workflow'];
  closedAt?: string | null;
  /** What each look at its publication finds; the last one stays. */
  published?: boolean[];
}

/** A run as the commands have it; PostgreSQL says what the test says. */
async function inHand(
  { client }: TestRuns,
  { runId, workflow, closedAt = null, published = [false] }: InHand,
): Promise<RunInHand> {
  const looks = [...published];
  const ofRun = async () => ((looks.length > 1 ? looks.shift() : looks[0]) ? { runId } : null);
  const { execution, description } = await currentExecution(client, workflow);
  return {
    ...{ client, execution, record: { runId, kind: 'refit', outcome: null, workflow, closedAt } },
    repositories: { publications: { ofRun }, runs: { goOn: async () => undefined } },
    isOpen: closedAt === null && !hasClosed(description),
    handleOf: ({ id, runId: ofExecution }: Run['workflow']) => client.workflow.getHandle(id, ofExecution),
    addressOf: ({ runId: ofExecution }: Run['workflow']) => `execution ${ofExecution}`,
  } as unknown as RunInHand;
}

/** What is printed meanwhile. */
async function said<T>(work: () => Promise<T>): Promise<{ result: T; text: string }> {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    const result = await work();
    return { result, text: printed.mock.calls.join('\n') };
  } finally {
    printed.mockRestore();
  }
}

const workflowOf = async (handle: WorkflowHandle): Promise<Run['workflow']> => ({
  id: handle.workflowId,
  runId: (await handle.describe()).runId,
});

describe('whoever retries', () => {
  test('a run that has ended begins another, which nothing asked of the ended one reaches', () =>
    runWith({ measureStability: unstable }, async (runs) => {
      const before = await runs.start();
      const { runId } = await untilOutcome(runs, before.workflowId, 'held');
      const workflow = await workflowOf(before);
      await before.cancel();
      await before.result().catch(() => undefined);
      const ended = { runId: runId!, workflow, closedAt: '2026-07-01T00:00:00.000Z' };
      const run = await inHand(runs, ended);
      const { result: next, text } = await said(() => takeBack(run, 'extract', ''));
      expect(text).toContain(`begins anew, as another run, ${runIdOf(next)}: execution ${next.runId}`);
      await untilOutcome(runs, before.workflowId, 'held');

      const again = await inHand(runs, ended);
      expect(again).toMatchObject({ execution: workflow, isOpen: false });
      await expect(takeBack(again, 'extract', '')).rejects.toThrow(
        `a later run goes on there (${next.runId})`,
      );
      const { status } = await runs.client.workflow.getHandle(next.id, next.runId).describe();
      expect(status.name).toBe('RUNNING');
    }));

  test('one that was terminated and reset elsewhere does not end what goes on in its place', () =>
    runWith({ measureStability: unstable }, async (runs) => {
      const before = await runs.start();
      const { runId } = await untilOutcome(runs, before.workflowId, 'held');
      const workflow = await workflowOf(before);
      await before.terminate();
      const { events } = await runs.client.workflow.getHandle(workflow.id, workflow.runId).fetchHistory();
      const to = eventBeforeAll(events!)!;
      const next = await resetRun(runs.client, { execution: workflow, to, reason: 'a test' });
      const run = await inHand(runs, { runId: runId!, workflow, closedAt: '2026-07-01T00:00:00.000Z' });
      expect(run).toMatchObject({ execution: next, isOpen: false });
      await expect(takeBack(run, 'extract', '')).rejects.toThrow('a later run goes on there');
      const { status } = await runs.client.workflow.getHandle(next.id, next.runId).describe();
      expect(status.name).toBe('RUNNING');
    }));
});
