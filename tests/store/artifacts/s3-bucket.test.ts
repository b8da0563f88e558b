import { createServer as createHttp, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bucket, openBucket } from '../../../store/artifacts/s3-bucket.ts';
import { unreachable } from '../../../store/artifacts/s3-errors.ts';
import { uploadBytes } from '../../../store/artifacts/s3-multipart.ts';
import { readObject } from '../../../store/artifacts/s3-objects.ts';
import type { S3Place } from '../../../store/artifacts/s3-place.ts';
import { createS3Uses } from '../../../store/artifacts/s3-uses.ts';

const PLACE: S3Place = {
  ...{ bucket: 'shop', prefix: '', endpoint: 'http://127.0.0.1:9', region: 'us-east-1' },
  credentials: { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: undefined },
};
const REF = { uri: 'labels/ab/ab.bin', sha256: 'ab', rows: 1, bytes: 3, kind: 'labels' } as const;
const bytes = Buffer.from('one');

let close: () => Promise<unknown>;

async function listening(server: Server): Promise<S3Place> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { ...PLACE, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

afterEach(() => close());

const secondsOf = async (work: Promise<unknown>) => {
  const startMs = performance.now();
  const end = await work.then(
    () => null,
    (error: unknown) => error,
  );
  return { end, seconds: (performance.now() - startMs) / 1_000 };
};

describe('a server that says nothing', () => {
  let place: S3Place;
  beforeEach(async () => {
    place = await listening(createServer());
  });

  test.each<[string, (bucket: Bucket) => Promise<unknown>]>([
    ['a write', (bucket) => bucket.put('name', bytes)],
    ['a look', (bucket) => bucket.look('name')],
    ['a read', (bucket) => readObject(bucket, REF)],
    ['a removal', (bucket) => bucket.remove('name')],
    ['a list', (bucket) => bucket.list('name').next()],
    ['a pause', (bucket) => bucket.pause(20_000)],
    ['a release', (bucket) => createS3Uses(bucket).release('run-1', [], async () => undefined)],
  ])('holds %s up no longer than its cancel', async (_, ask) => {
    const cancelled = new AbortController();
    const reason = new Error('cancelled');
    setTimeout(() => cancelled.abort(reason), 100);
    const { end, seconds } = await secondsOf(ask(openBucket(place, { signalNow: () => cancelled.signal })));
    expect(end).toBe(reason);
    expect(seconds).toBeLessThan(2);
  });

  test('holds the end of a cancelled upload up for seconds alone', async () => {
    const signalNow = () => AbortSignal.abort(new Error('cancelled'));
    const { end, seconds } = await secondsOf(openBucket(place, { signalNow }).abortUpload('name', 'id'));
    expect(end).toMatchObject({ code: 'ARTIFACTS_UNREACHABLE' });
    expect(seconds).toBeGreaterThan(1);
    expect(seconds).toBeLessThan(5);
  });

  test('is asked no longer than for one time-out and its repeats, whatever is read', async () => {
    let asked = 0;
    const bucket = {
      ...openBucket(place),
      get: async () => {
        asked += 1;
        throw unreachable('no answer in time', 'read', place);
      },
    };
    await expect(readObject(bucket, REF)).rejects.toMatchObject({ code: 'ARTIFACTS_UNREACHABLE' });
    expect(asked).toBe(1);
  });
});

describe('a server that is away', () => {
  let place: S3Place;
  let come: () => Promise<unknown>;
  beforeEach(async () => {
    const first = createServer();
    place = await listening(first);
    const { port } = first.address() as AddressInfo;
    await close();
    const server = createHttp((request, answer) => {
      request.resume().on('end', () => answer.writeHead(200, { 'content-length': '3' }).end());
    });
    come = () => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    close = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
  });

  test('is waited for about two seconds, however many requests have failed before', async () => {
    const bucket = openBucket(place);
    for (let round = 1; round <= 3; round++) {
      const looks = await Promise.all(Array.from({ length: 8 }, () => secondsOf(bucket.look('name'))));
      for (const { end, seconds } of looks) {
        expect(end).toMatchObject({ code: 'ARTIFACTS_UNREACHABLE' });
        expect(seconds).toBeGreaterThan(1.9);
        expect(seconds).toBeLessThan(6);
      }
    }
    const late = bucket.look('name');
    await sleep(1_000);
    await come();
    expect(await late).toMatchObject({ bytes: 3 });
  }, 30_000);

  test('is waited for no longer than until the cancel', async () => {
    const cancelled = new AbortController();
    const reason = new Error('cancelled');
    setTimeout(() => cancelled.abort(reason), 1_400);
    const bucket = openBucket(place, { signalNow: () => cancelled.signal });
    const { end, seconds } = await secondsOf(bucket.look('name'));
    expect(end).toBe(reason);
    expect(seconds).toBeLessThan(1.9);
  });

  test('is waited for no longer than the time that a request has', async () => {
    const { end, seconds } = await secondsOf(openBucket(place).remove('name', { limitMs: 500 }));
    expect(end).toMatchObject({ code: 'ARTIFACTS_UNREACHABLE' });
    expect(seconds).toBeLessThan(1.6);
  });
});

describe('a server', () => {
  const answering = (listener: RequestListener) =>
    listening(
      createHttp((request, answer) => {
        request.resume().on('end', () => listener(request, answer));
      }),
    );
  const errorOf = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`;

  test('that says again and again that another is in the way has one time for all', async () => {
    const place = await answering((_, answer) => {
      setTimeout(() => answer.writeHead(409).end(errorOf('OperationAborted')), 200);
    });
    const { end, seconds } = await secondsOf(openBucket(place).remove('name', { limitMs: 500 }));
    expect(end).toMatchObject({ code: 'ARTIFACTS_UNREACHABLE' });
    expect(seconds).toBeLessThan(1.2);
  });

  test('that says that what is to be removed is gone already has removed it; a bucket that is gone is another matter', async () => {
    let code = 'NoSuchKey';
    const place = await answering((_, answer) => answer.writeHead(404).end(errorOf(code)));
    await expect(openBucket(place).remove('name')).resolves.toBeUndefined();
    code = 'NoSuchBucket';
    await expect(openBucket(place).remove('name')).rejects.toMatchObject({ code: 'ARTIFACTS_REFUSED' });
  });

  test('that knows no conditions is asked without from then on', async () => {
    const conditions: (string | undefined)[] = [];
    const place = await answering((request, answer) => {
      conditions.push(request.headers['if-none-match']);
      if (request.headers['if-none-match']) answer.writeHead(501).end(errorOf('NotImplemented'));
      else answer.writeHead(200, { etag: '"one"' }).end();
    });
    const bucket = openBucket(place);
    expect(await bucket.put('one', bytes, { ifAbsent: true })).toBe(true);
    expect(await bucket.put('two', bytes, { ifAbsent: true })).toBe(true);
    expect(conditions).toEqual(['*', undefined, undefined]);
  });

  test('that knows no conditions is told so by several writes at once, and each is asked again without', async () => {
    let refused = 0;
    const held: (() => void)[] = [];
    const place = await answering((request, answer) => {
      if (!request.headers['if-none-match']) return void answer.writeHead(200, { etag: '"one"' }).end();
      refused += 1;
      held.push(() => answer.writeHead(501).end(errorOf('NotImplemented')));
      if (refused === 4) for (const refuse of held) refuse();
    });
    const bucket = openBucket(place);
    const writes = ['a', 'b', 'c', 'd'].map((name) => bucket.put(name, bytes, { ifAbsent: true }));
    expect(await Promise.all(writes)).toEqual([true, true, true, true]);
    expect(refused).toBe(4);
  });

  test('that writes a part down after the upload was given up is asked to forget it once more', async () => {
    const place = await answering((_, answer) => answer.writeHead(500).end());
    const kept = new Set<number>();
    const fault = new Error('the line broke');
    const bucket: Bucket = {
      ...openBucket(place),
      startUpload: async () => 'id',
      async putPart(_name, _upload, { number }) {
        setTimeout(() => kept.add(number), 50);
        throw fault;
      },
      abortUpload: async () => kept.clear(),
    };
    const upload = { name: 'name', bytes: 3, sha256: 'ab', ifAbsent: true, partBytes: 2 };
    await expect(uploadBytes(bucket, bytes, upload)).rejects.toBe(fault);
    await sleep(100);
    expect([...kept]).toEqual([]);
  });

  describe('that keeps another digest of an object in parts', () => {
    const sha256 = '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed';
    const upload = { name: 'name', bytes: 3, sha256, ifAbsent: true, partBytes: 2 };
    let conditions: boolean[];
    let removed: string[];

    /** What is read of the object after so many uploads; its last word stays. */
    async function keeping(...contents: string[]): Promise<Bucket> {
      [conditions, removed] = [[], []];
      const place = await answering((_, answer) => answer.writeHead(500).end());
      return {
        ...openBucket(place),
        startUpload: async () => 'id',
        putPart: async (_name, _upload, { number, sha256 }) => ({ number, sha256, etag: 'e' }),
        endUpload: async (_name, _upload, _parts, { ifAbsent }) => {
          conditions.push(ifAbsent);
          return true;
        },
        look: async () => ({ bytes: 3, checksum: 'another-2' }),
        get: async () => ({
          bytes: 3,
          body: (async function* () {
            yield Buffer.from(contents[conditions.length - 1] ?? contents.at(-1)!);
          })(),
        }),
        remove: async (name) => void removed.push(name),
      };
    }

    test('is read', async () => {
      expect(await uploadBytes(await keeping('one'), bytes, upload)).toBe(true);
      expect(conditions).toEqual([true]);
    });

    test('and other bytes than were sent is written over at once: the next look would see the right size', async () => {
      expect(await uploadBytes(await keeping('two', 'one'), bytes, upload)).toBe(true);
      expect(conditions).toEqual([true, false]);
    });

    test('and other bytes each time fails, and nothing is removed', async () => {
      const uploading = uploadBytes(await keeping('two'), bytes, upload);
      await expect(uploading).rejects.toMatchObject({ code: 'ARTIFACTS_UNREACHABLE' });
      expect(conditions).toEqual([true, false]);
      expect(removed).toEqual([]);
    });
  });
});
