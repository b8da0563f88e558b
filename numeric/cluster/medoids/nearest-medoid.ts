import { CHUNK_ROWS, marginOf } from '../../kernels/margin.mjs';
import { nextTurn } from '../../kernels/turn.ts';
import type { Matrix } from '../../matrix.ts';
import type { FitContext } from '../algorithm.ts';
import { type AssignmentWithInertia, assignNearest, clusterCount } from '../assign.ts';
import { copyRows, distanceIn, type Metric, squaredDistanceIn } from './distances.ts';

/**
 * The nearest medoid of every row, and the margin to the second nearest.
 *
 * @param X rows x columns, finite
 * @param centers the medoids' values, row-major, k * columns, k from 1 to 64; used in single precision
 * @returns distances in the metric; inertia is the sum of squared Euclidean distances to the nearest in any metric
 * @throws RangeError when the shapes do not fit or a value is not finite; the signal's reason when aborted
 *
 * O(rows * k * columns); 'euclidean' on the pool's threads. Ties go to the lower index.
 */
export async function assignNearestMedoid(
  X: Matrix,
  { centers, metric }: { centers: Float64Array; metric: Metric },
  { pool, signal }: Pick<FitContext, 'pool' | 'signal'>,
): Promise<AssignmentWithInertia> {
  if (metric === 'euclidean') return assignNearest(pool, X, centers, { signal });
  const k = clusterCount(centers, X.columns);
  const found = {
    labels: new Uint8Array(X.rows),
    distance: new Float32Array(X.rows),
    margin: new Float32Array(X.rows),
    inertia: 0,
  };
  // The rows of a block, and behind them the medoids, so that one function measures between any two.
  const values = new Float64Array((CHUNK_ROWS + k) * X.columns);
  values.set(Float32Array.from(centers), CHUNK_ROWS * X.columns);
  const measures = {
    distance: distanceIn(values, X.columns, metric),
    squared: squaredDistanceIn(values, X.columns),
  };
  for (let first = 0; first < X.rows; first += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, X.rows - first);
    copyRows(X, { first, count }, values);
    for (let i = 0; i < count; i++) {
      const { label, nearest, second } = nearestTwo(i, k, measures.distance);
      found.labels[first + i] = label;
      found.distance[first + i] = nearest;
      found.margin[first + i] = marginOf(nearest * nearest, second * second);
      found.inertia += measures.squared(i, CHUNK_ROWS + label);
    }
    await nextTurn();
    signal?.throwIfAborted();
  }
  return found;
}

function nearestTwo(
  i: number,
  k: number,
  distance: (i: number, other: number) => number,
): { label: number; nearest: number; second: number } {
  let label = 0;
  let nearest = Infinity;
  let second = Infinity;
  for (let c = 0; c < k; c++) {
    const own = distance(i, CHUNK_ROWS + c);
    if (own < nearest) {
      second = nearest;
      nearest = own;
      label = c;
    } else if (own < second) second = own;
  }
  return { label, nearest, second };
}
