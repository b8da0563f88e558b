import { ApplicationFailure } from '@temporalio/workflow';

/** The innermost message with its code of the catalogue. */
export function wordsOf(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  if (cause instanceof ApplicationFailure && cause.type) return `${cause.message} (${cause.type})`;
  return cause instanceof Error ? cause.message : 'failed without a message';
}
