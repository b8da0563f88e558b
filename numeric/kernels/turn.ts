import { setImmediate as nextTurn } from 'node:timers/promises';

/** Gives the event loop a turn: heartbeats and signals get through between blocks of work. */
export { nextTurn };

/**
 * Work that pauses wherever it yields, in one go: for one row, or where nobody waits.
 *
 * @returns what the work returns, the same as {@link inTurns} gives
 */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** The same work with a turn of the event loop at each pause; `onTurn` may throw there, which ends it. */
export async function inTurns<T>(work: Generator<void, T>, onTurn?: () => void): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await nextTurn();
    onTurn?.();
  }
}
