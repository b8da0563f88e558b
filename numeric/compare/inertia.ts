import type { Matrix } from '../matrix.ts';
import { meansOfClusters, squaredDistances } from './cluster-sums.ts';

/**
 * Sum of squared distances of all rows to the mean of their cluster: what k-means makes small.
 *
 * @param labels shape (rows,), integers from 0, k >= 1 clusters, none empty
 * @returns at least 0, in squared units of X; it falls as k grows, so it compares clusterings of one k only
 * @throws RangeError when the labels do not fit or a value is not finite
 *
 * O(rows * columns), in double precision. Source: Lloyd (1982). Same values as scikit-learn's KMeans.inertia_ for a fit
 * that has converged, and as tot.withinss of R's kmeans.
 */
export function inertia(X: Matrix, labels: ArrayLike<number>): number {
  return squaredDistances(X, labels, meansOfClusters(X, labels)).reduce((sum, square) => sum + square, 0);
}
