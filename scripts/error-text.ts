import { isErrorCode, PipelineError } from '../pipelines/contracts/errors.ts';

/** The message that says most: failures come back from Temporal wrapped in those of activity and workflow. */
export function innermostMessage(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  const type = (cause as { type?: string }).type;
  const message = cause instanceof Error ? cause.message : String(cause);
  return type ? `${message} (${type})` : message;
}

/** What a person reads who typed a command: message and code; of what has no code, where it was thrown too. */
export function errorText(error: unknown): string {
  if (error instanceof PipelineError) return `${error.message} (${error.code})`;
  const message = innermostMessage(error);
  return isErrorCode((error as { type?: string }).type)
    ? message
    : `${message}\n${(error as Error).stack ?? ''}`;
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
}
