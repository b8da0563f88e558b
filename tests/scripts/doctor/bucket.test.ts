import { readdir } from 'node:fs/promises';
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
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

  test('that knows no conditional writes is warned of, and one that takes no parts is broken', async () => {
    const place = await server.place('line', 'strata');
    let refuses = (request: IncomingMessage) => request.headers['if-none-match'] !== undefined;
    const line = await lineTo(server, (request, answer) => {
      if (!refuses(request)) return false;
      request.resume().on('end', () => {
        answer.writeHead(501).end('<?xml version="1.0"?><Error><Code>NotImplemented</Code></Error>');
      });
      return true;
    });
    const through = { ...place, endpoint: line.endpoint };
    const [warned] = await findingsOf(bucketProbe(through), 10_000);
    expect(warned).toMatchObject({ state: 'warning', says: expect.stringContaining('no If-None-Match') });
    refuses = ({ url }) => url!.includes('uploads');
    const [broken] = await findingsOf(bucketProbe(through), 10_000);
    expect(broken).toMatchObject({ state: 'broken', says: expect.stringContaining('NotImplemented') });
    await line.close();
  });

  test('on a slow line is not broken: a large object has more time than a server that hangs', async () => {
    const place = await server.place('slow', 'strata');
    let isSilent = false;
    const line = await lineTo(server, async (request) => {
      if (request.url!.includes('partNumber')) await sleep(4_500);
      return isSilent;
    });
    const through = { ...place, endpoint: line.endpoint };
    expect(await findingsOf(bucketProbe(through), 4_000)).toMatchObject([{ state: 'ok' }]);
    isSilent = true;
    expect(await findingsOf(bucketProbe(through), 1_000)).toMatchObject([
      { state: 'broken', says: 'no answer within 1 s' },
    ]);
    await line.close();
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

/** Asks the server what it is asked, unless somebody else answers. */
async function lineTo(
  server: S3Server,
  answers: (request: IncomingMessage, answer: ServerResponse) => boolean | Promise<boolean>,
) {
  const line = createServer(async (request, answer) => {
    if (await answers(request, answer)) return;
    const { method, url, headers } = request;
    const onwards = ask(server.endpoint + url, { method: method!, headers }, (told) => {
      answer.writeHead(told.statusCode!, told.headers);
      told.pipe(answer);
    });
    request.pipe(onwards);
  });
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(line.address() as AddressInfo).port}`,
    async close() {
      line.closeAllConnections();
      await new Promise((resolve) => line.close(resolve));
    },
  };
}
