import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLocalCopies, type LocalCopies } from '../../../store/artifacts/local-copies.ts';

const BYTES = 1_000;

let folder: string;
let fetched: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-copies-'));
  fetched = [];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const pathIn = (copies: LocalCopies, uri: string, bytes = BYTES) =>
  copies.path(uri, bytes, async (file) => {
    fetched.push(uri);
    await writeFile(file, Buffer.alloc(bytes));
  });
const filesLeft = async () => (await readdir(folder)).filter((name) => name !== '.incoming').length;

test('a copy that is told while others make room stays', async () => {
  const measured: (() => void)[] = [];
  const freeBytes = async () => {
    for (const tell of measured) tell();
    return Number.MAX_SAFE_INTEGER;
  };
  const copies = createLocalCopies(folder, { limitBytes: 3 * BYTES, freeBytes });
  for (const uri of ['a', 'b', 'c']) await copies.during(() => pathIn(copies, uri));
  await copies.during(async () => {
    const isMeasured = new Promise<void>((resolve) => measured.push(resolve));
    // It needs the room of the oldest two, which are removed one after the other.
    const coming = pathIn(copies, 'large', 2 * BYTES);
    await isMeasured;
    // The first removal is under way; nothing of the disk has answered yet.
    for (let turn = 0; turn < 20; turn++) await null;
    const told = await pathIn(copies, 'b');
    await coming;
    expect(existsSync(told)).toBe(true);
  });
  expect(fetched).toEqual(['a', 'b', 'c', 'large']);
});

test('copies leave half of the disk to others', async () => {
  let free = 10 * BYTES;
  const copies = createLocalCopies(folder, { limitBytes: 100 * BYTES, freeBytes: async () => free });
  for (const uri of ['a', 'b', 'c']) {
    await copies.during(() => pathIn(copies, uri));
    free -= BYTES;
  }
  expect(await filesLeft()).toBe(3);
  free = BYTES;
  await copies.during(() => pathIn(copies, 'd'));
  expect(await filesLeft()).toBe(2);
});

test('a copy that nobody uses any more goes by itself after a while, and one in use does not', async () => {
  const copies = createLocalCopies(folder, { limitBytes: 10 * BYTES, idleMs: 50 });
  await copies.during(async () => {
    await copies.during(() => pathIn(copies, 'a'));
    const told = await pathIn(copies, 'b');
    await expect.poll(filesLeft, { timeout: 5_000 }).toBe(1);
    // Longer than an idle one stays.
    await sleep(200);
    expect(existsSync(told)).toBe(true);
    expect(await filesLeft()).toBe(1);
  });
  await expect.poll(filesLeft, { timeout: 5_000 }).toBe(0);
});

test('a copy that is forgotten while it is used goes when it is let go', async () => {
  const copies = createLocalCopies(folder, { limitBytes: 10 * BYTES });
  await copies.during(async () => {
    const told = await pathIn(copies, 'a');
    await copies.forget('a');
    expect(existsSync(told)).toBe(true);
  });
  expect(await filesLeft()).toBe(0);
});

test('whoever waits for another’s download ends with its own cancel, and the other does not', async () => {
  const copies = createLocalCopies(folder, { limitBytes: 10 * BYTES });
  const cancelled = new AbortController();
  let begin = () => {};
  let arrive = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const first = copies.during(() =>
    copies.path('a', BYTES, async (file) => {
      begin();
      await new Promise<void>((resolve) => {
        arrive = resolve;
      });
      await writeFile(file, Buffer.alloc(BYTES));
    }),
  );
  await begun;
  const second = copies.during(() => copies.path('a', BYTES, async () => {}, cancelled.signal));
  const reason = new Error('cancelled');
  cancelled.abort(reason);
  await expect(second).rejects.toBe(reason);
  arrive();
  expect(existsSync(await first)).toBe(true);
});

test('a file that others change again and again is given up', async () => {
  const copies = createLocalCopies(folder, { limitBytes: 10 * BYTES });
  const tooShort = copies.path('a', BYTES, async (file) => {
    fetched.push('a');
    await writeFile(file, 'short');
  });
  await expect(tooShort).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
  expect(fetched).toHaveLength(4);
});
