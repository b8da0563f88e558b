import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { inspectProcess } from '../set-up/processes.mjs';

const LOG_ROTATION_BYTES = 16 << 20;

interface DaemonOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly cwd: string;
  /** The user to run as, when not this one. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface Daemon {
  readonly pid: number;
  readonly startedAt: string;
  /** Why it ended, once it has. */
  readonly ended: () => string | undefined;
}

/**
 * Starts a server in a process group of its own: Ctrl-C in the terminal must not reach it before its
 * users have finished. It outlives this process; its output goes to the log file.
 *
 * @throws Error when the program cannot be started
 */
export async function startDaemon({
  file,
  args,
  env,
  logFile,
  cwd,
  account,
}: DaemonOptions): Promise<Daemon> {
  const output = openLogFile(logFile);
  let ended: string | undefined;
  try {
    const options = { cwd, env, detached: true, stdio: ['ignore', output, output] as ('ignore' | number)[] };
    const child = spawn(file, args, { ...options, ...account });
    child.once('exit', (code, signal) => {
      ended = signal ?? `exit code ${code}`;
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => resolve(child.pid ?? 0));
    });
    child.unref();
    return { pid, startedAt: inspectProcess(pid)?.startedAt ?? 'ended', ended: () => ended };
  } finally {
    closeSync(output);
  }
}

/** The last lines a server wrote, for an error message; servers write no customer data there. */
export function readLogTail(logFile: string, lines = 8): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n  ');
  } catch {
    return '(no log)';
  }
}

function openLogFile(logFile: string): number {
  mkdirSync(dirname(logFile), { recursive: true });
  const bytes = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > LOG_ROTATION_BYTES) renameSync(logFile, `${logFile}.1`);
  return openSync(logFile, 'a', 0o600);
}
