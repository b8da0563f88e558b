import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { ping } from '../../store/postgres/connect.ts';
import type { Environment, TemporalConfig } from '../../temporal.config.ts';
import { type Config, readConfig } from '../config.ts';
import { firstLine } from '../error-text.ts';
import type { Log } from '../log.ts';
import { joinServices, type LocalServers } from './local-services.ts';
import { LOOPBACK } from './ports.ts';
import { preparePostgres } from './postgres-installation.ts';
import { createPostgresServer } from './postgres-server.ts';
import type { ServiceName } from './state.ts';
import { ensureTemporalBinary } from './temporal-binary.ts';
import { prepareForeignNamespace, withConnection } from './temporal-namespace.ts';
import { createTemporalServer } from './temporal-server.ts';

export type { ServiceName } from './state.ts';

const CONNECT_WITHIN_MS = 5_000;

interface TemporalEndpoint {
  /** `host:port`. */
  readonly address: string;
  readonly namespace: string;
  /** Where its web pages are; undefined when a server that is not ours has none where one would look. */
  readonly uiUrl: string | undefined;
  /** Whether Strata runs this server; false when it was given by TEMPORAL_ADDRESS. */
  readonly started: boolean;
  /** Where its web pages expect the codec server; undefined when it was started without keys, or is not ours. */
  readonly codecPort: number | undefined;
  /** For `Connection.connect` and `NativeConnection.connect`; holds credentials, so it is never logged. */
  readonly connectionOptions: TemporalConfig['connectionOptions'];
}

interface Endpoints {
  readonly temporal: TemporalEndpoint;
  /** Holds a password: for connections, never for a log. */
  readonly databaseUrl: string;
}

type EndpointOf<S extends ServiceName> = S extends 'temporal' ? 'temporal' : 'databaseUrl';

export type RunningServices<S extends ServiceName> = Pick<Endpoints, EndpointOf<S>> & {
  /** Gives the services up; what nobody else uses ends. Workers and pools must be closed before. Repeatable. */
  readonly stop: () => Promise<void>;
};

interface StartServicesOptions<S extends ServiceName> {
  /** STRATA_HOME: data, logs and services.json. */
  readonly home: string;
  readonly log: Log;
  /** Default: both. */
  readonly only?: readonly S[];
  /** Default: the environment of this process. */
  readonly env?: Environment;
  /** Ends a set-up that is under way; the promise is rejected with its reason once nothing is left behind. */
  readonly signal?: AbortSignal;
}

/**
 * Temporal and PostgreSQL, ready to be used: those the environment names, else servers of our own. Starts
 * what is missing, attaches to what another process with the same home has started, takes over what a
 * killed one has left, and restarts what dies.
 *
 * @throws PipelineError CONFIG_INVALID, TEMPORAL_NOT_AVAILABLE, TEMPORAL_UNREACHABLE,
 *   SEARCH_ATTRIBUTES_MISSING, POSTGRES_UNREACHABLE, PORT_UNAVAILABLE
 */
export async function startServices<S extends ServiceName = ServiceName>(
  options: StartServicesOptions<S>,
): Promise<RunningServices<S>> {
  const { home, log, signal } = options;
  const config = readConfig(options.env);
  const wanted: readonly ServiceName[] = options.only ?? ['postgres', 'temporal'];
  const foreignTemporal = wanted.includes('temporal') ? await meetForeignTemporal(config, log) : undefined;
  if (wanted.includes('postgres') && config.databaseUrl !== undefined)
    await ping(config.databaseUrl, CONNECT_WITHIN_MS);

  const postgres = createPostgres(options, config);
  const temporal = createTemporal(options, config);
  const servers: LocalServers = {
    ...(wanted.includes('postgres') && config.databaseUrl === undefined && { postgres }),
    ...(wanted.includes('temporal') && foreignTemporal === undefined && { temporal }),
  };
  for (const server of Object.values(servers)) await server.prepare();
  signal?.throwIfAborted();
  const { services, leave } = await joinServices({ home, servers, log });
  let left: Promise<void> | undefined;
  const stop = () => {
    left ??= leave();
    return left;
  };
  if (signal?.aborted) {
    await stop();
    throw signal.reason;
  }
  const endpoints = {
    ...(services.temporal && { temporal: ownTemporal(config.temporal.namespace, services.temporal) }),
    ...(foreignTemporal && { temporal: foreignTemporal }),
    ...(services.postgres && { databaseUrl: postgres.urlOf(services.postgres) }),
    ...(config.databaseUrl && { databaseUrl: config.databaseUrl }),
  };
  return { ...endpoints, stop } as RunningServices<S>;
}

function createPostgres({ home, log }: StartServicesOptions<ServiceName>, { tools, ports }: Config) {
  const installation = once(() => preparePostgres(home, log));
  return createPostgresServer({
    home,
    preferredPort: ports.postgres,
    installation,
    env: tools.childEnvironment,
  });
}

function createTemporal(
  { home, log, signal }: StartServicesOptions<ServiceName>,
  { tools, temporal, ports, codecKeys }: Config,
) {
  const binary = once(async () => {
    const { path, source, version } = await ensureTemporalBinary({ tools, log, signal });
    log.info(`Temporal CLI: ${path}, from ${source}`);
    log.debug(version);
    return path;
  });
  return createTemporalServer({
    home,
    namespace: temporal.namespace,
    preferredPort: ports.temporal,
    encrypts: codecKeys.length > 0,
    binary,
    env: tools.childEnvironment,
  });
}

/** Found once and then remembered; a failure is not remembered, since a restart later may go well. */
function once<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => {
    found ??= find().catch((error) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}

function ownTemporal(
  namespace: string,
  { port, uiPort, codecPort }: { port: number; uiPort?: number; codecPort?: number },
): TemporalEndpoint {
  const address = `${LOOPBACK}:${port}`;
  const uiUrl = `http://${LOOPBACK}:${uiPort}`;
  return { address, namespace, uiUrl, started: true, codecPort, connectionOptions: { address } };
}

async function meetForeignTemporal({ temporal }: Config, log: Log): Promise<TemporalEndpoint | undefined> {
  const { address, namespace, connectionOptions } = temporal;
  if (address === undefined) return undefined;
  try {
    await withConnection(connectionOptions, CONNECT_WITHIN_MS, (connection) =>
      prepareForeignNamespace(connection, namespace, log),
    );
  } catch (cause) {
    if (cause instanceof PipelineError) throw cause;
    throw new PipelineError(
      'TEMPORAL_UNREACHABLE',
      `Temporal at ${address}, namespace ${namespace}, cannot be used: ${firstLine(cause)}; correct TEMPORAL_ADDRESS or TEMPORAL_NAMESPACE, or unset it and Strata starts a server of its own`,
      { address },
      { cause },
    );
  }
  const uiUrl = await findUi(address);
  return { address, namespace, uiUrl, started: false, codecPort: undefined, connectionOptions };
}

/** The development server has its pages 1000 ports above; Temporal Cloud at one address for all. */
export async function findUi(address: string): Promise<string | undefined> {
  const { hostname, port } = new URL(`http://${address}`);
  if (hostname.endsWith('.tmprl.cloud') || hostname.endsWith('.api.temporal.io'))
    return 'https://cloud.temporal.io';
  const url = `http://${hostname}:${Number(port || 80) + 1000}`;
  try {
    const answer = await fetch(`${url}/api/v1/settings`, { signal: AbortSignal.timeout(1_000) });
    return answer.ok ? url : undefined;
  } catch {
    return undefined;
  }
}
