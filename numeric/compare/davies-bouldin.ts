import type { Matrix } from '../matrix.ts';
import { squaredDistances, summariseClusters } from './cluster-sums.ts';

/**
 * For each cluster how wide it and its worst neighbour are, relative to the distance of their means;
 * averaged. Smaller is better.
 *
 * @param labels shape (rows,), integers from 0, 2 <= k < rows clusters, none empty
 * @returns at least 0; 0 when nothing varies within clusters, as scikit-learn
 * @throws RangeError when the labels do not fit
 *
 * O(rows * columns + k^2 * columns). Source: Davies & Bouldin (1979), A cluster separation measure. Same
 * values as scikit-learn's davies_bouldin_score. Means that coincide count as infinitely far apart, as there.
 */
export function daviesBouldin(X: Matrix, labels: ArrayLike<number>): number {
  const summary = summariseClusters(X, labels);
  const { k, sizes, centers } = summary;
  const widths = new Float64Array(k);
  squaredDistances(X, labels, summary).forEach((square, i) => {
    widths[labels[i]!]! += Math.sqrt(square) / sizes[labels[i]!]!;
  });
  let sum = 0;
  for (let a = 0; a < k; a++) {
    let worst = 0;
    for (let b = 0; b < k; b++) {
      const apart = distanceBetween(centers, X.columns, [a, b]);
      if (a !== b && apart > 0) worst = Math.max(worst, (widths[a]! + widths[b]!) / apart);
    }
    sum += worst;
  }
  return sum / k;
}

function distanceBetween(centers: Float64Array, columns: number, [a, b]: [number, number]): number {
  let square = 0;
  for (let j = 0; j < columns; j++) square += (centers[a * columns + j]! - centers[b * columns + j]!) ** 2;
  return Math.sqrt(square);
}
