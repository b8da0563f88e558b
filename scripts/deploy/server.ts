import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { TASK_QUEUES } from '../../temporal.config.ts';
import { firstLine } from '../error-text.ts';
import { type Deployment, requirePromotable, type Status, type Version } from './rules.ts';

type Service = Client['workflowService'];
type Described = NonNullable<
  Awaited<ReturnType<Service['describeWorkerDeployment']>>['workerDeploymentInfo']
>;
type Summary = NonNullable<Described['versionSummaries']>[number];
type Timestamp = Summary['createTime'];

/** gRPC statuses. */
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;

/** A server that hangs would never refuse a question, and one that is away would be asked again for minutes. */
const ANSWERS_WITHIN_MS = 20_000;

/** A poll waits for a minute at most, then another one begins: who has not asked for longer is not there. */
const ASKED_WITHIN_MS = 90_000;
const [WORKFLOW_QUEUE, ACTIVITY_QUEUE] = [1, 2];

const { WorkerDeploymentVersionStatus: Code } = proto.temporal.api.enums.v1;
const STATUSES: Partial<Record<number, Status>> = {
  [Code.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT]: 'current',
  [Code.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING]: 'ramping',
  [Code.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING]: 'draining',
  [Code.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED]: 'drained',
};

export interface Looked extends Deployment {
  /** Lets nothing be changed that somebody else has changed since; null: there is no deployment. */
  conflictToken: Uint8Array | null;
}

/**
 * What the server knows of a deployment; one without versions when no worker of it was ever seen.
 *
 * @throws PipelineError DEPLOY_REFUSED when the server has no deployments, TEMPORAL_UNREACHABLE when it does not answer
 */
export function lookAt(
  client: Client,
  name: string,
  { nowMs = Date.now(), withinMs = ANSWERS_WITHIN_MS } = {},
): Promise<Looked> {
  const unknown = `say how the versions of ${name} stand`;
  return answered(client, { withinMs, needed: unknown }, () => look(client, name, nowMs));
}

async function look(client: Client, name: string, nowMs: number): Promise<Looked> {
  // First and alone: a server that is too old refuses the rest in words of its own.
  const described = await describe(client, name);
  const [polling, unversioned] = await Promise.all([
    pollersOf(client, nowMs),
    countOpen(client, 'TemporalWorkerDeployment IS NULL'),
  ]);
  const summaries = described?.info.versionSummaries ?? [];
  const versions = await Promise.all(
    summaries.map(async (summary): Promise<Version> => {
      const version = versionOf(summary);
      const query = `TemporalWorkerDeploymentVersion = '${name}:${version.buildId}' AND TemporalWorkflowVersioningBehavior = 'Pinned'`;
      const workers = polling.filter((one) => one.name === name && one.buildId === version.buildId);
      return {
        ...version,
        pinnedRuns: await countOpen(client, query),
        workers: workers.map(({ identity }) => identity).sort(),
        notYetAsked: workers.length > 0 ? await notYetAsked(client, name, version.buildId) : [],
      };
    }),
  );
  const { routingConfig } = described?.info ?? {};
  const { rampingDeploymentVersion: ramping, rampingVersionPercentage: percent } = routingConfig ?? {};
  return {
    name,
    current: routingConfig?.currentDeploymentVersion?.buildId || null,
    ramping: ramping?.buildId ? { buildId: ramping.buildId, percent: percent ?? 0 } : null,
    versions: versions.sort((a, b) => (a.firstSeenAt < b.firstSeenAt ? 1 : -1)),
    unversioned: {
      open: unversioned,
      workers: polling.filter((one) => one.name === null).map(({ identity }) => identity),
    },
    conflictToken: described?.conflictToken ?? null,
  };
}

const LOOK_AGAIN_MS = 500;

/**
 * Looks until the version may be promoted, for so long at most.
 *
 * @throws PipelineError DEPLOY_REFUSED why it may not
 */
export async function awaitPromotable(
  client: Client,
  name: string,
  { buildId, waitMs, signal }: { buildId: string; waitMs: number; signal?: AbortSignal },
): Promise<{ found: Looked; version: Version }> {
  for (const deadline = performance.now() + waitMs; ; ) {
    const found = await lookAt(client, name);
    try {
      return { found, version: requirePromotable(found, buildId) };
    } catch (error) {
      if (!(performance.now() < deadline)) throw error;
      await sleep(LOOK_AGAIN_MS, undefined, { signal });
    }
  }
}

/**
 * Makes a version the one that takes what is new.
 *
 * @throws PipelineError DEPLOY_REFUSED with the server's reason, TEMPORAL_UNREACHABLE when it does not answer
 */
export async function setCurrent(
  client: Client,
  { name, conflictToken }: Looked,
  buildId: string,
  { person, withinMs = ANSWERS_WITHIN_MS }: { person: string; withinMs?: number },
): Promise<void> {
  const { workflowService, options } = client;
  try {
    await answered(client, { withinMs, needed: `say whether ${buildId} is now the current version` }, () =>
      workflowService.setWorkerDeploymentCurrentVersion({
        namespace: options.namespace,
        deploymentName: name,
        buildId,
        identity: person,
        ...(conflictToken && { conflictToken }),
      }),
    );
  } catch (cause) {
    if (cause instanceof PipelineError) throw cause;
    throw new PipelineError(
      'DEPLOY_REFUSED',
      `Temporal did not make ${buildId} the current version: ${firstLine((cause as { details?: string }).details ?? cause)}; npm run strata -- deploy status shows how it stands`,
      { deployment: name },
      { cause },
    );
  }
}

