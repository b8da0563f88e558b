import { randomBytes } from 'node:crypto';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ArtifactStore } from '../../../store/artifacts/artifact-store.ts';
import { type ArtifactPlace, closePlaces, PLACES } from '../../helpers/artifact-places.ts';

const about = (runId = 'run-1') => ({ runId, rows: 3, ending: 'bin' });
const content = Buffer.from('three rows');
const coded = (code: string, text = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(text) as string }) as Error;

afterAll(closePlaces);

describe.each(PLACES)('artifacts in %s', (_, { isThere, make, rounds }) => {
  let place: ArtifactPlace;
  let artifacts: ArtifactStore;

  beforeEach(async ({ skip }) => {
    if (!isThere) skip('there is no versitygw, and no Go to build it with');
    place = await make();
    artifacts = place.open();
  });

  afterEach(() => place?.remove());

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
      const before = await place.names();
      expect(await artifacts.write('matrix', content, about())).toEqual(first);
      expect(await place.names()).toEqual(before);
    });

    test('many writers of the same bytes at once end with one file', async () => {
      const bytes = randomBytes(1 << 20);
      const refs = await Promise.all(
        Array.from({ length: 8 }, () => artifacts.write('extract', bytes, about())),
      );
      expect(new Set(refs.map((ref) => ref.uri)).size).toBe(1);
      expect(await artifacts.list('extract')).toEqual([{ ...refs[0], rows: 0 }]);
      expect((await place.names()).filter((name) => name.startsWith('.incoming'))).toEqual([]);
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
      expect(await place.names()).toEqual([]);
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
      await rm(place.fileOf(ref.uri));
      await expect(artifacts.read(ref)).rejects.toThrow(coded('ARTIFACT_MISSING', ref.uri));
      await expect(place.open().path(ref)).rejects.toThrow(coded('ARTIFACT_MISSING'));
    });

    test('an artifact of another length', async () => {
      const ref = await artifacts.write('model', content, about());
      await truncate(place.fileOf(ref.uri), 5);
      await expect(artifacts.read(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'found 5 bytes'));
      await expect(artifacts.path(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'found 5 bytes'));
    });

    test('an artifact whose bytes have changed', async () => {
      const ref = await artifacts.write('model', content, about());
      await writeFile(place.fileOf(ref.uri), 'three r0ws');
      await expect(artifacts.read(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'digest'));
      const another = place.open();
      await expect(another.path(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'digest'));
      await writeFile(place.fileOf(ref.uri), content);
      expect(await readFile(await another.path(ref))).toEqual(content);
    });

    test('verify looks at the bytes as they are now, though they were found good before', async () => {
      const ref = await artifacts.write('model', content, about());
      await artifacts.verify(ref);
      await writeFile(place.fileOf(ref.uri), 'three r0ws');
      await expect(artifacts.verify(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'digest'));
      await truncate(place.fileOf(ref.uri), 5);
      await expect(artifacts.verify(ref)).rejects.toThrow(coded('ARTIFACT_CORRUPT', 'found 5 bytes'));
      await rm(place.fileOf(ref.uri));
      await expect(artifacts.verify(ref)).rejects.toThrow(coded('ARTIFACT_MISSING'));
    });

    test('a truncated artifact is whole again after the next write', async () => {
      const ref = await artifacts.write('model', content, about());
      await truncate(place.fileOf(ref.uri), 5);
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
      expect((await place.names()).filter((name) => name.startsWith('.steps/')).length).toBe(4);
    });

    test('a damaged result is as good as none', async () => {
      await artifacts.writeStep('run-1', 'cluster', 'aaaa', { k: 4 });
      await writeFile(place.fileOf('.steps/run-1/cluster-aaaa.json'), '{"k":');
      expect(await artifacts.readStep('run-1', 'cluster', 'aaaa')).toBeNull();
    });
  });

  describe('release', () => {
    test('removes a run’s artifacts and results, and says how much', async () => {
      await artifacts.write('matrix', content, about());
      await artifacts.write('labels', Buffer.from('xy'), about());
      await artifacts.writeStep('run-1', 'cluster', 'aaaa', 1);
      expect(await artifacts.release('run-1')).toEqual({ removed: 2, bytes: 12 });
      expect(await place.names()).toEqual([]);
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
      await rm(place.fileOf(`.uses/${ref.uri}`), { recursive: true });
      expect(await artifacts.release('run-1')).toEqual({ removed: 1, bytes: 10 });
      expect(await place.names()).toEqual([]);
    });

    test('writers and releases at the same time: no writer loses its artifact, nothing is left over', async () => {
      for (let round = 0; round < rounds; round++) {
        for (const runId of ['old-1', 'old-2']) await artifacts.write('extract', content, about(runId));
        const [ref] = await Promise.all([
          artifacts.write('extract', content, about('new-1')),
          artifacts.release('old-1'),
          artifacts.release('old-2'),
          artifacts.write('extract', content, about('new-2')),
        ]);
        expect(await artifacts.read(ref)).toEqual(content);
        await Promise.all([artifacts.release('new-1'), artifacts.release('new-2')]);
        expect(await place.names()).toEqual([]);
      }
    });
  });

  describe('several processes', () => {
    test('what one writes, another reads, lists and finds', async () => {
      const other = place.open();
      const ref = await artifacts.write('labels', content, about());
      expect(await other.read(ref)).toEqual(content);
      expect(await readFile(await other.path(ref))).toEqual(content);
      expect(await other.list('labels')).toEqual([{ ...ref, rows: 0 }]);
      expect(await other.find(ref)).toMatch(new RegExp(`^(s3:/)?/.*/${ref.uri}$`));
      await artifacts.writeStep('run-1', 'name', 'k', { done: true });
      expect(await other.readStep('run-1', 'name', 'k')).toEqual({ done: true });
      await artifacts.release('run-1');
      expect(await other.find(ref)).toBeNull();
      expect(await other.readStep('run-1', 'name', 'k')).toBeNull();
    });

    test('writers and releases of several processes: no writer loses its artifact, nothing is left over', async () => {
      const others = [place.open(), place.open(), place.open()] as const;
      for (let round = 0; round < rounds; round++) {
        for (const runId of ['old-1', 'old-2']) await artifacts.write('extract', content, about(runId));
        const [ref] = await Promise.all([
          others[0].write('extract', content, about('new-1')),
          artifacts.release('old-1'),
          others[1].release('old-2'),
          others[2].take('extract', about('new-2'), async (path) => {
            await writeFile(path, content);
            return { rows: 3 };
          }),
        ]);
        expect(await artifacts.read(ref)).toEqual(content);
        await Promise.all([others[0].release('new-1'), others[1].release('new-2')]);
        expect(await place.names()).toEqual([]);
      }
    });

    test('more artifacts than one page of a listing are all told, and all released', async () => {
      const refs = [];
      for (let i = 0; i < 20; i++)
        refs.push(await artifacts.write('labels', Buffer.from(`labels ${i}`), about()));
      expect((await place.open().list('labels')).map(({ uri }) => uri)).toEqual(
        refs.map(({ uri }) => uri).sort(),
      );
      expect(await place.open().release('run-1')).toMatchObject({ removed: 20 });
      expect(await place.names()).toEqual([]);
    });
  });
});
