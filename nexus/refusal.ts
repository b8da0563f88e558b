import { ServiceError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { HandlerError, type HandlerErrorType, type StartOperationContext } from 'nexus-rpc';
import { toFailure } from '../activities/boundary.ts';
import { ERRORS, isErrorCode } from '../pipelines/contracts/errors.ts';

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

/**
 * Never CONFLICT: server 1.29 does not know the type, takes it for an error of its own and calls again until the
 * caller's time is over.
 */
function typeOf(code: string | null | undefined, isFinal: boolean): HandlerErrorType {
  if (!isFinal) return 'UNAVAILABLE';
  const http = isErrorCode(code) ? ERRORS[code].http : 500;
  if (http === 404) return 'NOT_FOUND';
  return http < 500 ? 'BAD_REQUEST' : 'INTERNAL';
}
