import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Run } from '../pipelines/contracts/run.ts';
import { WORKFLOWS } from '../pipelines/contracts/signatures.ts';
import type { Repositories } from '../store/postgres/repositories.ts';
import { TASK_QUEUES } from '../temporal.config.ts';
import { ClosingStack } from './closing-stack.ts';
import { dataConverterOf } from './codec/data-converter.ts';
import { serveTemporalUi } from './codec/serve-ui.ts';
import type { Config } from './config.ts';
import { readBuildId } from './deploy/build-id.ts';
import { tellStanding } from './deploy/standing.ts';
import type { Log } from './log.ts';
import { hearActivities } from './observe/activity-interceptor.ts';
import type { Observer } from './observe/open-observer.ts';
import { joinParts } from './parts.ts';
import { type RunningServices, startServices } from './services/index.ts';
import { type DeploymentVersion, type StrataWorker, startWorker } from './strata-worker.ts';
import { createTemporalLogger, installRuntime } from './temporal-logger.ts';
import { startsTraced } from './traces/starts-traced.ts';
import { bundleWorkflows } from './workflow-bundle.ts';

/** Everything of `npm start`, running. */
export interface Strata {
  readonly client: Client;
  readonly repositories: Repositories;
  readonly log: Log;
  /** The worker's: rejects with WORKER_FAILED when it breaks, and then nothing here goes on by itself. */
  readonly ended: StrataWorker['ended'];
  /** Where a person looks, by what for. */
  readonly addresses: Record<string, string>;
  /** A workflow execution in the Temporal UI, or its ids where no UI is known. */
  addressOf(workflow: Run['workflow']): string;
  /** The same for when this is closed: the UI of a server of its own is gone by then. */
  addressAfter(workflow: Run['workflow']): string;
  close(): Promise<void>;
}

/**
 * Services, schema, worker: brought up in order, and down in the reverse one.
 *
 * @throws PipelineError when a service cannot be had; what was started by then is stopped again
 */
export async function openStrata(options: {
  config: Config;
  log: Log;
  signal: AbortSignal;
}): Promise<Strata> {
  const stack = new ClosingStack();
  try {
    return await openInOrder(options, stack);
  } catch (error) {
    await stack.close();
    throw error;
  }
}

async function openInOrder(
  { config, log, signal }: { config: Config; log: Log; signal: AbortSignal },
  stack: ClosingStack,
): Promise<Strata> {
  const services = await startServices({ home: config.home, log, signal });
  stack.defer(() => services.stop());
  stack.defer(await serveTemporalUi(config, services.temporal, log));
  const parts = await joinParts({ config, databaseUrl: services.databaseUrl, log });
  stack.defer(() => parts.close());
  const client = await openClient(config, services, stack);
  const { ended } = await openWorker({ config, services, context: parts.context, log }, stack);
  signal.throwIfAborted();
  const { repositories } = parts.context;
  return { client, repositories, log, ended, ...addresses(services), close: () => stack.close() };
}

type Services = RunningServices<'postgres' | 'temporal'>;

async function openClient(config: Config, { temporal }: Services, stack: ClosingStack): Promise<Client> {
  const connection = await Connection.connect(temporal.connectionOptions);
  stack.defer(() => connection.close());
  return new Client({
    connection,
    namespace: temporal.namespace,
    dataConverter: dataConverterOf(config),
    ...(await startsTraced(config)),
  });
}

type WorkerParts = {
  config: Config;
  services: Pick<Services, 'temporal'>;
  context: Parameters<typeof startWorker>[0]['context'];
  log: Log;
  /** Hears of each activity, and of what Temporal's SDK counts. */
  observer?: Observer;
};

/** A worker on the services; leaves before them when the stack is disposed. */
export async function openWorker(parts: WorkerParts, stack: ClosingStack): Promise<StrataWorker> {
  const { config, services, context, log, observer } = parts;
  installRuntime(
    createTemporalLogger(log, { tellsActivities: observer === undefined }),
    observer?.sdkMetrics,
  );
  const step = log.step('Worker');
  const connection = await NativeConnection.connect(services.temporal.connectionOptions);
  stack.defer(() => connection.close());
  const dataConverter = dataConverterOf(config);
  const version = await versionOf(config);
  const bundle = await bundleWorkflows(join(config.tools.cacheFolder, 'workflows'), {
    ...dataConverter,
    isVersioned: version !== null,
    isTraced: config.traces !== null,
  });
  const { namespace } = services.temporal;
  const traces = config.traces ? (await import('./traces/worker.ts')).traceWorker() : undefined;
  const interceptor =
    observer || traces ? hearActivities((ended) => observer?.hear(ended), traces?.activity) : undefined;
  const graceSeconds = config.shutdownSeconds;
  const worker = await startWorker({
    ...{ connection, namespace, bundle, context, dataConverter },
    ...{ version, graceSeconds, interceptor, traces },
  });
  stack.defer(() => worker.stop());
  const queues = `task queues ${Object.values(TASK_QUEUES).join(', ')}`;
  step.done(version ? `${queues}; version ${version.buildId} of ${version.deploymentName}` : queues);
  if (version) await tellStanding(services, version, { dataConverter, log });
  return worker;
}

async function versionOf(config: Config): Promise<DeploymentVersion | null> {
  if (config.deployment === undefined) return null;
  return { deploymentName: config.deployment, buildId: await readBuildId(config) };
}

function addresses({ temporal }: Services): Pick<Strata, 'addresses' | 'addressOf' | 'addressAfter'> {
  const { uiUrl, namespace, address, started } = temporal;
  if (uiUrl === undefined) {
    const addressOf: Strata['addressOf'] = ({ id, runId }) => `workflow ${id}, run ${runId}, at ${address}`;
    return { addresses: { Temporal: address }, addressOf, addressAfter: addressOf };
  }
  const workflows = `${uiUrl}/namespaces/${namespace}/workflows`;
  const form = new URLSearchParams({
    taskQueue: TASK_QUEUES.workflows,
    workflowType: WORKFLOWS.segmentCustomers,
  });
  const addressOf: Strata['addressOf'] = ({ id, runId }) =>
    `${workflows}/${encodeURIComponent(id)}/${runId}/history`;
  return {
    addresses: { 'Temporal UI': workflows, 'start a run': `${workflows}/start-workflow?${form}` },
    addressOf,
    addressAfter: started ? ({ id }) => `workflow ${id}, in the Temporal UI while npm start runs` : addressOf,
  };
}
