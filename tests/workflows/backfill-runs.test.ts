import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import {
  WorkflowFailedError,
  type WorkflowHandle,
  type WorkflowHandleWithFirstExecutionRunId,
} from '@temporalio/client';
import { beforeAll, describe, expect, test } from 'vitest';
import type {
  BackfillInput,
  BackfillProgress,
  BackfillStages,
  BackfillSummary,
} from '../../pipelines/contracts/backfill.ts';
import type { StartInput } from '../../pipelines/contracts/run.ts';
import { workflowIds } from '../../pipelines/contracts/signatures.ts';
import type { Closing, Stages } from '../../pipelines/contracts/stages.ts';
import { fakePlan, planning } from '../helpers/fake-backfill-stages.ts';
import { failing, fakeStages, unstable } from '../helpers/fake-stages.ts';
import { moment } from '../helpers/moment.ts';
import { bundleWorkflows, type TestRuns, withWorker } from '../helpers/temporal.ts';
import { codeOf } from '../helpers/workflow-runs.ts';

let bundle: Awaited<ReturnType<typeof bundleWorkflows>>;
beforeAll(async () => {
  bundle = await bundleWorkflows();
}, 60_000);

const GIVEN = {
  ...{ extract: '/data/x.csv', k: 4, seed: 7 },
  ...{ review: 'never' as const, beforePublished: 'aside' as const },
};
const DATES = ['2026-05-01', '2026-06-01', '2026-07-01'];
const healthy = fakeStages();
const resultOf = (handle: WorkflowHandle) => handle.result() as Promise<BackfillSummary>;
const progressOf = (handle: WorkflowHandle) => handle.query<BackfillProgress>('progress');

/** The real workflows on the real server, with these activities in place of the healthy ones. */
function backfillWith(
  stages: Partial<Stages & BackfillStages>,
  check: (handle: WorkflowHandleWithFirstExecutionRunId, runs: TestRuns) => Promise<void>,
  ...args: [input?: BackfillInput]
): Promise<void> {
  const activities = { ...healthy, ...planning(DATES), ...stages };
  return withWorker({ bundle, activities }, async (runs) => {
    const handle = await runs.client.workflow.start('backfillRuns', {
      workflowId: `test/${randomUUID()}`,
      taskQueue: 'strata',
      args,
      workflowExecutionTimeout: '2 minutes',
    });
    await check(handle, runs);
  });
}

/** The healthy stage, but for the run of one date. */
const butOn =
  <I extends { run: { asOf: string | null } }, R>(
    date: string,
    stage: (input: I) => Promise<R>,
    other: (input: I) => Promise<R>,
  ) =>
  (input: I) =>
    input.run.asOf === date ? other(input) : stage(input);

const failedExtract = {
  ...{ verdict: 'fail' as const, reasons: ['no row satisfies the contract'] },
};

