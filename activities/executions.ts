import { Context } from '@temporalio/activity';
import type { Run } from '../pipelines/contracts/run.ts';
import type { ActivityContext } from './context.ts';

type Execution = Run['workflow'];

/** How a workflow execution stands; `gone`: Temporal does not know it (any more). */
export interface ExecutionState {
  status: 'open' | 'closed' | 'gone';
  /** The execution asked for, or the one it was reset to: a reset goes on under another run id. */
  workflow: Execution;
}

/** A pause of Temporal's own, from server 1.30 on, is a status beside running. */
const OPEN: readonly string[] = ['RUNNING', 'PAUSED'];

/** What Temporal says of an execution. */
interface Described {
  runId: string;
  status: { name: string };
  raw: { workflowExtendedInfo?: { resetRunId?: string | null } | null };
}

/**
 * Under which run id an execution goes on that was reset; null for one that was not. Temporal notes it of an execution
 * that had ended by itself, too: there it was another run that began, with the same input.
 */
export function goesOnAs({ runId, status, raw }: Described): string | null {
  const next = raw.workflowExtendedInfo?.resetRunId;
  const endedBySelf = !OPEN.includes(status.name) && status.name !== 'TERMINATED';
  return !next || next === runId || endedBySelf ? null : next;
}

/** Asks Temporal; follows resets to where the run goes on, as far as it is no run of its own that goes on there. */
export async function stateOf(
  { repositories }: Pick<ActivityContext, 'repositories'>,
  workflow: Execution,
): Promise<ExecutionState> {
  const handle = Context.current().client.workflow.getHandle(workflow.id, workflow.runId);
  try {
    const description = await handle.describe();
    const nextRunId = goesOnAs(description);
    if (nextRunId !== null) {
      const next = { ...workflow, runId: nextRunId };
      // Reset to before it was opened, it was opened once more, as another run.
      const isOther = (await repositories.runs.byWorkflow(next)) !== null;
      if (!isOther) return await stateOf({ repositories }, next);
    }
    return { status: OPEN.includes(description.status.name) ? 'open' : 'closed', workflow };
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
