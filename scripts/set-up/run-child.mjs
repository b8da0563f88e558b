import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { sendSignal } from './processes.mjs';

/** Ctrl-C reaches this process twice, from the terminal and from npm; the child must see it once. */
const SAME_KEY_PRESS_MS = 500;
const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** Preloaded into our long-running programs: they end in order when this process is gone, however it went. */
export const LIFELINE = new URL('./lifeline.mjs', import.meta.url).href;

/**
 * Runs Node with arguments, in a process group of its own, and hands signals on exactly once.
 *
 * @param {string[]} args
 * @param {{ cwd: string, isGroupSignalled: boolean }} options `isGroupSignalled`: the child's own children
 *   get the signal too (tools); false when the child ends its children itself, in order
 * @returns {Promise<number>} the child's exit code; 128 + n when signal n ended it
 */
export function runChild(args, { cwd, isGroupSignalled }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      detached: true,
    });
    const lastSentAt = new Map();
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      const now = performance.now();
      if (child.pid === undefined || now - (lastSentAt.get(signal) ?? -Infinity) < SAME_KEY_PRESS_MS) return;
      lastSentAt.set(signal, now);
      sendSignal(isGroupSignalled ? -child.pid : child.pid, signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    const stopForwarding = () => {
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    child.on('error', (error) => {
      stopForwarding();
      reject(error);
    });
    child.on('exit', (code, signal) => {
      stopForwarding();
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']);
    });
  });
}
