import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openScratch } from '../../scripts/scratch.ts';

const UUID = '00000000-0000-4000-8000-000000000000';
/** Above what Linux gives to a process. */
const GONE = 2 ** 22 + 1;
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'strata-scratch-'));
});
afterEach(() => rm(root, { recursive: true }));

async function left(name: string, { daysAgo = 0 } = {}): Promise<void> {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'query.csv'), 'customer\n1\n');
  const time = new Date(Date.now() - daysAgo * 24 * 3600 * 1000);
  await utimes(folder, time, time);
}

test('what a killed process left is gone when the next one starts', async () => {
  await left(`${GONE}-${UUID}@${hostname()}/postgres-a`);
  await left(`${process.pid}-${UUID}@${hostname()}/staged-a`);
  const { folder } = await openScratch(root);
  expect((await readdir(root)).map((name) => join(root, name))).toEqual([folder]);
});

test('what a living process has stays, whatever its age, and so does what this one opened before', async () => {
  const name = `${process.ppid}-${UUID}@${hostname()}`;
  await left(`${name}/staged-a`, { daysAgo: 2 });
  const first = await openScratch(root);
  await writeFile(join(first.folder, 'a'), '');
  await openScratch(root);
  expect(await readdir(join(root, name))).toEqual(['staged-a']);
  expect(await readdir(first.folder)).toEqual(['a']);
});

test('of another machine, and without an owner, only what is older than a day goes', async () => {
  const name = `${GONE}-${UUID}@another.example`;
  await left(`${name}/staged-old`, { daysAgo: 2 });
  await left(`${name}/staged-young`);
  await left('postgres-old', { daysAgo: 2 });
  await left('postgres-young');
  await openScratch(root);
  expect(await readdir(join(root, name))).toEqual(['staged-young']);
  expect((await readdir(root)).filter((entry) => entry.startsWith('postgres'))).toEqual(['postgres-young']);
});

test('a process that ends takes its own away', async () => {
  const scratch = await openScratch(root);
  await scratch.remove();
  expect(await readdir(root)).toEqual([]);
});
