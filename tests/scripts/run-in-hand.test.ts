import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { expect, test } from 'vitest';
import type { Outcome } from '../../pipelines/contracts/run.ts';
import { ask, requireHeld, requireOpen } from '../../scripts/run-in-hand.ts';
import { temporalAddress } from '../helpers/temporal.ts';

const { CommandType } = proto.temporal.api.enums.v1;
const { Rejection, Request } = proto.temporal.api.update.v1;
type Task = proto.temporal.api.workflowservice.v1.PollWorkflowTaskQueueResponse;
type Completed = proto.temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;

const namespace = 'default';
const ANY = 'type.googleapis.com/temporal.api.update.v1';

/** Refuses every update of a task, as a worker does. */
function refusals({ messages }: Task): Completed['messages'] {
  return messages.map(({ id, protocolInstanceId, body }) => {
    const rejection = {
      rejectedRequestMessageId: `${protocolInstanceId}/request`,
      rejectedRequest: Request.decode(body!.value!),
      failure: {
        message: 'needs a hold',
        applicationFailureInfo: { type: 'REVIEW_REFUSED', nonRetryable: true },
      },
    };
    const value = Rejection.encode(rejection).finish();
    return { id: `${id}/reject`, protocolInstanceId, body: { type_url: `${ANY}.Rejection`, value } };
  });
}

test('a question that is lost since its run was about to end is asked again', async () => {
  const connection = await Connection.connect({ address: temporalAddress() });
  const client = new Client({ connection, namespace });
  const { workflowService } = client;
  const taskQueue = `by-hand-${randomUUID()}`;
  const poll = () =>
    client.withDeadline(Date.now() + 30_000, () =>
      workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: taskQueue } }),
    );
  const complete = (task: Task, answer: Completed = {}) =>
    workflowService.respondWorkflowTaskCompleted({ namespace, taskToken: task.taskToken, ...answer });
  const handle = await client.workflow.start('byHand', { workflowId: `test/${randomUUID()}`, taskQueue });
  try {
    await complete(await poll());
    const answer = ask(handle, 'review', {}, new AbortController().signal).catch((error: unknown) => error);
    const asked = await poll();
    expect(asked.messages).toHaveLength(1);
    // What comes meanwhile the end would leave unread: Temporal refuses it, and all else that this task says.
    await handle.signal('meanwhile');
    const end = { commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION };
    const ended = complete(asked, {
      commands: [{ ...end, completeWorkflowExecutionCommandAttributes: {} }],
      messages: [],
    });
    await expect(ended).rejects.toThrow('UnhandledCommand');
    let refused = 0;
    while (refused === 0) {
      const task = await poll();
      await complete(task, { messages: refusals(task) });
      refused = task.messages.length;
    }
    expect(await answer).toMatchObject({ code: 'REVIEW_REFUSED', message: 'needs a hold' });
  } finally {
    await handle.terminate();
    await connection.close();
  }
}, 60_000);

test('a review is for a run that is held, and is refused with how the run ended', () => {
  const record = (outcome: Outcome | null, closedAt: string | null = null) => ({
    ...{ runId: 'run_1', outcome, closedAt },
  });
  const closedAt = '2026-07-01T06:00:00.000Z';
  requireHeld({ record: record('held'), isOpen: true });
  expect(() => requireHeld({ record: record(null), isOpen: true })).toThrow('run_1 is still running');
  expect(() => requireHeld({ record: record('published', closedAt), isOpen: false })).toThrow(
    'a review needs a run that has not ended, run_1 is published',
  );
  // Terminated a moment ago: no worker has closed its record yet.
  for (const outcome of ['held', null] as const)
    expect(() => requireHeld({ record: record(outcome), isOpen: false })).toThrow(
      'run_1 is ended in Temporal; a w',
    );
  expect(() => requireOpen('a pause', { record: record('failed', closedAt), isOpen: false })).toThrow(
    'a pause needs a run that has not ended, run_1 is failed',
  );
});
