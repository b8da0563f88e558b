import { columnOf, type Matrix } from '../matrix.ts';

/** Where the clusters of a labelled matrix lie. */
export interface ClusterSummary {
  readonly k: number;
  readonly sizes: Float64Array;
  /** Means, row-major, shape (k, columns). */
  readonly centers: Float64Array;
  /** Mean of all rows, shape (columns,). */
  readonly center: Float64Array;
}

/**
 * Sizes and means of the clusters, in double precision.
 *
 * @param labels shape (rows,), every label from 0 to the largest in use
 * @throws RangeError when the lengths differ, a cluster between is empty, or there are fewer than 2 clusters or no
 *   more rows than clusters: no index that compares clusters is defined then
 */
export function summariseClusters(X: Matrix, labels: ArrayLike<number>): ClusterSummary {
  if (labels.length !== X.rows)
    throw new RangeError(`${X.rows} rows need as many labels, found ${labels.length}`);
  let k = 0;
  for (let i = 0; i < labels.length; i++) k = Math.max(k, labels[i]! + 1);
  if (k < 2 || k >= X.rows)
    throw new RangeError(`comparing clusters needs 2 or more, fewer than the ${X.rows} rows, found ${k}`);
  const sizes = new Float64Array(k);
  for (let i = 0; i < labels.length; i++) sizes[labels[i]!]! += 1;
  const empty = sizes.indexOf(0);
  if (empty >= 0)
    throw new RangeError(`comparing clusters needs rows in each, found none in cluster ${empty}`);

  const centers = new Float64Array(k * X.columns);
  const center = new Float64Array(X.columns);
  for (let j = 0; j < X.columns; j++) {
    const column = columnOf(X, j);
    for (let i = 0; i < column.length; i++) centers[labels[i]! * X.columns + j]! += column[i]!;
    for (let c = 0; c < k; c++) {
      center[j]! += centers[c * X.columns + j]! / X.rows;
      centers[c * X.columns + j]! /= sizes[c]!;
    }
  }
  return { k, sizes, centers, center };
}

/** Squared distance of each row to the mean of its cluster, shape (rows,). */
export function squaredDistances(
  X: Matrix,
  labels: ArrayLike<number>,
  { centers }: ClusterSummary,
): Float64Array {
  const squares = new Float64Array(X.rows);
  for (let j = 0; j < X.columns; j++) {
    const column = columnOf(X, j);
    for (let i = 0; i < column.length; i++) {
      squares[i]! += (column[i]! - centers[labels[i]! * X.columns + j]!) ** 2;
    }
  }
  return squares;
}
