import type { S3Place } from '../store/artifacts/s3-place.ts';

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX_PART = /^[\w!.*'()-]+$/;

/** All of AWS's own that are read; beside them, where no key is given, its chain looks for a role or a profile. */
export const AWS_VARIABLES = [
  'AWS_ENDPOINT_URL_S3',
  'AWS_ENDPOINT_URL',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
] as const;

/** Of a server that has no regions any word will do, but the client wants one. */
const ANY_REGION = 'us-east-1';

/** @param text `s3://bucket/prefix`; its value never appears in a problem, since people put keys there */
export function parseS3(text: string, given: Record<string, string>, problems: string[]): S3Place {
  const [bucket = '', ...parts] = text
    .replace(/^s3:\/\//i, '')
    .replace(/\/$/, '')
    .split('/');
  const isPrefix = parts.every((part) => PREFIX_PART.test(part) && !/^\.+$/.test(part));
  if (!BUCKET.test(bucket) || !isPrefix)
    problems.push(
      'STRATA_ARTIFACTS must look like s3://bucket or s3://bucket/prefix, with a name that S3 takes for a bucket, ' +
        'and letters, digits and _-.!*() in the prefix; keys and address are AWS_ variables',
    );
  const endpoint = parseEndpoint(given, problems);
  const region = given.AWS_REGION ?? given.AWS_DEFAULT_REGION ?? (endpoint && ANY_REGION);
  return Object.freeze({
    ...{ bucket, prefix: parts.join('/'), endpoint, region },
    credentials: parseCredentials(given, problems),
  });
}

function parseEndpoint(given: Record<string, string>, problems: string[]): string | undefined {
  const name = given.AWS_ENDPOINT_URL_S3 === undefined ? 'AWS_ENDPOINT_URL' : 'AWS_ENDPOINT_URL_S3';
  const text = given[name];
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (!isHttp || url.username !== '' || url.password !== '')
    problems.push(`${name} must look like https://host:port, without a user`);
  return text;
}

function parseCredentials(given: Record<string, string>, problems: string[]): S3Place['credentials'] {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = given;
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    problems.push('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set both or neither');
    return undefined;
  }
  return Object.freeze({ accessKeyId, secretAccessKey, sessionToken: given.AWS_SESSION_TOKEN });
}
