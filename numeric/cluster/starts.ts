import type { Fit, Start } from '../kernels/tasks.ts';
import { columnOf, type Matrix } from '../matrix.ts';
import type { Random } from '../random/random.ts';

// k-means++ looks at every row for every centre, in plain JavaScript: rows beyond these cost time and change
// little, since Lloyd's iterations on all rows follow.
const SEED_ROWS_PER_CLUSTER = 50;
const FEWEST_SEED_ROWS = 250;
const MOST_SEED_ROWS = 1000;

/** Tolerance of fits on few rows, where an iteration costs next to nothing. */
export const SAMPLE_TOLERANCE = 1e-6;

export interface SeedingOptions {
  readonly k: number;
  readonly count: number;
  readonly random: Random;
  /** Centres for a start whose rows have fewer than k different values. */
  readonly otherwise: Float64Array;
  /** Rows to draw from, by index. @default all */
  readonly among?: Int32Array;
}

/** Starts by k-means++, each on rows of its own. */
export function seededStarts(
  matrix: Matrix,
  { k, count, random, otherwise, among }: SeedingOptions,
): Start[] {
  const population = among?.length ?? matrix.rows;
  const wanted = Math.max(FEWEST_SEED_ROWS, Math.min(MOST_SEED_ROWS, k * SEED_ROWS_PER_CLUSTER));
  return Array.from({ length: count }, (_, i) => {
    const own = random.fork('start').fork(k).fork(i);
    const drawn = own.sample(population, Math.min(population, wanted));
    const rows = among === undefined ? drawn : drawn.map((at) => among[at]!);
    return { rows, seed: own.uint32(), otherwise };
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
