import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ArtifactStore } from '../../../store/artifacts/artifact-store.ts';
import { createDiskArtifacts } from '../../../store/artifacts/disk-artifacts.ts';

let root: string;
let artifacts: ArtifactStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'strata-artifacts-'));
  artifacts = createDiskArtifacts({ root });
});

afterEach(() => rm(root, { recursive: true, force: true }));

const about = (runId = 'run-1') => ({ runId, rows: 3, ending: 'bin' });
const content = Buffer.from('three rows');
test('an artifact is the file of its reference', async () => {
  const ref = await artifacts.write('matrix', content, about());
  expect(await artifacts.path(ref)).toBe(join(root, ref.uri));
  expect(await artifacts.find(ref)).toBe(join(root, ref.uri));
});

test('the digest of a file is looked at once, and each time it is verified', async () => {
  const ref = await artifacts.write('model', content, about());
  await writeFile(join(root, ref.uri), 'three r0ws');
  expect(await artifacts.path(ref)).toBe(join(root, ref.uri));
  await expect(artifacts.verify(ref)).rejects.toThrow(
    expect.objectContaining({ code: 'ARTIFACT_CORRUPT' }) as Error,
  );
});

describe('what killed processes left', () => {
  test('on this machine goes with the first write of another, and nothing else does', async () => {
    let own = '';
    await artifacts.take('extract', about(), async (file) => {
      own = basename(dirname(file));
      await writeFile(file, content);
      return { rows: 3 };
    });
    const place = own.slice(own.indexOf('@'));
    const names = [`${2 ** 22 + 1}-killed`, `${process.ppid}-working`, `${process.pid}-before`].map(
      (name) => `${name}${place}`,
    );
    const elsewhere = `${2 ** 22 + 1}-working@elsewhere.1`;
    for (const name of [...names, elsewhere]) await mkdir(join(root, '.incoming', name));
    await createDiskArtifacts({ root }).write('matrix', content, about());
    expect((await readdir(join(root, '.incoming'))).sort()).toEqual([names[1], elsewhere].sort());
  });

  test('on another machine goes after a day, even where its process has the number of this one', async () => {
    const left = ['old', 'young'].map((name) =>
      join(root, '.incoming', `${process.pid}-${name}@elsewhere.1`),
    );
    for (const folder of left) await mkdir(folder, { recursive: true });
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 3600 * 1000);
    await utimes(left[0]!, twoDaysAgo, twoDaysAgo);
    await artifacts.write('matrix', content, about());
    expect(await readdir(join(root, '.incoming'))).toEqual([basename(left[1]!)]);
  });

  test('without a place goes after a day, and not before', async () => {
    const gone = 2 ** 22 + 1;
    const old = join(root, '.incoming', `${gone}-old`);
    const young = join(root, '.incoming', `${gone}-young`);
    const working = join(root, '.incoming', `${process.pid}-working`);
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 3600 * 1000);
    for (const folder of [old, young, working]) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'file'), 'half');
    }
    for (const folder of [old, working]) await utimes(folder, twoDaysAgo, twoDaysAgo);
    await artifacts.write('matrix', content, about());
    expect(await readdir(join(root, '.incoming'))).toEqual(
      [`${process.pid}-working`, `${gone}-young`].sort(),
    );
  });
});
