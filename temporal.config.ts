/**
 * How Strata meets Temporal: connection and namespace from the environment. Queues, time-outs and retry
 * policies are written in pipelines/contracts/policies.ts, since workflows need them too and may not
 * import a file that reads the environment.
 */
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { PipelineError } from './pipelines/contracts/errors.ts';

export {
  COMPUTE,
  IO,
  RETENTION_DAYS,
  SEARCH_ATTRIBUTES,
  TASK_QUEUES,
  WAIT,
} from './pipelines/contracts/policies.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface TemporalConfig {
  /** `host:port` of the server to use; undefined: Strata starts one of its own. */
  readonly address: string | undefined;
  readonly namespace: string;
  /** For `Connection.connect` and `NativeConnection.connect`; holds credentials, so it is never logged. */
  readonly connectionOptions: Readonly<ClientConnectConfig['connectionOptions']>;
}

const BOOLEANS = ['TEMPORAL_TLS', 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION'];
/** Any of these says that a server is configured; only then is Temporal's config file read at all. */
const NAMES_A_SERVER = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'];

/**
 * Reads the TEMPORAL_* variables with Temporal's own rules, but booleans are the words `true` and `false`.
 *
 * @throws PipelineError CONFIG_INVALID naming every bad variable
 */
export function readTemporalConfig(env: Environment = process.env): TemporalConfig {
  const problems: string[] = [];
  const config = parseTemporalConfig(env, problems);
  refuseProblems(problems);
  return config;
}

/** As `readTemporalConfig`, but adds to a list of problems, for one error over a larger configuration. */
export function parseTemporalConfig(env: Environment, problems: string[]): TemporalConfig {
  const given = withoutEmpty(env);
  for (const name of BOOLEANS) {
    const word = given[name];
    if (word !== undefined && word !== 'true' && word !== 'false') {
      problems.push(`${name} must be true or false, found "${word}"`);
    }
  }
  const address = given.TEMPORAL_ADDRESS;
  if (address !== undefined && !isHostAndPort(address)) {
    problems.push(`TEMPORAL_ADDRESS must be host:port, such as 127.0.0.1:7233, found "${address}"`);
  }
  const { connectionOptions, namespace = 'default' } = loadOrReport(given, problems);
  return Object.freeze({
    address: connectionOptions.address,
    namespace,
    connectionOptions: Object.freeze(connectionOptions),
  });
}

/** @throws PipelineError CONFIG_INVALID when there is any problem; all of them in one message. */
export function refuseProblems(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const count =
    problems.length === 1 ? 'an environment variable is' : `${problems.length} environment variables are`;
  throw new PipelineError('CONFIG_INVALID', `${count} not usable: ${problems.join('; ')}`, {
    problems: problems.length,
  });
}

/** An empty variable means "not set": CI systems cannot unset what they pass on. */
export function withoutEmpty(env: Environment): Record<string, string> {
  const given = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return Object.fromEntries(given);
}

/** A developer's temporal.toml may point at production: without being asked for it is not read. */
function loadOrReport(given: Record<string, string>, problems: string[]): ClientConnectConfig {
  const disableFile = !NAMES_A_SERVER.some((name) => given[name] !== undefined);
  try {
    return loadClientConnectConfig({ disableFile, overrideEnvVars: given });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.push(
      `TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE or a TEMPORAL_TLS_*_PATH cannot be read: ${reason}`,
    );
    return { connectionOptions: {} };
  }
}

function isHostAndPort(address: string): boolean {
  const port = Number(/^[^\s/]+:(\d{1,5})$/.exec(address)?.[1]);
  return port >= 1 && port <= 65_535;
}
