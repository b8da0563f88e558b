import { type Matrix, takeRows } from '../../matrix.ts';
import { createRandom } from '../../random/random.ts';
import { distinctRows } from '../../shared-matrix.ts';
import { type Coreset, lightweightCoreset } from './lightweight-coreset.ts';

/** Rows of a coreset as a matrix of their own. */
export interface DrawnCoreset {
  readonly points: Matrix;
  /** One per row of the points, above 0. */
  readonly weights: Float64Array;
}

/**
 * A lightweight coreset that k-means with up to `clusters` centres can be fitted on: where hardly any rows differ,
 * chance may miss some, and as many different ones as clusters join it, where there are so many.
 *
 * @param X rows x columns, finite
 * @param options.size rows to draw, with replacement
 * @param options.seed the draw has random numbers of its own, whatever else the seed is for
 * @throws RangeError as lightweightCoreset; the signal's reason when aborted
 *
 * Cost as lightweightCoreset; keeps at most size + clusters rows of X.
 */
export async function drawCoreset(
  X: Matrix,
  options: { size: number; clusters: number; seed: number | string; signal?: AbortSignal | undefined },
): Promise<DrawnCoreset> {
  const { size, clusters, seed, signal } = options;
  const random = createRandom(seed).fork('coreset');
  const coreset = await lightweightCoreset(X, { size, random, signal });
  const points = takeRows(X, coreset.rows);
  const drawn = await distinctRows(points, clusters, { signal });
  if (drawn.length === clusters) return { points, weights: coreset.weights };
  const { rows, weights } = withRows(coreset, await distinctRows(X, clusters, { signal }));
  return { points: takeRows(X, rows), weights };
}

function withRows(coreset: Coreset, others: Int32Array): Coreset {
  const weightOf = new Map(Array.from(coreset.rows, (row, i) => [row, coreset.weights[i]!]));
  for (const row of others) if (!weightOf.has(row)) weightOf.set(row, 1);
  const rows = Int32Array.from(weightOf.keys()).sort();
  return { rows, weights: Float64Array.from(rows, (row) => weightOf.get(row)!) };
}
