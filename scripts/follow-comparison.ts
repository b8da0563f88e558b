import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  defaultPayloadConverter,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '@temporalio/client';
import type { CompareInput, CompareProgress, ComparisonSummary } from '../pipelines/contracts/compare.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import { HANDLERS, WORKFLOWS, workflowIds } from '../pipelines/contracts/signatures.ts';
import { TASK_QUEUES } from '../temporal.config.ts';
import { innermostMessage } from './error-text.ts';
import { hasClosed } from './follow-run.ts';
import type { Log, Step } from './log.ts';
import type { Strata } from './open-strata.ts';
import { DEFAULT_PIPELINE, inputOf } from './start-or-join.ts';

const POLL_MS = 300;
/** A server that is away for a moment does not end the following. */
const UNREACHABLE_AFTER_MS = 60_000;
/** How long a comparison that was interrupted may take to stop. */
const CANCEL_WITHIN_MS = 15_000;
/** The step that comes after the candidates. */
const REPORT = 'report';

/**
 * Starts the comparison, or joins the one of the same id and input that is still going on, and follows it to its
 * end, with a line for each candidate. An interrupt cancels it: unlike a run it leaves nothing half done.
 *
 * @throws PipelineError RUN_IN_PROGRESS, TEMPORAL_UNREACHABLE; the workflow's failure; the signal's reason
 */
export async function followComparison(
  { client, log, addressOf }: Pick<Strata, 'client' | 'log' | 'addressOf'>,
  input: CompareInput,
  signal: AbortSignal,
): Promise<ComparisonSummary> {
  const execution = await startOrJoin(client, input);
  log.info(`comparison  ${addressOf(execution)}`);
  const handle = client.workflow.getHandle(execution.id, execution.runId);
  const teller = candidateTeller(log);
  const describe = patiently(() => handle.describe());
  try {
    for (;;) {
      signal.throwIfAborted();
      const description = await describe();
      if (description !== null) {
        const progress = await handle.query<CompareProgress>(HANDLERS.progress).catch(() => null);
        if (progress) teller.tell(progress, heartbeatsOf(description));
        if (hasClosed(description)) return (await handle.result()) as ComparisonSummary;
      }
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  } catch (error) {
    if (signal.aborted) await cancel(handle);
    throw error;
  } finally {
    teller.stop();
  }
}

/** Answers null while there is no answer, for a minute. @throws PipelineError TEMPORAL_UNREACHABLE after that */
function patiently<T>(question: () => Promise<T>): () => Promise<T | null> {
  let answeredAt = performance.now();
  return async () => {
    try {
      const answer = await question();
      answeredAt = performance.now();
      return answer;
    } catch (cause) {
      if (performance.now() - answeredAt < UNREACHABLE_AFTER_MS) return null;
      throw new PipelineError(
        'TEMPORAL_UNREACHABLE',
        `Temporal needs to answer, found none for ${UNREACHABLE_AFTER_MS / 1000} s: ${innermostMessage(cause)}; ` +
          'the comparison goes on when it is back: the same command joins it',
        {},
        { cause },
      );
    }
  };
}

async function startOrJoin(client: Strata['client'], input: CompareInput): Promise<Run['workflow']> {
  const { pipeline = DEFAULT_PIPELINE, asOf } = input;
  const workflowId = workflowIds.compare(pipeline, asOf);
  for (;;) {
    try {
      const { firstExecutionRunId } = await client.workflow.start(WORKFLOWS.compareAlgorithms, {
        workflowId,
        taskQueue: TASK_QUEUES.workflows,
        args: [input],
        staticSummary: `compare algorithms on ${pipeline}${asOf ? ` as of ${asOf}` : ''}`,
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
      `comparison ${workflowId} (${running.runId}) is still going on and was asked for something else; ` +
        'wait until it has ended, cancel it in the Temporal UI, or ask for the same to join it',
      { workflowId, workflowRunId: running.runId },
    );
  }
}

async function cancel(handle: WorkflowHandle): Promise<void> {
  const isOver = handle
    .cancel()
    .then(() => handle.result())
    .catch(() => undefined);
  await Promise.race([isOver, sleep(CANCEL_WITHIN_MS, undefined, { ref: false })]);
}

/** How far each candidate is that is being measured, by its name. */
function heartbeatsOf({ raw }: WorkflowExecutionDescription): Map<string, string> {
  const found = new Map<string, string>();
  for (const { heartbeatDetails } of raw.pendingActivities ?? []) {
    const payload = heartbeatDetails?.payloads?.[0];
    if (!payload) continue;
    const { stage, done, of } = defaultPayloadConverter.fromPayload<{
      stage: string;
      done: number;
      of: number;
    }>(payload);
    found.set(stage, of > 0 ? `${done} of ${of} fits` : '');
  }
  return found;
}

function candidateTeller(log: Log) {
  const steps = new Map<string, Step>();
  const told = new Set<string>();
  const begin = (name: string): Step => {
    const step = steps.get(name) ?? log.step(name);
    steps.set(name, step);
    return step;
  };
  const end = (name: string, says: string, how: 'done' | 'fail' = 'done') => {
    if (told.has(name)) return;
    told.add(name);
    begin(name)[how](says);
    steps.delete(name);
  };
  return {
    tell({ done, step, candidates }: CompareProgress, heartbeats: ReadonlyMap<string, string>) {
      for (const { step: ended, says } of done) if (ended !== REPORT) end(ended, says);
      for (const { candidate, status, says } of candidates) {
        if (status === 'waiting') {
          const howFar = heartbeats.get(candidate);
          if (howFar !== undefined) begin(candidate).update(howFar);
        } else end(candidate, says, status === 'failed' ? 'fail' : 'done');
      }
      if (step && !told.has(step)) begin(step);
      for (const { step: ended, says } of done) if (ended === REPORT) end(ended, says);
    },
    stop() {
      for (const step of steps.values()) step.skip();
    },
  };
}
