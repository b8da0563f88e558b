import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { expect, test } from 'vitest';
import type { Run, RunSummary } from '../../pipelines/contracts/run.ts';
import { MOVES } from '../../scripts/deploy/replay-moving.ts';
import { requirePromotable, standstills, versionBefore } from '../../scripts/deploy/rules.ts';
import { lookAt, setCurrent } from '../../scripts/deploy/server.ts';
import { runningHistories } from '../../scripts/replay-sources.ts';
import { type TestDeployment, withDeployment } from '../helpers/deployment.ts';
import { fakeStages, unstable } from '../helpers/fake-stages.ts';
import { untilOutcome } from '../helpers/workflow-runs.ts';

/** Stages of which each notes the version that did it, per run; runs are held, deliveries wait for an hour. */
function stagesOf(buildId: string, done: Map<string, Set<string>>) {
  const stages = fakeStages({
    measureStability: unstable,
    deliverPipeline: async ({ pipeline }) => {
      note(done, pipeline, buildId);
      return { secondsToNext: 3_600 };
    },
  });
  const noted = Object.entries(stages).map(([name, stage]) => [
    name,
    async (input: { run?: Run }) => {
      if (input?.run) note(done, input.run.workflow.id, buildId);
      return (stage as (input: unknown) => Promise<unknown>)(input);
    },
  ]);
  return Object.fromEntries(noted) as typeof stages;
}

function note(done: Map<string, Set<string>>, what: string, buildId: string) {
  done.set(what, (done.get(what) ?? new Set()).add(buildId));
}

/** The versions whose workers decided for a workflow, and how many of its tasks failed. */
async function decidedBy(handle: WorkflowHandle): Promise<{ builds: string[]; failed: number }> {
  const { events } = await handle.fetchHistory();
  const builds = (events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: completed }) =>
    completed ? [completed.deploymentVersion?.buildId ?? 'none'] : [],
  );
  const failed = (events ?? []).filter((event) => event.workflowTaskFailedEventAttributes).length;
  return { builds: [...new Set(builds)], failed };
}

/** Which of these the server lists as open, and as what `only` says. */
async function areOpen<Name extends string>(
  handles: Record<Name, WorkflowHandle>,
  { deployment, only }: { deployment: TestDeployment; only?: string },
) {
  const open = new Set<string>();
  for await (const { name } of runningHistories(deployment.client, only)) open.add(name);
  const entries = Object.entries<WorkflowHandle>(handles);
  return Object.fromEntries(entries.map(([name, { workflowId }]) => [name, open.has(workflowId)]));
}

async function promote({ client, name }: TestDeployment, buildId: string): Promise<void> {
  const found = await lookAt(client, name);
  await setCurrent(client, found, requirePromotable(found, buildId).buildId, { person: 'a test' });
  expect((await lookAt(client, name)).current).toBe(buildId);
}

const SHOP = 'shop';

test('a deploy in the middle of a run: it ends on the old version, what starts then runs on the new, and back', async () => {
  await withDeployment(async (deployment) => {
    const { client, name, work } = deployment;
    const done = new Map<string, Set<string>>();
    const held = async () => {
      const handle = await client.workflow.start('segmentCustomers', {
        ...{ workflowId: `test/${randomUUID()}`, taskQueue: 'strata', args: [{ pipeline: SHOP }] },
        workflowExecutionTimeout: '2 minutes',
      });
      await untilOutcome({ client } as never, handle.workflowId, 'held');
      return handle as WorkflowHandle & { result(): Promise<RunSummary> };
    };
    const publish = (handle: WorkflowHandle) =>
      handle.executeUpdate('review', {
        args: [{ decision: 'publish', note: 'it is right' }],
      });
    const delivered = async (handle: WorkflowHandle, buildId: string) => {
      done.delete(SHOP);
      await handle.signal('more');
      await expect.poll(() => [...(done.get(SHOP) ?? [])], { timeout: 20_000 }).toEqual([buildId]);
    };

    await expect(promote(deployment, 'old')).rejects.toThrow(
      'no worker of deployment strata has asked for work yet',
    );
    await work('old', stagesOf('old', done));
    expect(standstills(await lookAt(client, name))).toEqual([
      expect.stringContaining('no version is current'),
    ]);
    await promote(deployment, 'old');
    const before = await held();
    const delivery = await client.workflow.start('deliverMessages', {
      ...{ workflowId: `test/${randomUUID()}`, taskQueue: 'strata', args: [{ pipeline: SHOP }] },
      workflowExecutionTimeout: '2 minutes',
    });
    await expect.poll(() => done.has(SHOP), { timeout: 20_000 }).toBe(true);

    // What a promotion is asked to replay is what moves with it, and no run that is held where it began.
    await expect
      .poll(() => areOpen({ delivery, before }, { deployment, only: MOVES }), { timeout: 20_000 })
      .toEqual({ delivery: true, before: false });
    expect(await areOpen({ delivery, before }, { deployment })).toEqual({ delivery: true, before: true });

    const stopNew = await work('new', stagesOf('new', done));
    await expect(promote(deployment, 'newer')).rejects.toThrow(
      'no worker of version newer has ever asked for work',
    );
    await promote(deployment, 'new');
    const after = await held();
    await expect
      .poll(async () => (await lookAt(client, name)).versions, { timeout: 20_000 })
      .toMatchObject([
        { buildId: 'new', status: 'current', pinnedRuns: 1, workers: [expect.any(String)] },
        { buildId: 'old', status: 'draining', pinnedRuns: 1, workers: [expect.any(String)] },
      ]);
    await delivered(delivery, 'new');
    await publish(before);
    expect(await before.result()).toMatchObject({ outcome: 'published' });

    await promote(deployment, versionBefore(await lookAt(client, name)).buildId);
    const rolledBack = await held();
    await delivered(delivery, 'old');
    for (const run of [after, rolledBack]) {
      await publish(run);
      expect(await run.result()).toMatchObject({ outcome: 'published' });
    }

    expect(await decidedBy(before)).toEqual({ builds: ['old'], failed: 0 });
    expect(await decidedBy(after)).toEqual({ builds: ['new'], failed: 0 });
    expect(await decidedBy(rolledBack)).toEqual({ builds: ['old'], failed: 0 });
    expect(await decidedBy(delivery)).toEqual({ builds: ['old', 'new'], failed: 0 });
    const doneBy = [before, after].map(({ workflowId }) => [...done.get(workflowId)!]);
    expect(doneBy).toEqual([['old'], ['new']]);

    await stopNew();
    const later = await lookAt(client, name, { nowMs: Date.now() + 100_000 });
    expect(() => requirePromotable(later, 'new')).toThrow('no worker of version new asks for work');
    await delivery.terminate();
  });
}, 120_000);
