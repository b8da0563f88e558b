import { type Client, type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client';
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
    const description = await client.workflow.getHandle(execution.id, execution.runId).describe();
    const resetRunId = description.raw.workflowExtendedInfo?.resetRunId;
    if (resetRunId && resetRunId !== execution.runId)
      return await currentExecution(client, { ...execution, runId: resetRunId });
    return { execution, description };
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
