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
import {
  isConflict,
  isNotFound,
  isNotImplemented,
  isTaken,
  translateS3Error,
  unreachable,
} from './s3-errors.ts';
import { keyIn, type S3Place } from './s3-place.ts';
import { PAUSES_MS, steadyRetries } from './s3-retries.ts';

// The one file that knows the client. Digests are ours, sent with what is written so that the server checks them;
// the client's own checksums are off, since not every server knows their newer kinds.

const CONNECT_MS = 5_000;
/** From the end of a request to the first byte of its answer, and between two bytes of a body. */
const SILENT_MS = 15_000;
/** The slowest line on which an upload is waited for. */
const BYTES_A_MS = 100;
/** All attempts together: so many times the patience of one, and three times that of the smallest. */
const PATIENCES = 2;
const LEAST_LIMIT_MS = 3 * SILENT_MS;
/** A server puts the parts of an upload together at the pace of its disks. */
const JOINED_BYTES_A_MS = 20_000;
/** What is left behind is the lifecycle rule's. */
const ABORT_MS = 3_000;
/** Of writes that meet another of the same name, or the removal of its last neighbour. */
const CONFLICTS = { attempts: 8, pauseMs: 25 };

export interface Limits {
  /** For all attempts together. */
  limitMs?: number;
  isCancellable?: boolean;
}

export interface Part {
  number: number;
  etag: string;
  /** Base64 of the SHA-256 of the part. */
  sha256: string;
}

/**
 * Names are below the place's prefix. Everything throws ARTIFACTS_UNREACHABLE or ARTIFACTS_REFUSED, and the reason of the
 * signal that ends it.
 */
export interface Bucket {
  readonly place: S3Place;
  /** Waits; ended by what ends the requests. */
  pause(ms: number): Promise<void>;
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
  /** Nothing changes where there is none. One that is given up may happen yet. */
  remove(name: string, limits?: Limits): Promise<void>;
  /** Names that begin so, in pages. */
  list(prefix: string): AsyncGenerator<{ name: string; bytes: number }>;
  startUpload(name: string): Promise<string>;
  putPart(
    name: string,
    upload: string,
    part: { number: number; bytes: Uint8Array; sha256: string },
  ): Promise<Part>;
  /** False: the name was taken meanwhile, or an attempt before had ended the upload. */
  endUpload(
    name: string,
    upload: string,
    parts: Part[],
    about: { ifAbsent: boolean; bytes: number },
  ): Promise<boolean>;
  /** Soon given up, and never ended by a signal: it cleans up after what was. */
  abortUpload(name: string, upload: string): Promise<void>;
}

/** What one request is sent with; the signal ends when the caller's does, or the time for all attempts is over. */
interface Sending {
  abortSignal: AbortSignal;
}

