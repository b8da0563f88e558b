import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
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
const coded = (code: string, text = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(text) as string }) as Error;

async function tree(): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name))
    .sort();
}

describe('writing and reading', () => {
  test('an artifact lies under its kind and digest', async () => {
    const ref = await artifacts.write('matrix', content, about());
    // Expected value: printf 'three rows' | sha256sum
    expect(ref).toEqual({
      uri: `matrix/${ref.sha256.slice(0, 2)}/${ref.sha256}.bin`,
      sha256: 'f19a83f7ea0a6ecd8f37287427cd2bd2867b3a5db0c53dbefa6add2213a35297',
      rows: 3,
      bytes: 10,
      kind: 'matrix',
    });
    expect(await artifacts.read(ref)).toEqual(content);
    expect(await readFile(await artifacts.path(ref))).toEqual(content);
  });

  test('the same bytes a second time change nothing', async () => {
    const first = await artifacts.write('matrix', content, about());
    const before = await tree();
    expect(await artifacts.write('matrix', content, about())).toEqual(first);
    expect(await tree()).toEqual(before);
  });

  test('many writers of the same bytes at once end with one file', async () => {
    const bytes = randomBytes(1 << 20);
    const refs = await Promise.all(
      Array.from({ length: 8 }, () => artifacts.write('extract', bytes, about())),
    );
    expect(new Set(refs.map((ref) => ref.uri)).size).toBe(1);
    expect(await artifacts.list('extract')).toEqual([{ ...refs[0], rows: 0 }]);
    expect(await readdir(join(root, '.incoming'))).toEqual([]);
  });

  test('a produced file is taken in under its digest', async () => {
    const ref = await artifacts.take('extract', { runId: 'run-1', ending: 'parquet' }, async (path) => {
      expect(path.endsWith('.parquet')).toBe(true);
      await writeFile(path, content);
      return { rows: 42 };
    });
    expect(ref).toMatchObject({ rows: 42, bytes: 10, kind: 'extract' });
    expect(ref).toEqual(
      await artifacts.write('extract', content, { runId: 'run-1', rows: 42, ending: 'parquet' }),
    );
  });

  test('what a producer throws comes through, and nothing of it stays', async () => {
    const fault = new Error('the source went away');
    const taking = artifacts.take('extract', about(), async (path) => {
      await writeFile(path, content);
      throw fault;
    });
    await expect(taking).rejects.toBe(fault);
    expect(await tree()).toEqual([]);
  });

  test('a list tells every artifact of its kind', async () => {
    const refs = [];
    for (const text of ['a', 'b', 'c'])
      refs.push(await artifacts.write('labels', Buffer.from(text), about()));
    await artifacts.write('matrix', content, about());
    const expected = refs.map((ref) => ({ ...ref, rows: 0 })).sort((a, b) => (a.uri < b.uri ? -1 : 1));
    expect(await artifacts.list('labels')).toEqual(expected);
    expect(await artifacts.list('history')).toEqual([]);
  });
});

describe('what is wrong is said', () => {
  test('an artifact that is not there', async () => {
    const ref = await artifacts.write('model', content, about());
    await rm(join(root, ref.uri));
    await expect(artifacts.read(ref)).rejects.toThrow(coded('ARTIFACT_MISSING', ref.uri));
    await expect(createDiskArtifacts({ root }).path(ref)).rejects.toThrow(coded('ARTIFACT_MISSING'));
  });

  test('an artifact of another length', async () => {
    const ref = await artifacts.write('model', content, about());
    await truncate(join(root, ref.uri), 5);
    await expect(artifacts.read(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'found 5 bytes'));
    await expect(artifacts.path(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'found 5 bytes'));
  });

  test('an artifact whose bytes have changed', async () => {
    const ref = await artifacts.write('model', content, about());
    await writeFile(join(root, ref.uri), 'three r0ws');
    await expect(artifacts.read(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'digest'));
    const another = createDiskArtifacts({ root });
    await expect(another.path(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'digest'));
    await writeFile(join(root, ref.uri), content);
    expect(await another.path(ref)).toBe(join(root, ref.uri));
  });

  test('verify looks at the bytes as they are now, though they were found good before', async () => {
    const ref = await artifacts.write('model', content, about());
    await artifacts.verify(ref);
    await writeFile(join(root, ref.uri), 'three r0ws');
    await artifacts.path(ref);
    await expect(artifacts.verify(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'digest'));
    await truncate(join(root, ref.uri), 5);
    await expect(artifacts.verify(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'found 5 bytes'));
    await rm(join(root, ref.uri));
    await expect(artifacts.verify(ref)).rejects.toThrow(coded('ARTIFACT_MISSING'));
  });

  test('a truncated artifact is whole again after the next write', async () => {
    const ref = await artifacts.write('model', content, about());
    await truncate(join(root, ref.uri), 5);
    await artifacts.write('model', content, about());
    expect(await artifacts.read(ref)).toEqual(content);
  });

  test.each(['../../etc/passwd', '/etc/passwd', 'model/aa/../../secret.json'])(
    'a reference that leads elsewhere: %s',
    async (uri) => {
      const ref = { ...(await artifacts.write('model', content, about())), uri };
      await expect(artifacts.read(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'reference'));
      await expect(artifacts.path(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'reference'));
    },
  );
});

