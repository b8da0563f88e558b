import { setTimeout as sleep } from 'node:timers/promises';

export const NO_ANSWER = Symbol('no answer in time');

/** Asks, and waits no longer than this; who asks while an earlier question is still open waits for that one. */
export function askOnce<R>(ask: () => Promise<R>, withinMs: number): () => Promise<R | typeof NO_ANSWER> {
  let open: Promise<R> | undefined;
  return async () => {
    open ??= ask().finally(() => {
      open = undefined;
    });
    const answered = new AbortController();
    const silence = sleep(withinMs, NO_ANSWER, { signal: answered.signal, ref: false } as const);
    try {
      return await Promise.race([open, silence]);
    } finally {
      silence.catch(() => undefined);
      answered.abort();
    }
  };
}
