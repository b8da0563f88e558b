import { ServiceError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { HandlerError, type HandlerErrorType, type StartOperationContext } from 'nexus-rpc';
import { toFailure } from '../activities/boundary.ts';
import { ERRORS, isErrorCode } from '../pipelines/contracts/errors.ts';

/** By what the catalogue answers over HTTP; all else is ours, and no caller can mend it. */
const TYPES: Readonly<Record<number, HandlerErrorType>> = {
  400: 'BAD_REQUEST',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'BAD_REQUEST',
  422: 'BAD_REQUEST',
};

/** An operation whose errors are told as Nexus tells them. */
export function refusing<I, O>(
  handle: (operation: StartOperationContext, input: I) => Promise<O>,
): (operation: StartOperationContext, input: I) => Promise<O> {
  return async (operation, input) => {
    try {
      return await handle(operation, input);
    } catch (error) {
      throw toHandlerError(error);
    }
  };
}

/**
 * The code is the type of the cause, and the catalogue says whether Temporal may call again: a restarting database
 * is waited for, a wrong input is not.
 */
export function toHandlerError(error: unknown): unknown {
  // What the server said against a start, the SDK sorts itself.
  if (error instanceof HandlerError || error instanceof ServiceError) return error;
  const failure = toFailure(error);
  if (!(failure instanceof ApplicationFailure)) return error;
  const { type: code, message, nonRetryable } = failure;
  // Where our code stands on this machine is not for others.
  failure.stack = '';
  return new HandlerError(typeOf(code, nonRetryable ?? false), message, {
    cause: failure,
    retryableOverride: !nonRetryable,
    stackTrace: '',
  });
}

function typeOf(code: string | null | undefined, isFinal: boolean): HandlerErrorType {
  if (!isFinal) return 'UNAVAILABLE';
  return (isErrorCode(code) ? TYPES[ERRORS[code].http] : undefined) ?? 'INTERNAL';
}
