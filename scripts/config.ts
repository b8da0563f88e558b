import { isIP } from 'node:net';
import { availableParallelism as coreCount, homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addressOf, type S3Place } from '../store/artifacts/s3-place.ts';
import {
  type Environment,
  parseTemporalConfig,
  refuseProblems,
  type TemporalConfig,
  withoutEmpty,
} from '../temporal.config.ts';
import { type CodecKey, parseCodecKeys } from './codec/keys.ts';
import { LINEAGE_VARIABLES, type LineageSettings, parseLineageSettings } from './lineage-settings.ts';
import type { LogFormat, LogLevel } from './log.ts';
import { AWS_VARIABLES, parseS3 } from './s3-settings.ts';
import { parseTraceSettings, TRACE_VARIABLES, type TraceSettings } from './traces/settings.ts';

/** The checkout this file is in. */
export const PROJECT_FOLDER = dirname(dirname(fileURLToPath(import.meta.url)));

export interface Config {
  /** Where the person typed the command: npm runs scripts in the project's folder, paths are meant from here. */
  readonly invokedFrom: string;
  /** State of the services Strata starts, and by default the artifacts; absolute. */
  readonly home: string;
  /** A PostgreSQL to use; undefined: Strata starts one. Holds a password, so it is never logged. */
  readonly databaseUrl: string | undefined;
  /** An absolute folder, or `s3://bucket/prefix`. */
  readonly artifacts: string;
  /** Where the artifacts are in a bucket: how one gets there; null: in a folder. Holds a key, so it is never logged. */
  readonly s3: S3Place | null;
  /** Folder of one's own pipeline definitions, searched before those of the checkout; absolute. */
  readonly definitions: string;
  /** Threads of the kernels, 1 to the number of cores. */
  readonly threads: number;
  readonly logLevel: LogLevel;
  /** `text` for people, `json` for what collects logs: one object a line. Of the worker and `npm start`. */
  readonly logFormat: LogFormat;
  /** Where the worker tells its metrics and whether it is well; port null: nowhere. */
  readonly metrics: { readonly port: number | null; readonly host: string };
  /** Where OpenTelemetry traces are sent, by OTEL_*; null: nowhere, and nothing of them is loaded. */
  readonly traces: TraceSettings | null;
  /** Where OpenLineage events are sent, by OPENLINEAGE_*; null: nowhere, and none are made. */
  readonly lineage: LineageSettings | null;
  /** Of which deployment a worker here is, by Temporal's Worker Deployments; undefined: workers have no version. */
  readonly deployment: string | undefined;
  /** Which version the code here is; undefined: its commit. */
  readonly buildId: string | undefined;
  /** So long may activities go on when a worker is told to stop, before they are cancelled and begun anew elsewhere. */
  readonly shutdownSeconds: number;
  /** How often the watch that `schedules apply` makes looks for missed runs. */
  readonly watchMinutes: number;
  /** First ports to try for servers of our own; Temporal's pages are 1000 above. */
  readonly ports: { readonly temporal: number; readonly postgres: number };
  readonly temporal: TemporalConfig;
  /** Of STRATA_CODEC_KEYS or STRATA_CODEC_KEYS_FILE: the first encrypts payloads, all decrypt; none: nothing is encrypted. */
  readonly codecKeys: readonly CodecKey[];
  readonly tools: ToolPaths;
  /** What is set and not heeded, in words for the log. */
  readonly warnings: readonly string[];
}

/** Where programs may be found or kept. */
export interface ToolPaths {
  readonly temporalCliPath: string | undefined;
  /** The folders of PATH, in order. */
  readonly pathFolders: readonly string[];
  /** Where `go install` puts programs, in Go's own order. */
  readonly goBinFolders: readonly string[];
  /** Programs Strata brought; outside the checkout, so that a fresh clone finds them. */
  readonly cacheFolder: string;
  /**
   * The environment for programs we start: ours without TEMPORAL_*, which would steer Temporal's CLI, without keys and
   * what carries them, and without what a hook of git says of its own repository.
   */
  readonly childEnvironment: Readonly<Record<string, string>>;
  /** The value of a variable that a definition names, or undefined; it may be a secret, so it is never logged. */
  readonly secret: (name: string) => string | undefined;
}

/** Below are those that only root may open; above is no room for Temporal's pages and for neighbours. */
const FIRST_PORT = 1_024;
const LAST_PORT = 64_000;

/** A day at most: a missed run is news. */
const WATCH_MINUTES = { otherwise: 15, most: 1440 };

const LOG_FORMATS = ['text', 'json'] as const satisfies readonly LogFormat[];
/** Temporal writes a version as NAME:BUILD or NAME.BUILD. */
export const DEPLOYMENT_NAME = { pattern: /^[a-z0-9][\w-]{0,62}$/i, words: 'letters, digits, _ and -' };
const BUILD_ID = { pattern: /^[a-z0-9][\w.+-]{0,99}$/i, words: 'letters, digits, _, ., + and -' };

