import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { Run, Stage } from '../pipelines/contracts/run.ts';
import { stageOfActivity } from '../pipelines/contracts/stage-activities.ts';

// Reset of a run's workflow: Temporal copies its history up to a workflow task, ends the execution it was, and goes on
// from there under another run id of the same workflow id.

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
export type Events = readonly HistoryEvent[];
type EventId = NonNullable<HistoryEvent['eventId']>;

/** Number of the event with which the task ended that decided to begin the stage; null when it was not reached. */
export function eventBefore(events: Events, stage: Stage): EventId | null {
  // What stands between two stages is a stage: a person's rename may come in the middle of one.
  const scheduled = events.flatMap(({ activityTaskScheduledEventAttributes: activity }) => {
    const of = stageOfActivity(activity?.activityType?.name ?? '');
    return activity && of !== null ? [{ of, decidedBy: activity.workflowTaskCompletedEventId }] : [];
  });
  // Of a stage in parts the first of them; of one that was done twice, the later time.
  let first = scheduled.findLastIndex(({ of }) => of === stage);
  while (scheduled[first - 1]?.of === stage) first -= 1;
  return scheduled[first]?.decidedBy ?? null;
}

/** The same for the whole run, before it was opened. */
export function eventBeforeAll(events: Events): EventId | null {
  return events.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId ?? null;
}

export function reachedStages(events: Events, stages: readonly Stage[]): Stage[] {
  return stages.filter((stage) => eventBefore(events, stage) !== null);
}

/** Signals, updates, Nexus results and cancels that came after that point: what they asked for was done, or is not wanted. */
const NOT_AGAIN = [1, 2, 3, 4];

/** Goes on from the task that this event ended; what came after it is no part of the new execution. */
export async function resetRun(
  client: Client,
  { execution, to, reason }: { execution: Run['workflow']; to: EventId; reason: string },
): Promise<Run['workflow']> {
  const { runId } = await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    identity: client.options.identity,
    requestId: randomUUID(),
    workflowExecution: { workflowId: execution.id, runId: execution.runId },
    workflowTaskFinishEventId: to,
    resetReapplyExcludeTypes: NOT_AGAIN,
    reason,
  });
  return { id: execution.id, runId };
}
