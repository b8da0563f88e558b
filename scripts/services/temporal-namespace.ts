import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { RETENTION_DAYS, SEARCH_ATTRIBUTES, type TemporalConfig } from '../../temporal.config.ts';
import { firstLine } from '../error-text.ts';
import type { Log } from '../log.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;
const PROTO_TYPES = {
  KEYWORD: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  INT: IndexedValueType.INDEXED_VALUE_TYPE_INT,
  DATETIME: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
} as const;
const CLI_TYPES = { KEYWORD: 'Keyword', INT: 'Int', DATETIME: 'Datetime' } as const;

/** gRPC status. */
const INVALID_ARGUMENT = 3;
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
 * shorter one is only told.
 *
 * @throws PipelineError SEARCH_ATTRIBUTES_MISSING, with the commands to type, when it does not take them
 * @throws Error when the namespace is not there or may not be read
 */
export async function prepareForeignNamespace(
  connection: Connection,
  namespace: string,
  log: Log,
): Promise<void> {
  const retentionSeconds = await readRetentionSeconds(connection, namespace);
  await requireSearchAttributes(connection, namespace);
  if (retentionSeconds < RETENTION_DAYS * SECONDS_PER_DAY) {
    log.warn(
      `Temporal forgets closed runs of namespace ${namespace} after ${retentionSeconds / SECONDS_PER_DAY} days; for ${RETENTION_DAYS} type:\n` +
        `  temporal operator namespace update -n ${namespace} --retention ${RETENTION_DAYS}d`,
    );
  }
}

/** The owner may have registered them where we may not even list them: what counts is that they are known. */
async function requireSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  let refusal: unknown;
  try {
    await registerSearchAttributes(connection, namespace);
    return;
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    refusal = error;
  }
  try {
    await searchByAll(connection, namespace);
  } catch (error) {
    if (!isInvalidArgument(error)) throw error;
    // A run that sets one the server does not know stands still for ever, its first task failing again and again.
    throw new PipelineError(
      'SEARCH_ATTRIBUTES_MISSING',
      `namespace ${namespace} needs Strata's search attributes and did not take them (${firstLine(refusal)}); type:\n${commandsFor(namespace)}`,
      { namespace },
      { cause: refusal },
    );
  }
}

function commandsFor(namespace: string): string {
  return Object.keys(SEARCH_ATTRIBUTES)
    .map((name) => `  ${registeringCommand(namespace, name as keyof typeof SEARCH_ATTRIBUTES)}`)
    .join('\n');
}

function registeringCommand(namespace: string, name: keyof typeof SEARCH_ATTRIBUTES): string {
  return `temporal operator search-attribute create -n ${namespace} --name ${name} --type ${CLI_TYPES[SEARCH_ATTRIBUTES[name]]}`;
}

/** Which search attributes a namespace lacks, with the commands that register them, and which it has of another type. */
export async function lookAtSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<{ missing: { name: string; command: string }[]; otherType: string[] }> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const names = Object.keys(SEARCH_ATTRIBUTES) as (keyof typeof SEARCH_ATTRIBUTES)[];
  const found = (name: (typeof names)[number]) => customAttributes?.[name];
  return {
    missing: names
      .filter((name) => found(name) === undefined)
      .map((name) => ({ name, command: registeringCommand(namespace, name) })),
    otherType: names.filter(
      (name) => found(name) !== undefined && found(name) !== PROTO_TYPES[SEARCH_ATTRIBUTES[name]],
    ),
  };
}

function isInvalidArgument(error: unknown): boolean {
  return (error as { code?: number }).code === INVALID_ARGUMENT;
}

export async function readRetentionSeconds(connection: Connection, namespace: string): Promise<number> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
}

async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const wanted = Object.entries(SEARCH_ATTRIBUTES);
  refuseOtherTypes(namespace, customAttributes ?? {});
  const missing = wanted.filter(([name]) => customAttributes?.[name] === undefined);
  if (missing.length > 0) {
    const searchAttributes = Object.fromEntries(missing.map(([name, type]) => [name, PROTO_TYPES[type]]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  }
  await waitUntilUsable(connection, namespace);
}

/** A value of the wrong type is refused as an unknown name is. */
function refuseOtherTypes(
  namespace: string,
  found: Record<string, proto.temporal.api.enums.v1.IndexedValueType>,
) {
  const others = Object.entries(SEARCH_ATTRIBUTES)
    .filter(([name, type]) => found[name] !== undefined && found[name] !== PROTO_TYPES[type])
    .map(([name, type]) => `${name} as ${CLI_TYPES[type]}`);
  if (others.length === 0) return;
  throw new PipelineError(
    'SEARCH_ATTRIBUTES_MISSING',
    `namespace ${namespace} needs the search attributes ${others.join(', ')}, found them with another type; use a namespace of Strata's own, or remove them there (temporal operator search-attribute remove) and start again`,
    { namespace },
  );
}

/** Registered is not yet usable: each frontend keeps its own list and refreshes it now and then. */
async function waitUntilUsable(connection: Connection, namespace: string): Promise<void> {
  const deadline = performance.now() + ATTRIBUTES_USABLE_MS;
  for (;;) {
    try {
      return await searchByAll(connection, namespace);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

/** @throws a gRPC error INVALID_ARGUMENT when the namespace does not know one of them */
async function searchByAll(connection: Connection, namespace: string): Promise<void> {
  const query = Object.keys(SEARCH_ATTRIBUTES)
    .map((name) => `${name} IS NOT NULL`)
    .join(' AND ');
  await connection.workflowService.countWorkflowExecutions({ namespace, query });
}
