import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket, connect as tcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ArtifactRef } from '../../../pipelines/contracts/artifacts.ts';
import type { ArtifactStore } from '../../../store/artifacts/artifact-store.ts';
import { createS3Artifacts } from '../../../store/artifacts/s3-artifacts.ts';
import { openBucket } from '../../../store/artifacts/s3-bucket.ts';
import type { S3Place } from '../../../store/artifacts/s3-place.ts';
import { versitygw } from '../../helpers/artifact-places.ts';
import { type BucketOfTest, useBucket } from '../../helpers/bucket-of-test.ts';
import type { S3Server } from '../../helpers/s3-server.ts';

const MEGABYTE = 2 ** 20;
/** The least that S3 takes of a part that is not the last. */
const PART = 5 * MEGABYTE;
const about = (runId = 'run-1') => ({ runId, rows: 3, ending: 'bin' });
const content = Buffer.from('three rows');
const coded = (code: string, text = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(text) as string }) as Error;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe.skipIf(versitygw === null)('artifacts in a bucket (needs versitygw)', () => {
  let server: S3Server;
  let place: S3Place;
  let copiesFolder: BucketOfTest['copiesFolder'];
  let artifacts: ArtifactStore;

  type Options = Partial<Parameters<typeof createS3Artifacts>[1]>;
  const open = (options: Options = {}, at: S3Place = place) =>
    createS3Artifacts(at, { copiesFolder: copiesFolder(), partBytes: PART, ...options });
  const takeBytes = (store: ArtifactStore, bytes: Uint8Array, runId = 'run-1') =>
    store.take('extract', about(runId), async (path) => {
      await writeFile(path, bytes);
      return { rows: 3 };
    });
  /** Of uploads that are not ended, as the server keeps them. */
  const partsLeft = async () => {
    const entries = await readdir(server.fileOf({ ...place, prefix: '' }, '.sgwtmp'), {
      recursive: true,
      withFileTypes: true,
    }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).length;
  };

  useBucket((bucket) => {
    ({ server, place, copiesFolder } = bucket);
    artifacts = open();
  });

  describe('large files', () => {
    test('go in parts, and come back as they were', async () => {
      const bytes = randomBytes(3 * PART + 17);
      const ref = await takeBytes(artifacts, bytes);
      expect(ref).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes) });
      const other = open();
      expect((await other.read(ref)).equals(bytes)).toBe(true);
      expect((await readFile(await other.path(ref))).equals(bytes)).toBe(true);
      await other.verify(ref);
      expect(await openBucket(place).look(ref.uri)).toEqual({
        bytes: bytes.length,
        checksum: expect.stringMatching(/-4$/) as string,
      });
    });

    test('bytes in memory go in parts as well', async () => {
      const bytes = randomBytes(2 * PART + 5);
      const ref = await artifacts.write('matrix', bytes, about());
      expect((await openBucket(place).look(ref.uri))?.checksum).toMatch(/-3$/);
      expect((await open().read(ref)).equals(bytes)).toBe(true);
    });

    test('the worker that made one needs no download', async () => {
      const ref = await takeBytes(artifacts, content);
      await rm(server.fileOf(place, ref.uri));
      expect(await readFile(await artifacts.path(ref))).toEqual(content);
      await expect(open().path(ref)).rejects.toThrow(coded('ARTIFACT_MISSING', ref.uri));
    });

    test('of two that write the same at once both have it', async () => {
      const bytes = randomBytes(2 * PART + 1);
      const [first, second] = await Promise.all([
        takeBytes(artifacts, bytes, 'run-1'),
        takeBytes(open(), bytes, 'run-2'),
      ]);
      expect(first).toEqual(second);
      expect((await artifacts.read(first)).equals(bytes)).toBe(true);
      expect(await partsLeft()).toBe(0);
    });
  });

  describe('an upload that does not come to its end', () => {
    test('is seen by nobody when the work is cancelled, ends with its reason and leaves no parts', async () => {
      const cancelled = new AbortController();
      const reason = new Error('cancelled by a person');
      const bytes = randomBytes(12 * PART);
      const taking = artifacts.during(() => takeBytes(artifacts, bytes), cancelled.signal);
      while ((await partsLeft()) === 0) await sleep(2);
      cancelled.abort(reason);
      await expect(taking).rejects.toBe(reason);
      expect(await open().list('extract')).toEqual([]);
      // The server may be writing down the part that was on the way.
      await expect.poll(partsLeft, { timeout: 5_000 }).toBe(0);
    });

    test('is seen by nobody when the server is killed, and succeeds when it is tried again', async () => {
      const bytes = randomBytes(12 * PART);
      const taking = takeBytes(artifacts, bytes).catch((error: unknown) => error);
      while ((await partsLeft()) === 0) await sleep(2);
      await server.kill();
      expect(await taking).toEqual(coded('ARTIFACTS_UNREACHABLE', 'ECONNREFUSED'));
      await server.start();
      expect(await open().list('extract')).toEqual([]);
      const ref = await takeBytes(artifacts, bytes);
      expect((await open().read(ref)).equals(bytes)).toBe(true);
    });
  });

  describe('the server', () => {
    test('that is away for a moment is waited for', async () => {
      const ref = await artifacts.write('matrix', content, about());
      await server.kill();
      const [read] = await Promise.all([artifacts.read(ref), sleep(150).then(() => server.start())]);
      expect(read).toEqual(content);
    });

    test('that is gone is told as such within seconds, for all that is asked', async () => {
      const ref = await artifacts.write('matrix', content, about());
      await server.kill();
      const asked = [
        () => artifacts.write('matrix', Buffer.from('other'), about()),
        () => artifacts.read(ref),
        () => artifacts.path(ref),
        () => artifacts.readStep('run-1', 'name', 'k'),
        () => artifacts.writeStep('run-1', 'name', 'k', 1),
        () => artifacts.release('run-1'),
        () => artifacts.list('matrix'),
      ];
      for (const ask of asked) {
        const startMs = performance.now();
        await expect(ask()).rejects.toThrow(coded('ARTIFACTS_UNREACHABLE', 'AWS_ENDPOINT_URL'));
        expect(performance.now() - startMs).toBeLessThan(20_000);
      }
      await server.start();
      expect(await artifacts.read(ref)).toEqual(content);
    }, 120_000);

    test('that breaks off in the middle of an answer is asked again', async () => {
      const bytes = randomBytes(8 * MEGABYTE);
      const ref = await artifacts.write('matrix', bytes, about());
      const line = await breakingLine(server.port, { times: 2, afterBytes: 3 * MEGABYTE });
      const through = open({}, { ...place, endpoint: `http://127.0.0.1:${line.port}` });
      const startMs = performance.now();
      expect((await through.read(ref)).equals(bytes)).toBe(true);
      expect(performance.now() - startMs).toBeLessThan(10_000);
      expect(line.broken()).toBe(2);
      await line.close();
    });

    test('without the bucket refuses, and a retry would not help', async () => {
      const lost = open({}, { ...place, bucket: 'no-such-bucket' });
      await expect(lost.write('matrix', content, about())).rejects.toThrow(
        coded('ARTIFACTS_REFUSED', 'NoSuchBucket (HTTP 404); make the bucket'),
      );
      await expect(lost.list('matrix')).rejects.toThrow(coded('ARTIFACTS_REFUSED'));
    });

    test.each(['accessKeyId', 'secretAccessKey'] as const)(
      'refuses a wrong %s, and the message holds no key',
      async (which) => {
        const wrong = { ...place.credentials!, [which]: 'hunter2-hunter2-hunter2' };
        const error = (await open({}, { ...place, credentials: wrong })
          .write('matrix', content, about())
          .catch((refused: unknown) => refused)) as Error;
        expect(error).toEqual(coded('ARTIFACTS_REFUSED', which === 'secretAccessKey' ? 'AWS_SECRET' : ''));
        const said = JSON.stringify([error.message, error, error.cause ?? '', String(error.stack)]);
        for (const secret of Object.values(wrong)) if (secret) expect(said).not.toContain(secret);
      },
    );
  });

  describe('conditional writes', () => {
    test('of many that write a name at once, one does', async () => {
      const bucket = openBucket(place);
      const writes = await Promise.all(
        Array.from({ length: 8 }, (_, i) => bucket.put('name', Buffer.from(`${i}`), { ifAbsent: true })),
      );
      expect(writes.filter(Boolean)).toHaveLength(1);
    });

    test('bytes of another digest are refused on arrival', async () => {
      const bucket = openBucket(place);
      const put = bucket.put('name', content, { sha256: sha256(Buffer.from('other')) });
      await expect(put).rejects.toThrow(coded('ARTIFACTS_UNREACHABLE', 'BadDigest'));
      expect(await bucket.look('name')).toBeNull();
    });
  });

  describe('an object that the server half remembers', () => {
    // A server that was killed while it wrote or removed one keeps its tag, and its condition looks at that alone.
    test.each([
      ['in one request', content],
      ['in parts', randomBytes(PART + 1)],
    ])('is written again %s', async (_, bytes) => {
      const ref = await artifacts.write('extract', bytes, about());
      await rm(server.fileOf(place, ref.uri));
      expect(await openBucket(place).put(ref.uri, bytes, { ifAbsent: true })).toBe(false);
      await artifacts.write('extract', bytes, about('run-2'));
      expect((await open().read(ref)).equals(bytes)).toBe(true);
    });
  });

  describe('local copies', () => {
    test('make room for one another, but not while work uses them', async () => {
      const refs: ArtifactRef[] = [];
      for (let i = 0; i < 4; i++) refs.push(await artifacts.write('labels', randomBytes(1_000), about()));
      const store = open({ copiesBytes: 2_500 });
      const paths: string[] = [];
      await store.during(async () => {
        for (const ref of refs) paths.push(await store.path(ref));
        expect(paths.map((path) => existsSync(path))).toEqual([true, true, true, true]);
        await store.during(() => store.path(refs[0]!));
        expect(existsSync(paths[0]!)).toBe(true);
      });
      const fifth = await artifacts.write('labels', randomBytes(1_000), about());
      await store.during(() => store.path(fifth));
      expect(paths.map((path) => existsSync(path)).filter(Boolean)).toHaveLength(1);
      for (const ref of refs) expect(sha256(await readFile(await store.path(ref)))).toBe(ref.sha256);
    });

    test('a full disk is tried again when the idle ones are gone', async () => {
      const idle = await artifacts.write('labels', content, about());
      const store = open();
      const told = await store.during(() => store.path(idle));
      let attempts = 0;
      const ref = await store.take('extract', about(), async (path) => {
        attempts += 1;
        if (existsSync(told)) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        await writeFile(path, content);
        return { rows: 3 };
      });
      expect(attempts).toBe(2);
      expect(await store.read(ref)).toEqual(content);
    });

    test('one that was damaged is fetched anew, and many who ask at once share one', async () => {
      const ref = await artifacts.write('labels', content, about());
      const paths = await Promise.all(Array.from({ length: 5 }, () => artifacts.path(ref)));
      expect(new Set(paths).size).toBe(1);
      await writeFile(paths[0]!, 'three');
      expect(await readFile(await artifacts.path(ref))).toEqual(content);
    });

    test('one who is cancelled takes no other’s download with it', async () => {
      const ref = await artifacts.write('labels', randomBytes(20 * MEGABYTE), about());
      const store = open();
      const cancelled = new AbortController();
      const reason = new Error('cancelled');
      const first = store.during(() => store.path(ref), cancelled.signal);
      const second = store.during(() => store.path(ref));
      cancelled.abort(reason);
      await expect(first).rejects.toBe(reason);
      expect(sha256(await readFile(await second))).toBe(ref.sha256);
    });
  });
});

/** A line to a server that breaks so many answers off after so many bytes. */
async function breakingLine(port: number, { times, afterBytes }: { times: number; afterBytes: number }) {
  const sockets = new Set<Socket>();
  let broken = 0;
  const line: Server = createServer((client) => {
    const upstream = tcp(port, '127.0.0.1');
    let bytes = 0;
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes > afterBytes && broken < times) {
        broken += 1;
        client.destroy();
        upstream.destroy();
      } else client.write(chunk);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.end());
  });
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
  return {
    port: (line.address() as { port: number }).port,
    broken: () => broken,
    async close() {
      const closed = new Promise((resolve) => line.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
