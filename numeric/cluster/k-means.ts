import type { KernelPool } from '../kernels/pool.ts';
import type { Fit, FitTask, TeamFitTask } from '../kernels/tasks.ts';
import { type Matrix, takeRows } from '../matrix.ts';
import { createRandom } from '../random/random.ts';
import { distinctRows, toSharedMatrix } from '../shared-matrix.ts';
import { type Assignment, assignNearest, MAX_CLUSTERS, MAX_COLUMNS } from './assign.ts';
import { bestFit, centersAt, maxShiftOf, SAMPLE_TOLERANCE, seededStarts } from './starts.ts';

export interface KMeansOptions {
  /** Number of clusters, 1 to 64. */
  readonly k: number;
  readonly seed: number | string;
  /** @default 10 */
  readonly starts?: number;
  /**
   * Starts are made and compared on at most so many rows; with no more rows than this they are the fit.
   * @default 20000
   */
  readonly sampleRows?: number;
  /** @default 300 */
  readonly maxIterations?: number;
  /**
   * Stop when the squared movements of the centres sum to no more than this times the mean variance of the
   * columns (as scikit-learn's tol); 0 = go on until no label changes.
   * Fits on a sample, and on all rows of data no larger than one, are cheap and always go on to 1e-6.
   * @default 1e-4
   */
  readonly tolerance?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called while the fit runs; `done` grows to `of`. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export interface KMeansFit extends Assignment {
  /** Row-major, k * columns; the largest cluster first, equal ones by their coordinates. */
  readonly centers: Float64Array;
  /** Rows per cluster; none is empty. */
  readonly sizes: Uint32Array;
  /** Sum of squared distances of all rows to their nearest centre. */
  readonly inertia: number;
  /** Of the fit on all rows. */
  readonly iterations: number;
  /** False when the iterations were used up. */
  readonly converged: boolean;
}

const DEFAULTS = { starts: 10, sampleRows: 20_000, maxIterations: 300, tolerance: 1e-4 };

/**
 * k-means: k centres with a small sum of squared distances from each row to its nearest.
 *
 * Several k-means++ starts run on a sample; the best goes on over all rows (Lloyd 1982). An empty cluster
 * gets the row farthest from its centre. The labels are exactly those assignNearest gives for the centres.
 *
 * @param X rows x columns, finite, scaled by the caller; columns up to 256
 * @returns the same bytes for the same X, options and seed, whatever the number of threads
 * @throws RangeError when k, the shape or an option is out of range, a value is not finite, rows have fewer than
 *   k different values, or all rows need more than 4 GiB; the signal's reason when aborted
 *
 * O(rows * k * columns) per iteration. Same objective as scikit-learn's KMeans; a local optimum, as there.
 */
export async function fitKMeans(pool: KernelPool, X: Matrix, options: KMeansOptions): Promise<KMeansFit> {
  const settings = { ...DEFAULTS, ...options };
  const { k, seed, starts, sampleRows, maxIterations, tolerance, signal } = settings;
  checkSettings(X, settings);
  if (X.rows > sampleRows) pool.reserve({ ...X, k });
  const x = await toSharedMatrix(X);
  const different = await distinctRows(x, k);
  if (different.length < k)
    throw new RangeError(`${k} clusters need at least ${k} different rows, found ${different.length}`);

  const random = createRandom(seed);
  const isSampled = x.rows > sampleRows;
  const sample = isSampled ? takeRows(x, random.fork('sample').sample(x.rows, sampleRows)) : x;
  const maxShift = maxShiftOf(sample, Math.min(tolerance, SAMPLE_TOLERANCE));
  const otherwise = centersAt(x, different);
  const of = starts + (isSampled ? maxIterations : 0);
  const tasks = seededStarts(sample, { k, count: starts, random, otherwise }).map(
    (start): FitTask => ({ kind: 'fit', x: sample, rows: null, k, starts: [start], maxIterations, maxShift }),
  );
  const report = (done: number) => options.onProgress?.(done, of);
  const fits = await pool.run(tasks, { signal, onProgress: report });
  let fit = bestFit(fits);
  if (isSampled) {
    const task = { x, k, centers: fit.centers, maxIterations, maxShift: maxShiftOf(sample, tolerance) };
    fit = await fitAllRows(pool, task, { signal, onProgress: (done) => report(starts + done) });
  }
  const finished = await finish(pool, x, { fit, signal });
  report(of);
  return finished;
}

async function fitAllRows(
  pool: KernelPool,
  task: Omit<TeamFitTask, 'kind' | 'team' | 'memory'>,
  options: { signal: AbortSignal | undefined; onProgress: (done: number) => void },
): Promise<Fit> {
  const memory = pool.reserve({ ...task.x, k: task.k });
  const part: TeamFitTask = { ...task, kind: 'teamFit', team: pool.threads, memory };
  const [fit] = await pool.run(new Array<TeamFitTask>(pool.threads).fill(part), options);
  return fit!;
}

async function finish(
  pool: KernelPool,
  x: Matrix,
  { fit, signal }: { fit: Fit; signal: AbortSignal | undefined },
): Promise<KMeansFit> {
  const centers = inCanonicalOrder(fit, x.columns);
  const assignment = await assignNearest(pool, x, centers, { signal });
  const sizes = new Uint32Array(fit.sizes.length);
  for (const label of assignment.labels) sizes[label]! += 1;
  const empty = sizes.indexOf(0);
  if (empty >= 0) {
    throw new RangeError(
      `${sizes.length} clusters need rows that differ in single precision, found cluster ${empty} without rows`,
    );
  }
  const { iterations, converged } = fit;
  return { ...assignment, centers, sizes, iterations, converged };
}

/** So that a cluster's number does not depend on which start won. */
function inCanonicalOrder({ centers, sizes }: Fit, columns: number): Float64Array {
  const order = Array.from(sizes.keys()).sort((a, b) => {
    if (sizes[a] !== sizes[b]) return sizes[b]! - sizes[a]!;
    for (let j = 0; j < columns; j++) {
      const difference = centers[a * columns + j]! - centers[b * columns + j]!;
      if (difference !== 0) return difference;
    }
    return 0;
  });
  const ordered = new Float64Array(centers.length);
  order.forEach((from, to) => {
    ordered.set(centers.subarray(from * columns, (from + 1) * columns), to * columns);
  });
  return ordered;
}

function checkSettings(X: Matrix, settings: Required<Omit<KMeansOptions, 'signal' | 'onProgress'>>): void {
  const { k, starts, sampleRows, maxIterations, tolerance } = settings;
  if (!Number.isInteger(k) || k < 1 || k > MAX_CLUSTERS)
    throw new RangeError(`k-means needs 1 to ${MAX_CLUSTERS} clusters, found ${k}`);
  if (X.rows < k) throw new RangeError(`${k} clusters need at least ${k} rows, found ${X.rows}`);
  if (X.columns > MAX_COLUMNS)
    throw new RangeError(`k-means takes at most ${MAX_COLUMNS} columns, found ${X.columns}`);
  for (const [name, count] of Object.entries({ starts, maxIterations })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${name} needs to be at least 1, found ${count}`);
  }
  if (!Number.isInteger(sampleRows) || sampleRows < k)
    throw new RangeError(`sampleRows needs to be at least the ${k} clusters, found ${sampleRows}`);
  if (!(tolerance >= 0)) throw new RangeError(`tolerance needs to be 0 or more, found ${tolerance}`);
}
