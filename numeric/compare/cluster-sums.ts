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
 * Sizes and means of clusters that are to be compared; see meansOfClusters.
 *
 * @throws RangeError also when there are fewer than 2 clusters or no more rows than clusters: no index that compares
 *   clusters is defined then
 */
export function summariseClusters(X: Matrix, labels: ArrayLike<number>): ClusterSummary {
  const summary = meansOfClusters(X, labels);
  if (summary.k < 2 || summary.k >= X.rows) {
    throw new RangeError(
      `comparing clusters needs 2 or more, fewer than the ${X.rows} rows, found ${summary.k}`,
    );
  }
  return summary;
}

/**
 * Sizes and means of the clusters, in double precision.
 *
 * @param X finite
 * @param labels shape (rows,), every label from 0 to the largest in use
 * @throws RangeError when the lengths differ, a label is not an integer from 0, a cluster between is empty, or a value
 *   is not finite
 */
export function meansOfClusters(X: Matrix, labels: ArrayLike<number>): ClusterSummary {
  const sizes = sizesOfClusters(X, labels);
  const k = sizes.length;
  const centers = new Float64Array(k * X.columns);
  const center = new Float64Array(X.columns);
  for (let j = 0; j < X.columns; j++) {
    const column = columnOf(X, j);
    for (let i = 0; i < column.length; i++) centers[labels[i]! * X.columns + j]! += column[i]!;
    for (let c = 0; c < k; c++) {
      center[j]! += centers[c * X.columns + j]! / X.rows;
      centers[c * X.columns + j]! /= sizes[c]!;
    }
    // Sums of single precision values do not overflow, so this is a value's fault.
    if (!Number.isFinite(center[j]!))
      throw new RangeError(`clusters need finite values, found one that is not in column ${j}`);
  }
  return { k, sizes, centers, center };
}

function sizesOfClusters(X: Matrix, labels: ArrayLike<number>): Float64Array {
  if (labels.length !== X.rows)
    throw new RangeError(`${X.rows} rows need as many labels, found ${labels.length}`);
  let k = 0;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!(Number.isInteger(label) && label >= 0))
      throw new RangeError(`a label needs to be an integer from 0, found ${label}`);
    k = Math.max(k, label + 1);
  }
  // A label this large stands for empty clusters below it; the table of sizes is not made for them.
  if (k > X.rows)
    throw new RangeError(`comparing clusters needs rows in each, found ${k} for ${X.rows} rows`);
  const sizes = new Float64Array(k);
  for (let i = 0; i < labels.length; i++) sizes[labels[i]!]! += 1;
  const empty = sizes.indexOf(0);
  if (empty >= 0)
    throw new RangeError(`comparing clusters needs rows in each, found none in cluster ${empty}`);
  return sizes;
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
