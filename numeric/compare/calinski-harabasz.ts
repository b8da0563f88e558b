import type { Matrix } from '../matrix.ts';
import { squaredDistances, summariseClusters } from './cluster-sums.ts';

/**
 * Variance between clusters over variance within, each per degree of freedom; larger is better.
 *
 * @param labels shape (rows,), integers from 0, 2 <= k < rows clusters, none empty
 * @returns at least 0; 1 when nothing varies within clusters, as scikit-learn
 * @throws RangeError when the labels do not fit
 *
 * O(rows * columns). Source: Calinski & Harabasz (1974), A dendrite method for cluster analysis. Same values
 * as scikit-learn's calinski_harabasz_score.
 */
export function calinskiHarabasz(X: Matrix, labels: ArrayLike<number>): number {
  const summary = summariseClusters(X, labels);
  const { k, sizes, centers, center } = summary;
  const within = squaredDistances(X, labels, summary).reduce((sum, square) => sum + square, 0);
  let between = 0;
  for (let at = 0; at < centers.length; at++) {
    between += sizes[Math.floor(at / X.columns)]! * (centers[at]! - center[at % X.columns]!) ** 2;
  }
  if (within === 0) return 1;
  return between / (k - 1) / (within / (X.rows - k));
}