/** @param needed what the server has to do, in words */
async function answered<T>(
  client: Client,
  { withinMs, needed }: { withinMs: number; needed: string },
  question: () => Promise<T>,
): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + withinMs, question);
  } catch (cause) {
    const status = (cause as { code?: number }).code ?? (cause as { cause?: { code?: number } }).cause?.code;
    if (status !== DEADLINE_EXCEEDED && status !== UNAVAILABLE) throw cause;
    const found = status === UNAVAILABLE ? 'it cannot be reached' : `no answer within ${withinMs / 1_000} s`;
    throw new PipelineError(
      'TEMPORAL_UNREACHABLE',
      `Temporal has to ${needed}, found: ${found}; npm run strata -- doctor says what is reachable, and deploy status, once it answers, how the versions stand`,
      {},
      { cause },
    );
  }
}

async function describe({ workflowService, options }: Client, name: string) {
  try {
    const { workerDeploymentInfo, conflictToken } = await workflowService.describeWorkerDeployment({
      namespace: options.namespace,
      deploymentName: name,
    });
    return { info: workerDeploymentInfo ?? {}, conflictToken: conflictToken ?? null };
  } catch (cause) {
    const { code } = cause as { code?: number };
    if (code === NOT_FOUND) return null;
    if (code !== UNIMPLEMENTED) throw cause;
    throw new PipelineError(
      'DEPLOY_REFUSED',
      'this Temporal server knows no worker deployments: it has to be 1.29 or newer, and have them switched on; without STRATA_DEPLOYMENT workers run without a version',
      { deployment: name },
      { cause },
    );
  }
}

interface Polling {
  /** Null: of no deployment. */
  name: string | null;
  buildId: string | null;
  identity: string;
}

/** Of workflow tasks: a worker asks for these however busy it is. */
async function pollersOf({ workflowService, options }: Client, nowMs: number): Promise<Polling[]> {
  const { pollers } = await workflowService.describeTaskQueue({
    namespace: options.namespace,
    taskQueue: { name: TASK_QUEUES.workflows },
    taskQueueType: WORKFLOW_QUEUE,
  });
  return (pollers ?? [])
    .filter(({ lastAccessTime }) => nowMs - msOf(lastAccessTime) < ASKED_WITHIN_MS)
    .map(({ identity, deploymentOptions }) => ({
      name: deploymentOptions?.deploymentName || null,
      buildId: deploymentOptions?.deploymentName ? (deploymentOptions.buildId ?? null) : null,
      identity: identity ?? '',
    }));
}

/** @param query beside being open and on our queues */
async function countOpen(client: Client, query: string): Promise<number> {
  const queue = `TaskQueue = '${TASK_QUEUES.workflows}'`;
  return (await client.workflow.count(`ExecutionStatus = 'Running' AND ${queue} AND ${query}`)).count;
}

async function notYetAsked(
  { workflowService, options }: Client,
  deploymentName: string,
  buildId: string,
): Promise<string[]> {
  const { versionTaskQueues } = await workflowService
    .describeWorkerDeploymentVersion({
      namespace: options.namespace,
      deploymentVersion: { deploymentName, buildId },
    })
    .catch((error: { code?: number }) => {
      // The server lists a version a moment before it can tell of it.
      if (error.code === NOT_FOUND) return { versionTaskQueues: [] };
      throw error;
    });
  const isKnown = (name: string, type: number) =>
    (versionTaskQueues ?? []).some((queue) => queue.name === name && queue.type === type);
  const wanted = Object.values(TASK_QUEUES).filter((name) => !isKnown(name, ACTIVITY_QUEUE));
  if (isKnown(TASK_QUEUES.workflows, WORKFLOW_QUEUE)) return wanted;
  return [...new Set([TASK_QUEUES.workflows, ...wanted])];
}

function versionOf(summary: Summary): Omit<Version, 'pinnedRuns' | 'workers' | 'notYetAsked'> {
  const {
    deploymentVersion,
    status,
    createTime,
    firstActivationTime,
    lastDeactivationTime,
    routingUpdateTime,
  } = summary;
  return {
    buildId: deploymentVersion?.buildId ?? '',
    status: STATUSES[status ?? 0] ?? 'inactive',
    firstSeenAt: isoOf(createTime)!,
    firstCurrentAt: isoOf(firstActivationTime),
    since: isoOf(routingUpdateTime) ?? isoOf(createTime)!,
    endedAt: isoOf(lastDeactivationTime),
  };
}

function msOf(time: Timestamp): number {
  return Number(time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1_000_000;
}

function isoOf(time: Timestamp): string | null {
  return time ? new Date(msOf(time)).toISOString() : null;
}
