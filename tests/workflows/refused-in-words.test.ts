import { randomUUID } from 'node:crypto';
import { type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import { beforeAll, describe, expect, test } from 'vitest';
import { fakePlan } from '../helpers/fake-backfill-stages.ts';
import { fakeStages, unstable } from '../helpers/fake-stages.ts';
import { encoded, json, type RawPayload } from '../helpers/fuzz-messages.ts';
import { FULL_OUTBOX, fuzzStages, STAYS } from '../helpers/fuzz-stages.ts';
import { failedTasks } from '../helpers/inbox.ts';
import { bundleWorkflows, type TestRuns, withWorker } from '../helpers/temporal.ts';
import { untilOutcome } from '../helpers/workflow-runs.ts';

let bundle: Awaited<ReturnType<typeof bundleWorkflows>>;
beforeAll(async () => {
  bundle = await bundleWorkflows();
}, 60_000);

const { UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED: COMPLETED } =
  proto.temporal.api.enums.v1.UpdateWorkflowExecutionLifecycleStage;

/** Of a machine that has others to serve. */
const PATIENCE_MS = 180_000;

type Start = [type: string, sent: RawPayload[], words: RegExp];
const NO_TYPE = /^INPUT_INVALID: a workflow needs one of the types segmentCustomers, assignC.{80,250}$/;
const NO_KEEPER = /^INPUT_INVALID: preserveHistory needs {"runId": /;

const newId = () => `test/${randomUUID()}`;

/** As another program than ours may start it. */
async function startRaw({ client }: TestRuns, name: string, payloads: RawPayload[]) {
  const workflowId = newId();
  await client.workflowService.startWorkflowExecution({
    ...{ namespace: 'default', workflowId, requestId: randomUUID() },
    ...{ workflowType: { name }, taskQueue: { name: 'strata' }, input: { payloads } },
  });
  return client.workflow.getHandle(workflowId);
}

const wordsOf = (error: unknown): string => {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof ApplicationFailure ? `${cause.type}: ${cause.message}` : String(cause);
};
const failureOf = (handle: WorkflowHandle) =>
  handle.result().then((result: unknown) => `ended with ${JSON.stringify(result)}`, wordsOf);

describe('refused in words, where a workflow task would be tried for ever', { timeout: PATIENCE_MS }, () => {
  test('inputs that cannot be decoded or handed on, workflow types that there are not, a keeper without a run', () =>
    withWorker({ bundle, activities: fuzzStages() }, async (runs) => {
      const inputs: [RawPayload, string][] = [
        [json(JSON.stringify({ pipeline: 'x'.repeat(2_097_000) })), 'bytes of JSON, more than 32768'],
        [json(`${'['.repeat(9_000)}${']'.repeat(9_000)}`), 'found JSON of more than 20 levels'],
        [encoded('binary/plain', new Uint8Array(1_000_000)), 'found bytes'],
        [encoded('binary/encrypted', Uint8Array.of(1)), 'found a payload that is no JSON'],
      ];
      const takers = ['segmentCustomers', 'assignCustomers', 'compareAlgorithms', 'backfillRuns'];
      const strangers = [
        'segmentCustomer',
        'default',
        'valueOf',
        'constructor',
        '__proto__',
        'x'.repeat(900),
      ];
      const executionOf = (id: unknown, runId: unknown) => ({ runId: null, workflow: { id, runId } });
      const keepers: unknown[] = [null, 'run_1', {}, { runId: 'run_1' }, executionOf(7, randomUUID())];
      keepers.push(executionOf('x', 'x'), executionOf('a\nb', randomUUID()), { workflow: { id: 'x' } });
      const starts: Start[] = [
        ...takers.flatMap((type) =>
          inputs.map(([sent, words]): Start => {
            const told = new RegExp(`^INPUT_INVALID: .*needs one JSON object.*${words} \\(fields: pipeline`);
            return [type, [sent], told];
          }),
        ),
        ...strangers.map((type): Start => [type, [], NO_TYPE]),
        ['preserveHistory', [], NO_KEEPER],
        ...keepers.map((sent): Start => ['preserveHistory', [json(JSON.stringify(sent))], NO_KEEPER]),
      ];
      for (const [type, sent, words] of starts) {
        const handle = await startRaw(runs, type, sent);
        expect(await failureOf(handle), type).toMatch(words);
        expect(await failedTasks(handle), type).toEqual([]);
      }
    }));

  test('updates and queries that there are not, with the names that there are', () =>
    withWorker({ bundle, activities: fuzzStages() }, async (runs) => {
      const refusal = async (handle: WorkflowHandle, name: string) => {
        const error = await handle.executeUpdate(name).catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
        return (error as WorkflowUpdateFailedError).cause!.message;
      };
      const held = await runs.start();
      await untilOutcome(runs, held.workflowId, 'held');
      expect(await refusal(held, 'reviev')).toBe(
        'an update needs one of the names review, pause, resume, renameSegment, found "reviev"',
      );
      expect(await refusal(held, '__temporal_x')).toContain('review, pause, resume, renameSegment');
      await expect(held.query('progres')).rejects.toThrow(/Registered queries: \[.*progress\]/);
      const compared = await runs.client.workflow.start('compareAlgorithms', {
        ...{ workflowId: `${STAYS}${randomUUID()}`, taskQueue: 'strata' },
      });
      expect(await refusal(compared, 'review')).toBe(
        'no update is expected here, found "review"; there are the queries progress',
      );
      // A question that cannot be decoded is answered.
      const { queryResult } = await runs.client.workflowService.queryWorkflow({
        ...{ namespace: 'default', execution: { workflowId: held.workflowId } },
        query: { queryType: 'progress', queryArgs: { payloads: [encoded('json/plain', Buffer.from('{'))] } },
      });
      expect(Buffer.from(queryResult!.payloads![0]!.data!).toString()).toContain('"outcome":"held"');
      expect(await failedTasks(held)).toEqual([]);
    }));

  test('updates too large to be answered, which end no run and cost no small one its answer', () =>
    withWorker({ bundle, activities: fuzzStages() }, async (runs) => {
      const held = await runs.start();
      await untilOutcome(runs, held.workflowId, 'held');
      const answerTo = async (bytes: number) => {
        const { outcome } = await runs.client.workflowService.updateWorkflowExecution({
          ...{ namespace: 'default', workflowExecution: { workflowId: held.workflowId } },
          waitPolicy: { lifecycleStage: COMPLETED },
          request: {
            meta: { updateId: randomUUID() },
            input: { name: 'review', args: { payloads: [json(JSON.stringify('x'.repeat(bytes)))] } },
          },
        });
        return outcome?.failure?.message;
      };
      const REFUSED = /^review needs {"decision": .*, found no object$/;
      const UNANSWERED = /rejected because it wasn't processed by worker/;
      expect(await answerTo(2_000_000)).toMatch(REFUSED);
      // Temporal takes it; but not with the words of its refusal.
      expect(await answerTo(2_096_500)).toMatch(UNANSWERED);
      // Of those that one workflow task has to answer, no more than Temporal takes back in one.
      const several = await Promise.all([...Array.from({ length: 4 }, () => 2_000_000), 10].map(answerTo));
      for (const words of several)
        expect(words).toMatch(new RegExp(`${REFUSED.source}|${UNANSWERED.source}`));
      expect(several.at(-1)).toMatch(REFUSED);
      expect(await failedTasks(held)).toEqual([]);
      await held.executeUpdate('review', { args: [{ decision: 'publish' }] });
      expect(await held.result()).toMatchObject({ outcome: 'published' });
    }));

  test('a memo that cannot be decoded is nothing to a run', () =>
    withWorker({ bundle, activities: fuzzStages() }, async (runs) => {
      const workflowId = newId();
      await runs.client.workflowService.startWorkflowExecution({
        ...{ namespace: 'default', workflowId, requestId: randomUUID(), taskQueue: { name: 'strata' } },
        workflowType: { name: 'segmentCustomers' },
        memo: {
          fields: {
            ticket: encoded('binary/encrypted', Uint8Array.of(1, 2)),
            nested: json(`${'['.repeat(90_000)}${']'.repeat(90_000)}`),
          },
        },
      });
      await untilOutcome(runs, workflowId, 'held');
      const handle = runs.client.workflow.getHandle(workflowId);
      expect(await failedTasks(handle)).toEqual([]);
      // The SDK's own client can list no execution with such a memo.
      await handle.terminate();
    }));

  test('signals that no one answers to are kept by name, also beside runs', () =>
    withWorker({ bundle, activities: fuzzStages() }, async ({ client }) => {
      const closing = { runId: null, workflow: { id: `${STAYS}x`, runId: randomUUID() } };
      for (const [type, input] of [
        ['preserveHistory', closing],
        ['deliverMessages', { pipeline: FULL_OUTBOX }],
      ] as const) {
        const options = { workflowId: newId(), taskQueue: 'strata', args: [input], signalArgs: [] };
        const handle = await client.workflow.signalWithStart(type, { ...options, signal: 'moore' });
        await handle.signal('more');
        const { does, unknownSignals } = await handle.query<{ does: string; unknownSignals: string[] }>(
          'progress',
        );
        expect(does).toMatch(/keeps its history|delivers the outbox of \*\*full-outbox/);
        expect(unknownSignals).toEqual(type === 'deliverMessages' ? ['moore'] : ['moore', 'more']);
      }
    }));

  test('what is said to be from an execution before is heeded only where there was one', () => {
    const forged = fakePlan(['x'.repeat(2_000)], { pipeline: '../shop' });
    return withWorker({ bundle, activities: fuzzStages() }, async ({ client }) => {
      const args = [
        { from: '2026-07-01', to: '2026-06-01' },
        { plan: forged, rows: [] },
      ];
      const options = { workflowId: newId(), taskQueue: 'strata', args };
      const handle = await client.workflow.start('backfillRuns', options);
      expect(await failureOf(handle)).toContain('INPUT_INVALID: backfill input: to: needs from <= to');
    });
  });

  test('a reviewer’s note that PostgreSQL would refuse is kept without what it refuses', () => {
    const notes: (string | null)[] = [];
    const publishRun: ReturnType<typeof fakeStages>['publishRun'] = async (given) => {
      notes.push(given.review);
      return fakeStages().publishRun(given);
    };
    return withWorker(
      { bundle, activities: { ...fuzzStages(), publishRun, measureStability: unstable } },
      async (runs) => {
        const held = await runs.start();
        await untilOutcome(runs, held.workflowId, 'held');
        const note = `a\0b${'x'.repeat(496)}😀😀`;
        await held.executeUpdate('review', { args: [{ decision: 'publish', note }] });
        await held.result();
        expect(notes).toEqual([`review: publish (a\ufffdb${'x'.repeat(496)}😀)`]);
      },
    );
  });
});