/** @param signalNow asked at each request: what ends it */
export function openBucket(
  place: S3Place,
  options: { signalNow?: () => AbortSignal | undefined; pageSize?: number } = {},
): Bucket {
  const client = clientOf(place);
  const { signalNow = () => undefined, pageSize = 1_000 } = options;
  let heedsConditions = true;
  const at = (name: string) => ({ Bucket: place.bucket, Key: keyIn(place, name) });

  async function call<T>(
    doing: string,
    work: (sending: Sending) => Promise<T>,
    { limitMs = LEAST_LIMIT_MS, isCancellable = true }: Limits = {},
  ): Promise<T> {
    const cancel = isCancellable ? signalNow() : undefined;
    cancel?.throwIfAborted();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(new DOMException('too late', 'TimeoutError')), limitMs);
    const abortSignal = cancel ? AbortSignal.any([cancel, limit.signal]) : limit.signal;
    try {
      return await unlessInTheWay(() => work({ abortSignal }), abortSignal);
    } catch (error) {
      if (cancel?.aborted) throw cancel.reason;
      throw translateS3Error(error, doing, place);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Few servers refuse the condition itself: they are asked without from then on. */
  async function ifAbsentOnly<T>(
    isWanted: boolean,
    send: (condition: { IfNoneMatch?: '*' }) => Promise<T>,
  ): Promise<T> {
    const isSent = isWanted && heedsConditions;
    try {
      return await send(isSent ? { IfNoneMatch: '*' } : {});
    } catch (error) {
      if (!isSent || !isNotImplemented(error)) throw error;
      heedsConditions = false;
      return send({});
    }
  }

  return {
    place,

    async pause(ms) {
      const signal = signalNow();
      await sleep(ms, undefined, { ...(signal && { signal }) }).catch((error: unknown) => {
        throw signal?.aborted ? signal.reason : error;
      });
    },

    put: (name, bytes, { sha256, ifAbsent = false } = {}) => {
      const requestTimeout = patienceOf(bytes);
      const checksum = sha256 && { ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') };
      return call(
        `write ${name}`,
        (sending) =>
          unlessTaken(ifAbsent, () =>
            ifAbsentOnly(ifAbsent, (condition) =>
              client.send(new PutObjectCommand({ ...at(name), Body: bytes, ...checksum, ...condition }), {
                ...{ ...sending, requestTimeout },
              }),
            ),
          ),
        limitsOf(requestTimeout),
      );
    },

    look: (name) =>
      call(`look for ${name}`, (sending) =>
        unlessMissing(
          async () => {
            const command = new HeadObjectCommand({ ...at(name), ChecksumMode: 'ENABLED' });
            const { ContentLength = 0, ChecksumSHA256 } = await client.send(command, sending);
            return { bytes: ContentLength, checksum: ChecksumSHA256 };
          },
          { isHead: true },
        ),
      ),

    get: (name) =>
      call(`read ${name}`, (sending) =>
        unlessMissing(async () => {
          const { ContentLength = 0, Body } = await client.send(new GetObjectCommand(at(name)), sending);
          const body = Body as unknown as AsyncIterable<Buffer> & { destroy(error?: Error): void };
          return { bytes: ContentLength, body: watched(body, { name, place, signal: signalNow() }) };
        }),
      ),

    remove: (name, limits) =>
      call(
        `remove ${name}`,
        async (sending) => {
          // Not every server keeps this quiet: of two removals at the same time one may hear that it came too late.
          await unlessMissing(() => client.send(new DeleteObjectCommand(at(name)), sending));
        },
        limits,
      ),

    async *list(prefix) {
      const ahead = keyIn(place, '').length;
      for (let from: string | undefined; ; ) {
        const token = from === undefined ? {} : { ContinuationToken: from };
        const command = new ListObjectsV2Command({
          ...{ Bucket: place.bucket, Prefix: keyIn(place, prefix), MaxKeys: pageSize },
          ...token,
        });
        const page = await call(`list ${prefix}`, (sending) => client.send(command, sending));
        for (const { Key = '', Size = 0 } of page.Contents ?? [])
          yield { name: Key.slice(ahead), bytes: Size };
        from = page.NextContinuationToken;
        if (!page.IsTruncated || from === undefined) return;
      }
    },

    startUpload: (name) =>
      call(`begin the upload of ${name}`, async (sending) => {
        const command = new CreateMultipartUploadCommand({ ...at(name), ChecksumAlgorithm: 'SHA256' });
        return (await client.send(command, sending)).UploadId!;
      }),

    putPart: (name, upload, { number, bytes, sha256 }) => {
      const requestTimeout = patienceOf(bytes);
      const command = new UploadPartCommand({
        ...{ ...at(name), UploadId: upload, PartNumber: number, Body: bytes, ChecksumSHA256: sha256 },
      });
      const send = async (sending: Sending) => {
        const { ETag: etag } = await client.send(command, { ...sending, requestTimeout });
        return { number, sha256, etag: etag! };
      };
      return call(`upload part ${number} of ${name}`, send, limitsOf(requestTimeout));
    },

    endUpload: (name, upload, parts, { ifAbsent, bytes }) => {
      const requestTimeout = SILENT_MS + bytes / JOINED_BYTES_A_MS;
      const about = {
        ...{ ...at(name), UploadId: upload },
        MultipartUpload: {
          Parts: parts.map(({ number, etag, sha256 }) => ({
            ...{ PartNumber: number, ETag: etag, ChecksumSHA256: sha256 },
          })),
        },
      };
      const send = (sending: Sending) =>
        ifAbsentOnly(ifAbsent, (condition) =>
          client.send(new CompleteMultipartUploadCommand({ ...about, ...condition }), {
            ...{ ...sending, requestTimeout },
          }),
        );
      return call(
        `end the upload of ${name}`,
        (sending) => unlessTaken(true, () => send(sending)),
        limitsOf(requestTimeout),
      );
    },

    abortUpload: (name, upload) =>
      call(
        `end the upload of ${name}`,
        async (sending) => {
          const command = new AbortMultipartUploadCommand({ ...at(name), UploadId: upload });
          await unlessMissing(() => client.send(command, sending));
        },
        { limitMs: ABORT_MS, isCancellable: false },
      ),
  };
}

/** The client counts from the beginning of a request. */
function patienceOf(bytes: Uint8Array): number {
  return SILENT_MS + bytes.byteLength / BYTES_A_MS;
}

/** Where one attempt may be long, there are few that are. */
function limitsOf(patienceMs: number): Limits {
  return { limitMs: Math.max(LEAST_LIMIT_MS, PATIENCES * patienceMs) };
}

/** Repeats what met another request for the same name. */
async function unlessInTheWay<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error) || attempt === CONFLICTS.attempts) throw error;
    }
    await sleep(CONFLICTS.pauseMs * 2 ** (attempt - 1), undefined, { signal });
  }
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
    maxAttempts: PAUSES_MS.length + 1,
    retryStrategy: steadyRetries,
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
