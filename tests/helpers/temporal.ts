import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import {
  type DataConverter,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import type { WatchStages } from '../../pipelines/contracts/missed-runs.ts';
import { TASK_QUEUES } from '../../pipelines/contracts/policies.ts';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import type {
  AssignStages,
  DeliveryStages,
  HistoryStages,
  Stages,
} from '../../pipelines/contracts/stages.ts';
import { readConfig } from '../../scripts/config.ts';
import { bundleWorkflows as bundle } from '../../scripts/workflow-bundle.ts';

const HISTORIES = new URL('../histories/', import.meta.url);
const LONG_EVENTS = 500;

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** Today's workflow code, as a worker of ours has it. */
export const bundleWorkflows = (options: { isTraced?: boolean } = {}): Promise<WorkflowBundle> =>
  bundle(join(readConfig().tools.cacheFolder, 'workflows'), options);

export interface TestRuns {
  client: Client;
  /** @param type a workflow type of ours; default segmentCustomers */
  start(input?: unknown, type?: string): Promise<WorkflowHandle & { result(): Promise<RunSummary> }>;
  /** Writes the history as a committed fixture when STRATA_RECORD_HISTORIES says so. */
  record(handle: WorkflowHandle, name: string): Promise<void>;
}

/** Address of the Temporal server that the tests' global set-up started. */
export function temporalAddress(): string {
  const address = process.env.STRATA_TEST_TEMPORAL_ADDRESS;
  if (!address)
    throw new Error('STRATA_TEST_TEMPORAL_ADDRESS needs the address of a Temporal server: run npm test');
  return address;
}

interface TestWorker {
  bundle: WorkflowBundle;
  activities: Stages & AssignStages & DeliveryStages & HistoryStages & WatchStages;
  /** Whether what it leaves open is for the next worker; default false. */
  goesOn?: boolean;
  /** Of the worker alone; the client writes in clear. */
  dataConverter?: DataConverter;
}

let isLeftForNext = false;

/**
 * A worker with these activities on the real server while `check` runs. It has the task queues to itself: names of task
 * queues are part of the workflows, and the files that use them run one after another.
 */
export async function withWorker(
  { bundle, activities, goesOn = false, dataConverter = {} }: TestWorker,
  check: (runs: TestRuns) => Promise<void>,
): Promise<void> {
  const address = temporalAddress();
  const connection = await NativeConnection.connect({ address });
  const clientConnection = await Connection.connect({ address });
  const client = new Client({ connection: clientConnection });
  const namespace = 'default';
  if (!isLeftForNext) await terminateAll(client);
  const shared = {
    connection,
    namespace,
    workflowBundle: bundle,
    activities,
    dataConverter,
    maxHeartbeatThrottleInterval: 100,
    // Not a loop without end, but a machine that has others to serve.
    isolateExecutionTimeout: '1 minute',
  };
  const workers = await Promise.all([
    Worker.create({ ...shared, taskQueue: 'strata' }),
    Worker.create({
      connection,
      namespace,
      activities,
      dataConverter,
      taskQueue: 'strata-compute',
      maxHeartbeatThrottleInterval: 100,
    }),
    Worker.create({ connection, namespace, activities, dataConverter, taskQueue: 'strata-waits' }),
  ]);
  const running = workers.map((worker) => worker.run());
  try {
    await check(testRuns(client));
  } finally {
    isLeftForNext = goesOn;
    if (!goesOn) await terminateAll(client);
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await clientConnection.close();
    await connection.close();
  }
}

/** What another test left open would have its tasks done by this test's activities, half a minute later or at once. */
async function terminateAll(client: Client): Promise<void> {
  const queues = Object.values(TASK_QUEUES).map((queue) => `'${queue}'`);
  const query = `ExecutionStatus = 'Running' AND TaskQueue IN (${queues.join(', ')})`;
  for await (const { workflowId, runId } of client.workflow.list({ query })) {
    const handle = client.workflow.getHandle(workflowId, runId);
    await handle.terminate('its test is over').catch((error: unknown) => {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    });
  }
}

function testRuns(client: Client): TestRuns {
  return {
    client,
    start: (input, type = 'segmentCustomers') =>
      client.workflow.start(type, {
        workflowId: `test/${randomUUID()}`,
        taskQueue: 'strata',
        args: input === undefined ? [] : [input],
        workflowExecutionTimeout: '2 minutes',
      }),
    async record(handle, name) {
      if (process.env.STRATA_RECORD_HISTORIES !== 'true') return;
      const history = JSON.parse(historyToJSON(await handle.fetchHistory()), withoutMachine);
      // Of a thousand events nobody reads a line: on one, the file is a fifth smaller.
      const indent = history.events.length > LONG_EVENTS ? 0 : 1;
      await writeFile(new URL(`${name}.json`, HISTORIES), `${JSON.stringify(history, null, indent)}\n`);
    },
  };
}

/** Names of machines and paths of checkouts do not belong into a fixture; replay does not look at them. */
function withoutMachine(key: string, value: unknown): unknown {
  if (key === 'stackTrace') return '';
  return typeof value === 'string' && /^\d+@/.test(value) ? 'recorder' : value;
}
