import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { beforeAll, describe, expect, test } from 'vitest';
import type {
  CompareInput,
  CompareProgress,
  CompareStages,
  ComparisonSummary,
} from '../../pipelines/contracts/compare.ts';
import { fakeCompareStages, measuredOutcome } from '../helpers/fake-compare-stages.ts';
import { failing, fakeStages } from '../helpers/fake-stages.ts';
import { moment } from '../helpers/moment.ts';
import { bundleWorkflows, type TestRuns, withWorker } from '../helpers/temporal.ts';
import { codeOf } from '../helpers/workflow-runs.ts';

let bundle: Awaited<ReturnType<typeof bundleWorkflows>>;
beforeAll(async () => {
  bundle = await bundleWorkflows();
}, 60_000);

const TOGETHER_MS = 20_000;
const CANDIDATES = 4;

const resultOf = (handle: WorkflowHandle) => handle.result() as Promise<ComparisonSummary>;

/** The real workflow on the real server, with these activities in place of the healthy ones. */
function compareWith(
  stages: Partial<CompareStages>,
  check: (handle: WorkflowHandle, runs: TestRuns) => Promise<void>,
  input?: CompareInput,
): Promise<void> {
  const activities = { ...fakeStages(), ...fakeCompareStages(stages) };
  return withWorker({ bundle, activities }, async (runs) => {
    const handle = await runs.client.workflow.start('compareAlgorithms', {
      workflowId: `test/${randomUUID()}`,
      taskQueue: 'strata',
      args: input === undefined ? [] : [input],
      workflowExecutionTimeout: '2 minutes',
    });
    await check(handle, runs);
  });
}

describe('compareAlgorithms', () => {
  test('with no input at all it compares every candidate, keeps the report alone, and says so', async () => {
    const closed: boolean[] = [];
    await compareWith(
      {
        closeComparison: async ({ isKept }) => {
          closed.push(isKept);
        },
      },
      async (handle, runs) => {
        const summary = await resultOf(handle);
        expect(summary).toMatchObject({
          outcome: 'compared',
          pipeline: 'shop',
          asOf: '2026-07-01',
          reasons: ['Use k-means with 4 segments.'],
          counts: { customers: 100 },
          report: { kind: 'comparison' },
        });
        expect(summary.leaderboard.map(({ candidate }) => candidate)).toEqual([
          'rule-grid',
          'random-groups',
          'k-means',
          'ward',
        ]);
        expect(closed).toEqual([true]);
        const progress = await handle.query<CompareProgress>('progress');
        expect(progress).toMatchObject({ outcome: 'compared', step: null });
        expect(progress.done.map(({ step }) => step)).toEqual(['extract', 'validate', 'features', 'report']);
        await runs.record(handle, 'compared');
      },
    );
  });

  test('candidates are measured at the same time, as far as workers have room', async () => {
    const begun = new Set<string>();
    const both = moment();
    await compareWith(
      {
        // Each waits for another: one after the other they would never end.
        fitCandidate: async ({ candidate }) => {
          begun.add(candidate);
          if (begun.size > 1) both.happens();
          await both.happened;
          return measuredOutcome(candidate);
        },
      },
      async (handle) => {
        await Promise.race([both.happened, sleep(TOGETHER_MS)]).finally(both.happens);
        expect(begun.size).toBeGreaterThan(1);
        await handle.result();
      },
    );
  });

  test('a candidate that fails is a line with its reason, and the others go on', async () => {
    await compareWith(
      {
        fitCandidate: async ({ candidate }) => {
          if (candidate === 'ward') return failing('VALUE_REFUSED', 'distances beyond single precision')();
          return measuredOutcome(candidate);
        },
      },
      async (handle, runs) => {
        const { outcome, leaderboard } = await resultOf(handle);
        expect(outcome).toBe('compared');
        expect(leaderboard.map(({ candidate, status, reason }) => [candidate, status, reason])).toEqual([
          ['rule-grid', 'measured', null],
          ['random-groups', 'measured', null],
          ['k-means', 'measured', null],
          ['ward', 'failed', 'distances beyond single precision (VALUE_REFUSED)'],
        ]);
        await runs.record(handle, 'compared-partly');
      },
    );
  });

  test('an extract that fails its contract is a return value: nothing is fitted, nothing is kept', async () => {
    const closed: boolean[] = [];
    await compareWith(
      {
        validateForComparison: async () => ({
          ...(await fakeStages().validateExtract({} as never)),
          verdict: 'fail',
          reasons: ['no row satisfies the contract'],
        }),
        buildFeaturesForComparison: failing('WAREHOUSE_FAILED', 'must not be called'),
        closeComparison: async ({ isKept }) => {
          closed.push(isKept);
        },
      },
      async (handle, runs) => {
        expect(await handle.result()).toMatchObject({
          outcome: 'refused',
          reasons: ['no row satisfies the contract'],
          recommendation: null,
          report: null,
        });
        expect(closed).toEqual([false]);
        await runs.record(handle, 'compare-refused');
      },
    );
  });

  test('a broken comparison fails with the code of its cause, after it was cleaned up', async () => {
    const closed: boolean[] = [];
    await compareWith(
      {
        writeComparison: failing('ARTIFACT_CORRUPT', 'a record needs to be JSON'),
        closeComparison: async ({ isKept }) => {
          closed.push(isKept);
        },
      },
      async (handle, runs) => {
        const error = await handle.result().catch((caught: unknown) => caught);
        expect(codeOf(error)).toBe('ARTIFACT_CORRUPT');
        expect(closed).toEqual([false]);
        await runs.record(handle, 'compare-failed');
      },
    );
  });

  test('a cancelled comparison waits until its candidates have stopped, cleans up, and ends cancelled', async () => {
    const closed: boolean[] = [];
    let [begun, stopped] = [0, 0];
    const fitting = moment();
    await compareWith(
      {
        fitCandidate: async () => {
          begun += 1;
          if (begun === CANDIDATES) fitting.happens();
          const { cancelled } = Context.current();
          const beats = setInterval(() => Context.current().heartbeat(), 50);
          try {
            return await cancelled;
          } finally {
            clearInterval(beats);
            await sleep(200);
            stopped += 1;
          }
        },
        closeComparison: async ({ isKept }) => {
          expect(stopped).toBe(CANDIDATES);
          closed.push(isKept);
        },
      },
      async (handle, runs) => {
        await fitting.happened;
        await handle.cancel();
        await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
        expect((await handle.describe()).status.name).toBe('CANCELLED');
        expect(closed).toEqual([false]);
        await runs.record(handle, 'compare-cancel');
      },
    );
  });

  test('a refused input fails before anything is read, with the field in its message', () =>
    compareWith(
      { openComparison: failing('INPUT_INVALID', 'comparison input: kays: unknown field') },
      async (handle) => {
        expect(codeOf(await handle.result().catch((caught: unknown) => caught))).toBe('INPUT_INVALID');
      },
      { kays: 3 } as never,
    ));

  test('an unknown signal is kept by name and changes nothing', async () => {
    const signalled = moment();
    await compareWith(
      {
        extractForComparison: async (input) => {
          await signalled.happened;
          return fakeStages().extractCustomers(input);
        },
      },
      async (handle) => {
        await handle.signal('stopp').finally(signalled.happens);
        expect((await handle.result()).outcome).toBe('compared');
        expect((await handle.query<CompareProgress>('progress')).unknownSignals).toEqual(['stopp']);
      },
    );
  });
});
