import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Environment } from '../temporal.config.ts';
import { PROJECT_FOLDER } from './config.ts';
import type { RunningServices } from './services/index.ts';

export interface WorkerProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Asks it to leave and waits. */
  stop(): Promise<void>;
  /** As a machine that loses power. */
  kill(): Promise<void>;
}

/** `npm run worker` as a process of its own, polling when this returns. */
export async function startWorkerProcess(options: {
  home: string;
  services: RunningServices<'postgres' | 'temporal'>;
  /** The environment it inherits, such as this process's own. */
  env: Environment;
  threads?: number;
}): Promise<WorkerProcess> {
  const { home, services, threads, env } = options;
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/worker.ts'], {
    cwd: PROJECT_FOLDER,
    stdio: ['ignore', 'inherit', 'pipe'],
    env: {
      ...env,
      STRATA_HOME: home,
      STRATA_DATABASE_URL: services.databaseUrl,
      TEMPORAL_ADDRESS: services.temporal.address,
      ...(threads && { STRATA_THREADS: String(threads) }),
    },
  });
  await untilPolling(child);
  const gone = once(child, 'exit');
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await gone;
    }
  };
  return { pid: child.pid!, child, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

/** Its words are kept until it polls, and shown when it never does. */
function untilPolling(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('Polling')) resolve();
    });
    child.once('exit', (code) =>
      reject(new Error(`the worker ended with ${code} before it polled:\n${said}`)),
    );
  });
}
