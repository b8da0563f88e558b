import { createKernelPool } from '../../../numeric/kernels/pool.ts';
import type { ThreadContext } from '../../../numeric/threads/run-in-thread.ts';

// Jobs for the tests of threads: TypeScript, so that the thread has to read it.

export interface Cells {
  cells: Int32Array;
}

export async function double(
  { cells }: Cells,
  { onPart, onProgress }: ThreadContext<number>,
): Promise<number> {
  for (const [i, cell] of cells.entries()) {
    cells[i] = cell * 2;
    onPart(cell * 2);
    onProgress(i + 1, cells.length);
  }
  return cells.length;
}

export async function refuse(): Promise<never> {
  throw new RangeError('2 needed, 1 found');
}

/** With a kernel pool that it never closes. */
export async function hang(_: unknown, { onProgress }: ThreadContext<never>): Promise<never> {
  const pool = createKernelPool({ threads: 1 });
  await pool.run([]);
  onProgress(1, 2);
  for (;;);
}

export async function leave(): Promise<never> {
  return process.exit(3);
}

export async function fill(): Promise<number> {
  const kept: number[][] = [];
  for (let i = 0; i < 1e7; i++) kept.push(Array.from({ length: 1000 }, () => Math.sqrt(i)));
  return kept.length;
}
