// How threads that work on one thing agree: a few integers in shared memory, fresh for every operation.

/** Set to 1 by the caller: everybody leaves. */
export const ABORT = 0;
/** The next piece of work that nobody has taken. */
export const CURSOR = 1;
/** Pieces finished, for whoever watches. */
export const DONE = 2;
export const ITERATIONS = 3;
export const FINISHED = 4;
export const CONVERGED = 5;
const ARRIVED = 6;
const GENERATION = 7;
const LENGTH = 8;

// Iterations last milliseconds, so a thread that is early looks a while before it sleeps.
const SPINS = 2000;
// A thread whose partner died learns of it by the abort flag, at the latest after this time.
const SLEEP_MS = 50;

/**
 * One for each thread. A team shares the first; threads that work alone have their own.
 *
 * @param {number} threads
 * @returns {Int32Array[]}
 */
export function createControls(threads) {
  return Array.from({ length: threads }, () => new Int32Array(new SharedArrayBuffer(LENGTH * 4)));
}

/** Thrown in a thread to leave early; the pool turns it into the reason it knows. */
export class Aborted extends Error {
  /** @override */
  name = 'Aborted';
}

/** @param {Int32Array} control */
export function throwIfAborted(control) {
  if (Atomics.load(control, ABORT) !== 0) throw new Aborted();
}

/**
 * Takes the next piece of work, or -1 when all are taken.
 *
 * @param {Int32Array} control
 * @param {number} pieces
 */
export function takePiece(control, pieces) {
  throwIfAborted(control);
  const piece = Atomics.add(control, CURSOR, 1);
  return piece < pieces ? piece : -1;
}

/**
 * Waits until the whole team has come here. The last to come runs `serial` alone, then all go on.
 *
 * @param {Int32Array} control
 * @param {number} team
 * @param {() => void} serial
 */
export function meet(control, team, serial) {
  const generation = Atomics.load(control, GENERATION);
  if (Atomics.add(control, ARRIVED, 1) === team - 1) {
    serial();
    Atomics.store(control, ARRIVED, 0);
    Atomics.store(control, CURSOR, 0);
    Atomics.add(control, GENERATION, 1);
    Atomics.notify(control, GENERATION);
    return;
  }
  for (let spin = 0; spin < SPINS; spin++) {
    if (Atomics.load(control, GENERATION) !== generation) return;
  }
  while (Atomics.load(control, GENERATION) === generation) {
    throwIfAborted(control);
    Atomics.wait(control, GENERATION, generation, SLEEP_MS);
  }
}
