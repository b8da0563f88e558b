import type { Client } from '@temporalio/client';
import { MARK } from '../../pipelines/stages/schedules/facts.ts';
import { ClosingStack } from '../closing-stack.ts';
import type { Config } from '../config.ts';
import { createLog } from '../log.ts';

export interface Temporal {
  client: Client;
  /** A workflow execution in the Temporal UI, or its id where no UI is known. */
  addressOf(workflow: { id: string; runId: string }): string;
  /** Whether a worker polls for runs: without one they wait. */
  hasWorker(): Promise<boolean>;
}

/** A client of the Temporal server that is configured, or of our own, for as long as the work takes. */
export async function withTemporal<R>(
  config: Config,
  signal: AbortSignal,
  work: (temporal: Temporal) => Promise<R>,
): Promise<R> {
  // Here, since no one who asks for --help or mistypes an option should wait for them.
  const { startServices } = await import('../services/index.ts');
  const { Client, Connection } = await import('@temporalio/client');
  const { dataConverterOf } = await import('../codec/data-converter.ts');
  const stack = new ClosingStack();
  try {
    const log = createLog({ level: config.logLevel });
    const { temporal, stop } = await startServices({ home: config.home, log, only: ['temporal'], signal });
    stack.defer(() => stop());
    const connection = await Connection.connect(temporal.connectionOptions);
    stack.defer(() => connection.close());
    const client = new Client({
      connection,
      namespace: temporal.namespace,
      // A memo is never written anew: encrypted, it would need its first key for ever.
      dataConverter: dataConverterOf(config, { inClear: MARK.madeBy }),
    });
    return await work({
      client,
      addressOf: ({ id, runId }) =>
        temporal.uiUrl === undefined
          ? `workflow ${id}, run ${runId}, at ${temporal.address}`
          : `${temporal.uiUrl}/namespaces/${temporal.namespace}/workflows/${encodeURIComponent(id)}/${runId}/history`,
      hasWorker: () => hasWorker(client),
    });
  } finally {
    await stack.close();
  }
}

const WORKFLOW_QUEUE = 1;

async function hasWorker({ workflowService, options }: Client): Promise<boolean> {
  const { TASK_QUEUES } = await import('../../temporal.config.ts');
  const { pollers } = await workflowService.describeTaskQueue({
    namespace: options.namespace,
    taskQueue: { name: TASK_QUEUES.workflows },
    taskQueueType: WORKFLOW_QUEUE,
  });
  return (pollers?.length ?? 0) > 0;
}
