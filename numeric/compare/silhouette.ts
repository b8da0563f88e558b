import type { KernelPool, RunOptions } from '../kernels/pool.ts';
import type { SilhouetteTask } from '../kernels/tasks.ts';
import type { Matrix } from '../matrix.ts';
import type { Random } from '../random/random.ts';
import { toSharedMatrix } from '../shared-matrix.ts';

// 1e10 distances take about ten seconds.
const MAX_ROWS = 100_000;

/**
 * How much nearer each row is to its own cluster than to the next: (b - a) / max(a, b), with the mean
 * distances a to the rows of its cluster and b to those of the nearest other one.
 *
 * @param X rows x columns, finite; at most 100,000 rows: larger data need silhouetteOfSample
 * @param labels shape (rows,), integers from 0 to 63, at least 2 in use
 * @returns mean and values per row, in [-1, 1]; 0 for the only row of a cluster
 * @throws RangeError when the labels do not fit, the rows are too many, or a value is not finite
 *
 * Exact, Euclidean. O(rows^2 * columns) on the pool's threads, O(rows * columns) memory on each. Source: Rousseeuw
 * (1987), Silhouettes. Same values as scikit-learn's silhouette_samples to single precision.
 */
export async function silhouette(
  pool: KernelPool,
  X: Matrix,
  labels: ArrayLike<number>,
  options: RunOptions = {},
): Promise<{ mean: number; values: Float64Array }> {
  if (labels.length !== X.rows)
    throw new RangeError(`${X.rows} rows need as many labels, found ${labels.length}`);
  if (X.rows > MAX_ROWS)
    throw new RangeError(
      `an exact silhouette takes at most ${MAX_ROWS} rows, found ${X.rows}: take a sample`,
    );
  const shared = new Uint8Array(new SharedArrayBuffer(X.rows));
  let k = 0;
  for (let i = 0; i < X.rows; i++) {
    const label = labels[i]!;
    if (!(Number.isInteger(label) && label >= 0 && label < 64))
      throw new RangeError(`a silhouette needs labels from 0 to 63, found ${label}`);
    shared[i] = label;
    k = Math.max(k, label + 1);
  }
  if (shared.every((label) => label === shared[0]))
    throw new RangeError('a silhouette needs at least 2 clusters, found 1');
  const values = new Float64Array(new SharedArrayBuffer(X.rows * 8));
  const task: SilhouetteTask = { kind: 'silhouette', x: await toSharedMatrix(X), labels: shared, k, values };
  await pool.run(new Array<SilhouetteTask>(pool.threads).fill(task), options);
  return { mean: values.reduce((sum, value) => sum + value, 0) / X.rows, values };
}

/**
 * Rows drawn so that each cluster has its share of the sample, and at least two rows where it has them. A
 * plain sample may miss a small cluster, and a silhouette over it would not see what it costs.
 *
 * @param labels shape (n,), integers from 0 to 255
 * @param size rows wanted; n or more = all rows. The outcome may exceed it by a few where clusters are small
 * @returns ascending indices
 * @throws RangeError when a label is not such an integer
 */
export function stratifiedSample(labels: ArrayLike<number>, size: number, random: Random): Int32Array {
  const n = labels.length;
  if (size >= n) return Int32Array.from({ length: n }, (_, i) => i);
  const sizes = new Int32Array(256);
  for (let i = 0; i < n; i++) {
    const label = labels[i]!;
    if (!(Number.isInteger(label) && label >= 0 && label <= 255))
      throw new RangeError(`a stratified sample needs labels from 0 to 255, found ${label}`);
    sizes[label]! += 1;
  }
  const members = Array.from(sizes, (rows) => new Int32Array(rows));
  const filled = new Int32Array(256);
  for (let i = 0; i < n; i++) members[labels[i]!]![filled[labels[i]!]!++] = i;
  const chosen = members.flatMap((rows, label) => {
    if (rows.length === 0) return [];
    const share = Math.max(Math.round((rows.length * size) / n), 2);
    const drawn = random.fork(label).sample(rows.length, Math.min(share, rows.length));
    return Array.from(drawn, (at) => rows[at]!);
  });
  return Int32Array.from(chosen).sort();
}
