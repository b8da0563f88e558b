import { drawsOf } from '../kernels/seeding.mjs';
import type { Fit, Start } from '../kernels/tasks.ts';
import { columnOf, type Matrix } from '../matrix.ts';
import type { Random } from '../random/random.ts';

/** Tolerance of fits on few rows, where an iteration costs next to nothing. */
export const SAMPLE_TOLERANCE = 1e-6;

/** Starts by greedy k-means++, each with random numbers of its own. */
export function seededStarts({
  k,
  count,
  random,
  otherwise,
}: {
  k: number;
  count: number;
  random: Random;
  /** Centres for a start on rows with fewer than k different values. */
  otherwise: Float64Array;
}): Start[] {
  return Array.from({ length: count }, (_, i) => {
    const own = random.fork('start').fork(k).fork(i);
    return { draws: Float64Array.from({ length: drawsOf(k) }, () => own.float()), otherwise };
  });
}

/** The best fit of several starts, the first when equal. */
export function bestFit(fits: readonly Fit[]): Fit {
  return fits.reduce((best, other) => (other.inertia < best.inertia ? other : best));
}

/** The given rows as centres, row-major. */
export function centersAt({ data, rows, columns }: Matrix, indices: Int32Array): Float64Array {
  const centers = new Float64Array(indices.length * columns);
  indices.forEach((row, c) => {
    for (let j = 0; j < columns; j++) centers[c * columns + j] = data[j * rows + row]!;
  });
  return centers;
}

/** A tolerance relative to the mean variance of the columns -> a bound on the centres' squared movements. */
export function maxShiftOf(matrix: Matrix, tolerance: number): number {
  let total = 0;
  for (let j = 0; j < matrix.columns; j++) {
    const column = columnOf(matrix, j);
    let mean = 0;
    for (let i = 0; i < column.length; i++) mean += column[i]! / column.length;
    for (let i = 0; i < column.length; i++) total += (column[i]! - mean) ** 2 / column.length;
  }
  return (tolerance * total) / matrix.columns;
}
