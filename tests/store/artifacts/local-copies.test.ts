import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('a copy that is told while others make room stays', async () => {
  const copies = createLocalCopies(folder, { limitBytes: 3 * BYTES });
  for (const uri of ['a', 'b', 'c']) await copies.during(() => pathIn(copies, uri));
  await copies.during(async () => {
    // It needs the room of the oldest two, which are removed one after the other.
    const coming = pathIn(copies, 'large', 2 * BYTES);
    const told = await pathIn(copies, 'b');
    await coming;
    expect(existsSync(told)).toBe(true);
  });
  expect(fetched).toEqual(['a', 'b', 'c', 'large']);
});
