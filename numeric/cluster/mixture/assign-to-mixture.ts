import { nextTurn } from '../../kernels/turn.ts';
import type { Matrix } from '../../matrix.ts';
import type { Assignment } from '../assign.ts';
import {
  densitiesOf,
  type Mixture,
  mahalanobisSquares,
  operationsPerRow,
  toPosteriors,
} from './densities.ts';
import { checkFinite, copyRows, rowBlocks } from './row-major.ts';

/**
 * The likeliest component of every row, ties to the lower index; its Mahalanobis distance; and as margin the
 * difference between the two largest posterior probabilities, in [0, 1].
 *
 * @throws RangeError when the columns are not those of the mixture, or a value is not finite
 *
 * O(rows * k * columns), times columns / 2 when full. A row's result depends on the row and the mixture alone.
 */
export async function assignToMixture(
  X: Matrix,
  mixture: Mixture,
  signal: AbortSignal | undefined,
): Promise<Assignment> {
  const { rows, columns } = X;
  if (columns !== mixture.columns)
    throw new RangeError(`the mixture has ${mixture.columns} columns, found rows of ${columns}`);
  await checkFinite(X);
  const densities = densitiesOf(mixture);
  const { k } = densities;
  const labels = new Uint8Array(rows);
  const distance = new Float32Array(rows);
  const margin = new Float32Array(rows);
  for (const [from, to] of rowBlocks(rows, operationsPerRow(densities))) {
    const values = new Float64Array((to - from) * columns);
    copyRows(X, from, to, values);
    const squares = new Float64Array((to - from) * k);
    mahalanobisSquares(values, densities, squares);
    const posteriors = new Float64Array(squares.length);
    toPosteriors(squares, densities, posteriors);
    for (let i = from, at = 0; i < to; i++, at += k) {
      const best = likeliest(posteriors, at, k);
      labels[i] = best;
      distance[i] = Math.sqrt(squares[at + best]!);
      margin[i] = marginOf(posteriors, at, { k, best });
    }
    await nextTurn();
    signal?.throwIfAborted();
  }
  return { labels, distance, margin };
}

/** Which of the `k` values from `at` is the largest; the first when equal. */
export function likeliest(posteriors: Float64Array, at: number, k: number): number {
  let best = 0;
  for (let c = 1; c < k; c++) if (posteriors[at + c]! > posteriors[at + best]!) best = c;
  return best;
}

function marginOf(posteriors: Float64Array, at: number, { k, best }: { k: number; best: number }): number {
  let second = 0;
  for (let c = 0; c < k; c++) if (c !== best) second = Math.max(second, posteriors[at + c]!);
  return Math.min(1, posteriors[at + best]! - second);
}
