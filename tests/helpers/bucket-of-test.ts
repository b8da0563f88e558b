import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { S3Place } from '../../store/artifacts/s3-place.ts';
import { versitygw } from './artifact-places.ts';
import { type S3Server, startS3Server } from './s3-server.ts';

export interface BucketOfTest {
  server: S3Server;
  /** A bucket of this test alone. */
  place: S3Place;
  /** For the local copies of one process. */
  copiesFolder(): string;
}

/** To be called in a `describe`: a server for all of its tests, and a bucket for each. */
export function useBucket(onReady: (bucket: BucketOfTest) => void): void {
  let server: S3Server;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'strata-copies-'));
    server = await startS3Server(versitygw!);
  });

  beforeEach(async () => {
    const place = await server.place(`bucket-${randomUUID()}`, 'a/prefix');
    onReady({ server, place, copiesFolder: () => join(folder, randomUUID()) });
  });

  afterAll(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });
}
