// Compiled kernels bound to memory, in a worker thread.

import { workerData } from 'node:worker_threads';
import { MAX_BYTES, PAGE_BYTES } from './layout.mjs';

/** @typedef {import('./tasks.ts').Kernels} Kernels */

/** @type {{ memory: WebAssembly.Memory, kernels: Kernels } | undefined} */
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
 * This thread's own memory, at least that large. It is kept and only grows: what it held before is garbage.
 *
 * @param {number} bytes
 */
export function ownMemory(bytes) {
  if (own === undefined) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_BYTES / PAGE_BYTES, shared: true });
    own = { memory, kernels: bindKernels(memory) };
  }
  growTo(own.memory, bytes);
  return own;
}

/**
 * @param {WebAssembly.Memory} memory
 * @param {number} bytes
 */
export function growTo(memory, bytes) {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
}
