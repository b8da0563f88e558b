import { ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import { workflowIds } from '../pipelines/contracts/signatures.ts';
import { preserveHistory } from './preserve-history.ts';

/** Starts the workflow that keeps this execution's history, of one that is no run. */
export async function keepHistory(staticSummary: string): Promise<void> {
  const { workflowId, runId } = workflowInfo();
  try {
    await startChild(preserveHistory, {
      workflowId: workflowIds.history(runId),
      args: [{ runId: null, workflow: { id: workflowId, runId } }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary,
    });
  } catch (error) {
    // One that was reset to its beginning has its keeper already.
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
  }
}
