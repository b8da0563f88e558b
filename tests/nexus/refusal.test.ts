import { ServiceError } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import { HandlerError } from 'nexus-rpc';
import { describe, expect, test } from 'vitest';
import { toHandlerError } from '../../nexus/refusal.ts';
import { ERRORS, type ErrorCode, PipelineError } from '../../pipelines/contracts/errors.ts';

const told = (error: unknown) => toHandlerError(error) as HandlerError;

describe('an error, as a caller is told', () => {
  test.each<[ErrorCode, string]>([
    ['INPUT_INVALID', 'BAD_REQUEST'],
    ['DEFINITION_INVALID', 'BAD_REQUEST'],
    ['RUN_IN_PROGRESS', 'BAD_REQUEST'],
    ['PIPELINE_UNKNOWN', 'NOT_FOUND'],
    ['POSTGRES_UNREACHABLE', 'UNAVAILABLE'],
    ['CODEC_KEY_MISSING', 'UNAVAILABLE'],
    ['CONFIG_INVALID', 'INTERNAL'],
  ])('%s is %s, with its code, its words and nothing of this machine', (code, type) => {
    const { retry } = ERRORS[code];
    const error = told(
      new PipelineError(code, 'what was needed', { count: 1 }, { cause: new Error('a row') }),
    );
    expect(error).toMatchObject({ type, message: 'what was needed', retryable: retry });
    const cause = error.cause as ApplicationFailure;
    expect(cause).toMatchObject({ type: code, nonRetryable: !retry, details: [{ count: 1 }] });
    expect(cause.cause).toBeUndefined();
    expect(`${error.stack}${cause.stack}`).not.toContain('refusal');
  });

  test('is called again for where a retry can help, and has a type that server 1.29 knows', () => {
    const codes = Object.keys(ERRORS) as ErrorCode[];
    for (const code of codes)
      expect(told(new PipelineError(code, 'x')).retryable, code).toBe(ERRORS[code].retry);
    const types = new Set(codes.map((code) => told(new PipelineError(code, 'x')).type));
    expect([...types].sort()).toEqual(['BAD_REQUEST', 'INTERNAL', 'NOT_FOUND', 'UNAVAILABLE']);
  });

  test('without a code may pass, unless it is a mistake in the code', () => {
    expect(told(new Error('socket closed'))).toMatchObject({ type: 'UNAVAILABLE', retryable: true });
    expect(told(new TypeError('x is not a function'))).toMatchObject({ type: 'INTERNAL', retryable: false });
  });

  test('is left alone where Nexus and its SDK have sorted it', () => {
    for (const error of [new HandlerError('NOT_FOUND'), new ServiceError('refused')])
      expect(toHandlerError(error)).toBe(error);
  });
});
