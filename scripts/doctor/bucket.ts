import { randomUUID } from 'node:crypto';
import type { S3Place } from '../../store/artifacts/s3-place.ts';
import type { Finding, Probe } from './finding.ts';

/** A run of the built-in shop asks about 150 times. */
const SLOW_MS = 250;

type Found = Omit<Finding, 'area'>;

/** Whether the bucket can be written to, read, listed and cleared as runs do it; what is written for that goes again. */
export function bucketProbe(place: S3Place): Probe {
  const wayOut = [
    'check STRATA_ARTIFACTS and the AWS_ variables; docs/artifacts.md has the rights that are needed',
  ];
  return { area: 'artifacts', wayOut, look: () => look(place, wayOut) };
}

async function look(place: S3Place, wayOut: string[]): Promise<Found[]> {
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
  await timed(() => bucket.put(name, bytes, { ifAbsent: true }));
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
    return [toleranceOf(where, { isConditional, requestMs: medianOf(times) })];
  } finally {
    await bucket.remove(name);
  }
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
