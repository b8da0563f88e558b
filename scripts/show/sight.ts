import { Client, Connection } from '@temporalio/client';
import type { ArtifactStore } from '../../store/artifacts/artifact-store.ts';
import type { Repositories } from '../../store/postgres/repositories.ts';
import { ClosingStack } from '../closing-stack.ts';
import { dataConverterOf } from '../codec/data-converter.ts';
import type { Config } from '../config.ts';
import { firstLine } from '../error-text.ts';
import type { Log } from '../log.ts';
import { joinParts } from '../parts.ts';
import { findUi, startServices } from '../services/index.ts';
import { ownServer } from '../services/running.ts';

const CONNECT_WITHIN_MS = 5_000;

/** What one who looks at runs can ask; where one of the two is missing, the other answers alone. */
export interface Sight {
  repositories: Repositories | null;
  artifacts: ArtifactStore | null;
  temporal: { client: Client; addressOf(workflow: { id: string; runId: string }): string } | null;
  /** What is missing, and the way out. */
  notes: string[];
}

/**
 * PostgreSQL, started where nobody has; Temporal only where it is there already: without it nothing goes on that could
 * be looked at.
 *
 * @throws PipelineError when neither answers
 */
export async function withSight<R>(
  { config, log, signal }: { config: Config; log: Log; signal: AbortSignal },
  work: (sight: Sight) => Promise<R>,
): Promise<R> {
  const stack = new ClosingStack();
  try {
    const notes: string[] = [];
    const temporal = await openTemporal({ config, log, signal }, stack).catch((fault: unknown) => {
      notes.push(`Temporal does not answer: ${firstLine(fault)}`);
      return null;
    });
    const stores = await openStores({ config, log, signal }, stack).catch((fault: unknown) => {
      if (temporal === null || signal.aborted) throw fault;
      notes.push(`${firstLine(fault)}; what is shown is what Temporal knows`);
      return null;
    });
    signal.throwIfAborted();
    const { repositories = null, artifacts = null } = stores ?? {};
    return await work({ repositories, artifacts, temporal, notes });
  } finally {
    await stack.close();
  }
}

type Opening = { config: Config; log: Log; signal: AbortSignal };

async function openStores({ config, log, signal }: Opening, stack: ClosingStack) {
  const services = await startServices({ home: config.home, log, only: ['postgres'], signal });
  stack.defer(() => services.stop());
  const parts = await joinParts({ config, databaseUrl: services.databaseUrl, log });
  stack.defer(() => parts.close());
  return parts.context;
}

async function openTemporal(opening: Opening, stack: ClosingStack): Promise<Sight['temporal']> {
  const place = await placeOfTemporal(opening, stack);
  if (place === null) return null;
  const { namespace, uiUrl, address, connectionOptions } = place;
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: CONNECT_WITHIN_MS });
  stack.defer(() => connection.close());
  return {
    client: new Client({ connection, namespace, dataConverter: dataConverterOf(opening.config) }),
    addressOf: ({ id, runId }) =>
      uiUrl === undefined
        ? `workflow ${id}, run ${runId}, at ${address}`
        : `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(id)}/${runId}/history`,
  };
}

/** One that is configured is used as it is: who looks registers nothing there. */
async function placeOfTemporal({ config, log, signal }: Opening, stack: ClosingStack) {
  const { address, namespace, connectionOptions } = config.temporal;
  if (address !== undefined) return { address, namespace, connectionOptions, uiUrl: await findUi(address) };
  if (!ownServer(config, 'temporal')?.isAlive) return null;
  // As one of its users, so that it does not go while it is looked at.
  const services = await startServices({ home: config.home, log, only: ['temporal'], signal });
  stack.defer(() => services.stop());
  return services.temporal;
}
