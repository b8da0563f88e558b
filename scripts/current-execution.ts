import { type Client, type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client';
import { goesOnAs } from '../activities/executions.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run } from '../pipelines/contracts/run.ts';

export interface CurrentExecution {
  execution: Run['workflow'];
  description: WorkflowExecutionDescription;
}

/**
 * Where a run goes on, or went on last: one that was reset does so under another run id than its record has.
 *
 * @throws PipelineError RUN_UNKNOWN when Temporal does not know it any more
 */
export async function currentExecution(
  client: Client,
  execution: Run['workflow'],
): Promise<CurrentExecution> {
  try {
    const description = await describeCurrent(client, execution);
    return { execution: { id: execution.id, runId: description.runId }, description };
  } catch (cause) {
    if (!(cause instanceof WorkflowNotFoundError)) throw cause;
    throw new PipelineError(
      'RUN_UNKNOWN',
      `Temporal needs to know workflow ${execution.id} (${execution.runId}), found none: it was deleted, or TEMPORAL_ADDRESS names another server`,
      { workflowId: execution.id },
      { cause },
    );
  }
}

/** The execution that goes on in place of one that was reset; itself where it was not. */
export async function describeCurrent(
  client: Client,
  { id, runId }: { id: string; runId?: string },
): Promise<WorkflowExecutionDescription> {
  const description = await client.workflow.getHandle(id, runId).describe();
  const next = goesOnAs(description);
  return next === null ? description : describeCurrent(client, { id, runId: next });
}
