import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { isConflict, isNotFound, isTaken, translateS3Error, unreachable } from './s3-errors.ts';
import { keyIn, type S3Place } from './s3-place.ts';

// The one file that knows the client. Digests are ours, sent with what is written so that the server checks them;
// the client's own checksums are off, since not every server knows their newer kinds.

const CONNECT_MS = 5_000;
/** From the end of a request to the first byte of its answer, and between two bytes of a body. */
const SILENT_MS = 15_000;
/** The slowest line on which an upload is waited for. */
const BYTES_A_MS = 100;
/** With the client's pauses: about two seconds of a server that refuses connections. Activities are retried beyond. */
const ATTEMPTS = 6;
/** Of writes that meet another of the same name, or the removal of its last neighbour. */
const CONFLICTS = { attempts: 8, pauseMs: 25 };

export interface Part {
  number: number;
  etag: string;
  /** Base64 of the SHA-256 of the part. */
  sha256: string;
}

/** Names are below the place's prefix. Everything throws ARTIFACTS_UNREACHABLE or ARTIFACTS_REFUSED. */
export interface Bucket {
  readonly place: S3Place;
  /**
   * All or nothing; a read that begins after it sees it.
   *
   * @param about.sha256 hexadecimal; the server refuses other bytes
   * @param about.ifAbsent false comes back, and nothing is written, where the name is taken
   */
  put(name: string, bytes: Uint8Array, about?: { sha256?: string; ifAbsent?: boolean }): Promise<boolean>;
  /** Bytes of the object, and what the server keeps as its SHA-256, base64, where it does; null when there is none. */
  look(name: string): Promise<{ bytes: number; checksum: string | undefined } | null>;
  /** Null when there is none. The body throws ARTIFACTS_UNREACHABLE when it stops short. */
  get(name: string): Promise<{ bytes: number; body: AsyncIterable<Buffer> } | null>;
  /** Nothing changes where there is none. @param withinMs it is given up after, and may happen yet */
  remove(name: string, withinMs?: number): Promise<void>;
  /** Names that begin so, in pages. */
  list(prefix: string): AsyncGenerator<{ name: string; bytes: number }>;
  startUpload(name: string): Promise<string>;
  putPart(
    name: string,
    upload: string,
    part: { number: number; bytes: Uint8Array; sha256: string },
  ): Promise<Part>;
  /** False: the name was taken meanwhile, or an attempt before had ended the upload. */
  endUpload(name: string, upload: string, parts: Part[], ifAbsent: boolean): Promise<boolean>;
  abortUpload(name: string, upload: string): Promise<void>;
}

