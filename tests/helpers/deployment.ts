import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { NativeConnection, Worker } from '@temporalio/worker';
import { TASK_QUEUES } from '../../pipelines/contracts/policies.ts';
import { readConfig } from '../../scripts/config.ts';
import { awaitPromotable } from '../../scripts/deploy/server.ts';
import { createLog } from '../../scripts/log.ts';
import { prepareForeignNamespace } from '../../scripts/services/temporal-namespace.ts';
import { versioningOf } from '../../scripts/strata-worker.ts';
import { bundleWorkflows } from '../../scripts/workflow-bundle.ts';
import type { fakeStages } from './fake-stages.ts';
import { temporalAddress } from './temporal.ts';

/** gRPC status. */
const NOT_FOUND = 5;
const KNOWN_WITHIN_MS = 30_000;
const RETENTION = proto.google.protobuf.Duration.fromObject({ seconds: 86_400 });

export interface TestDeployment {
  client: Client;
  name: string;
  /** A worker of this version that polls, known to the server; the result stops it. */
  work(buildId: string, activities: ReturnType<typeof fakeStages>): Promise<() => Promise<void>>;
}

/**
 * A namespace of its own on the tests' server: what is current in a namespace, all workers on these queues are told, and
 * those of other tests have no version.
 */
export async function withDeployment(check: (deployment: TestDeployment) => Promise<void>): Promise<void> {
  const address = temporalAddress();
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const namespace = `deploy-${randomUUID()}`;
  const name = 'strata';
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: RETENTION,
  });
  await untilThere(connection, namespace);
  await prepareForeignNamespace(connection, namespace, createLog({ level: 'error' }));
  const client = new Client({ connection, namespace });
  const folder = join(readConfig().tools.cacheFolder, 'workflows');
  const workflowBundle = await bundleWorkflows(folder, { isVersioned: true });
  const stops: (() => Promise<void>)[] = [];
  const work: TestDeployment['work'] = async (buildId, activities) => {
    const shared = {
      ...{ connection: native, namespace, activities, maxHeartbeatThrottleInterval: 100 },
      ...versioningOf({ deploymentName: name, buildId }),
    };
    const workers = await Promise.all([
      Worker.create({ ...shared, taskQueue: TASK_QUEUES.workflows, workflowBundle }),
      Worker.create({ ...shared, taskQueue: TASK_QUEUES.compute }),
      Worker.create({ ...shared, taskQueue: TASK_QUEUES.waits }),
    ]);
    const running = workers.map((worker) => worker.run());
    const stop = async () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.all(running);
    };
    stops.push(stop);
    await awaitPromotable(client, name, { buildId, waitMs: KNOWN_WITHIN_MS });
    return stop;
  };
  try {
    await check({ client, name, work });
  } finally {
    await Promise.all(stops.map((stop) => stop()));
    await native.close();
    await connection.close();
  }
}

async function untilThere(connection: Connection, namespace: string): Promise<void> {
  for (;;) {
    try {
      await connection.workflowService.countWorkflowExecutions({ namespace });
      return;
    } catch (error) {
      if ((error as { code?: number }).code !== NOT_FOUND) throw error;
      await sleep(100);
    }
  }
}