/** Beyond an hour it is no longer a stop. */
const SHUTDOWN_SECONDS = { otherwise: 1, most: 3600 };

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

/**
 * Reads the whole environment, once; the result is frozen.
 *
 * @throws PipelineError CONFIG_INVALID naming every bad variable, those of Temporal too
 */
export function readConfig(env: Environment = process.env): Config {
  const given = withoutEmpty(env);
  const problems: string[] = [];
  const warnings: string[] = [];
  const invokedFrom = given.INIT_CWD ?? process.cwd();
  const home = resolve(invokedFrom, given.STRATA_HOME ?? join(PROJECT_FOLDER, '.strata'));
  const config = Object.freeze({
    invokedFrom,
    home,
    databaseUrl: parseDatabaseUrl(given.STRATA_DATABASE_URL, problems),
    ...parseArtifacts(given, { home, invokedFrom, problems }),
    definitions: resolve(
      invokedFrom,
      given.STRATA_DEFINITIONS ?? join(PROJECT_FOLDER, 'pipelines/definitions'),
    ),
    threads: parseThreads(given.STRATA_THREADS, problems),
    logLevel: parseLogLevel(given.STRATA_LOG_LEVEL, problems),
    logFormat: parseLogFormat(given.STRATA_LOG_FORMAT, problems),
    metrics: Object.freeze({
      port: parsePort('STRATA_METRICS_PORT', given, { otherwise: null, problems }),
      host: parseHost('STRATA_METRICS_HOST', given, { otherwise: '127.0.0.1', problems }),
    }),
    traces: parseTraceSettings(given, { problems, warnings }),
    lineage: parseLineageSettings(given, problems),
    deployment: parseName('STRATA_DEPLOYMENT', given, { shape: DEPLOYMENT_NAME, problems }),
    buildId: parseName('STRATA_BUILD_ID', given, { shape: BUILD_ID, problems }),
    shutdownSeconds: parseWhole('STRATA_SHUTDOWN_SECONDS', given, { range: SHUTDOWN_SECONDS, problems }),
    watchMinutes: parseWhole('STRATA_WATCH_MINUTES', given, { range: WATCH_MINUTES, problems }),
    ports: Object.freeze({
      temporal: parsePort('STRATA_TEMPORAL_PORT', given, { otherwise: 7233, problems }),
      postgres: parsePort('STRATA_POSTGRES_PORT', given, { otherwise: 54_329, problems }),
    }),
    temporal: parseTemporalConfig(env, problems),
    codecKeys: parseCodecKeys(given, { invokedFrom, problems }),
    tools: readToolPaths(given),
    warnings,
  });
  refuseProblems(problems);
  return config;
}

/** All that are read here. */
export const VARIABLES_READ: readonly string[] = [
  'STRATA_HOME',
  'STRATA_DATABASE_URL',
  'STRATA_ARTIFACTS',
  'STRATA_DEFINITIONS',
  'STRATA_THREADS',
  'STRATA_LOG_LEVEL',
  'STRATA_LOG_FORMAT',
  'STRATA_TEMPORAL_PORT',
  'STRATA_POSTGRES_PORT',
  'STRATA_CODEC_KEYS',
  'STRATA_CODEC_KEYS_FILE',
  'STRATA_WATCH_MINUTES',
  'STRATA_METRICS_PORT',
  'STRATA_METRICS_HOST',
  'STRATA_DEPLOYMENT',
  'STRATA_BUILD_ID',
  'STRATA_SHUTDOWN_SECONDS',
  ...AWS_VARIABLES,
  ...TRACE_VARIABLES,
  ...LINEAGE_VARIABLES,
];

const OF_OTHERS = [...TRACE_VARIABLES, ...LINEAGE_VARIABLES];

/** Names of the variables that are meant for Strata and Temporal and are set; never their values. */
export function variablesSet(env: Environment = process.env): string[] {
  return Object.keys(withoutEmpty(env))
    .filter((name) => /^(STRATA|TEMPORAL)_/.test(name) || OF_OTHERS.includes(name))
    .sort();
}

/**
 * Of options, those that npm took for its own: it leaves them in the environment, without their values.
 *
 * @param options names without dashes in front
 */
export function keptByNpm(options: readonly string[], env: Environment = process.env): string[] {
  return options.filter((name) => Boolean(env[`npm_config_${name.replaceAll('-', '_')}`]));
}

/** The value never appears in the problem: it holds a password. */
function parseDatabaseUrl(text: string | undefined, problems: string[]): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPostgres = url?.protocol === 'postgres:' || url?.protocol === 'postgresql:';
  if (!isPostgres || url.pathname.length < 2) {
    problems.push('STRATA_DATABASE_URL must look like postgres://user:password@host:5432/database');
  }
  return text;
}

