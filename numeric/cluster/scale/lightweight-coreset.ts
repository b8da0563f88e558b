import { nextTurn } from '../../kernels/turn.ts';
import type { Matrix } from '../../matrix.ts';
import type { Random } from '../../random/random.ts';

/** Some rows of a matrix, each standing for as many as its weight says. */
export interface Coreset {
  /** Different indices, ascending. */
  readonly rows: Int32Array;
  /** One per row, above 0; their sum is near the number of all rows, and exactly that on average. */
  readonly weights: Float64Array;
}

// Rows of a column, or of the squares, that are looked at between two turns of the event loop: some milliseconds.
const BLOCK_ROWS = 1 << 21;

/**
 * Few weighted rows on which any k centres cost about what they cost on all rows.
 *
 * Draws `size` rows with replacement, row x with probability q(x) = 1/2 · 1/n + 1/2 · d(x, mean)² / Σ d², and
 * weighs each draw 1 / (size · q); a row drawn twice has twice the weight. When `size` is not below the number of
 * rows, it is all rows with weight 1.
 *
 * What it promises: with size of order (d k log k + log 1/δ) / ε², with probability 1 - δ and for every set Q of k
 * centres, the weighted inertia of the coreset differs from the inertia φ(Q) of all rows by at most
 * ε/2 · φ(Q) + ε/2 · φ(mean). The second part is additive: it does not shrink when Q fits well, so clusters that
 * hold little of the total variance may be lost. It holds for k-means, not for silhouettes or densities.
 *
 * @param X rows x columns, finite
 * @throws RangeError when size is not a positive integer or a value is not finite; the signal's reason when aborted
 *
 * Two passes, O(rows * columns) time, 8 bytes per row. Source: Bachem, Lucic & Krause (2018), Scalable k-means
 * clustering via lightweight coresets.
 */
export async function lightweightCoreset(
  X: Matrix,
  { size, random, signal }: { size: number; random: Random; signal?: AbortSignal | undefined },
): Promise<Coreset> {
  if (!Number.isInteger(size) || size < 1)
    throw new RangeError(`a coreset needs at least 1 row, found ${size}`);
  const n = X.rows;
  const squares = await squaresFromMean(X, signal);
  if (size >= n)
    return { rows: Int32Array.from({ length: n }, (_, i) => i), weights: new Float64Array(n).fill(1) };
  let total = 0;
  await inBlocks(n, signal, (first, end) => {
    total = sumFrom(total, squares, first, end);
  });
  const draws = Float64Array.from({ length: size }, () => random.float()).sort();
  const rows: number[] = [];
  const weights: number[] = [];
  let below = 0;
  let next = 0;
  const blend = total > 0 ? 0.5 : 0;
  for (let row = 0; row < n; row++) {
    // Where all rows are equal there is no distance to go by.
    const q = (1 - blend) / n + (blend === 0 ? 0 : (blend * squares[row]!) / total);
    below += q;
    const before = next;
    // The last row takes what rounding leaves above the sum of all q.
    while (next < size && (draws[next]! < below || row === n - 1)) next += 1;
    if (next > before) {
      rows.push(row);
      weights.push((next - before) / (size * q));
    }
    if (row % BLOCK_ROWS !== BLOCK_ROWS - 1) continue;
    await nextTurn();
    signal?.throwIfAborted();
  }
  return { rows: Int32Array.from(rows), weights: Float64Array.from(weights) };
}

async function inBlocks(
  rows: number,
  signal: AbortSignal | undefined,
  work: (first: number, end: number) => void,
): Promise<void> {
  for (let first = 0; first < rows; first += BLOCK_ROWS) {
    signal?.throwIfAborted();
    work(first, Math.min(rows, first + BLOCK_ROWS));
    await nextTurn();
  }
}

/** Squared distance of every row to the mean of all. */
async function squaresFromMean(X: Matrix, signal: AbortSignal | undefined): Promise<Float64Array> {
  const { rows, columns, data } = X;
  const squares = new Float64Array(rows);
  for (let j = 0; j < columns; j++) {
    const column = data.subarray(j * rows, (j + 1) * rows);
    let sum = 0;
    await inBlocks(rows, signal, (first, end) => {
      sum = sumFrom(sum, column, first, end);
    });
    if (!Number.isFinite(sum)) refuseColumn(column, j);
    const mean = sum / rows;
    await inBlocks(rows, signal, (first, end) => {
      addSquares(squares, column, { mean, first, end });
    });
  }
  return squares;
}

// Loops of their own: in the blocks' closures every sum would be written back to memory.
function sumFrom(start: number, values: Float32Array | Float64Array, first: number, end: number): number {
  let sum = start;
  for (let i = first; i < end; i++) sum += values[i]!;
  return sum;
}

function addSquares(
  squares: Float64Array,
  column: Float32Array,
  { mean, first, end }: { mean: number; first: number; end: number },
): void {
  for (let i = first; i < end; i++) {
    const difference = column[i]! - mean;
    squares[i]! += difference * difference;
  }
}

function refuseColumn(column: Float32Array, j: number): never {
  const row = column.findIndex((value) => !Number.isFinite(value));
  throw new RangeError(`a coreset needs finite values, found ${column[row]} in row ${row}, column ${j}`);
}
