import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openBucket } from '../../../store/artifacts/s3-bucket.ts';
import { translateS3Error } from '../../../store/artifacts/s3-errors.ts';
import type { S3Place } from '../../../store/artifacts/s3-place.ts';

const PLACE: S3Place = {
  ...{ bucket: 'shop', prefix: '', endpoint: 'http://127.0.0.1:9', region: 'us-east-1' },
  credentials: { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: undefined },
};
const PAGE = '<html><body>Your request was not understood<br></body></html>';

let server: Server | undefined;

afterEach(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  server = undefined;
});

/** What answers all that is asked with the same. */
async function answering(status: number, body: string): Promise<ReturnType<typeof openBucket>> {
  server = createServer((request, answer) => {
    request.resume().on('end', () => answer.writeHead(status, { connection: 'close' }).end(body));
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return openBucket({ ...PLACE, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    (found) => found,
    (error: { code?: string }) => error.code,
  );

describe('the page of a proxy', () => {
  test.each([302, 303, 307, 400, 404, 407])(
    'with status %s is no answer of the server: it is asked again later',
    async (status) => {
      const bucket = await answering(status, PAGE);
      expect(await codeOf(bucket.get('name'))).toBe('ARTIFACTS_UNREACHABLE');
      expect(await codeOf(bucket.put('name', Buffer.from('x')))).toBe('ARTIFACTS_UNREACHABLE');
    },
  );

  test('that is empty says of no object that it is missing, but to HEAD, whose answers are', async () => {
    const bucket = await answering(404, '');
    expect(await codeOf(bucket.get('name'))).toBe('ARTIFACTS_UNREACHABLE');
    expect(await bucket.look('name')).toBeNull();
  });

  test.each([401, 403])('with status %s refuses', async (status) => {
    const bucket = await answering(status, PAGE);
    expect(await codeOf(bucket.get('name'))).toBe('ARTIFACTS_REFUSED');
    expect(await codeOf(bucket.look('name'))).toBe('ARTIFACTS_REFUSED');
  });

  test.each([302, 307])('that sends HEAD on with status %s is asked again later', async (status) => {
    expect(await codeOf((await answering(status, '')).look('name'))).toBe('ARTIFACTS_UNREACHABLE');
  });

  test('that sends on for good is refused, for S3 says so to HEAD of another region', async () => {
    const bucket = await answering(301, PAGE);
    const refusal = { code: 'ARTIFACTS_REFUSED', message: expect.stringContaining('AWS_REGION') as string };
    await expect(bucket.get('name')).rejects.toMatchObject(refusal);
    await expect(bucket.look('name')).rejects.toMatchObject(refusal);
  });
});

test('what the server names is taken at its word', async () => {
  const bucket = await answering(404, '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>');
  expect(await bucket.get('name')).toBeNull();
});

test.each([
  ['CredentialsProviderError', undefined],
  ['NoSuchUpload', 404],
  ['XAmzContentSHA256Mismatch', 400],
])('%s may pass', (name, httpStatusCode) => {
  const error = Object.assign(new Error('in vain'), { name, ...(httpStatusCode && { Code: name }) });
  const found = translateS3Error(Object.assign(error, { $metadata: { httpStatusCode } }), 'write x', PLACE);
  expect(found).toMatchObject({ code: 'ARTIFACTS_UNREACHABLE', message: expect.stringContaining(name) });
});

test.each([
  ['missing', undefined],
  ['not one', 'no region at all'],
])('a region that is %s is refused, with the way out', async (_, region) => {
  for (const name of ['AWS_REGION', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONFIG_FILE', '/no/such/file');
  const bucket = openBucket({ ...PLACE, endpoint: undefined, region });
  await expect(bucket.look('name')).rejects.toMatchObject({
    code: 'ARTIFACTS_REFUSED',
    message: expect.stringMatching(/Region (is missing|not accepted); .*AWS_REGION/),
  });
});
