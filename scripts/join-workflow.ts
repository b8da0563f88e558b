import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '@temporalio/client';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import { HANDLERS } from '../pipelines/contracts/signatures.ts';
import { TASK_QUEUES } from '../temporal.config.ts';
import { isKeyMissing, nullUnlessKeyMissing } from './codec/read-payload.ts';
import { innermostMessage } from './error-text.ts';
import { hasClosed } from './follow-run.ts';
import { inputOf } from './start-or-join.ts';

// What commands have in common that start a workflow which is no run, follow it, and end with it.

/** A server that is away for a moment does not end the following. */
const UNREACHABLE_AFTER_MS = 60_000;
const POLL_MS = 300;

export interface Startable {
  /** What it is called in messages: `comparison`. */
  noun: string;
  type: string;
  workflowId: string;
  input: object;
  summary: string;
}

/**
 * Starts the workflow, or joins the one of the same id and input that is still going on.
 *
 * @throws PipelineError RUN_IN_PROGRESS when it was asked for something else
 */
export async function startOrJoinWorkflow(client: Client, what: Startable): Promise<Run['workflow']> {
  const { noun, type, workflowId, input, summary } = what;
  for (;;) {
    try {
      const { firstExecutionRunId } = await client.workflow.start(type, {
        workflowId,
        taskQueue: TASK_QUEUES.workflows,
        args: [input],
        staticSummary: summary,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      });
      return { id: workflowId, runId: firstExecutionRunId };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    const running = await client.workflow.getHandle(workflowId).describe();
    // Ended between the two questions: then there is none to join.
    if (hasClosed(running)) continue;
    const execution = { id: workflowId, runId: running.runId };
    if (isDeepStrictEqual(await inputOf(client, execution), JSON.parse(JSON.stringify(input))))
      return execution;
    throw new PipelineError(
      'RUN_IN_PROGRESS',
      `${noun} ${workflowId} (${running.runId}) is still going on and was asked for something else; ` +
        'wait until it has ended, cancel it in the Temporal UI, or ask for the same to join it',
      { workflowId, workflowRunId: running.runId },
    );
  }
}

/** Answers null while there is no answer, for a minute. @throws PipelineError TEMPORAL_UNREACHABLE after that */
function patiently<T>(noun: string, question: () => Promise<T>): () => Promise<T | null> {
  let answeredAt = performance.now();
  return async () => {
    try {
      const answer = await question();
      answeredAt = performance.now();
      return answer;
    } catch (cause) {
      if (isKeyMissing(cause)) throw cause;
      if (performance.now() - answeredAt < UNREACHABLE_AFTER_MS) return null;
      throw new PipelineError(
        'TEMPORAL_UNREACHABLE',
        `Temporal needs to answer, found none for ${UNREACHABLE_AFTER_MS / 1000} s: ${innermostMessage(cause)}; ` +
          `the ${noun} goes on when it is back: the same command joins it`,
        {},
        { cause },
      );
    }
  };
}

interface Following<Progress> {
  noun: string;
  signal: AbortSignal;
  /** How long it may take to stop when it is interrupted. */
  cancelWithinMs: number;
  onLook(progress: Progress, description: WorkflowExecutionDescription): void | Promise<void>;
}

/**
 * Looks at a workflow until it has ended; an interrupt cancels it. What is followed without its run id is followed
 * through all its executions.
 *
 * @returns what it returned
 * @throws PipelineError TEMPORAL_UNREACHABLE, CODEC_KEY_MISSING; the workflow's failure; the signal's reason
 */
export async function followWorkflow<Progress, Summary>(
  handle: WorkflowHandle,
  { noun, signal, cancelWithinMs, onLook }: Following<Progress>,
): Promise<Summary> {
  const describe = patiently(noun, () => handle.describe());
  try {
    for (;;) {
      signal.throwIfAborted();
      const description = await describe();
      if (description !== null) {
        const progress = await handle.query<Progress>(HANDLERS.progress).catch(nullUnlessKeyMissing);
        if (progress) await onLook(progress, description);
        if (hasClosed(description) && description.status.name !== 'CONTINUED_AS_NEW')
          return (await handle.result()) as Summary;
      }
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  } catch (error) {
    if (signal.aborted) await cancelWithin(handle, cancelWithinMs);
    throw error;
  }
}

/** Cancels, and waits for the end, but not for ever. */
async function cancelWithin(handle: WorkflowHandle, withinMs: number): Promise<void> {
  const isOver = handle
    .cancel()
    .then(() => handle.result())
    .catch(() => undefined);
  await Promise.race([isOver, sleep(withinMs, undefined, { ref: false })]);
}
