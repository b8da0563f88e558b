import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '@temporalio/client';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run, RunKind, StartInput } from '../pipelines/contracts/run.ts';
import { WORKFLOWS, workflowIds } from '../pipelines/contracts/signatures.ts';
import { TASK_QUEUES } from '../temporal.config.ts';
import { readPayload } from './codec/read-payload.ts';
import { hasClosed } from './follow-run.ts';

export const DEFAULT_PIPELINE = 'shop';

interface StartedRun {
  execution: Run['workflow'];
  /** When the run that is joined had been started; null for one that was started now. */
  joinedFrom: Date | null;
}

const FIELDS = [
  'pipeline',
  'extract',
  'asOf',
  'seed',
  'review',
  'k',
  'beforePublished',
  'timezone',
] as const satisfies (keyof StartInput)[];

interface StartOptions {
  /** Default: refit. */
  kind?: RunKind;
  /** Id of the run of a workflow that is held for review, for the way out; null for any other. */
  heldRunOf?: (workflow: Run['workflow']) => Promise<string | null>;
}

const OF_KIND = {
  refit: { workflow: WORKFLOWS.segmentCustomers, idOf: workflowIds.segment, does: 'segment' },
  assign: { workflow: WORKFLOWS.assignCustomers, idOf: workflowIds.assign, does: 'assign' },
} as const;

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
  const { pipeline = DEFAULT_PIPELINE, asOf } = input;
  const { workflow, idOf, does } = OF_KIND[kind];
  const workflowId = idOf(pipeline, asOf);
  for (;;) {
    try {
      const { firstExecutionRunId } = await client.workflow.start(workflow, {
        workflowId,
        taskQueue: TASK_QUEUES.workflows,
        args: [input],
        staticSummary: `${does} customers of ${pipeline}${asOf ? ` as of ${asOf}` : ''}`,
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
    if (differences.length > 0) throw inProgress(execution, differences, await heldRunOf(execution));
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

function differencesOf(running: StartInput, asked: StartInput): string[] {
  const [there, here] = [running, asked].map((input) => ({ pipeline: DEFAULT_PIPELINE, ...input }));
  return FIELDS.filter((field) => there![field] !== here![field]).map(
    (field) => `${field} is ${said(there![field])} there, ${said(here![field])} here`,
  );
}

function inProgress(
  { id, runId }: Run['workflow'],
  differences: readonly string[],
  heldRun: string | null,
): PipelineError {
  const [state, wayOut] =
    heldRun === null
      ? ['still going on', 'wait until it has ended, cancel it in the Temporal UI,']
      : ['held for review', `decide on it (npm run strata -- review ${heldRun} publish, or reject),`];
  return new PipelineError(
    'RUN_IN_PROGRESS',
    `run ${id} (${runId}) is ${state} and was asked for something else: ${differences.join('; ')}; ${wayOut} or ask for the same to join it`,
    { workflowId: id, workflowRunId: runId, differences: differences.length },
  );
}

function said(value: string | number | undefined): string {
  return value === undefined ? 'left out' : JSON.stringify(value);
}
