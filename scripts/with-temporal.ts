import { Client, Connection } from '@temporalio/client';
import type { Run } from '../pipelines/contracts/run.ts';
import { ClosingStack } from './closing-stack.ts';
import { dataConverterOf } from './codec/data-converter.ts';
import type { Config } from './config.ts';
import { createLog } from './log.ts';
import { startServices } from './services/index.ts';
import { startsTraced } from './traces/starts-traced.ts';

export interface TemporalAccess {
  client: Client;
  connection: Connection;
  /** A workflow in the Temporal UI, or its id where no UI is known. */
  addressOf(workflow: Pick<Run['workflow'], 'id'>): string;
}

/** Temporal alone, for as long as the work takes. */
export async function withTemporal<R>(
  config: Config,
  signal: AbortSignal,
  work: (access: TemporalAccess) => Promise<R>,
): Promise<R> {
  const stack = new ClosingStack();
  try {
    const log = createLog({ level: config.logLevel });
    const services = await startServices({ home: config.home, log, only: ['temporal'], signal });
    stack.defer(() => services.stop());
    const { uiUrl, namespace, address, connectionOptions } = services.temporal;
    const connection = await Connection.connect(connectionOptions);
    stack.defer(() => connection.close());
    const dataConverter = dataConverterOf(config);
    const client = new Client({ connection, namespace, dataConverter, ...(await startsTraced(config)) });
    const addressOf = ({ id }: { id: string }) =>
      uiUrl === undefined
        ? `workflow ${id} at ${address}`
        : `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(id)}`;
    return await work({ client, connection, addressOf });
  } finally {
    await stack.close();
  }
}
