import { createHash, randomUUID } from 'node:crypto';
import type { Bucket } from '../../store/artifacts/s3-bucket.ts';
import type { S3Place } from '../../store/artifacts/s3-place.ts';
import type { Finding, Probe } from './finding.ts';

/** A run of the built-in shop asks about 150 times. */
const SLOW_MS = 250;
/** The least that S3 takes of a part that is not the last; with one byte more there are two. */
const PART_BYTES = 5 * 2 ** 20;
/** They go up and come down again: on a slow line, which is none that hangs. */
const PARTS_WITHIN_MS = 60_000;

type Found = Omit<Finding, 'area'>;

/** Whether the bucket can be written to, read, listed and cleared as runs do it; what is written for that goes again. */
export function bucketProbe(place: S3Place): Probe {
  const wayOut = [
    'check STRATA_ARTIFACTS and the AWS_ variables; docs/artifacts.md has the rights that are needed',
  ];
  return { area: 'artifacts', wayOut, look: (takesLonger) => look(place, wayOut, takesLonger) };
}

async function look(
  place: S3Place,
  wayOut: string[],
  takesLonger: Parameters<Probe['look']>[0],
): Promise<Found[]> {
  const { openBucket } = await import('../../store/artifacts/s3-bucket.ts');
  const { addressOf, hostOf } = await import('../../store/artifacts/s3-place.ts');
  const bucket = openBucket(place);
  const name = `.probe/${randomUUID()}`;
  const times: number[] = [];
  const timed = async <T>(work: () => Promise<T>): Promise<T> => {
    const startMs = performance.now();
    const result = await work();
    times.push(performance.now() - startMs);
    return result;
  };
  const bytes = Buffer.from('written by strata doctor');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await timed(() => bucket.put(name, bytes, { ifAbsent: true, sha256 }));
  try {
    const isConditional = !(await timed(() => bucket.put(name, bytes, { ifAbsent: true })));
    const isSeen = (await timed(() => bucket.look(name)))?.bytes === bytes.length;
    const isListed = (await timed(() => namesIn(bucket.list('.probe/')))).includes(name);
    const where = `${addressOf(place)} at ${hostOf(place)}`;
    if (!isSeen || !isListed)
      return [
        {
          state: 'broken',
          says: `${where} does not show at once what was written: artifacts in use could be removed`,
          wayOut: ['take a server that reads its own writes, as S3 does since 2020', ...wayOut],
        },
      ];
    const isSame = (await timed(() => contentOf(bucket, name))).equals(bytes);
    takesLonger?.(PARTS_WITHIN_MS);
    if (!isSame || !(await takesParts(bucket, `${name}-parts`)))
      return [
        {
          state: 'broken',
          says: `${where} gives other bytes back than were written`,
          wayOut: ['take a server that keeps what it is given, whole and in parts', ...wayOut],
        },
      ];
    return [toleranceOf(where, { isConditional, requestMs: medianOf(times) })];
  } finally {
    await bucket.remove(name);
  }
}

/** Large artifacts go in parts: one upload is ended, and one given up. */
async function takesParts(bucket: Bucket, name: string): Promise<boolean> {
  const { uploadBytes } = await import('../../store/artifacts/s3-multipart.ts');
  const bytes = Buffer.alloc(PART_BYTES + 1, 'strata');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const upload = { name, bytes: bytes.length, sha256, ifAbsent: false, partBytes: PART_BYTES };
  try {
    await uploadBytes(bucket, bytes, upload);
    const isSame = (await contentOf(bucket, name)).equals(bytes);
    await bucket.abortUpload(name, await bucket.startUpload(name));
    return isSame;
  } finally {
    await bucket.remove(name);
  }
}

async function contentOf(bucket: Bucket, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of (await bucket.get(name))?.body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function toleranceOf(
  where: string,
  { isConditional, requestMs }: { isConditional: boolean; requestMs: number },
): Found {
  const says = `${where}, ${Math.ceil(requestMs)} ms a request`;
  if (requestMs > SLOW_MS)
    return {
      state: 'warning',
      says,
      wayOut: ['each stage waits for some ten requests: take a bucket in the region of the workers'],
    };
  if (!isConditional)
    return {
      state: 'warning',
      says: `${says}; it heeds no If-None-Match`,
      wayOut: ['it does no harm: of two that write the same artifact at once, both upload it'],
    };
  return { state: 'ok', says: `${says}, conditional writes` };
}

async function namesIn(listing: AsyncIterable<{ name: string }>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of listing) names.push(name);
  return names;
}

function medianOf(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
}
