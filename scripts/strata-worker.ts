import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import {
  type ActivityInterceptorsFactory,
  bundleWorkflowCode,
  type DataConverter,
  type NativeConnection,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import type { ActivityContext } from '../activities/context.ts';
import { createActivities } from '../activities/index.ts';
import { createSegmentationService } from '../nexus/segmentation.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { TASK_QUEUES } from '../temporal.config.ts';
import { watchKeys } from './codec/key-watch.ts';
import { isKeyMissing } from './codec/read-payload.ts';
import { type Config, PROJECT_FOLDER } from './config.ts';
import { firstLine } from './error-text.ts';
import { inputOf } from './start-or-join.ts';

/** What makes an artifact's bytes; a change in any of these files is another code version. */
const BYTES_FOLDERS = ['numeric', 'pipelines', 'activities', 'store/warehouse', 'store/artifacts'];
/** Packages make bytes, too: DuckDB writes the Parquet, AssemblyScript compiles the kernels. */
const LOCK_FILE = 'package-lock.json';
/** A cancel is noticed with the next heartbeat that is really sent, so few may be held back. */
const HEARTBEAT_THROTTLE_MS = 1_000;
/** Two heavy activities at once would share the same cores and each keep a matrix in memory. */
const COMPUTE_SLOTS = 1;
/** One that waits costs next to nothing, and each open run has one. */
const WAIT_SLOTS = 1_000;

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
}): Promise<StrataWorker> {
  const { connection, namespace, bundle, context, interceptor } = options;
  const { dataConverter, missing } = watchKeys(options.dataConverter ?? {});
  const activities = createActivities(context);
  const shared = {
    connection,
    namespace,
    activities,
    ...(interceptor && { interceptors: { activity: [interceptor] } }),
    dataConverter,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    shutdownGraceTime: '1 second',
    shutdownForceTime: '10 seconds',
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

/** Part of every bundle of workflows. */
export const WORKFLOW_INTERCEPTORS = [join(PROJECT_FOLDER, 'workflows/readable-payloads.ts')];

/** More are of versions that nobody runs any more. */
const BUNDLES_KEPT = 8;

/**
 * The workflow code, bundled once per version of it and kept in `cacheFolder`, where every home finds it; a folder that
 * cannot be written costs a bundling at each start, nothing else. The failure converter is part of it.
 */
export async function bundleWorkflows(
  cacheFolder: string,
  { failureConverterPath }: Pick<DataConverter, 'failureConverterPath'> = {},
): Promise<WorkflowBundle> {
  const version = await digestOfSources(PROJECT_FOLDER, {
    folders: ['workflows', 'pipelines/contracts'],
    files: [LOCK_FILE, ...(failureConverterPath ? [relative(PROJECT_FOLDER, failureConverterPath)] : [])],
  });
  const file = join(cacheFolder, `workflows-${version.slice(0, 16)}.js`);
  if (existsSync(file)) return { code: await readFile(file, 'utf8') };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(PROJECT_FOLDER, 'workflows/index.ts'),
    workflowInterceptorModules: WORKFLOW_INTERCEPTORS,
    ...(failureConverterPath && { failureConverterPath }),
    logger: silent,
  });
  await keepBundle(file, code).catch(() => undefined);
  return { code };
}

async function keepBundle(file: string, code: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  const incoming = `${file}.${process.pid}`;
  await writeFile(incoming, code);
  await rename(incoming, file);
  const names = (await readdir(folder)).filter((name) => /^workflows-[0-9a-f]+\.js$/.test(name));
  const bundles = await Promise.all(
    names.map(async (name) => ({ name, keptAtMs: (await stat(join(folder, name))).mtimeMs })),
  );
  const old = bundles.sort((a, b) => b.keptAtMs - a.keptAtMs).slice(BUNDLES_KEPT);
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { force: true })));
}

/** Digest of all that makes an artifact's bytes, the same on every machine and without git. */
export function codeVersion(project = PROJECT_FOLDER): Promise<string> {
  return digestOfSources(project, { folders: BYTES_FOLDERS, files: [LOCK_FILE] });
}

async function digestOfSources(
  project: string,
  { folders, files }: { folders: string[]; files: string[] },
): Promise<string> {
  const sources = [...files];
  for (const folder of folders) {
    const entries = await readdir(join(project, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && /\.(ts|mjs)$/.test(entry.name)) sources.push(relative(project, path));
    }
  }
  const hash = createHash('sha256');
  for (const path of sources.sort()) hash.update(`${path}\0`).update(await readFile(join(project, path)));
  return hash.digest('hex');
}

const nothing = () => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, log: nothing };

/** Folder of the pipeline definitions that come with the checkout. */
const DEFINITIONS_FOLDER = join(PROJECT_FOLDER, 'pipelines/definitions');

/** One's own definitions, where they have a folder of their own, before those of the checkout. */
export function definitionFolders({ definitions }: Pick<Config, 'definitions'>): string[] {
  return [...new Set([definitions, DEFINITIONS_FOLDER])];
}