function parseArtifacts(
  given: Record<string, string>,
  { home, invokedFrom, problems }: { home: string; invokedFrom: string; problems: string[] },
): Pick<Config, 'artifacts' | 's3'> {
  const text = given.STRATA_ARTIFACTS ?? join(home, 'artifacts');
  // What follows the scheme may hold a password.
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 's3') {
    const s3 = parseS3(text, given, problems);
    return { artifacts: addressOf(s3), s3 };
  }
  if (scheme !== undefined)
    problems.push(`STRATA_ARTIFACTS must be a folder or s3://bucket/prefix, found ${scheme}://…`);
  return { artifacts: resolve(invokedFrom, text), s3: null };
}

function parseThreads(text: string | undefined, problems: string[]): number {
  const cores = coreCount();
  if (text === undefined) return cores;
  const threads = /^\d+$/.test(text) ? Number(text) : 0;
  if (threads < 1 || threads > cores) {
    problems.push(
      `STRATA_THREADS must be a whole number from 1 to ${cores}, the cores here, found "${text}"`,
    );
  }
  return threads;
}

function parsePort<Otherwise extends number | null>(
  name: 'STRATA_TEMPORAL_PORT' | 'STRATA_POSTGRES_PORT' | 'STRATA_METRICS_PORT',
  given: Record<string, string>,
  { otherwise, problems }: { otherwise: Otherwise; problems: string[] },
): number | Otherwise {
  const text = given[name];
  const port = /^\d+$/.test(text ?? '') ? Number(text) : 0;
  if (text === undefined) return otherwise;
  if (port < FIRST_PORT || port > LAST_PORT)
    problems.push(`${name} must be a port from ${FIRST_PORT} to ${LAST_PORT}, found "${text}"`);
  return port;
}

function parseHost(
  name: 'STRATA_METRICS_HOST',
  given: Record<string, string>,
  { otherwise, problems }: { otherwise: string; problems: string[] },
): string {
  const host = given[name] ?? otherwise;
  if (isIP(host) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host))
    problems.push(`${name} must be an address or name to listen on, such as 0.0.0.0, found "${host}"`);
  return host;
}

function parseLogLevel(text: string | undefined, problems: string[]): LogLevel {
  const level = LOG_LEVELS.find((known) => known === (text ?? 'info'));
  if (level === undefined)
    problems.push(`STRATA_LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}, found "${text}"`);
  return level ?? 'info';
}

function parseLogFormat(text: string | undefined, problems: string[]): LogFormat {
  const format = LOG_FORMATS.find((known) => known === (text ?? 'text'));
  if (format === undefined)
    problems.push(`STRATA_LOG_FORMAT must be one of ${LOG_FORMATS.join(', ')}, found "${text}"`);
  return format ?? 'text';
}

/** @param range.otherwise where nothing is given */
function parseWhole(
  name: 'STRATA_WATCH_MINUTES' | 'STRATA_SHUTDOWN_SECONDS',
  given: Record<string, string>,
  { range, problems }: { range: { otherwise: number; most: number }; problems: string[] },
): number {
  const text = given[name];
  if (text === undefined) return range.otherwise;
  const found = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (found < 1 || found > range.most)
    problems.push(`${name} must be a whole number from 1 to ${range.most}, found "${text}"`);
  return found;
}

function parseName(
  name: 'STRATA_DEPLOYMENT' | 'STRATA_BUILD_ID',
  given: Record<string, string>,
  { shape, problems }: { shape: { pattern: RegExp; words: string }; problems: string[] },
): string | undefined {
  const text = given[name];
  if (text !== undefined && !shape.pattern.test(text))
    problems.push(`${name} must be a name of ${shape.words}, found "${text}"`);
  return text;
}

const NOT_FOR_CHILDREN =
  /^(TEMPORAL_|STRATA_CODEC_KEYS|AWS_(ACCESS|SECRET|SESSION)|OTEL_EXPORTER_OTLP_(\w+_)?HEADERS$|OPENLINEAGE_(API_KEY|URL)$|GIT_(DIR|WORK_TREE|INDEX_FILE)$)/;

function readToolPaths(given: Record<string, string>): ToolPaths {
  const split = (list: string | undefined) => (list ?? '').split(delimiter).filter(Boolean);
  const userHome = given.HOME ?? homedir();
  const goPaths = [...split(given.GOPATH), join(userHome, 'go')];
  const caches = process.platform === 'darwin' ? join(userHome, 'Library/Caches') : join(userHome, '.cache');
  const isForChild = ([name]: [string, string]) => !NOT_FOR_CHILDREN.test(name);
  return Object.freeze({
    temporalCliPath: given.TEMPORAL_CLI_PATH,
    pathFolders: Object.freeze(split(given.PATH)),
    goBinFolders: Object.freeze([...split(given.GOBIN), ...goPaths.map((folder) => join(folder, 'bin'))]),
    cacheFolder: join(given.XDG_CACHE_HOME ?? caches, 'strata'),
    childEnvironment: Object.freeze(
      Object.fromEntries(Object.entries({ HOME: userHome, ...given }).filter(isForChild)),
    ),
    // Keys to Temporal and to payloads are no definition's to name.
    secret: (name: string) => (/^(TEMPORAL_|STRATA_CODEC_KEYS)/.test(name) ? undefined : given[name]),
  });
}
