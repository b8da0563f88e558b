import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type NativeConnection, Worker, type WorkflowBundle } from '@temporalio/worker';
import type { ActivityContext } from '../activities/context.ts';
import { createActivities } from '../activities/index.ts';
import { TASK_QUEUES } from '../temporal.config.ts';
import { PROJECT_FOLDER } from './config.ts';

const WORKFLOWS_FOLDER = join(PROJECT_FOLDER, 'workflows');
const CONTRACTS_FOLDER = join(PROJECT_FOLDER, 'pipelines/contracts');
/** What makes numbers; a change in any of these files is another code version. */
const NUMBER_FOLDERS = ['numeric', 'pipelines', 'activities', 'store/warehouse'];
/** A cancel is noticed with the next heartbeat that is really sent, so few may be held back. */
const HEARTBEAT_THROTTLE_MS = 1_000;
/** Two heavy activities at once would share the same cores and each keep a matrix in memory. */
const COMPUTE_SLOTS = 1;

export interface StrataWorker {
  /** Ends when the worker was stopped; rejects when it broke. */
  readonly ended: Promise<void>;
  /** Lets running activities end or cancels them, then leaves. Repeatable. */
  stop(): Promise<void>;
}

/** Polls both task queues: workflows and short activities, heavy activities. */
export async function startWorker(options: {
  connection: NativeConnection;
  namespace: string;
  bundle: WorkflowBundle;
  context: ActivityContext;
}): Promise<StrataWorker> {
  const { connection, namespace, bundle, context } = options;
  const shared = {
    connection,
    namespace,
    activities: createActivities(context),
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    shutdownGraceTime: '1 second',
    shutdownForceTime: '10 seconds',
  } as const;
  const workers = await Promise.all([
    Worker.create({ ...shared, taskQueue: TASK_QUEUES.workflows, workflowBundle: bundle }),
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUES.compute,
      maxConcurrentActivityTaskExecutions: COMPUTE_SLOTS,
    }),
  ]);
  const ended = Promise.all(workers.map((worker) => worker.run())).then(() => undefined);
  const stop = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    return ended;
  };
  // One queue without a worker is a run that hangs: when one breaks, both leave.
  ended.catch(() => stop().catch(() => undefined));
  return { ended, stop };
}

/** The workflow code, bundled once per version of it and kept in `cacheFolder`. */
export async function bundleWorkflows(cacheFolder: string): Promise<WorkflowBundle> {
  const version = await digestOfFolders([WORKFLOWS_FOLDER, CONTRACTS_FOLDER], ['package-lock.json']);
  const file = join(cacheFolder, `workflows-${version.slice(0, 16)}.js`);
  if (existsSync(file)) return { code: await readFile(file, 'utf8') };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(WORKFLOWS_FOLDER, 'index.ts'),
    logger: silent,
  });
  await mkdir(cacheFolder, { recursive: true });
  const incoming = `${file}.${process.pid}`;
  await writeFile(incoming, code);
  await rename(incoming, file);
  return { code };
}

/** Digest of the sources that make numbers, the same on every machine and without git. */
export function codeVersion(): Promise<string> {
  return digestOfFolders(NUMBER_FOLDERS.map((folder) => join(PROJECT_FOLDER, folder)));
}

async function digestOfFolders(folders: string[], files: string[] = []): Promise<string> {
  const sources = files.map((file) => join(PROJECT_FOLDER, file));
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && /\.(ts|mjs)$/.test(entry.name)) sources.push(path);
    }
  }
  const hash = createHash('sha256');
  for (const path of sources.sort()) {
    hash.update(`${path.slice(PROJECT_FOLDER.length)}\0`).update(await readFile(path));
  }
  return hash.digest('hex');
}

const nothing = () => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, log: nothing };

/** Folder of the pipeline definitions that come with the checkout. */
export const DEFINITIONS_FOLDER = fileURLToPath(new URL('../pipelines/definitions', import.meta.url));
