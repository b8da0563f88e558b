import { MAX_VALUE, refuseValue } from '../../kernels/tiles.mjs';
import type { Matrix } from '../../matrix.ts';
import { distinctRows } from '../../shared-matrix.ts';
import type { FitContext } from '../algorithm.ts';

/** Rows in double precision, one row after the other: what loops over pairs of rows read. */
export interface Points {
  readonly rows: number;
  readonly columns: number;
  /** Length rows * columns; row i starts at i * columns. */
  readonly values: Float64Array;
}

/**
 * The given rows of a matrix, all of them when `rows` is null.
 *
 * @throws RangeError when a value is not finite or beyond what the kernels take
 */
export function readPoints(X: Matrix, rows: ArrayLike<number> | null): Points {
  const count = rows?.length ?? X.rows;
  const values = new Float64Array(count * X.columns);
  for (let j = 0; j < X.columns; j++) {
    for (let i = 0; i < count; i++) {
      const row = rows === null ? i : rows[i]!;
      const value = X.data[j * X.rows + row]!;
      if (!(Math.abs(value) <= MAX_VALUE)) refuseValue(value, row, j);
      values[i * X.columns + j] = value;
    }
  }
  return { rows: count, columns: X.columns, values };
}

/** Enough rows that copying them, or a pass over them, takes some milliseconds. */
export function blockRows(columns: number): number {
  return Math.max(16, Math.floor(65_536 / columns));
}

/** Squared Euclidean distance of the points that start at a and b. */
export function squaredDistance(values: Float64Array, a: number, b: number, columns: number): number {
  let square = 0;
  for (let j = 0; j < columns; j++) {
    const difference = values[a + j]! - values[b + j]!;
    square += difference * difference;
  }
  return square;
}

/**
 * The first rows that differ from each other, as many as clusters are asked for.
 *
 * @throws RangeError when there are fewer; the signal's reason when aborted
 */
export async function differentRows(
  X: Matrix,
  nClusters: number,
  { signal }: Pick<FitContext, 'signal'>,
): Promise<Int32Array> {
  const found = await distinctRows(X, nClusters, { signal });
  if (found.length === nClusters) return found;
  throw new RangeError(
    `${nClusters} clusters need at least ${nClusters} different rows, found ${found.length}`,
  );
}

/** @throws RangeError when it is not an integer of at least `least` */
export function checkCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new RangeError(`${name} needs to be an integer of at least ${least}, found ${value}`);
}