describe('results of stages', () => {
  test('a kept result is found under its key only', async () => {
    await artifacts.writeStep('run-1', 'cluster', 'aaaa', { k: 4 });
    expect(await artifacts.readStep('run-1', 'cluster', 'aaaa')).toEqual({ k: 4 });
    expect(await artifacts.readStep('run-1', 'cluster', 'bbbb')).toBeNull();
    expect(await artifacts.readStep('run-2', 'cluster', 'aaaa')).toBeNull();
  });

  test('a run id of any characters stays within the folder', async () => {
    for (const runId of ['../../up', '..', 'a/b', 'ü ?*']) {
      await artifacts.writeStep(runId, 'name', 'k', runId);
      await artifacts.write('names', Buffer.from(runId), about(runId));
      expect(await artifacts.readStep(runId, 'name', 'k')).toBe(runId);
    }
    expect((await tree()).every((path) => path.startsWith(root))).toBe(true);
    expect((await readdir(join(root, '.steps'))).length).toBe(4);
  });

  test('a damaged result is as good as none', async () => {
    await artifacts.writeStep('run-1', 'cluster', 'aaaa', { k: 4 });
    await writeFile(join(root, '.steps', 'run-1', 'cluster-aaaa.json'), '{"k":');
    expect(await artifacts.readStep('run-1', 'cluster', 'aaaa')).toBeNull();
  });
});

describe('release', () => {
  test('removes a run’s artifacts and results, and says how much', async () => {
    await artifacts.write('matrix', content, about());
    await artifacts.write('labels', Buffer.from('xy'), about());
    await artifacts.writeStep('run-1', 'cluster', 'aaaa', 1);
    expect(await artifacts.release('run-1')).toEqual({ removed: 2, bytes: 12 });
    expect(await tree()).toEqual([]);
    expect(await artifacts.release('run-1')).toEqual({ removed: 0, bytes: 0 });
  });

  test('leaves what another run uses, until that one is released too', async () => {
    const ref = await artifacts.write('extract', content, about('run-1'));
    await artifacts.write('extract', content, about('run-2'));
    expect(await artifacts.release('run-1')).toEqual({ removed: 0, bytes: 0 });
    expect(await artifacts.read(ref)).toEqual(content);
    expect(await artifacts.release('run-2')).toEqual({ removed: 1, bytes: 10 });
    await expect(artifacts.read(ref)).rejects.toThrow(coded('ARTIFACT_MISSING'));
  });

  test('leaves the kinds that are to be kept, also when asked twice', async () => {
    const manifest = await artifacts.write('manifest', Buffer.from('{}'), about());
    await artifacts.write('matrix', content, about());
    expect(await artifacts.release('run-1', ['manifest'])).toEqual({ removed: 1, bytes: 10 });
    expect(await artifacts.release('run-1', ['manifest'])).toEqual({ removed: 0, bytes: 0 });
    expect(await artifacts.read(manifest)).toEqual(Buffer.from('{}'));
  });

  test('goes on where a killed release ended', async () => {
    const ref = await artifacts.write('matrix', content, about());
    await rm(join(root, '.uses', ref.uri), { recursive: true });
    expect(await artifacts.release('run-1')).toEqual({ removed: 1, bytes: 10 });
    expect(await tree()).toEqual([]);
  });

  test('writers and releases at the same time: no writer loses its artifact, nothing is left over', async () => {
    for (let round = 0; round < 50; round++) {
      for (const runId of ['old-1', 'old-2']) await artifacts.write('extract', content, about(runId));
      const [ref] = await Promise.all([
        artifacts.write('extract', content, about('new-1')),
        artifacts.release('old-1'),
        artifacts.release('old-2'),
        artifacts.write('extract', content, about('new-2')),
      ]);
      expect(await artifacts.read(ref)).toEqual(content);
      await Promise.all([artifacts.release('new-1'), artifacts.release('new-2')]);
      expect(await tree()).toEqual([]);
    }
  });
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
