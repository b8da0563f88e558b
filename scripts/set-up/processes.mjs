import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Which process a pid stands for. Pids are given out again, so a pid read from a file proves nothing
 * until its start and its command are those that were written down.
 *
 * @typedef {object} ProcessInfo
 * @property {number} pid
 * @property {string} startedAt opaque; equal for one process, different for the next holder of its pid
 * @property {string} command command line, arguments separated by one space
 */

const onLinux = process.platform === 'linux';

/**
 * The process behind a pid, or undefined when there is none; a zombie counts as none.
 *
 * @param {number} pid
 * @returns {ProcessInfo | undefined}
 */
export function inspectProcess(pid) {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return onLinux ? inspectByProcFs(pid) : inspectByPs(['-p', String(pid)])[0];
}

/**
 * All processes whose command line holds the text; used with a path that only ours would name.
 *
 * @param {string} text
 * @returns {ProcessInfo[]}
 */
export function findProcesses(text) {
  const all = onLinux
    ? readdirSync('/proc').map((entry) => inspectProcess(Number(entry)))
    : inspectByPs(['-ax']);
  return all.flatMap((info) =>
    info !== undefined && info.pid !== process.pid && info.command.includes(text) ? [info] : [],
  );
}

/**
 * Whether the process that was written down still lives.
 *
 * @param {{ pid: number, startedAt: string }} written
 */
export function isAlive({ pid, startedAt }) {
  return inspectProcess(pid)?.startedAt === startedAt;
}

/** This process, to be written down. */
export function thisProcess() {
  const info = inspectProcess(process.pid);
  if (info === undefined)
    throw new Error(`process ${process.pid} cannot read its own entry in the process table`);
  return { pid: info.pid, startedAt: info.startedAt };
}

/**
 * Sends one signal after the other until the process is gone.
 *
 * @param {{ pid: number, startedAt: string }} target
 * @param {{ signal: NodeJS.Signals, waitMs: number }[]} escalation
 * @returns {Promise<boolean>} whether it is gone
 */
export async function endProcess(target, escalation) {
  for (const { signal, waitMs } of escalation) {
    if (!isAlive(target)) return true;
    sendSignal(target.pid, signal);
    for (let waitedMs = 0; waitedMs < waitMs; waitedMs += 25) {
      if (!isAlive(target)) return true;
      await sleep(25);
    }
  }
  return !isAlive(target);
}

/**
 * Sends a signal; a process that is gone already is no error.
 *
 * @param {number} pid negative: the process group
 * @param {NodeJS.Signals} signal
 */
export function sendSignal(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/**
 * Slim images have no `ps`, so Linux is read from /proc. The start is in ticks since boot: the boot's id
 * keeps a pid of before a restart from matching.
 *
 * @param {number} pid
 * @returns {ProcessInfo | undefined}
 */
function inspectByProcFs(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name stands in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, startedAt: `${bootId()}:${fields[19]}`, command };
  } catch {
    return undefined;
  }
}

/** @type {string | undefined} */
let knownBootId;
function bootId() {
  try {
    knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Some sandboxes hide it; ticks since boot are then all there is.
    knownBootId = 'unknown';
  }
  return knownBootId;
}

/**
 * @param {string[]} selection arguments of ps that choose the processes
 * @returns {ProcessInfo[]}
 */
function inspectByPs(selection) {
  let table;
  try {
    const columns = ['-ww', '-o', 'pid=,stat=,lstart=,command='];
    table = execFileSync('/bin/ps', [...selection, ...columns], {
      encoding: 'utf8',
      env: { LC_ALL: 'C' },
      maxBuffer: 64 << 20,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return [];
  }
  // lstart is five words, such as "Mon Jan  5 10:00:00 2026".
  const row = /^\s*(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/;
  return table.split('\n').flatMap((line) => {
    const [, pid, state, startedAt, command] = row.exec(line) ?? [];
    if (pid === undefined || state.startsWith('Z')) return [];
    return [{ pid: Number(pid), startedAt: startedAt.replace(/\s+/g, ' '), command }];
  });
}
