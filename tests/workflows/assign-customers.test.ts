import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { ASSIGN_STAGES, type RunSummary } from '../../pipelines/contracts/run.ts';
import type { AssignStages, Stages } from '../../pipelines/contracts/stages.ts';
import { failing, fakeStages, unstable } from '../helpers/fake-stages.ts';
import type { TestRuns } from '../helpers/temporal.ts';
import { codeOf, runWith, untilOutcome } from '../helpers/workflow-runs.ts';

const startAssign = (runs: TestRuns, input?: unknown) => runs.start(input, 'assignCustomers');
/** Ids of refits are made of the pipeline: each test has its own. */
const anyPipeline = () => `p-${randomUUID()}`;

const refitDue: AssignStages['decideRefit'] = async () => ({
  due: true,
  start: true,
  reasons: ['the model is 91 days old'],
});

describe('assignCustomers', () => {
  test('fits nothing, reports its stages in order, names the model and what the policy says', () =>
    runWith({ fitClusters: failing('KERNEL_FAILED', 'must not be called') }, async (runs) => {
      const handle = await startAssign(runs);
      const summary = await handle.result();
      expect(summary).toMatchObject({
        ...{ outcome: 'published', kind: 'assign', asOf: '2026-07-01', k: 3 },
        champion: { runId: 'run_fitted', asOf: '2026-06-01' },
        refit: { due: false, reasons: ['the verdict is stable'], started: null },
        quality: { silhouette: 0.34, assigned: { novelShare: 0.001 } },
      });
      expect(summary.stages.map(({ stage }: { stage: string }) => stage)).toEqual([...ASSIGN_STAGES]);
      await runs.record(handle, 'assigned');
    }));

  test('closes the run by the definition and the model that it adopted', async () => {
    const closed: unknown[] = [];
    await runWith(
      {
        closeRun: async ({ run, closing }) => {
          closed.push(run.champion?.runId, run.kind);
          return { ...closing, manifest: null };
        },
      },
      async (runs) => {
        await (await startAssign(runs)).result();
        expect(closed).toEqual(['run_fitted', 'assign']);
      },
    );
  });

  test('without a published model fails with the code and the way out, and reads nothing', () =>
    runWith(
      {
        adoptChampion: failing('CHAMPION_MISSING', 'assigning needs a published model of shop, found none'),
        extractCustomers: failing('WAREHOUSE_FAILED', 'must not be called'),
      },
      async (runs) => {
        const handle = await startAssign(runs);
        const error = await handle.result().catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(WorkflowFailedError);
        expect(codeOf(error)).toBe('CHAMPION_MISSING');
        await runs.record(handle, 'assign-refused');
      },
    ));

  test('an extract that leaves a segment empty is rejected, and nothing is named or written', () =>
    runWith(
      {
        assignSegments: async () => ({
          verdict: 'none',
          reasons: ['no customer of this extract is in "Loyal"'],
          ms: 1,
        }),
        nameSegments: failing('WAREHOUSE_FAILED', 'must not be called'),
      },
      async (runs) => {
        const summary = await (await startAssign(runs)).result();
        expect(summary).toMatchObject({ outcome: 'rejected', verdict: 'refused' });
        expect(summary.refit).toBeUndefined();
      },
    ));

  test('one that is held for review and rejected asks no policy', () =>
    runWith({ measureStability: unstable, decideRefit: refitDue }, async (runs) => {
      const handle = await startAssign(runs, { pipeline: anyPipeline() });
      await untilOutcome(runs, handle.workflowId, 'held');
      await handle.executeUpdate('review', { args: [{ decision: 'reject' }] });
      const summary = await handle.result();
      expect(summary.outcome).toBe('rejected');
      expect(summary.refit).toBeUndefined();
    }));

  test('a policy that cannot be asked undoes no publication', () =>
    runWith({ decideRefit: failing('MIGRATION_FAILED', 'no such column') }, async (runs) => {
      const summary = await (await startAssign(runs)).result();
      expect(summary.outcome).toBe('published');
      expect(summary.reasons.join()).toContain('whether a refit is due could not be told: no such column');
    }));
});

describe('a refit that is due', () => {
  const extractOf = (inputs: unknown[]): Stages['openRun'] => {
    const { openRun } = fakeStages();
    return async (given) => {
      if (given.kind === undefined) inputs.push(given.input);
      const opened = await openRun(given);
      return { ...opened, run: { ...opened.run, extract: given.input.extract ?? null } };
    };
  };

  test('is started for the same pipeline, date and extract, and goes on by itself', async () => {
    const inputs: unknown[] = [];
    const pipeline = anyPipeline();
    await runWith({ decideRefit: refitDue, openRun: extractOf(inputs) }, async (runs) => {
      const handle = await startAssign(runs, { pipeline, extract: '/data/july.csv' });
      const { refit } = await handle.result();
      const started = `segment/${pipeline}/2026-07-01`;
      expect(refit).toEqual({ due: true, reasons: ['the model is 91 days old'], started });
      const child: RunSummary = await runs.client.workflow.getHandle(started).result();
      expect(child).toMatchObject({ kind: 'refit', outcome: 'published' });
      expect(inputs).toEqual([{ pipeline, asOf: '2026-07-01', extract: '/data/july.csv' }]);
      await runs.record(handle, 'assigned-refit');
    });
  });

  test('is started once for a date, however often the run is repeated', async () => {
    const pipeline = anyPipeline();
    await runWith({ decideRefit: refitDue }, async (runs) => {
      await (await startAssign(runs, { pipeline })).result();
      await runs.client.workflow.getHandle(`segment/${pipeline}/2026-07-01`).result();
      const { refit, outcome } = await (await startAssign(runs, { pipeline })).result();
      expect(outcome).toBe('published');
      expect(refit).toMatchObject({ due: true, started: null });
      expect(refit!.reasons.at(-1)).toContain('no other is started');
    });
  });

  test('is started again where the first one failed', async () => {
    const pipeline = anyPipeline();
    const broken = { decideRefit: refitDue, fitClusters: failing('KERNEL_FAILED', 'a thread ended early') };
    await runWith(broken, async (runs) => {
      const { refit } = await (await startAssign(runs, { pipeline })).result();
      await runs.client.workflow
        .getHandle(refit!.started!)
        .result()
        .catch(() => undefined);
      expect((await (await startAssign(runs, { pipeline })).result()).refit!.started).toBe(refit!.started);
    });
  });
});
