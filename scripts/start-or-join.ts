import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '@temporalio/client';
import type { Run, RunKind, StartInput } from '../pipelines/contracts/run.ts';
import { differencesOf, runInProgress, startOf } from '../pipelines/contracts/same-start.ts';
import { TASK_QUEUES } from '../temporal.config.ts';
import { readPayload } from './codec/read-payload.ts';
import { hasClosed } from './follow-run.ts';

interface StartedRun {
  execution: Run['workflow'];
  /** When the run that is joined had been started; null for one that was started now. */
  joinedFrom: Date | null;
}

interface StartOptions {
  /** Default: refit. */
  kind?: RunKind;
  /** Id of the run of a workflow that is held for review, for the way out; null for any other. */
  heldRunOf?: (workflow: Run['workflow']) => Promise<string | null>;
}

/**
 * Starts the run of this pipeline and as-of date, or joins the one that is still going on, if that was asked
 * for the same.
 *
 * @throws PipelineError RUN_IN_PROGRESS with what differs, when it was asked for something else
 */
export async function startOrJoin(
  client: Client,
  input: StartInput,
  { kind = 'refit', heldRunOf = async () => null }: StartOptions = {},
): Promise<StartedRun> {
  const { workflow, workflowId, staticSummary } = startOf(input, kind);
  for (;;) {
    try {
      const { firstExecutionRunId } = await client.workflow.start(workflow, {
        workflowId,
        taskQueue: TASK_QUEUES.workflows,
        args: [input],
        staticSummary,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      });
      return { execution: { id: workflowId, runId: firstExecutionRunId }, joinedFrom: null };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    const running = await client.workflow.getHandle(workflowId).describe();
    // Ended between the two questions: then there is none to join.
    if (hasClosed(running)) continue;
    const { runId, startTime } = running;
    const execution = { id: workflowId, runId };
    const differences = differencesOf(await inputOf(client, execution), input);
    if (differences.length > 0) throw runInProgress(execution, differences, await heldRunOf(execution));
    return { execution, joinedFrom: startTime };
  }
}

/**
 * What a run was asked for, from the first event of its history: the run's record holds it too, but not
 * before a worker has opened it, and not under the run id of a run that was reset.
 */
export async function inputOf(client: Client, execution: Run['workflow']): Promise<StartInput> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId: execution.id, runId: execution.runId },
    maximumPageSize: 1,
  });
  const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  const sent = await readPayload(client, payload);
  return typeof sent === 'object' && sent !== null ? sent : {};
}
