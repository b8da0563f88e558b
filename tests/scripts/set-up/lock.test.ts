import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from '../../../scripts/set-up/lock.mjs';
import { thisProcess } from '../../../scripts/set-up/processes.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strata-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('twenty at once are let in one at a time, and the lock is gone afterwards', async () => {
  const lock = join(folder, 'nested', 'lock');
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await sleep(1);
    inside--;
  };
  await Promise.all(Array.from({ length: 20 }, () => withLock(lock, work)));
  expect(most).toBe(1);
  expect(existsSync(lock)).toBe(false);
});

test('the lock of a dead process is taken over, also when its pid has a new holder', async () => {
  const lock = join(folder, 'lock');
  writeFileSync(lock, JSON.stringify({ pid: process.pid, startedAt: 'before the reboot', token: 'old' }));
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await sleep(1);
    inside--;
  };
  await Promise.all(Array.from({ length: 10 }, () => withLock(lock, work)));
  expect(most).toBe(1);
});

test('who has to wait is told once for whom', async () => {
  const lock = join(folder, 'lock');
  const waits: number[] = [];
  const onWait = ({ pid }: { pid: number }) => waits.push(pid);
  await Promise.all([withLock(lock, () => sleep(300)), withLock(lock, async () => {}, { onWait })]);
  expect(waits).toEqual([thisProcess().pid]);
});

test('work that fails gives the lock back', async () => {
  const lock = join(folder, 'lock');
  await expect(withLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(withLock(lock, async () => 'free')).resolves.toBe('free');
});
