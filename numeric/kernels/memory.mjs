// Compiled kernels bound to memory, in a worker thread.

import { workerData } from 'node:worker_threads';
import { KernelFailure } from './errors.mjs';
import { MAX_BYTES, PAGE_BYTES } from './layout.mjs';

/** @typedef {import('./tasks.ts').Kernels} Kernels */

/**
 * `origin` is where the rows of the fits of `source` were moved to, once they lie in memory.
 *
 * @type {{ memory: WebAssembly.Memory, kernels: Kernels, source: number, origin: Float32Array | undefined } | undefined}
 */
let own;

/**
 * @param {WebAssembly.Memory} memory
 * @returns {Kernels}
 */
export function bindKernels(memory) {
  const instance = new WebAssembly.Instance(workerData.module, { env: { memory } });
  return /** @type {Kernels} */ (/** @type {unknown} */ (instance.exports));
}

/**
 * This thread's own memory, at least that large. It is kept and only grows: what it held before is garbage, but
 * for the rows of fits when the last use was of the same source.
 *
 * @param {number} bytes
 * @param {number} [source] of a fit's rows; 0 = none
 */
export function ownMemory(bytes, source = 0) {
  if (own === undefined) {
    const memory = createMemory();
    own = { memory, kernels: bindKernels(memory), source: 0, origin: undefined };
  }
  if (source === 0 || source !== own.source) {
    own.source = source;
    own.origin = undefined;
  }
  growTo(own.memory, bytes);
  return own;
}

/** @throws KernelFailure when the machine has no addresses left for it */
export function createMemory() {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: MAX_BYTES / PAGE_BYTES, shared: true });
  } catch (cause) {
    throw new KernelFailure('the kernels need 4 GiB of addresses, of which the machine has none left', {
      cause,
    });
  }
}

/**
 * @param {WebAssembly.Memory} memory
 * @param {number} bytes
 * @throws KernelFailure when the machine has no such memory: as a RangeError it would pass for a refusal
 */
export function growTo(memory, bytes) {
  const missing = bytes - memory.buffer.byteLength;
  if (missing <= 0) return;
  try {
    memory.grow(Math.ceil(missing / PAGE_BYTES));
  } catch (cause) {
    const mebibytes = Math.ceil(bytes / 2 ** 20);
    throw new KernelFailure(`the kernels need ${mebibytes} MiB of memory, which the machine does not have`, {
      cause,
    });
  }
}
