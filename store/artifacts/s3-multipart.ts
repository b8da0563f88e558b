import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { inLanes } from './lanes.ts';
import type { Bucket, Part } from './s3-bucket.ts';
import { unreachable } from './s3-errors.ts';

const MEGABYTE = 2 ** 20;
/** Parts that are on the way at a time, each in memory. */
const LANES = 3;
/** S3 takes 10,000 parts at most. */
const MOST_PARTS = 9_000;
const LATE_PART_MS = 250;
export const PART_BYTES = 16 * MEGABYTE;

export interface Upload {
  /** Where it goes below the place's prefix. */
  name: string;
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
  /** Nothing is written where the name is taken. */
  ifAbsent: boolean;
  partBytes: number;
}

/** So many bytes from a place on: of a file, or of memory. */
type ReadBytes = (from: number, length: number) => Promise<Uint8Array>;

/** A file as one object; never more of it is in memory than the parts that are on the way. */
export async function uploadFile(bucket: Bucket, file: string, upload: Upload): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    return await uploadObject(
      bucket,
      async (from, length) => {
        const bytes = Buffer.allocUnsafeSlow(length);
        const { bytesRead } = await handle.read(bytes, 0, length, from);
        if (bytesRead === length) return bytes;
        throw new RangeError(`part of a file needs ${length} bytes from ${from}, found ${bytesRead}`);
      },
      upload,
    );
  } finally {
    await handle.close();
  }
}

export function uploadBytes(bucket: Bucket, bytes: Uint8Array, upload: Upload): Promise<boolean> {
  return uploadObject(bucket, async (from, length) => bytes.subarray(from, from + length), upload);
}

/**
 * In one request where it is small, else in parts, which nobody sees before the last has
 * arrived. The server checks each part's SHA-256; afterwards size and digest are looked at once more.
 *
 * @returns false: the name was taken meanwhile
 *
 * A process that is killed leaves parts that only the bucket's lifecycle rule takes away.
 */
async function uploadObject(bucket: Bucket, read: ReadBytes, upload: Upload): Promise<boolean> {
  const { name, bytes, sha256, ifAbsent } = upload;
  if (bytes <= upload.partBytes) return bucket.put(name, await read(0, bytes), { sha256, ifAbsent });
  const parts = await sendParts(bucket, read, upload);
  if (parts === null) return false;
  if (await hasArrived(bucket, upload, parts)) return true;
  // Other bytes of the right size: whoever looks next would take them for good, so they are written over now.
  const again = await sendParts(bucket, read, { ...upload, ifAbsent: false });
  if (again !== null && (await hasArrived(bucket, upload, again))) return true;
  throw unreachable('other bytes than were sent', `upload ${name}`, bucket.place);
}

/** Null: the name was taken meanwhile. */
async function sendParts(bucket: Bucket, read: ReadBytes, upload: Upload): Promise<Part[] | null> {
  const { name, bytes, ifAbsent } = upload;
  const id = await bucket.startUpload(name);
  let parts: Part[];
  let isWritten: boolean;
  try {
    parts = await uploadParts(bucket, read, { ...upload, id });
    isWritten = await bucket.endUpload(name, id, parts, { ifAbsent, bytes });
  } catch (error) {
    // Whatever ended it is what the caller has to hear of.
    await takeBack(bucket, name, id).catch(() => undefined);
    throw error;
  }
  if (isWritten) return parts;
  await bucket.abortUpload(name, id);
  return null;
}

/** A server may still write a part down that was on the way: it is asked once more, as S3 advises. */
async function takeBack(bucket: Bucket, name: string, id: string): Promise<void> {
  await bucket.abortUpload(name, id);
  await sleep(LATE_PART_MS);
  await bucket.abortUpload(name, id);
}

async function uploadParts(
  bucket: Bucket,
  read: ReadBytes,
  { name, bytes, partBytes, id }: Upload & { id: string },
): Promise<Part[]> {
  const size = Math.max(partBytes, Math.ceil(bytes / MOST_PARTS / MEGABYTE) * MEGABYTE);
  const numbers = Array.from({ length: Math.ceil(bytes / size) }, (_, i) => i + 1);
  return inLanes(numbers, LANES, async (number) => {
    const from = (number - 1) * size;
    const part = await read(from, Math.min(size, bytes - from));
    const sha256 = createHash('sha256').update(part).digest('base64');
    return bucket.putPart(name, id, { number, bytes: part, sha256 });
  });
}

/**
 * The digest of an object in parts is that of the parts' digests, where the server keeps one; where it keeps another, its
 * bytes are read. Nothing is removed: another run may use the name meanwhile.
 */
async function hasArrived(bucket: Bucket, { name, bytes, sha256 }: Upload, parts: Part[]): Promise<boolean> {
  const all = createHash('sha256');
  for (const part of parts) all.update(Buffer.from(part.sha256, 'base64'));
  const expected = `${all.digest('base64')}-${parts.length}`;
  const found = await bucket.look(name);
  const isSame =
    found?.checksum === undefined || found.checksum === expected || !found.checksum.includes('-');
  return found?.bytes === bytes && (isSame || (await digestIn(bucket, name)) === sha256);
}

async function digestIn(bucket: Bucket, name: string): Promise<string | null> {
  const object = await bucket.get(name);
  if (object === null) return null;
  const hash = createHash('sha256');
  for await (const chunk of object.body) hash.update(chunk);
  return hash.digest('hex');
}
