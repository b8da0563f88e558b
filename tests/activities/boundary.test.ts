import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { toFailure, withBoundary } from '../../activities/boundary.ts';
import { ERRORS, type ErrorCode, PipelineError } from '../../pipelines/contracts/errors.ts';

const CODES = Object.keys(ERRORS) as ErrorCode[];

/** What leaves for Temporal when an activity throws this. */
async function failureOf(error: unknown): Promise<unknown> {
  const { failing } = withBoundary({ failing: () => Promise.reject(error) });
  return failing().catch((failure: unknown) => failure);
}

describe('an error leaves for Temporal as its code says', () => {
  test.each(CODES)('%s: type, message and whether a retry can help', async (code) => {
    const failure = await failureOf(new PipelineError(code, 'needed 2, found 1', { found: 1 }));
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({
      type: code,
      message: 'needed 2, found 1',
      nonRetryable: !ERRORS[code].retry,
      details: [{ found: 1 }],
    });
  });

  test('its cause stays here: a driver may quote a row in it', async () => {
    const cause = new Error('Key (customer_id)=(17850) already exists');
    const failure = await failureOf(new PipelineError('POSTGRES_UNREACHABLE', 'no answer', {}, { cause }));
    expect(failure).toMatchObject({ cause: undefined, details: undefined });
    expect((failure as Error).stack).not.toContain('17850');
  });

  test('a value that a part refuses is refused for good', async () => {
    expect(await failureOf(new RangeError('needs 2 rows, found 1'))).toMatchObject({
      type: 'VALUE_REFUSED',
      message: 'needs 2 rows, found 1',
      nonRetryable: true,
    });
  });

  test('an error without a code is retried: a service that restarts looks like that', async () => {
    const cause = new Error('Key (customer_id)=(17850) already exists');
    expect(await failureOf(new Error('socket hang up', { cause }))).toMatchObject({
      type: 'Error',
      message: 'socket hang up',
      nonRetryable: false,
      cause: undefined,
    });
    expect(toFailure('a text')).toBe('a text');
  });

  test('a failure that is one already goes on as it is', async () => {
    const failure = ApplicationFailure.nonRetryable('no', 'REVIEW_REFUSED');
    expect(await failureOf(failure)).toBe(failure);
  });

  test('a cancel stays a cancel', async () => {
    const cancelled = new CancelledFailure('CANCELLED');
    expect(await failureOf(cancelled)).toBe(cancelled);
  });
});

describe('a payload', () => {
  const LIMIT_BYTES = 64 * 1024;
  const { echo } = withBoundary({
    echo: (input: { text: string; answer: string }) => Promise.resolve(input.answer),
  });
  // As JSON a text has two quotes, and the object around them its names.
  const inputOf = (bytes: number) => ({
    answer: '',
    text: 'x'.repeat(bytes - '{"answer":"","text":""}'.length),
  });

  test('of 64 KB passes, of one byte more is refused before the work begins', async () => {
    await expect(echo(inputOf(LIMIT_BYTES))).resolves.toBe('');
    await expect(echo(inputOf(LIMIT_BYTES + 1))).rejects.toMatchObject({
      type: 'PAYLOAD_TOO_LARGE',
      nonRetryable: true,
      message: expect.stringContaining(
        `input of echo needs to be at most ${LIMIT_BYTES} bytes, found ${LIMIT_BYTES + 1}`,
      ),
    });
  });

  test('is measured in bytes, not in letters', async () => {
    const answer = 'ü'.repeat(LIMIT_BYTES / 2);
    const { say } = withBoundary({ say: () => Promise.resolve(answer) });
    await expect(say()).rejects.toMatchObject({
      type: 'PAYLOAD_TOO_LARGE',
      message: expect.stringContaining('result of say'),
    });
  });

  test('may be nothing at all', async () => {
    const { nothing } = withBoundary({ nothing: (_?: never) => Promise.resolve(undefined) });
    await expect(nothing()).resolves.toBeUndefined();
  });
});
