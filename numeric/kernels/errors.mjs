// What can go wrong with the kernels themselves, apart from what they are given. Plain JavaScript, since the
// threads throw it too.

/** A fit needs more memory than 32-bit addresses reach: it is refused before work, here and on any machine. */
export class KernelMemoryError extends RangeError {
  /** @override */
  name = 'KernelMemoryError';

  /**
   * @param {string} message
   * @param {number} mostRows that fit can hold
   */
  constructor(message, mostRows) {
    super(message);
    this.mostRows = mostRows;
  }
}

/** A thread died, or the machine has no memory left for one: the same work may succeed when tried again. */
export class KernelFailure extends Error {
  /** @override */
  name = 'KernelFailure';
}