describe('backfillRuns', () => {
  test('with no input at all it runs over the dates in order, one whole run each, all told the same, and says what came of them', async () => {
    const opened: StartInput[] = [];
    let atWork = 0;
    await backfillWith(
      {
        ...planning(DATES, { given: GIVEN }),
        openRun: async (opening) => {
          opened.push(opening.input);
          atWork += 1;
          expect(atWork).toBe(1);
          return healthy.openRun(opening);
        },
        closeRun: async (closing) => {
          atWork -= 1;
          return healthy.closeRun(closing);
        },
      },
      async (handle, runs) => {
        const summary = await resultOf(handle);
        expect(summary).toMatchObject({ pipeline: 'shop', outcome: 'completed', reasons: [], left: [] });
        expect(summary.dates).toMatchObject(
          DATES.map((asOf) => ({
            ...{ asOf, outcome: 'published', verdict: 'first', customers: 100, k: 3, movedShare: null },
          })),
        );
        expect(opened).toEqual(DATES.map((asOf) => ({ pipeline: 'shop', asOf, ...GIVEN })));
        const progress = await progressOf(handle);
        expect(progress).toMatchObject({ outcome: 'completed', dates: 3, current: null });
        expect(progress.done).toEqual(summary.dates);
        for (const asOf of DATES) {
          const run = runs.client.workflow.getHandle(workflowIds.segment('shop', asOf));
          expect((await run.describe()).status.name).toBe('COMPLETED');
        }
        await runs.record(handle, 'backfilled');
      },
    );
  });

  test('a date that is rejected, one that fails and one that was done are told, and the rest goes on', async () => {
    const dates = [...DATES, '2026-08-01'];
    await backfillWith(
      {
        ...planning(dates, { done: [{ asOf: dates[0]!, runId: 'run_before' }] }),
        validateExtract: butOn(dates[1]!, healthy.validateExtract, async (input) => ({
          ...(await healthy.validateExtract(input)),
          ...failedExtract,
        })),
        fitClusters: butOn(dates[2]!, healthy.fitClusters, failing('KERNEL_FAILED', 'a thread ended')),
      },
      async (handle, runs) => {
        const { outcome, dates: rows } = await resultOf(handle);
        expect(outcome).toBe('completed');
        expect(rows.map(({ outcome, reason }) => [outcome, reason])).toEqual([
          ['skipped', undefined],
          ['rejected', 'no row satisfies the contract'],
          ['failed', 'a thread ended (KERNEL_FAILED)'],
          ['published', undefined],
        ]);
        expect(rows[0]!.runId).toBe('run_before');
        await runs.record(handle, 'backfill-partly');
      },
    );
  });

  test.each([
    ['failed', ['rejected', 'failed']],
    ['unpublished', ['rejected']],
  ] as const)(
    'stopOn %s ends it before the rest, and says which dates are left',
    async (stopOn, outcomes) => {
      await backfillWith(
        {
          ...planning(DATES, { stopOn }),
          validateExtract: butOn(DATES[0]!, healthy.validateExtract, async (input) => ({
            ...(await healthy.validateExtract(input)),
            ...failedExtract,
          })),
          fitClusters: butOn(DATES[1]!, healthy.fitClusters, failing('KERNEL_FAILED', 'a thread ended')),
        },
        async (handle) => {
          const { outcome, dates, left, reasons } = await resultOf(handle);
          expect(outcome).toBe('stopped');
          expect(dates.map((date) => date.outcome)).toEqual(outcomes);
          expect(left).toEqual(DATES.slice(outcomes.length));
          expect(reasons.join()).toContain(`stopOn is ${stopOn}`);
        },
      );
    },
  );

  test('a run that may not go on is rejected before its extract is read', async () => {
    const refused = ['the run is as of 2026-05-01 and readers see 2026-06-15'];
    await backfillWith(
      {
        ...planning(DATES.slice(0, 1)),
        takeTurn: async () => ({ granted: true, waitsFor: null, refused }),
        extractCustomers: failing('WAREHOUSE_FAILED', 'must not be called'),
      },
      async (handle) => {
        expect((await resultOf(handle)).dates).toMatchObject([{ outcome: 'rejected', reason: refused[0] }]);
      },
    );
  });

  test('cancelled, it cancels the run that is going on, waits for its clean-up, and starts no other', async () => {
    const fitting = moment();
    const closings: Closing[] = [];
    await backfillWith(
      {
        fitClusters: butOn(DATES[1]!, healthy.fitClusters, async () => {
          fitting.happens();
          const beats = setInterval(() => Context.current().heartbeat(), 50);
          return Context.current().cancelled.finally(() => clearInterval(beats));
        }),
        closeRun: async ({ closing }) => {
          closings.push(closing);
          return { ...closing, manifest: null };
        },
      },
      async (handle, runs) => {
        await fitting.happened;
        await handle.cancel();
        await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
        expect((await handle.describe()).status.name).toBe('CANCELLED');
        expect(closings.map(({ asOf, outcome }) => [asOf, outcome])).toEqual([
          [DATES[0], 'published'],
          [DATES[1], 'cancelled'],
        ]);
        expect(await progressOf(handle)).toMatchObject({ outcome: 'cancelled', current: null });
        await runs.record(handle, 'backfill-cancel');
      },
    );
  });

  test('one run that is cancelled is what came of its date, and the rest goes on', async () => {
    const fitting = moment();
    await backfillWith(
      {
        ...planning(DATES.slice(0, 2)),
        fitClusters: butOn(DATES[0]!, healthy.fitClusters, async () => {
          fitting.happens();
          const beats = setInterval(() => Context.current().heartbeat(), 50);
          return Context.current().cancelled.finally(() => clearInterval(beats));
        }),
      },
      async (handle, runs) => {
        await fitting.happened;
        await runs.client.workflow.getHandle(workflowIds.segment('shop', DATES[0])).cancel();
        const { dates } = await resultOf(handle);
        expect(dates.map(({ outcome }) => outcome)).toEqual(['cancelled', 'published']);
      },
    );
  });

  test('a date whose run someone else has started is left to them, and told', async () => {
    const [begun, until] = [moment(), moment()];
    await backfillWith(
      {
        planBackfill: async () => {
          await begun.happened;
          return fakePlan(DATES.slice(0, 1));
        },
        takeTurn: async () => {
          begun.happens();
          await until.happened;
          return { granted: true, waitsFor: null };
        },
      },
      async (handle, runs) => {
        const theirs = await runs.client.workflow.start('segmentCustomers', {
          workflowId: workflowIds.segment('shop', DATES[0]),
          taskQueue: 'strata',
        });
        const { dates } = await resultOf(handle).finally(until.happens);
        expect(dates).toMatchObject([{ outcome: 'failed', reason: expect.stringContaining('someone else') }]);
        expect(await theirs.result()).toMatchObject({ outcome: 'published' });
      },
    );
  });

  test('a run that asks for review waits for its decision, and the backfill with it', async () => {
    await backfillWith(
      {
        ...planning(DATES.slice(0, 1)),
        measureStability: butOn(DATES[0]!, healthy.measureStability, unstable),
      },
      async (handle, runs) => {
        const run = runs.client.workflow.getHandle(workflowIds.segment('shop', DATES[0]));
        const decide = () => run.executeUpdate('review', { args: [{ decision: 'reject' }] });
        while (
          !(await decide()
            .then(() => true)
            .catch(() => false))
        )
          await sleep(50);
        const { dates } = await resultOf(handle);
        expect(dates.map(({ outcome }) => outcome)).toEqual(['rejected']);
        expect(dates[0]!.reason).toContain('review: reject');
      },
    );
  });

  test('a long one goes on in executions of their own, each with a short history, and tells all of it at the end', async () => {
    const { segments, names, ms } = await healthy.nameSegments({} as never);
    // A summary as large as they come: two of them are more than one history is to hold.
    const large = segments.map((segment) => ({ ...segment, description: 'x'.repeat(14_000) }));
    await backfillWith(
      {
        ...planning(DATES, { done: [{ asOf: DATES[0]!, runId: 'run_before' }] }),
        nameSegments: async () => ({ segments: large, names, ms }),
      },
      async (handle, runs) => {
        const summary = await resultOf(handle);
        expect(summary.dates.map(({ asOf, outcome }) => [asOf, outcome])).toEqual([
          [DATES[0], 'skipped'],
          [DATES[1], 'published'],
          [DATES[2], 'published'],
        ]);
        const first = await runs.client.workflow
          .getHandle(handle.workflowId, handle.firstExecutionRunId)
          .describe();
        expect(first.status.name).toBe('CONTINUED_AS_NEW');
        const last = await handle.describe();
        for (const { historySize } of [first, last]) expect(historySize).toBeLessThan(200_000);
        expect(summary.workflow.runId).toBe(last.runId);
        await runs.record(runs.client.workflow.getHandle(handle.workflowId, last.runId), 'backfill-goes-on');
      },
    );
  });

  test('an input that is refused fails it before anything is run, with the field in its message', () =>
    backfillWith(
      {
        planBackfill: failing('INPUT_INVALID', 'backfill input: form: unknown field'),
        openRun: failing('WAREHOUSE_FAILED', 'must not be called'),
      },
      async (handle) => {
        expect(codeOf(await handle.result().catch((caught: unknown) => caught))).toBe('INPUT_INVALID');
      },
      { form: '2026-01-01' } as never,
    ));

  test('whatever is sent beside the input does not wedge it', () =>
    backfillWith(planning([]), async (_, runs) => {
      for (const sent of [
        7,
        'rows',
        { rows: 3 },
        { rows: [], plan: null },
        { rows: [], plan: { dates: [], done: [] } },
      ]) {
        const handle = await runs.client.workflow.start('backfillRuns', {
          workflowId: `test/${randomUUID()}`,
          taskQueue: 'strata',
          args: [{}, sent],
        });
        expect(await resultOf(handle)).toMatchObject({ outcome: 'completed', dates: [] });
      }
    }));

  test('an unknown signal is kept by name and changes nothing', async () => {
    const signalled = moment();
    await backfillWith(
      {
        planBackfill: async () => {
          await signalled.happened;
          return fakePlan([]);
        },
      },
      async (handle) => {
        await handle.signal('stopp').finally(signalled.happens);
        expect((await resultOf(handle)).outcome).toBe('completed');
        expect((await progressOf(handle)).unknownSignals).toEqual(['stopp']);
      },
    );
  });
});
