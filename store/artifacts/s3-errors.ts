import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { addressOf, hostOf, type S3Place } from './s3-place.ts';

// What a client of S3 throws is either a server's refusal, with a name and an HTTP status, or a fault on the way
// there. A refusal stays one however often it is asked; all else may pass. The client's own error is no cause of
// ours: that of a wrong signature carries the access key and all that was signed.

/** Refusals that pass by themselves, though their status is that of a refusal. */
const PASSING_STATUS = new Set([408, 409, 429]);
const PASSING = new Set([
  'RequestTimeout',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
  'BadDigest',
  'IncompleteBody',
  'XAmzContentSHA256Mismatch',
  // What ended the upload; the next attempt begins another.
  'NoSuchUpload',
  // Of AWS's chain: the service that lends a role to a machine or a pod may be away for a moment.
  'CredentialsProviderError',
]);
/** What is refused without a name, such as to HEAD; all else without one is a proxy's page, a login mostly. */
const NAMELESS_REFUSALS = new Set([301, 401, 403]);
/** The client knows no region to ask; it says so in words alone. */
const NO_REGION = /^Region (is missing|not accepted)/;

/** What a person can do about it; others are told by their name alone. */
const WAYS_OUT: Record<string, string> = {
  NoSuchBucket: 'make the bucket, or set STRATA_ARTIFACTS to another',
  AccessDenied: 'give this user the rights that docs/artifacts.md lists',
  Forbidden: 'give this user the rights that docs/artifacts.md lists',
  InvalidAccessKeyId: 'correct AWS_ACCESS_KEY_ID',
  SignatureDoesNotMatch: 'correct AWS_SECRET_ACCESS_KEY',
  ExpiredToken: 'renew AWS_SESSION_TOKEN, and start the worker again',
  CredentialsProviderError: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role',
  RequestTimeTooSkewed: 'set the clock of this machine',
  PermanentRedirect:
    'set AWS_REGION to the region of the bucket, AWS_ENDPOINT_URL to where it answers itself',
  AuthorizationHeaderMalformed: 'set AWS_REGION to the region of the bucket',
  'Region is missing': 'set AWS_REGION to the region of the bucket',
  'Region not accepted': 'correct AWS_REGION',
};

interface Seen {
  name: string;
  status: number | undefined;
  code: string | undefined;
  /** Whether the answer names its error as S3 does; the page of a proxy does not. */
  isOfS3: boolean;
}

/**
 * Whether the server says that there is no such object, upload or version; a bucket that is missing is another matter.
 *
 * @param isHead the answer to HEAD has no body that could say it: its status has to do
 */
export function isNotFound(error: unknown, { isHead = false } = {}): boolean {
  const { name, status, isOfS3 } = seen(error);
  if (isOfS3) return ['NoSuchKey', 'NotFound', 'NoSuchUpload'].includes(name);
  return isHead && status === 404;
}

/** Whether the object is there already. */
export function isTaken(error: unknown): boolean {
  return seen(error).status === 412;
}

/** Whether another request for the same name was in the way. */
export function isConflict(error: unknown): boolean {
  return seen(error).status === 409;
}

/** Whether the server does not know what it was asked for, a condition mostly. */
export function isNotImplemented(error: unknown): boolean {
  return seen(error).status === 501;
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof PipelineError && error.code === 'ARTIFACTS_UNREACHABLE';
}

/** @param doing after "needs to" in a sentence */
export function translateS3Error(error: unknown, doing: string, place: S3Place): unknown {
  // A mistake of ours is not the server's fault.
  if (error instanceof PipelineError || error instanceof RangeError || error instanceof TypeError)
    return error;
  const found = seen(error);
  return isRefusal(found) ? refused(found, doing, place) : unreachable(wordsOf(found, error), doing, place);
}

export function unreachable(found: string, doing: string, place: S3Place): PipelineError {
  return new PipelineError(
    'ARTIFACTS_UNREACHABLE',
    `Strata needs to ${doing} in ${addressOf(place)} at ${hostOf(place)}, found: ${found}; ` +
      'check that it answers from here, AWS_ENDPOINT_URL and the network; it is tried again by itself',
    { bucket: place.bucket, host: hostOf(place) },
  );
}

function refused({ name, status }: Seen, doing: string, place: S3Place): PipelineError {
  const wayOut = WAYS_OUT[name] ?? 'check STRATA_ARTIFACTS and the AWS_ variables';
  return new PipelineError(
    'ARTIFACTS_REFUSED',
    `Strata needs to ${doing} in ${addressOf(place)} at ${hostOf(place)}, which refuses: ` +
      `${name}${status === undefined ? '' : ` (HTTP ${status})`}; ${wayOut}`,
    { bucket: place.bucket, host: hostOf(place), refusal: name },
  );
}

function isRefusal({ name, status, isOfS3 }: Seen): boolean {
  if (NO_REGION.test(name)) return true;
  if (PASSING.has(name) || PASSING_STATUS.has(status ?? 0)) return false;
  if (status === undefined) return false;
  if (!isOfS3) return NAMELESS_REFUSALS.has(status);
  return status === 501 || (status >= 300 && status < 500);
}

function seen(error: unknown): Seen {
  const { name, message, code, Code, $metadata } = (error ?? {}) as {
    name?: string;
    message?: string;
    code?: unknown;
    Code?: unknown;
    $metadata?: { httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  const isOfS3 = typeof Code === 'string';
  return {
    ...{ status, isOfS3, code: typeof code === 'string' ? code : undefined },
    name: NO_REGION.exec(message ?? '')?.[0] ?? nameOf(name, isOfS3 ? undefined : status),
  };
}

/** Where the answer has no name for it. */
function nameOf(name: string | undefined, status: number | undefined): string {
  if (status === 301) return 'PermanentRedirect';
  if (status === 401 || status === 403) return 'AccessDenied';
  return name ?? 'Error';
}

function wordsOf({ name, code, status, isOfS3 }: Seen, error: unknown): string {
  if (status !== undefined)
    return isOfS3 ? `${name} (HTTP ${status})` : `an answer that is none of S3 (HTTP ${status})`;
  if (name === 'TimeoutError' || name === 'AbortError') return 'no answer in time';
  if (code !== undefined) return code;
  const message = error instanceof Error ? error.message : String(error);
  return name in WAYS_OUT ? `${name}: ${WAYS_OUT[name]}` : firstWords(message);
}

function firstWords(message: string): string {
  return message.split('\n')[0]!.slice(0, 200);
}
