import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import { optionalTsToDate } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type { Stage } from '../../pipelines/contracts/run.ts';
import { stageOfActivity } from '../../pipelines/contracts/stage-activities.ts';
import { innermostMessage } from '../error-text.ts';
import { hasClosed } from '../follow-run.ts';

// What Temporal knows of a run, as plain values.

const { PendingActivityState, PendingWorkflowTaskState } = proto.temporal.api.enums.v1;

export interface PendingActivity {
  type: string;
  /** Null of what frames the stages. */
  stage: Stage | null;
  /** From 1. */
  attempt: number;
  /** 0: as many as it takes. */
  maximumAttempts: number;
  /** Whether a worker is at it; else it waits for one, or for its next attempt. */
  isStarted: boolean;
  /** ISO times. */
  scheduledAt: string | null;
  startedAt: string | null;
  nextAt: string | null;
  heartbeat: { done: number; of: number } | null;
  isPaused: boolean;
  /** Why the last attempt failed. */
  fault: string | null;
  queue: string | null;
}

export interface Execution {
  workflow: { id: string; runId: string };
  type: string;
  /** Where its own steps wait for a worker; one that was mistyped has none. */
  taskQueue: string;
  /** Temporal's word. */
  status: string;
  isOpen: boolean;
  isCancelRequested: boolean;
  startedAt: string;
  closedAt: string | null;
  activities: PendingActivity[];
  /** The workflow's own next step, where it waits for a worker or fails again and again. */
  task: { attempt: number; isStarted: boolean; fault: string | null } | null;
  /** Task queues at which something waits and nobody asks for work. */
  unattended: string[];
  attributes: {
    pipeline: string | null;
    stage: string | null;
    outcome: string | null;
    verdict: string | null;
    asOf: string | null;
    customers: number | null;
    segments: number | null;
  };
}

type RawActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** @param client whose data converter reads what workers wrote */
export async function executionOf(
  client: Client,
  description: WorkflowExecutionDescription,
): Promise<Execution> {
  const { raw, workflowId, runId, type, taskQueue, status, startTime, closeTime } = description;
  const activities = await Promise.all(
    (raw.pendingActivities ?? []).map((activity) => pendingActivity(client, activity)),
  );
  const execution: Execution = {
    workflow: { id: workflowId, runId },
    type,
    taskQueue,
    status: status.name,
    isOpen: !hasClosed(description),
    isCancelRequested: raw.workflowExtendedInfo?.cancelRequested ?? false,
    startedAt: startTime.toISOString(),
    closedAt: closeTime?.toISOString() ?? null,
    activities,
    task: taskOf(raw.pendingWorkflowTask),
    unattended: [],
    attributes: attributesOf(description),
  };
  return execution;
}

async function pendingActivity(client: Client, raw: RawActivity): Promise<PendingActivity> {
  const converter = client.options.loadedDataConverter;
  const type = raw.activityType?.name ?? '';
  const [heartbeat] = await decodeArrayFromPayloads(converter, raw.heartbeatDetails?.payloads).catch(
    () => [],
  );
  const failure = await decodeOptionalFailureToOptionalError(converter, raw.lastFailure).catch(
    () => undefined,
  );
  const iso = (time: RawActivity['scheduledTime']) => optionalTsToDate(time)?.toISOString() ?? null;
  return {
    type,
    stage: stageOfActivity(type),
    attempt: raw.attempt ?? 1,
    maximumAttempts: raw.maximumAttempts ?? 0,
    isStarted: raw.state === PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
    scheduledAt: iso(raw.scheduledTime),
    startedAt: iso(raw.lastStartedTime),
    nextAt: iso(raw.nextAttemptScheduleTime),
    heartbeat: progressIn(heartbeat),
    isPaused: raw.paused ?? false,
    fault: failure ? innermostMessage(failure) : null,
    queue: raw.activityOptions?.taskQueue?.name ?? null,
  };
}

function progressIn(heartbeat: unknown): PendingActivity['heartbeat'] {
  if (heartbeat === null || typeof heartbeat !== 'object') return null;
  const { done, of } = heartbeat as Record<string, unknown>;
  return typeof done === 'number' && typeof of === 'number' ? { done, of } : null;
}

function taskOf(raw: WorkflowExecutionDescription['raw']['pendingWorkflowTask']): Execution['task'] {
  if (!raw) return null;
  const isStarted = raw.state === PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED;
  return { attempt: raw.attempt ?? 1, isStarted, fault: null };
}

export function attributesOf({
  searchAttributes,
}: Pick<WorkflowExecutionDescription, 'searchAttributes'>): Execution['attributes'] {
  const text = (name: string) => {
    const value = searchAttributes[name]?.[0];
    return typeof value === 'string' ? value : null;
  };
  const count = (name: string) => {
    const value = searchAttributes[name]?.[0];
    return typeof value === 'number' ? value : null;
  };
  const asOf = searchAttributes.StrataAsOf?.[0];
  return {
    pipeline: text('StrataPipeline'),
    stage: text('StrataStage'),
    outcome: text('StrataOutcome'),
    verdict: text('StrataVerdict'),
    asOf: asOf instanceof Date ? asOf.toISOString().slice(0, 10) : null,
    customers: count('StrataCustomers'),
    segments: count('StrataSegments'),
  };
}

/** What of it waits for a worker though none asks for work there, and why its own step fails; asked only where something waits. */
export async function whatIsWrong(
  client: Client,
  execution: Execution,
  queues: readonly string[],
): Promise<Execution> {
  const { task, activities, taskQueue } = execution;
  const waiting = activities.some(({ isStarted, attempt }) => !isStarted && attempt === 1);
  const isTaskWaiting = task !== null && !task.isStarted;
  const unattended: string[] = [];
  if (waiting || isTaskWaiting) {
    const named = activities.flatMap(({ queue, isStarted }) => (queue && !isStarted ? [queue] : []));
    const asked = new Set(named.length > 0 ? named : waiting ? queues : []);
    if (isTaskWaiting) asked.add(taskQueue);
    for (const queue of asked) {
      const kind = queue === taskQueue && isTaskWaiting ? 'workflow' : 'activity';
      if ((await pollersOf(client, queue, kind)) === 0) unattended.push(queue);
    }
  }
  const isFailing = task !== null && task.attempt > 1;
  const fault = isFailing ? await lastTaskFault(client, execution.workflow) : null;
  return { ...execution, unattended, task: task && { ...task, fault } };
}

const QUEUE_KINDS = { workflow: 1, activity: 2 } as const;

/** Workers that have asked for work in the last five minutes, as the server remembers them. */
export async function pollersOf(
  { workflowService, options }: Client,
  queue: string,
  kind: keyof typeof QUEUE_KINDS,
): Promise<number> {
  const { pollers } = await workflowService.describeTaskQueue({
    namespace: options.namespace,
    taskQueue: { name: queue },
    taskQueueType: QUEUE_KINDS[kind],
  });
  return pollers?.length ?? 0;
}

const EVENTS_LOOKED_AT = 20;

async function lastTaskFault(client: Client, { id, runId }: Execution['workflow']): Promise<string | null> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId: id, runId },
    maximumPageSize: EVENTS_LOOKED_AT,
  });
  for (const { workflowTaskFailedEventAttributes: failed } of history?.events ?? []) {
    if (!failed) continue;
    const converter = client.options.loadedDataConverter;
    const error = await decodeOptionalFailureToOptionalError(converter, failed.failure).catch(
      () => undefined,
    );
    if (error) return innermostMessage(error).split('\n', 1)[0]!;
  }
  return null;
}
