import type { KernelPool } from '../kernels/pool.ts';
import type { Fit, FitTask, Start, TeamFitTask } from '../kernels/tasks.ts';
import { type Matrix, takeRows } from '../matrix.ts';
import { createRandom } from '../random/random.ts';
import { distinctRows, toSharedMatrix } from '../shared-matrix.ts';
import { type Assignment, assignNearest, MAX_CLUSTERS, MAX_COLUMNS } from './assign.ts';
import { inCanonicalOrder } from './canonical-order.ts';
import { bestFit, centersAt, maxShiftOf, SAMPLE_TOLERANCE, seededStarts } from './starts.ts';

export interface KMeansOptions {
  /** Number of clusters, 1 to 64. */
  readonly k: number;
  readonly seed: number | string;
  /** @default 10 */
  readonly starts?: number;
  /**
   * Row-major, k * columns: the fit on all rows goes on from these centres instead of from starts of its own,
   * so that it carries a known clustering to all rows.
   */
  readonly initialCenters?: Float64Array | undefined;
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

type Settings = KMeansOptions & typeof DEFAULTS;

const DEFAULTS = { starts: 10, sampleRows: 20_000, maxIterations: 300, tolerance: 1e-4 };

/**
 * k-means: k centres with a small sum of squared distances from each row to its nearest.
 *
 * Several k-means++ starts run on a sample; the best goes on over all rows (Lloyd 1982). An empty cluster
 * gets the row farthest from its centre. The labels are exactly those assignNearest gives for the centres.
 *
 * @param X rows x columns, finite, scaled by the caller; columns up to 256
 * @returns the same bytes for the same X, options and seed, whatever the number of threads
 * @throws RangeError when k, the shape or an option is out of range, a value is not finite, or rows have fewer
 *   than k different values; KernelMemoryError when all rows need more than 4 GiB; KernelFailure when a kernel
 *   thread dies; the signal's reason when aborted
 *
 * O(rows * k * columns) per iteration. Same objective as scikit-learn's KMeans; a local optimum, as there.
 */
export async function fitKMeans(pool: KernelPool, X: Matrix, options: KMeansOptions): Promise<KMeansFit> {
  const settings: Settings = { ...DEFAULTS, ...options };
  const { k, sampleRows, maxIterations, tolerance, initialCenters, signal } = settings;
  checkSettings(X, settings);
  const isLarge = X.rows > sampleRows;
  if (isLarge) pool.reserve({ ...X, k });
  const x = await toSharedMatrix(X);
  const different = await distinctRows(x, k);
  if (different.length < k)
    throw new RangeError(`${k} clusters need at least ${k} different rows, found ${different.length}`);

  const random = createRandom(settings.seed);
  const sample = isLarge ? takeRows(x, random.fork('sample').sample(x.rows, sampleRows)) : x;
  const starts = initialCenters === undefined ? settings.starts : 0;
  const of = starts + (isLarge || starts === 0 ? maxIterations : 0);
  const report = (done: number) => options.onProgress?.(done, of);
  let fit: Fit | undefined;
  if (initialCenters === undefined) {
    const otherwise = centersAt(x, different);
    const seeded = seededStarts(sample, { k, count: starts, random, otherwise });
    fit = await fitBest(pool, sample, { ...settings, seeded, onProgress: report });
  }
  if (fit === undefined || isLarge) {
    const centers = fit?.centers ?? initialCenters!;
    const task = { x, k, centers, maxIterations, maxShift: maxShiftOf(sample, tolerance) };
    fit = await fitAllRows(pool, task, { signal, onProgress: (done) => report(starts + done) });
  }
  const finished = await finish(pool, x, { fit, signal });
  report(of);
  return finished;
}

async function fitBest(
  pool: KernelPool,
  sample: Matrix,
  options: Settings & { seeded: readonly Start[]; onProgress: (done: number) => void },
): Promise<Fit> {
  const { k, maxIterations, tolerance, seeded, signal, onProgress } = options;
  const maxShift = maxShiftOf(sample, Math.min(tolerance, SAMPLE_TOLERANCE));
  const tasks = seeded.map(
    (start): FitTask => ({ kind: 'fit', x: sample, rows: null, k, starts: [start], maxIterations, maxShift }),
  );
  return bestFit(await pool.run(tasks, { signal, onProgress }));
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
  const { centers } = inCanonicalOrder(fit, x.columns);
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

function checkSettings(X: Matrix, settings: Settings): void {
  const { k, starts, sampleRows, maxIterations, tolerance, initialCenters } = settings;
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
  if (initialCenters !== undefined && initialCenters.length !== k * X.columns) {
    throw new RangeError(
      `${k} centres of ${X.columns} columns need ${k * X.columns} values, found ${initialCenters.length}`,
    );
  }
  if (initialCenters?.some((value) => !Number.isFinite(value)))
    throw new RangeError('initialCenters need to be finite, found a value that is not');
}
