import {
  type ActivityInterceptorsFactory,
  type DataConverter,
  type NativeConnection,
  Worker,
  type WorkerOptions,
  type WorkflowBundle,
} from '@temporalio/worker';
import type { ActivityContext } from '../activities/context.ts';
import { createActivities } from '../activities/index.ts';
import { createSegmentationService } from '../nexus/segmentation.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { TASK_QUEUES } from '../temporal.config.ts';
import { watchKeys } from './codec/key-watch.ts';
import { isKeyMissing } from './codec/read-payload.ts';
import { firstLine } from './error-text.ts';
import { inputOf } from './start-or-join.ts';
import type { WorkerTraces } from './traces/worker.ts';

/** A cancel is noticed with the next heartbeat that is really sent, so few may be held back. */
const HEARTBEAT_THROTTLE_MS = 1_000;
/** Two heavy activities at once would share the same cores and each keep a matrix in memory. */
const COMPUTE_SLOTS = 1;
/** One that waits costs next to nothing, and each open run has one. */
const WAIT_SLOTS = 1_000;
/** From when its activities are cancelled to when the worker no longer waits for them. */
const CANCELLED_WITHIN_SECONDS = 9;

/** Which workers run the same code, by Temporal's Worker Deployments. */
export interface DeploymentVersion {
  deploymentName: string;
  buildId: string;
}

/** Runs end on the version that began them; workflows/versioned.ts says which do not. */
export function versioningOf(
  version: DeploymentVersion | null,
): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (version === null) return {};
  return {
    workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' },
  };
}

export interface StrataWorker {
  /** Ends when the worker was stopped; rejects with WORKER_FAILED when it broke, with CODEC_KEY_MISSING when it lacks a key. */
  readonly ended: Promise<void>;
  /** Lets running activities end or cancels them, then leaves, whether it broke or not. Repeatable. */
  stop(): Promise<void>;
  /** What it can be asked to do. */
  readonly activityTypes: readonly string[];
  /** Resolves when Temporal answers on the connection that it polls with. */
  ping(timeoutMs?: number): Promise<void>;
  /** Task queues that it should poll and does not. */
  notPolling(): string[];
}

const PING_MS = 2_000;

/** Polls all task queues: workflows, short activities and the calls of other namespaces; heavy activities; those that only wait. */
export async function startWorker(options: {
  connection: NativeConnection;
  namespace: string;
  bundle: WorkflowBundle;
  context: ActivityContext;
  /** Encrypts payloads where there are keys. */
  dataConverter?: DataConverter;
  /** Around each activity. */
  interceptor?: ActivityInterceptorsFactory | undefined;
  /** Where traces are told; the bundle has to be one for it. */
  traces?: WorkerTraces | undefined;
  /** Null: one without a version, as on a laptop. The bundle has to be one for it. */
  version?: DeploymentVersion | null;
  /** Activities that go on when it is told to stop have so long to end before they are cancelled. */
  graceSeconds?: number;
}): Promise<StrataWorker> {
  const { connection, namespace, bundle, context, interceptor, traces } = options;
  const { version = null, graceSeconds = 1 } = options;
  const { dataConverter, missing } = watchKeys(options.dataConverter ?? {});
  const activities = createActivities(context);
  const shared = {
    connection,
    namespace,
    activities,
    interceptors: { ...traces?.interceptors, ...(interceptor && { activity: [interceptor] }) },
    ...(traces && { sinks: traces.sinks }),
    dataConverter,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    shutdownGraceTime: `${graceSeconds} seconds`,
    shutdownForceTime: `${graceSeconds + CANCELLED_WITHIN_SECONDS} seconds`,
    ...versioningOf(version),
  } as const;
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUES.workflows,
      workflowBundle: bundle,
      nexusServices: [createSegmentationService({ ...context, inputOf })],
    }),
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUES.compute,
      maxConcurrentActivityTaskExecutions: COMPUTE_SLOTS,
    }),
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUES.waits,
      maxConcurrentActivityTaskExecutions: WAIT_SLOTS,
    }),
  ]);
  const running = workers.map((worker) => worker.run());
  const ended = Promise.race([Promise.all(running), missing]).then(
    () => undefined,
    (cause) => {
      if (isKeyMissing(cause)) throw cause;
      throw new PipelineError('WORKER_FAILED', `the worker broke: ${firstLine(cause)}`, {}, { cause });
    },
  );
  const stop = async () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.allSettled(running);
  };
  // One queue without a worker is a run that hangs: when one breaks, all leave.
  ended.catch(stop);
  return {
    ended,
    stop,
    activityTypes: Object.keys(activities),
    async ping(timeoutMs = PING_MS) {
      const ask = () => connection.workflowService.getSystemInfo({});
      await connection.withDeadline(Date.now() + timeoutMs, ask);
    },
    notPolling: () =>
      workers.filter((worker) => !isPolling(worker)).map(({ options: { taskQueue } }) => taskQueue),
  };
}

/** Of workflows only on their own queue: the SDK says of the others that their poller has shut down. */
function isPolling(worker: Worker): boolean {
  const { runState, workflowPollerState, activityPollerState } = worker.getStatus();
  const hasWorkflows = worker.options.taskQueue === TASK_QUEUES.workflows;
  const states = hasWorkflows ? [activityPollerState, workflowPollerState] : [activityPollerState];
  return runState === 'RUNNING' && states.every((state) => state === 'POLLING');
}
