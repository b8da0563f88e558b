import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { TASK_QUEUES } from '../../pipelines/contracts/policies.ts';
import { fakeRef } from '../helpers/fake-stages.ts';
import { runWith } from '../helpers/workflow-runs.ts';

describe('preserveHistory', () => {
  test('keeps the history of the execution that a run was reset to, once that has closed', async () => {
    const run = { runId: 'run_1', workflow: { id: 'segment/shop/latest', runId: randomUUID() } };
    const reset = { ...run.workflow, runId: randomUUID() };
    const kept = fakeRef('history');
    const asked: unknown[] = [];
    await runWith(
      {
        awaitClosed: async (input) => {
          asked.push(input);
          return { workflow: reset };
        },
        keepHistory: async (input) => {
          asked.push(input);
          return kept;
        },
      },
      async (runs) => {
        const handle = await runs.client.workflow.start('preserveHistory', {
          workflowId: `test/${randomUUID()}`,
          taskQueue: TASK_QUEUES.workflows,
          args: [run],
        });
        expect(await handle.result()).toEqual(kept);
        expect(asked).toEqual([{ workflow: run.workflow }, { runId: 'run_1', workflow: reset }]);
        await runs.record(handle, 'history-kept');
      },
    );
  });
});
