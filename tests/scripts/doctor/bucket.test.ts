import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bucketProbe } from '../../../scripts/doctor/bucket.ts';
import { findingsOf } from '../../../scripts/doctor/finding.ts';
import { type S3Server, startS3Server } from '../../helpers/s3-server.ts';
import { findVersitygw } from '../../helpers/versitygw.ts';

const versitygw = await findVersitygw();

describe.skipIf(versitygw === null)('the doctor on a bucket (needs versitygw)', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3Server(versitygw!);
  });
  afterAll(() => server?.close());

  test('that works says how fast it is, and leaves nothing in it', async () => {
    const place = await server.place('shop', 'strata');
    const findings = await findingsOf(bucketProbe(place), 10_000);
    expect(findings).toEqual([
      {
        area: 'artifacts',
        state: 'ok',
        says: expect.stringMatching(
          /^s3:\/\/shop\/strata at 127\.0\.0\.1:\d+, \d+ ms a request, conditional writes$/,
        ) as string,
      },
    ]);
    const left = await readdir(server.fileOf(place), { recursive: true, withFileTypes: true }).catch(
      () => [],
    );
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
  });

  test('that is not there, or whose server is not, says so with the way out', async () => {
    const place = await server.place('shop');
    const [lost] = await findingsOf(bucketProbe({ ...place, bucket: 'no-such-bucket' }), 10_000);
    expect(lost).toMatchObject({ state: 'broken', says: expect.stringContaining('NoSuchBucket') });
    expect(lost!.wayOut!.join()).toContain('docs/artifacts.md');
    await server.kill();
    const [gone] = await findingsOf(bucketProbe(place), 10_000);
    expect(gone).toMatchObject({ state: 'broken', says: expect.stringContaining('ECONNREFUSED') });
    await server.start();
  });
});
