import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, thisProcess } from './processes.mjs';

/** @typedef {{ pid: number, startedAt: string, token: string }} LockHolder */

/**
 * Runs `work` while no other process holds the lock file. A lock left behind by a process that died is
 * taken over.
 *
 * @template T
 * @param {string} file the lock; its folder is made when missing
 * @param {() => Promise<T>} work
 * @param {{ onWait?: (holder: LockHolder) => void }} [options] `onWait` is called once, with who holds it
 * @returns {Promise<T>}
 */
export async function withLock(file, work, { onWait } = {}) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = { ...thisProcess(), token: randomUUID() };
  let waited = false;
  while (!tryLock(file, mine)) {
    const holder = readHolder(file);
    if (holder !== undefined && !isAlive(holder)) breakLock(file, holder);
    if (holder !== undefined && isAlive(holder) && !waited) {
      waited = true;
      onWait?.(holder);
    }
    await sleep(50 + Math.random() * 50);
  }
  try {
    return await work();
  } finally {
    if (readHolder(file)?.token === mine.token) rmSync(file, { force: true });
  }
}

/**
 * A hard link appears with its content, or not at all: no reader ever sees a lock without a holder.
 *
 * @param {string} file
 * @param {LockHolder} mine
 */
function tryLock(file, mine) {
  const draft = `${file}.${mine.token}`;
  writeFileSync(draft, JSON.stringify(mine));
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Two processes may both find the lock dead. Without the second lock the slower one would remove the
 * lock the faster one has just taken.
 *
 * @param {string} file
 * @param {LockHolder} dead
 */
function breakLock(file, dead) {
  const breaking = `${file}.breaking`;
  try {
    writeFileSync(breaking, '', { flag: 'wx' });
  } catch {
    // Held for microseconds; older than this, its holder died inside them.
    const ageMs = Date.now() - (statSync(breaking, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (ageMs > 10_000) rmSync(breaking, { force: true });
    return;
  }
  try {
    if (readHolder(file)?.token === dead.token) rmSync(file, { force: true });
  } finally {
    rmSync(breaking, { force: true });
  }
}

/**
 * @param {string} file
 * @returns {LockHolder | undefined}
 */
function readHolder(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
