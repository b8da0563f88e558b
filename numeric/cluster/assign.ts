import { CHUNK_ROWS, marginOf } from '../kernels/margin.mjs';
import type { KernelPool, RunOptions } from '../kernels/pool.ts';
import type { NearestTask } from '../kernels/tasks.ts';
import { nextTurn } from '../kernels/turn.ts';
import type { Matrix } from '../matrix.ts';
import { sharedCopy, toSharedMatrix } from '../shared-matrix.ts';

/** A label is one byte, and the kernels are made for few centres. */
export const MAX_CLUSTERS = 64;
/** What the threads' blocks are made for. */
export const MAX_COLUMNS = 256;
// Rows that are counted between two turns of the event loop: about 20 ms.
const COUNT_ROWS = 1 << 24;

export interface Assignment {
  /** Index of the nearest centre, per row; ties go to the lower index. */
  readonly labels: Uint8Array;
  /** Euclidean distance to it, per row. */
  readonly distance: Float32Array;
  /** (d2 - d1) / d2 with the distances to the nearest and second nearest centre, in [0, 1]; 1 when k = 1. */
  readonly margin: Float32Array;
}

export interface AssignmentWithInertia extends Assignment {
  /** Sum of squared distances to the nearest centres, weighted where rows are. */
  readonly inertia: number;
}

/**
 * The nearest centre of every row.
 *
 * @param X rows x columns, finite
 * @param centers row-major, k * columns values, k from 1 to 64; used in single precision
 * @param options.weights one per row, for the inertia
 * @throws RangeError when the shapes do not fit or a value is not finite
 *
 * O(rows * k * columns) on the pool's threads. A row's result depends on the row and the centres alone: it is
 * the same for any number of threads, in any batch, and from nearestCenter.
 */
export async function assignNearest(
  pool: KernelPool,
  X: Matrix,
  centers: Float64Array,
  { weights, ...options }: RunOptions & { weights?: Float64Array | undefined } = {},
): Promise<AssignmentWithInertia> {
  clusterCount(centers, X.columns);
  const wrong = centers.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new RangeError(`assigning needs finite centres, found ${wrong}`);
  const x = await toSharedMatrix(X);
  const task: NearestTask = {
    kind: 'nearest',
    x,
    centers: Float32Array.from(centers),
    weights: weights && sharedCopy(weights),
    labels: new Uint8Array(new SharedArrayBuffer(x.rows)),
    distance: new Float32Array(new SharedArrayBuffer(x.rows * 4)),
    margin: new Float32Array(new SharedArrayBuffer(x.rows * 4)),
    inertia: new Float64Array(new SharedArrayBuffer(Math.ceil(x.rows / CHUNK_ROWS) * 8)),
  };
  await pool.run(new Array<NearestTask>(pool.threads).fill(task), options);
  const { labels, distance, margin } = task;
  return { labels, distance, margin, inertia: task.inertia.reduce((sum, chunk) => sum + chunk, 0) };
}

/**
 * The nearest centre of one row, at once and without threads: what a request for one customer needs. The same
 * bytes as assignNearest, since it rounds every step to single precision in the same order.
 *
 * @param row one value per column, finite
 * @param centers row-major, k * columns values
 */
export function nearestCenter(
  row: ArrayLike<number>,
  centers: Float64Array,
): { label: number; distance: number; margin: number } {
  const columns = row.length;
  const k = clusterCount(centers, columns);
  let label = 0;
  let nearest = Infinity;
  let second = Infinity;
  for (let c = 0; c < k; c++) {
    let square = 0;
    for (let j = 0; j < columns; j++) {
      const difference = Math.fround(Math.fround(row[j]!) - Math.fround(centers[c * columns + j]!));
      square = Math.fround(square + Math.fround(difference * difference));
    }
    if (square < nearest) label = c;
    second = Math.min(second, Math.max(square, nearest));
    nearest = Math.min(nearest, square);
  }
  if (!(nearest < Infinity))
    throw new RangeError('assigning a row needs finite values, found one that is not');
  return { label, distance: Math.fround(Math.sqrt(nearest)), margin: Math.fround(marginOf(nearest, second)) };
}

/** Rows of each label from 0 to k - 1; gives the event loop a turn between blocks. */
export async function clusterSizes(labels: Uint8Array, k: number): Promise<Uint32Array> {
  const sizes = new Uint32Array(k);
  for (let first = 0; first < labels.length; first += COUNT_ROWS) {
    for (const label of labels.subarray(first, first + COUNT_ROWS)) sizes[label]! += 1;
    await nextTurn();
  }
  return sizes;
}

/** @throws RangeError when the centres are none, too many, or not of that many columns */
export function clusterCount(centers: Float64Array, columns: number): number {
  const k = centers.length / columns;
  if (!Number.isInteger(k) || k < 1 || k > MAX_CLUSTERS || columns > MAX_COLUMNS) {
    throw new RangeError(
      `assigning needs 1 to ${MAX_CLUSTERS} centres of 1 to ${MAX_COLUMNS} columns, ` +
        `found ${centers.length} values for rows of ${columns} columns`,
    );
  }
  return k;
}
