import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/client';
import type { Outcome, RunSummary, StartInput } from '../pipelines/contracts/run.ts';
import { WORKFLOWS, workflowIds } from '../pipelines/contracts/signatures.ts';
import { loadDefinition } from '../store/definitions.ts';
import { inspectFile } from '../store/warehouse/sources.ts';
import { TASK_QUEUES } from '../temporal.config.ts';
import { type Followed, followRun } from './follow-run.ts';
import type { Strata } from './open-strata.ts';
import { DEFINITIONS_FOLDER } from './strata-worker.ts';

const HISTORY_WAIT_MS = 30_000;

export interface MainJob {
  outcome: Outcome;
  summary: RunSummary | null;
  /** What went wrong, when there is no summary. */
  message: string | null;
  /** The run in the Temporal UI. */
  address: string;
}

/**
 * What can be seen to be wrong before anything is started: the pipeline, its definition, the file.
 *
 * @throws PipelineError PIPELINE_UNKNOWN, DEFINITION_INVALID, EXTRACT_NOT_FOUND, EXTRACT_EMPTY, EXTRACT_UNREADABLE
 */
export async function checkInput(input: StartInput): Promise<void> {
  await loadDefinition(DEFINITIONS_FOLDER, input.pipeline ?? 'shop');
  if (input.extract !== undefined) await inspectFile(input.extract);
}

/** Starts the run, or joins the one of the same id that is still going on, and follows it to its end. */
export async function runMainJob(strata: Strata, input: StartInput, signal: AbortSignal): Promise<MainJob> {
  const pipeline = input.pipeline ?? 'shop';
  const handle = await strata.client.workflow.start(WORKFLOWS.segmentCustomers, {
    workflowId: workflowIds.segment(pipeline, input.asOf),
    taskQueue: TASK_QUEUES.workflows,
    args: [input],
    staticSummary: `segment customers of ${pipeline}${input.asOf ? ` as of ${input.asOf}` : ''}`,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
  });
  const execution = { id: handle.workflowId, runId: (await handle.describe()).runId };
  const address = strata.addressOf(execution);
  strata.log.info(`run  ${address}`);
  const followed = await followRun(
    strata.client.workflow.getHandle(execution.id, execution.runId),
    strata.log,
    signal,
  );
  const { outcome, message } = followed;
  return { outcome, message, address, summary: await summaryOf(strata, followed, execution) };
}

/** A closed run's summary is in its record; a held one's is what its progress tells so far. */
async function summaryOf(
  { client, repositories }: Strata,
  { outcome, progress }: Followed,
  execution: { id: string; runId: string },
): Promise<RunSummary | null> {
  if (!progress?.runId) return null;
  if (outcome !== 'held') {
    // The run is over for a reader when its history is safe, too.
    const history = client.workflow.getHandle(workflowIds.history(progress.runId)).result();
    await Promise.race([history, new Promise((done) => setTimeout(done, HISTORY_WAIT_MS).unref())]);
  }
  const record = await repositories.runs.byWorkflow(execution);
  return record?.summary ?? null;
}