/** @param transferSignal asked at each upload and download: what ends it */
export function openBucket(
  place: S3Place,
  options: { transferSignal?: () => AbortSignal | undefined; pageSize?: number } = {},
): Bucket {
  const client = clientOf(place);
  const { transferSignal = () => undefined, pageSize = 1_000 } = options;
  const at = (name: string) => ({ Bucket: place.bucket, Key: keyIn(place, name) });
  const call = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!isConflict(error) || attempt === CONFLICTS.attempts) throw translateS3Error(error, doing, place);
        await sleep(CONFLICTS.pauseMs * 2 ** (attempt - 1));
      }
    }
  };
  const transfer = async <T>(doing: string, work: (options: { abortSignal?: AbortSignal }) => Promise<T>) => {
    const signal = transferSignal();
    if (signal === undefined) return call(doing, () => work({}));
    signal.throwIfAborted();
    return call(doing, () => work({ abortSignal: signal })).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    });
  };

  return {
    place,

    put: (name, bytes, { sha256, ifAbsent = false } = {}) =>
      transfer(`write ${name}`, (options) =>
        unlessTaken(ifAbsent, () =>
          client.send(
            new PutObjectCommand({
              ...at(name),
              Body: bytes,
              ...(sha256 !== undefined && { ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') }),
              ...(ifAbsent && { IfNoneMatch: '*' }),
            }),
            { ...options, requestTimeout: patience(bytes) },
          ),
        ),
      ),

    look: (name) =>
      call(`look for ${name}`, () =>
        unlessMissing(
          async () => {
            const command = new HeadObjectCommand({ ...at(name), ChecksumMode: 'ENABLED' });
            const { ContentLength = 0, ChecksumSHA256 } = await client.send(command);
            return { bytes: ContentLength, checksum: ChecksumSHA256 };
          },
          { isHead: true },
        ),
      ),

    get: (name) =>
      transfer(`read ${name}`, (options) =>
        unlessMissing(async () => {
          const { ContentLength = 0, Body } = await client.send(new GetObjectCommand(at(name)), options);
          const body = Body as unknown as AsyncIterable<Buffer> & { destroy(error?: Error): void };
          return { bytes: ContentLength, body: watched(body, { name, place, signal: options.abortSignal }) };
        }),
      ),

    remove: (name, withinMs) =>
      call(`remove ${name}`, async () => {
        const options =
          withinMs === undefined ? {} : { abortSignal: AbortSignal.timeout(Math.ceil(withinMs)) };
        await client.send(new DeleteObjectCommand(at(name)), options);
      }),

    async *list(prefix) {
      const ahead = keyIn(place, '').length;
      for (let from: string | undefined; ; ) {
        const token = from === undefined ? {} : { ContinuationToken: from };
        const command = new ListObjectsV2Command({
          ...{ Bucket: place.bucket, Prefix: keyIn(place, prefix), MaxKeys: pageSize },
          ...token,
        });
        const page = await call(`list ${prefix}`, () => client.send(command));
        for (const { Key = '', Size = 0 } of page.Contents ?? [])
          yield { name: Key.slice(ahead), bytes: Size };
        from = page.NextContinuationToken;
        if (!page.IsTruncated || from === undefined) return;
      }
    },

    startUpload: (name) =>
      transfer(`begin the upload of ${name}`, async (options) => {
        const command = new CreateMultipartUploadCommand({ ...at(name), ChecksumAlgorithm: 'SHA256' });
        return (await client.send(command, options)).UploadId!;
      }),

    putPart: (name, upload, { number, bytes, sha256 }) =>
      transfer(`upload part ${number} of ${name}`, async (options) => {
        const command = new UploadPartCommand({
          ...{ ...at(name), UploadId: upload, PartNumber: number, Body: bytes, ChecksumSHA256: sha256 },
        });
        const part = await client.send(command, { ...options, requestTimeout: patience(bytes) });
        return { number, sha256, etag: part.ETag! };
      }),

    endUpload: (name, upload, parts, ifAbsent) =>
      transfer(`end the upload of ${name}`, (options) =>
        unlessTaken(true, () =>
          client.send(
            new CompleteMultipartUploadCommand({
              ...{ ...at(name), UploadId: upload, ...(ifAbsent && { IfNoneMatch: '*' }) },
              MultipartUpload: {
                Parts: parts.map(({ number, etag, sha256 }) => ({
                  ...{ PartNumber: number, ETag: etag, ChecksumSHA256: sha256 },
                })),
              },
            }),
            options,
          ),
        ),
      ),

    abortUpload: (name, upload) =>
      call(`end the upload of ${name}`, async () => {
        await unlessMissing(() =>
          client.send(new AbortMultipartUploadCommand({ ...at(name), UploadId: upload })),
        );
      }),
  };
}

/** The client counts from the beginning of a request. */
function patience(bytes: Uint8Array): number {
  return SILENT_MS + bytes.byteLength / BYTES_A_MS;
}

function clientOf({ endpoint, region, credentials }: S3Place): S3Client {
  return new S3Client({
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && {
      credentials: {
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: credentials.secretAccessKey,
        ...(credentials.sessionToken !== undefined && { sessionToken: credentials.sessionToken }),
      },
    }),
    maxAttempts: ATTEMPTS,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: SILENT_MS,
      throwOnRequestTimeout: true,
    },
  });
}

async function unlessMissing<T>(work: () => Promise<T>, { isHead = false } = {}): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (isNotFound(error, { isHead })) return null;
    throw error;
  }
}

async function unlessTaken(mayBe: boolean, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!mayBe || !(isTaken(error) || isNotFound(error))) throw error;
    return false;
  }
}

/** The client retries to the beginning of an answer; of the body it says nothing when the other side falls silent. */
async function* watched(
  body: AsyncIterable<Buffer> & { destroy(error?: Error): void },
  { name, place, signal }: { name: string; place: S3Place; signal: AbortSignal | undefined },
): AsyncGenerator<Buffer> {
  const silence = setTimeout(() => body.destroy(new Error('the answer stopped short')), SILENT_MS);
  const end = () => body.destroy(new Error('ended'));
  signal?.addEventListener('abort', end, { once: true });
  try {
    for await (const chunk of body) {
      silence.refresh();
      yield chunk;
    }
  } catch (error) {
    signal?.throwIfAborted();
    const { code, message } = error as NodeJS.ErrnoException;
    throw unreachable(code ?? message, `read ${name}`, place);
  } finally {
    clearTimeout(silence);
    signal?.removeEventListener('abort', end);
  }
}
