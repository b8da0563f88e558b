import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import {
  bundleWorkflowCode,
  type DataConverter,
  DefaultLogger,
  NativeConnection,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import type { ServiceContext } from '../../nexus/context.ts';
import { createSegmentationService } from '../../nexus/segmentation.ts';
import { TASK_QUEUES } from '../../pipelines/contracts/policies.ts';
import { prepareOwnNamespace } from '../../scripts/services/temporal-namespace.ts';
import { inputOf } from '../../scripts/start-or-join.ts';
import { eventually } from './eventually.ts';
import type { fakeStages } from './fake-stages.ts';
import { bundleWorkflows, temporalAddress } from './temporal.ts';

const CALLERS = fileURLToPath(new URL('../fixtures/nexus-callers/index.ts', import.meta.url));
const KNOWN_MS = 30_000;

export interface Neighbours {
  /** Of the namespace of Strata. */
  client: Client;
  bundle: WorkflowBundle;
  /** Starts a workflow of tests/fixtures/nexus-callers in the other namespace, which is told the endpoint too. */
  call(workflow: string, arg: unknown, dataConverter?: DataConverter): Promise<WorkflowHandle>;
  /** Workers of both namespaces, until what is returned is called. */
  serve(what: Served): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

interface Served {
  activities: ReturnType<typeof fakeStages>;
  context: Omit<ServiceContext, 'inputOf'>;
  dataConverter?: DataConverter;
}

/** Two namespaces of their own on the tests' server, and between them an endpoint, whose name no other on that server may have. */
export async function openNeighbours(): Promise<Neighbours> {
  const address = temporalAddress();
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const disconnect = async () => {
    await native.close();
    await connection.close();
  };
  try {
    return await neighboursOn({ connection, native, disconnect });
  } catch (error) {
    await disconnect();
    throw error;
  }
}

interface Connections {
  connection: Connection;
  native: NativeConnection;
  disconnect(): Promise<void>;
}

async function neighboursOn({ connection, native, disconnect }: Connections): Promise<Neighbours> {
  const id = randomUUID().slice(0, 8);
  const [namespace, others] = [`strata-${id}`, `callers-${id}`];
  const prepared = async () => {
    await Promise.all([namespace, others].map((name) => register(connection, name)));
    await prepareOwnNamespace(connection, namespace);
  };
  const [bundle, callers] = await Promise.all([
    bundleWorkflows(),
    bundleWorkflowCode({ workflowsPath: CALLERS, logger: new DefaultLogger('ERROR') }),
    prepared(),
  ]);
  // Last: what fails before it leaves none behind on the server.
  const target = { worker: { namespace, taskQueue: TASK_QUEUES.workflows } };
  const spec = { name: `strata-${id}`, target };
  const { endpoint } = await patiently(() => connection.operatorService.createNexusEndpoint({ spec }));
  return {
    client: new Client({ connection, namespace }),
    bundle,
    call: (workflow, arg, dataConverter) =>
      new Client({ connection, namespace: others, ...(dataConverter && { dataConverter }) }).workflow.start(
        workflow,
        { ...{ workflowId: `call-${randomUUID()}`, taskQueue: 'callers', args: [arg, spec.name] } },
      ),
    async serve({ activities, context, dataConverter = {} }) {
      // Not a loop without end, but a machine that has others to serve.
      const shared = { connection: native, dataConverter, isolateExecutionTimeout: '1 minute' };
      const ours = { ...shared, namespace, activities, maxHeartbeatThrottleInterval: 100 };
      const workers = await Promise.all([
        Worker.create({
          ...{ ...ours, taskQueue: TASK_QUEUES.workflows, workflowBundle: bundle },
          nexusServices: [createSegmentationService({ ...context, inputOf })],
        }),
        Worker.create({ ...ours, taskQueue: TASK_QUEUES.compute }),
        Worker.create({ ...ours, taskQueue: TASK_QUEUES.waits }),
        Worker.create({ ...shared, namespace: others, taskQueue: 'callers', workflowBundle: callers }),
      ]);
      const running = Promise.all(workers.map((worker) => worker.run()));
      return async () => {
        for (const worker of workers) worker.shutdown();
        await running;
      };
    },
    async close() {
      try {
        const { id, version } = endpoint!;
        await connection.operatorService.deleteNexusEndpoint({ id, version });
      } finally {
        await disconnect();
      }
    },
  };
}

async function register(connection: Connection, namespace: string): Promise<void> {
  const workflowExecutionRetentionPeriod = { seconds: 86_400 } as never;
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
  await patiently(() => connection.workflowService.describeNamespace({ namespace }));
}

/** A namespace is registered before every part of the server has heard of it. */
const patiently = <T>(ask: () => Promise<T>): Promise<T> => eventually(ask, KNOWN_MS);
