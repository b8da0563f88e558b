import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { RETENTION_DAYS, SEARCH_ATTRIBUTES, type TemporalConfig } from '../../temporal.config.ts';
import type { Log } from '../log.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;
const PROTO_TYPES = {
  KEYWORD: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  INT: IndexedValueType.INDEXED_VALUE_TYPE_INT,
  DATETIME: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
} as const;
const CLI_TYPES = { KEYWORD: 'Keyword', INT: 'Int', DATETIME: 'Datetime' } as const;

const SECONDS_PER_DAY = 86_400;
const ATTRIBUTES_USABLE_MS = 20_000;

/** Connects for one job and closes the connection after it. */
export async function withConnection<T>(
  options: TemporalConfig['connectionOptions'],
  timeoutMs: number,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await Connection.connect({ ...options, connectTimeout: timeoutMs });
  try {
    return await connection.withDeadline(Date.now() + Math.max(timeoutMs, ATTRIBUTES_USABLE_MS + 5_000), () =>
      work(connection),
    );
  } finally {
    await connection.close();
  }
}

/**
 * Gives our own namespace its retention and search attributes; done again at every start, to no effect.
 *
 * @throws Error when the server refuses or the attributes cannot be used after 20 s
 */
export async function prepareOwnNamespace(connection: Connection, namespace: string): Promise<void> {
  const wantedSeconds = RETENTION_DAYS * SECONDS_PER_DAY;
  if ((await readRetentionSeconds(connection, namespace)) !== wantedSeconds) {
    const workflowExecutionRetentionTtl = proto.google.protobuf.Duration.fromObject({
      seconds: wantedSeconds,
    });
    await connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl },
    });
  }
  await registerSearchAttributes(connection, namespace);
}

/**
 * Registers the search attributes on a server that is not ours. Its retention is its owner's decision: a
 * shorter one is only told. Attributes it refuses become a warning with the commands to type.
 *
 * @throws Error when the namespace is not there or may not be read
 */
export async function prepareForeignNamespace(
  connection: Connection,
  namespace: string,
  log: Log,
): Promise<void> {
  const retentionSeconds = await readRetentionSeconds(connection, namespace);
  try {
    await registerSearchAttributes(connection, namespace);
  } catch (error) {
    log.warn(
      `Temporal at TEMPORAL_ADDRESS did not take Strata's search attributes (${firstLine(error)}); runs fail without them. Type:\n` +
        Object.entries(SEARCH_ATTRIBUTES)
          .map(
            ([name, type]) =>
              `  temporal operator search-attribute create -n ${namespace} --name ${name} --type ${CLI_TYPES[type]}`,
          )
          .join('\n'),
    );
  }
  if (retentionSeconds < RETENTION_DAYS * SECONDS_PER_DAY) {
    log.warn(
      `Temporal forgets closed runs of namespace ${namespace} after ${retentionSeconds / SECONDS_PER_DAY} days; for ${RETENTION_DAYS} type:\n` +
        `  temporal operator namespace update -n ${namespace} --retention ${RETENTION_DAYS}d`,
    );
  }
}

async function readRetentionSeconds(connection: Connection, namespace: string): Promise<number> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
}

async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.entries(SEARCH_ATTRIBUTES).filter(
    ([name]) => customAttributes?.[name] === undefined,
  );
  if (missing.length > 0) {
    const searchAttributes = Object.fromEntries(missing.map(([name, type]) => [name, PROTO_TYPES[type]]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  }
  await waitUntilUsable(connection, namespace);
}

/** Registered is not yet usable: each frontend keeps its own list and refreshes it now and then. */
async function waitUntilUsable(connection: Connection, namespace: string): Promise<void> {
  const query = Object.keys(SEARCH_ATTRIBUTES)
    .map((name) => `${name} IS NOT NULL`)
    .join(' AND ');
  const deadline = performance.now() + ATTRIBUTES_USABLE_MS;
  for (;;) {
    try {
      await connection.workflowService.countWorkflowExecutions({ namespace, query });
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
