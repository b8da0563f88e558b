import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import { corruptArtifact, missingArtifact } from './references.ts';
import type { Bucket } from './s3-bucket.ts';
import { isUnreachable } from './s3-errors.ts';
import { addressOf } from './s3-place.ts';

/** An answer that stops short is asked for again, from its beginning. */
const READ_ATTEMPTS = 4;
const PAUSE_MS = 250;

/** Whole content, in memory of its own: columns in it can be viewed without a copy. */
export async function readObject(bucket: Bucket, ref: ArtifactRef): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(ref.bytes);
  await readChecked(bucket, ref, async (chunk, at) => {
    bytes.set(chunk, at);
  });
  return bytes;
}

/** Writes the object to a file; never more than a piece of it is in memory. */
export async function downloadObject(bucket: Bucket, ref: ArtifactRef, file: string): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await readChecked(bucket, ref, async (chunk, at) => {
      for (let done = 0; done < chunk.byteLength; ) {
        const { bytesWritten } = await handle.write(chunk, done, chunk.byteLength - done, at + done);
        done += bytesWritten;
      }
    });
  } finally {
    await handle.close();
  }
}

/** Reads every byte and keeps none. */
export async function verifyObject(bucket: Bucket, ref: ArtifactRef): Promise<void> {
  await readChecked(bucket, ref, async () => undefined);
}

/**
 * Size and digest are those of the bytes that came, whatever the server says of them. Only a body that breaks off is asked
 * for again: an answer that does not begin was asked for often enough.
 */
async function readChecked(
  bucket: Bucket,
  ref: ArtifactRef,
  take: (chunk: Buffer, at: number) => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const object = await bucket.get(ref.uri);
    if (object === null) throw missingArtifact(ref, addressOf(bucket.place));
    try {
      return await readBody(object, ref, take);
    } catch (error) {
      if (!isUnreachable(error) || attempt === READ_ATTEMPTS) throw error;
    }
    await bucket.pause(PAUSE_MS * attempt);
  }
}

async function readBody(
  object: { bytes: number; body: AsyncIterable<Buffer> },
  ref: ArtifactRef,
  take: (chunk: Buffer, at: number) => Promise<void>,
): Promise<void> {
  const hash = createHash('sha256');
  let at = 0;
  for await (const chunk of object.body) {
    if (object.bytes !== ref.bytes) break;
    hash.update(chunk);
    await take(chunk, at);
    at += chunk.byteLength;
  }
  if (object.bytes !== ref.bytes) throw corruptArtifact(ref, `${object.bytes} bytes`);
  const sha256 = hash.digest('hex');
  if (sha256 !== ref.sha256) throw corruptArtifact(ref, `digest ${sha256.slice(0, 12)}…`);
}
