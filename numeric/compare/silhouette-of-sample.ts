import type { KernelPool, RunOptions } from '../kernels/pool.ts';
import { type Matrix, takeRows } from '../matrix.ts';
import { createRandom } from '../random/random.ts';
import { silhouette, stratifiedSample } from './silhouette.ts';

export interface SampledSilhouette {
  /** Of all rows, in [-1, 1]: the clusters' means weighted with their shares of all rows. */
  readonly mean: number;
  /**
   * Standard error of `mean` by the chance of which rows were scored; 0 when all were. What the distances to rows that
   * were not drawn would have changed is not in it.
   */
  readonly error: number;
  /** Mean of each cluster, by label; NaN for a label that is not in use. */
  readonly ofClusters: Float64Array;
  readonly scoredOn: { readonly rows: number; readonly of: number };
}

/**
 * The exact silhouette of rows drawn by cluster: what stands for all rows where all pairs would be too many.
 *
 * @param X rows x columns, finite
 * @param labels shape (rows,), integers from 0 to 63, at least 2 in use
 * @param options.rows rows to draw, at most 100,000; as many as X has or more = all of them, exactly
 * @returns the same for the same X, labels and seed, whatever the number of threads
 * @throws RangeError as `silhouette`, or when `rows` is not a whole number from 2
 *
 * A plain sample may miss a small cluster; here each has at least two rows, and its own weight. The values are exact
 * within the sample: distances to rows that were not drawn are stood for by those to rows that were.
 * O(s^2 * columns) for s drawn rows. Source: Rousseeuw (1987), Silhouettes; Cochran (1977), Sampling techniques,
 * chapter 5, for the weights and the error.
 */
export async function silhouetteOfSample(
  pool: KernelPool,
  X: Matrix,
  labels: ArrayLike<number>,
  options: RunOptions & { readonly rows: number; readonly seed: number | string },
): Promise<SampledSilhouette> {
  const { rows, seed, ...runOptions } = options;
  if (!Number.isInteger(rows) || rows < 2)
    throw new RangeError(`a silhouette of a sample needs at least 2 rows, found ${rows}`);
  if (labels.length !== X.rows)
    throw new RangeError(`${X.rows} rows need as many labels, found ${labels.length}`);
  const drawn = stratifiedSample(labels, rows, createRandom(seed).fork('sample'));
  const isAll = drawn.length === X.rows;
  const drawnLabels = Array.from(drawn, (row) => labels[row]!);
  const { values } = await silhouette(pool, isAll ? X : takeRows(X, drawn), drawnLabels, runOptions);

  const k = drawnLabels.reduce((most, label) => Math.max(most, label), 0) + 1;
  const counts = new Float64Array(k);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]! += 1;
  const { drawnCounts, means, errors } = ofClusters(values, drawnLabels, k);
  let mean = 0;
  let variance = 0;
  counts.forEach((count, c) => {
    if (count === 0) return;
    const share = count / X.rows;
    mean += share * means[c]!;
    variance += (share * errors[c]!) ** 2 * (1 - drawnCounts[c]! / count);
  });
  return {
    mean,
    error: Math.sqrt(variance),
    ofClusters: means,
    scoredOn: { rows: drawn.length, of: X.rows },
  };
}

/** Mean of each cluster's values and its standard error; 0 for a single value, which tells no spread. */
function ofClusters(
  values: Float64Array,
  labels: readonly number[],
  k: number,
): { drawnCounts: Float64Array; means: Float64Array; errors: Float64Array } {
  const counts = new Float64Array(k);
  const means = new Float64Array(k);
  const squares = new Float64Array(k);
  for (const label of labels) counts[label]! += 1;
  values.forEach((value, i) => {
    means[labels[i]!]! += value;
  });
  means.forEach((sum, c) => {
    means[c] = sum / counts[c]!;
  });
  values.forEach((value, i) => {
    squares[labels[i]!]! += (value - means[labels[i]!]!) ** 2;
  });
  const errors = squares.map((sum, c) => {
    const count = counts[c]!;
    return count > 1 ? Math.sqrt(sum / (count - 1) / count) : 0;
  });
  return { drawnCounts: counts, means, errors };
}
