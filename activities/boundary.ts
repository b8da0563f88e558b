import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { ERRORS, PipelineError } from '../pipelines/contracts/errors.ts';

/**
 * The one place where our errors become Temporal's: the code is the failure's type, and the catalogue says
 * whether a retry can help. What has no code is retried: a restarting service looks like that.
 */
export function toFailure(error: unknown): unknown {
  if (error instanceof PipelineError) {
    const { code, message, details } = error;
    const failure = ApplicationFailure.create({
      type: code,
      message,
      nonRetryable: !ERRORS[code].retry,
      details: Object.keys(details).length > 0 ? [details] : undefined,
    });
    // Where it was born. Its cause stays here: a driver's error may quote a row.
    failure.stack = error.stack;
    return failure;
  }
  // numeric/ and the stores' guards know no codes: what they refuse stays refused.
  if (error instanceof RangeError) {
    return ApplicationFailure.create({ type: 'VALUE_REFUSED', message: error.message, nonRetryable: true });
  }
  if (!(error instanceof Error)) return error;
  // Unknown, so it may pass (a restarting service looks like that), but for a mistake in the code. Its causes
  // stay here, too.
  const nonRetryable = error instanceof TypeError || error instanceof ReferenceError;
  const failure = ApplicationFailure.create({ type: error.name, message: error.message, nonRetryable });
  failure.stack = error.stack;
  return failure;
}

type Activity = (input: never) => Promise<unknown>;

/** Temporal warns at 256 KB and refuses 2 MB, and keeps every payload in the history: ours stay far below. */
const PAYLOAD_LIMIT_BYTES = 64 * 1024;

/** The same activities, with errors translated and payloads measured where they leave for Temporal. */
export function withBoundary<A extends Record<string, Activity>>(activities: A): A {
  const guarded = Object.entries(activities).map(([name, activity]) => [
    name,
    async (input: never) => {
      try {
        requireSmall(input, `input of ${name}`);
        const result = await activity(input);
        requireSmall(result, `result of ${name}`);
        return result;
      } catch (error) {
        if (error instanceof CancelledFailure || error instanceof ApplicationFailure) throw error;
        throw toFailure(error);
      }
    },
  ]);
  return Object.fromEntries(guarded) as A;
}

function requireSmall(payload: unknown, what: string): void {
  const bytes = Buffer.byteLength(JSON.stringify(payload) ?? '');
  if (bytes <= PAYLOAD_LIMIT_BYTES) return;
  throw new PipelineError(
    'PAYLOAD_TOO_LARGE',
    `${what} needs to be at most ${PAYLOAD_LIMIT_BYTES} bytes, found ${bytes}: pass a reference to an artifact`,
    { bytes },
  );
}
