import { Context } from '@temporalio/activity';
import type { Run } from '../pipelines/contracts/run.ts';

type Execution = Run['workflow'];

/** How a workflow execution stands; `gone`: Temporal does not know it (any more). */
export interface ExecutionState {
  status: 'open' | 'closed' | 'gone';
  /** The execution asked for, or the one it was reset to: a reset goes on under another run id. */
  workflow: Execution;
}

/** A pause of Temporal's own, from server 1.30 on, is a status beside running. */
const OPEN: readonly string[] = ['RUNNING', 'PAUSED'];

/** Asks Temporal; follows resets to where the run goes on. */
export async function stateOf(workflow: Execution): Promise<ExecutionState> {
  const handle = Context.current().client.workflow.getHandle(workflow.id, workflow.runId);
  try {
    const { status, raw } = await handle.describe();
    const resetRunId = raw.workflowExtendedInfo?.resetRunId;
    if (resetRunId && resetRunId !== workflow.runId) return await stateOf({ ...workflow, runId: resetRunId });
    return { status: OPEN.includes(status.name) ? 'open' : 'closed', workflow };
  } catch (error) {
    if (isNotFound(error)) return { status: 'gone', workflow };
    throw error;
  }
}

const REASON_LENGTH = 500;

/** What the one who cancelled an execution gave as a reason; null for none. That it cannot be had stops nothing. */
export async function reasonOfCancel(
  execution: { workflowId: string; runId: string } | undefined,
): Promise<string | null> {
  if (execution === undefined) return null;
  const { workflowId, runId } = execution;
  const handle = Context.current().client.workflow.getHandle(workflowId, runId);
  const { events } = await handle.fetchHistory().catch(() => ({ events: null }));
  const cancel = events?.find((event) => event.workflowExecutionCancelRequestedEventAttributes);
  return cancel?.workflowExecutionCancelRequestedEventAttributes?.cause?.slice(0, REASON_LENGTH) || null;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof Error && error.name === 'WorkflowNotFoundError';
}
