import { MAX_VALUE, refuseValue } from '../../kernels/tiles.mjs';
import { nextTurn } from '../../kernels/turn.ts';
import type { Matrix } from '../../matrix.ts';

export type Metric = 'euclidean' | 'manhattan';

/** Distances between all pairs of n rows: row-major, shape (n, n), symmetric, zeros on the diagonal. */
export interface DistanceMatrix {
  readonly n: number;
  readonly data: Float32Array;
}

// 420 MB of distances: so many are no sample any more.
const MAX_PAIRED_ROWS = 10_240;
// About 5 ms of work.
const BLOCK_VALUES = 1 << 22;

/**
 * @param X rows x columns, at most 10,240 rows
 * @throws RangeError when the rows are too many or a value is not finite; the signal's reason when aborted
 *
 * O(rows^2 * columns) time, rows^2 * 4 bytes. Summed in double precision and kept in single: same values as
 * scikit-learn's pairwise_distances, rounded.
 */
export async function distanceMatrix(
  X: Matrix,
  metric: Metric,
  signal?: AbortSignal | undefined,
): Promise<DistanceMatrix> {
  const { rows: n, columns } = X;
  if (n > MAX_PAIRED_ROWS)
    throw new RangeError(`distances of all pairs take at most ${MAX_PAIRED_ROWS} rows, found ${n}`);
  const values = new Float64Array(n * columns);
  copyRows(X, { first: 0, count: n }, values);
  const between = distanceIn(values, columns, metric);
  const data = new Float32Array(n * n);
  let work = 0;
  for (let i = 0; i < n; i++) {
    for (let other = 0; other < i; other++) {
      const distance = between(i, other);
      data[i * n + other] = distance;
      data[other * n + i] = distance;
    }
    work += i * columns;
    if (work < BLOCK_VALUES) continue;
    work = 0;
    await nextTurn();
    signal?.throwIfAborted();
  }
  return { n, data };
}

/** The distance between rows i and other of row-major values. */
export function distanceIn(
  values: Float64Array,
  columns: number,
  metric: Metric,
): (i: number, other: number) => number {
  if (metric === 'manhattan') {
    return (i, other) => {
      let sum = 0;
      for (let a = i * columns, b = other * columns, end = a + columns; a < end; a++, b++)
        sum += Math.abs(values[a]! - values[b]!);
      return sum;
    };
  }
  const squared = squaredDistanceIn(values, columns);
  return (i, other) => Math.sqrt(squared(i, other));
}

/** The squared Euclidean distance between rows i and other of row-major values. */
export function squaredDistanceIn(
  values: Float64Array,
  columns: number,
): (i: number, other: number) => number {
  return (i, other) => {
    let sum = 0;
    for (let a = i * columns, b = other * columns, end = a + columns; a < end; a++, b++) {
      const difference = values[a]! - values[b]!;
      sum += difference * difference;
    }
    return sum;
  };
}

/**
 * Consecutive rows, one after the other, to the begin of `values`: what loops over rows read.
 *
 * @throws RangeError when a value is not finite or beyond what the kernels take
 */
export function copyRows(
  { rows, columns, data }: Matrix,
  { first, count }: { first: number; count: number },
  values: Float64Array,
): void {
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < count; i++) {
      const value = data[j * rows + first + i]!;
      if (!(Math.abs(value) <= MAX_VALUE)) refuseValue(value, first + i, j);
      values[i * columns + j] = value;
    }
  }
}
