import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { beforeAll, describe, expect, test } from 'vitest';
import type {
  Difference,
  ReproduceInput,
  ReproduceProgress,
  ReproduceStages,
  ReproductionSummary,
} from '../../pipelines/contracts/reproduce.ts';
import { fakeReproduceStages, openedReproduction, stageAgain } from '../helpers/fake-reproduce-stages.ts';
import { failing, fakeStages } from '../helpers/fake-stages.ts';
import { moment } from '../helpers/moment.ts';
import { bundleWorkflows, type TestRuns, withWorker } from '../helpers/temporal.ts';
import { codeOf } from '../helpers/workflow-runs.ts';

let bundle: Awaited<ReturnType<typeof bundleWorkflows>>;
beforeAll(async () => {
  bundle = await bundleWorkflows();
}, 60_000);

const resultOf = (handle: WorkflowHandle) => handle.result() as Promise<ReproductionSummary>;

/** Ids that were closed, in order. */
type Closed = string[];

/** The real workflow on the real server, with these activities in place of the healthy ones. */
async function reproduceWith(
  stages: Partial<ReproduceStages>,
  check: (handle: WorkflowHandle, runs: TestRuns, closed: Closed) => Promise<void>,
): Promise<void> {
  const closed: Closed = [];
  const closeReproduction: ReproduceStages['closeReproduction'] = async ({ workflow }) => {
    closed.push(workflow.id);
  };
  const activities = { ...fakeStages(), ...fakeReproduceStages({ closeReproduction, ...stages }) };
  await withWorker({ bundle, activities }, async (runs) => {
    const handle = await runs.client.workflow.start('reproduceRun', {
      workflowId: `test/${randomUUID()}`,
      taskQueue: 'strata',
      workflowExecutionTimeout: '2 minutes',
    });
    await check(handle, runs, closed);
  });
}

const LABELS: Difference = {
  ...{ stage: 'cluster', product: 'labels', before: 'a'.repeat(64), now: 'b'.repeat(64) },
  ...{ where: ['column labels: 3 of 100 values, by up to 1'], why: 'another code version' },
};

