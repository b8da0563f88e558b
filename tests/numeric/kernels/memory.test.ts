import { describe, expect, test } from 'vitest';
import { KernelFailure } from '../../../numeric/kernels/errors.mjs';
import { PAGE_BYTES } from '../../../numeric/kernels/layout.mjs';
import { createMemory, growTo } from '../../../numeric/kernels/memory.mjs';

describe('kernel memory', () => {
  test('grows to what is needed, and never shrinks', () => {
    const memory = createMemory();
    growTo(memory, 3 * PAGE_BYTES - 5);
    expect(memory.buffer.byteLength).toBe(3 * PAGE_BYTES);
    growTo(memory, PAGE_BYTES);
    expect(memory.buffer.byteLength).toBe(3 * PAGE_BYTES);
  });

  test('that cannot grow is a failure of the kernels, not a value out of range', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
    const grow = () => growTo(memory, 32 * PAGE_BYTES);
    expect(grow).toThrow(KernelFailure);
    expect(grow).not.toThrow(RangeError);
    expect(grow).toThrow('the kernels need 2 MiB of memory, which the machine does not have');
  });
});
