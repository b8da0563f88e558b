import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { endProcess, findProcesses, inspectProcess } from '../set-up/processes.mjs';
import { type Daemon, readLogTail, startDaemon } from './daemon.ts';
import { choosePort, isListening, isPortFree, LOOPBACK } from './ports.ts';
import type { LocalServer, ServiceRecord } from './state.ts';
import { prepareOwnNamespace, withConnection } from './temporal-namespace.ts';

/** Where Temporal itself puts its pages. */
const UI_ABOVE = 1_000;
/** And where its pages find Strata's codec server. */
const CODEC_ABOVE = 2_000;
const HEALTHY_WITHIN_MS = 30_000;
/** Two Stratas starting at once may choose the same free port; the slower one tries again. */
const PORT_ATTEMPTS = 5;
const END_TEMPORAL = [
  { signal: 'SIGTERM', waitMs: 10_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
] as const;

interface TemporalServerOptions {
  readonly home: string;
  readonly namespace: string;
  /** Taken when it is free, else one near it. */
  readonly preferredPort: number;
  /** Whether payloads are encrypted: its pages are told where they are read. */
  readonly encrypts: boolean;
  /** Finds or brings the CLI; asked for only when a server must be started. */
  readonly binary: () => Promise<string>;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Temporal's development server as a process of our own: the SDK's `createLocal` attaches to whatever
 * listens on a fixed port, hides the pid and ends the server with this process.
 */
export function createTemporalServer(options: TemporalServerOptions): LocalServer {
  const { home, namespace, preferredPort, encrypts, binary, env } = options;
  const databaseFile = join(home, 'temporal', 'temporal.db');
  const logFile = join(home, 'logs', 'temporal.log');

  const findOurs = () =>
    findProcesses(databaseFile).filter(({ command }) => command.includes('server start-dev'));

  /** The server that an earlier start left running, when it is ours by pid, command line and answer. */
  async function adopt(record: ServiceRecord | undefined): Promise<ServiceRecord | undefined> {
    const ours = findOurs();
    const known = ours.find(
      ({ pid, startedAt, command }) =>
        pid === record?.pid && startedAt === record.startedAt && command.includes(`--port ${record.port} `),
    );
    if (record !== undefined && known !== undefined && (await answers(record.port))) return record;
    // One of ours that is not in the record holds the database file; it would stand in the way.
    for (const stray of ours) await endProcess(stray, [...END_TEMPORAL]);
    return undefined;
  }

  /** Starts on the given ports (a restart must come back where its clients wait) or on free ones. */
  async function start(fixed?: Pick<ServiceRecord, 'port' | 'uiPort' | 'codecPort'>): Promise<ServiceRecord> {
    mkdirSync(join(home, 'temporal'), { recursive: true });
    const program = await binary();
    const refused = new Set<number>();
    for (let attempt = 1; ; attempt++) {
      const port = fixed?.port ?? (await choosePort(preferredPort, refused));
      const uiPort =
        fixed?.uiPort ?? (await choosePort(preferredPort + UI_ABOVE, new Set([...refused, port])));
      const codecPort =
        fixed === undefined && encrypts
          ? await choosePort(preferredPort + CODEC_ABOVE, new Set([...refused, port, uiPort]))
          : fixed?.codecPort;
      const ports = { port, uiPort, ...(codecPort !== undefined && { codecPort }) };
      const daemon = await startOn(program, ports);
      const problem = await healthProblem(daemon, port);
      if (problem === undefined) return { pid: daemon.pid, startedAt: daemon.startedAt, ...ports };
      await endProcess(daemon, [...END_TEMPORAL]);
      const wasPortTaken = !(await isPortFree(port)) || !(await isPortFree(uiPort));
      if (!wasPortTaken || fixed !== undefined || attempt === PORT_ATTEMPTS) throw notHealthy(problem);
      refused.add(port).add(uiPort);
    }
  }

  function startOn(
    program: string,
    { port, uiPort, codecPort }: { port: number; uiPort: number; codecPort?: number },
  ): Promise<Daemon> {
    const address = ['--ip', LOOPBACK, '--port', `${port}`, '--ui-port', `${uiPort}`];
    const codec = codecPort === undefined ? [] : ['--ui-codec-endpoint', `http://${LOOPBACK}:${codecPort}`];
    const names = namespace === 'default' ? [] : ['--namespace', namespace];
    const args = [
      'server',
      'start-dev',
      ...address,
      ...names,
      ...codec,
      '--db-filename',
      databaseFile,
      '--log-level',
      'error',
    ];
    return startDaemon({ file: program, args, env, logFile, cwd: home });
  }

  /** Undefined once it serves and its namespace is ready. The process is looked at before and after the answer: a stranger on the port answers too. */
  async function healthProblem(daemon: Daemon, port: number): Promise<string | undefined> {
    const deadline = performance.now() + HEALTHY_WITHIN_MS;
    let problem = 'it did not answer';
    while (performance.now() < deadline) {
      await sleep(25);
      const ended = daemon.ended();
      if (ended !== undefined) return `it ended with ${ended}`;
      // A gRPC channel that was refused once waits a second before it tries again.
      if (!(await isListening(port))) continue;
      try {
        await withConnection({ address: `${LOOPBACK}:${port}` }, 1_000, (connection) =>
          prepareOwnNamespace(connection, namespace),
        );
        if (daemon.ended() === undefined && inspectProcess(daemon.pid)?.startedAt === daemon.startedAt)
          return undefined;
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
      }
    }
    return problem;
  }

  const notHealthy = (problem: string) =>
    new PipelineError(
      'TEMPORAL_UNREACHABLE',
      `the Temporal server Strata started is of no use: ${problem}. The end of ${logFile}:\n  ${readLogTail(logFile)}`,
    );

  async function answers(port: number): Promise<boolean> {
    try {
      await withConnection({ address: `${LOOPBACK}:${port}` }, 3_000, (connection) =>
        prepareOwnNamespace(connection, namespace),
      );
      return true;
    } catch {
      return false;
    }
  }

  return {
    name: 'Temporal',
    prepare: async () => {
      await binary();
    },
    adopt,
    start,
    stop: (record) => endProcess(record, [...END_TEMPORAL]),
  };
}