describe('reproduceRun', () => {
  test('asked for nothing in particular, in whatever way, it says that all is the same', async () => {
    const asked: ReproduceInput[] = [];
    await reproduceWith(
      {
        openReproduction: async ({ input, workflow }) => {
          asked.push(input);
          return openedReproduction(workflow);
        },
      },
      async (handle, runs, closed) => {
        const summary = await resultOf(handle);
        expect(summary).toMatchObject({
          ...{ verdict: 'reproduced', pipeline: 'shop', reasons: [], differences: [] },
        });
        expect(summary.stages.map(({ stage }) => stage)).toEqual([
          ...['validate', 'profile', 'features', 'cluster', 'match', 'name', 'stability'],
        ]);
        const progress = await handle.query<ReproduceProgress>('progress');
        expect(progress).toMatchObject({ verdict: 'reproduced', stage: null });
        expect(progress.done[2]!.says).toBe('✓ **features** 4 digests, all the same');
        await runs.record(handle, 'reproduced');
        const others = await Promise.all([null, {}].map((input) => runs.start(input, 'reproduceRun')));
        for (const other of others) expect(await other.result()).toMatchObject({ verdict: 'reproduced' });
        expect(asked).toEqual([{}, {}, {}]);
        expect(closed).toHaveLength(3);
      },
    );
  });

  test('what differs is named with where and why, later stages are told, and all is computed to the end', async () => {
    const told: string[][] = [];
    await reproduceWith(
      {
        reproduceStage: async ({ stage, differing }) => {
          told.push(differing);
          return stageAgain(stage, stage === 'cluster' ? { differences: [LABELS] } : {});
        },
        compareManifests: async () => ({
          differences: [
            { ...LABELS, where: [], why: null },
            {
              ...LABELS,
              stage: 'result',
              product: 'verdicts.k',
              before: '3',
              now: '4',
              where: [],
              why: null,
            },
          ],
        }),
      },
      async (handle, runs, closed) => {
        const { verdict, differences } = await resultOf(handle);
        expect(verdict).toBe('differs');
        expect(differences).toMatchObject([LABELS, { product: 'verdicts.k', before: '3', now: '4' }]);
        expect(told).toEqual([[], [], [], [], ['cluster'], ['cluster'], ['cluster']]);
        expect(closed).toHaveLength(1);
        const { done } = await handle.query<ReproduceProgress>('progress');
        expect(done[3]!.says).toBe('✗ **cluster** 1 of 3 digests differ: labels');
        await runs.record(handle, 'reproduce-other');
      },
    );
  });

  test('a run that is not kept whole cannot be reproduced: nothing is computed, and it is said why', () =>
    reproduceWith(
      {
        openReproduction: ({ workflow }) =>
          openedReproduction(workflow, {
            reproduction: null,
            reasons: ['its extract was let go of with it'],
          }),
        reproduceStage: failing('WAREHOUSE_FAILED', 'must not be called'),
      },
      async (handle, runs, closed) => {
        expect(await resultOf(handle)).toMatchObject({
          ...{ verdict: 'cannot', reasons: ['its extract was let go of with it'], code: null, stages: [] },
        });
        expect(closed).toHaveLength(1);
        await runs.record(handle, 'reproduce-cannot');
      },
    ));

  test('a stage that today’s code refuses is a finding; what is differing before it counts', async () => {
    const refusing: Partial<ReproduceStages> = {
      reproduceStage: ({ stage }) =>
        stage === 'match' ? failing('DEFINITION_INVALID', 'stability: unknown')() : stageAgain(stage),
      compareManifests: failing('WAREHOUSE_FAILED', 'must not be called'),
    };
    const reasons = ['match cannot be computed again: stability: unknown (DEFINITION_INVALID)'];
    await reproduceWith(refusing, async (handle) => {
      expect(await resultOf(handle)).toMatchObject({ verdict: 'cannot', reasons, differences: [] });
    });
    const damaged = [{ ...LABELS, why: 'the kept file is damaged' }];
    await reproduceWith(
      { ...refusing, openReproduction: ({ workflow }) => openedReproduction(workflow, { damaged }) },
      async (handle) => {
        expect(await resultOf(handle)).toMatchObject({ verdict: 'differs', reasons, differences: damaged });
      },
    );
  });

  test('an unknown run fails with its code, a cancel ends cancelled; neither leaves anything', async () => {
    await reproduceWith(
      { openReproduction: failing('RUN_UNKNOWN', 'there is no run run_0') },
      async (handle, _, closed) => {
        expect(codeOf(await handle.result().catch((caught: unknown) => caught))).toBe('RUN_UNKNOWN');
        expect(closed).toEqual([handle.workflowId]);
      },
    );
    const fitting = moment();
    let isStopped = false;
    await reproduceWith(
      {
        reproduceStage: async ({ stage }) => {
          if (stage !== 'cluster') return stageAgain(stage);
          fitting.happens();
          const { cancelled } = Context.current();
          const beats = setInterval(() => Context.current().heartbeat(), 50);
          try {
            return await cancelled;
          } finally {
            clearInterval(beats);
            await sleep(200);
            isStopped = true;
          }
        },
      },
      async (handle, runs, closed) => {
        await fitting.happened;
        await handle.signal('stopp');
        await handle.cancel();
        await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
        expect((await handle.describe()).status.name).toBe('CANCELLED');
        expect([isStopped, closed.length]).toEqual([true, 1]);
        const progress = await handle.query<ReproduceProgress>('progress');
        expect(progress).toMatchObject({ verdict: 'cancelled', unknownSignals: ['stopp'] });
        await runs.record(handle, 'reproduce-cancel');
      },
    );
  });
});
