import type { KernelPool } from '../kernels/pool.ts';
import type { Fit, FitTask, Start, TeamFitTask } from '../kernels/tasks.ts';
import { type Matrix, takeRows } from '../matrix.ts';
import { createRandom } from '../random/random.ts';
import { distinctRows, sharedCopy, toSharedMatrix } from '../shared-matrix.ts';
import { type Assignment, assignNearest, clusterSizes } from './assign.ts';
import { inCanonicalOrder } from './canonical-order.ts';
import {
  checkSettings,
  K_MEANS_DEFAULTS,
  type KMeansOptions,
  type KMeansSettings,
} from './k-means-options.ts';
import { bestFit, centersAt, maxShiftOf, SAMPLE_TOLERANCE, seededStarts } from './starts.ts';

export type { KMeansOptions } from './k-means-options.ts';

// Multiply-adds per iteration, about 0.2 ms, that are worth a thread: all of a team wait for the last one.
const SHARE_OPERATIONS = 1 << 22;

export interface KMeansFit extends Assignment {
  /** Row-major, k * columns; the largest cluster first, equal ones by their coordinates. */
  readonly centers: Float64Array;
  /** Rows per cluster; none is empty. */
  readonly sizes: Uint32Array;
  /** Sum of squared distances of all rows to their nearest centre, weighted where rows are. */
  readonly inertia: number;
  /** Of the fit on all rows. */
  readonly iterations: number;
  /** False when the iterations were used up. */
  readonly converged: boolean;
}

/**
 * k-means: k centres with a small sum of squared distances from each row to its nearest.
 *
 * Several greedy k-means++ starts (Arthur & Vassilvitskii 2007) run on a sample; the best goes on over all rows
 * (Lloyd 1982), leaving alone the rows whose label cannot change (Hamerly 2010). An empty cluster gets the row
 * farthest from its centre. The labels are exactly those assignNearest gives for the centres.
 *
 * @param X rows x columns, finite, scaled by the caller; columns up to 256
 * @returns the same bytes for the same X, options and seed, whatever the number of threads
 * @throws RangeError when nClusters, the shape or an option is out of range, a value is not finite, or rows have
 *   fewer than nClusters different values; KernelMemoryError when all rows need more than 4 GiB; KernelFailure when
 *   a kernel thread dies; the signal's reason when aborted
 *
 * O(rows * k * columns) per iteration. Same objective as scikit-learn's KMeans, its sample_weight included; a local
 * optimum, as there.
 */
export async function fitKMeans(pool: KernelPool, X: Matrix, options: KMeansOptions): Promise<KMeansFit> {
  const settings: KMeansSettings = { ...K_MEANS_DEFAULTS, ...options };
  const { nClusters: k, sampleRows, weights, initialCenters, signal } = settings;
  checkSettings(X, settings);
  const isLarge = X.rows > sampleRows && weights === undefined;
  if (isLarge) pool.reserve({ ...X, k });
  const x = await toSharedMatrix(X);
  const different = await distinctRows(x, k, { signal });
  if (different.length < k)
    throw new RangeError(`${k} clusters need at least ${k} different rows, found ${different.length}`);

  const random = createRandom(settings.seed);
  const sample = isLarge ? takeRows(x, random.fork('sample').sample(x.rows, sampleRows)) : x;
  const isCarried = initialCenters !== undefined && weights === undefined;
  const otherwise = centersAt(x, different);
  const starts: Start[] = initialCenters
    ? [{ centers: initialCenters }]
    : seededStarts({ k, count: settings.nInit, random, otherwise });
  const before = isCarried ? 0 : starts.length;
  const of = before + (isLarge || isCarried ? settings.maxIter : 0);
  const report = (done: number) => options.onProgress?.(done, of);
  let fit = isCarried ? undefined : await fitStarts(pool, sample, { settings, starts, onProgress: report });
  if (fit === undefined || isLarge) {
    const task = { x, centers: fit?.centers ?? initialCenters!, maxShift: maxShiftOf(sample, settings.tol) };
    fit = await fitAllRows(pool, { ...task, settings, onProgress: (done) => report(before + done) });
  }
  const finished = await finish(pool, x, { fit, weights, signal });
  report(of);
  return finished;
}

async function fitStarts(
  pool: KernelPool,
  x: Matrix,
  options: { settings: KMeansSettings; starts: readonly Start[]; onProgress: (done: number) => void },
): Promise<Fit> {
  const { settings, starts, onProgress } = options;
  const { nClusters: k, maxIter: maxIterations, tol, signal } = settings;
  const maxShift = maxShiftOf(x, Math.min(tol, SAMPLE_TOLERANCE));
  const weights = settings.weights && sharedCopy(settings.weights);
  const tasks = starts.map(
    (start): FitTask => ({
      ...{ kind: 'fit', x, rows: null, weights, k, starts: [start] },
      ...{ maxIterations, maxShift },
    }),
  );
  return bestFit(await pool.run(tasks, { signal, onProgress }));
}

async function fitAllRows(
  pool: KernelPool,
  options: Pick<TeamFitTask, 'x' | 'centers' | 'maxShift'> & {
    settings: KMeansSettings;
    onProgress: (done: number) => void;
  },
): Promise<Fit> {
  const { settings, onProgress, ...task } = options;
  const { nClusters: k, maxIter: maxIterations, signal } = settings;
  const { rows, columns } = task.x;
  const memory = pool.reserve({ rows, columns, k });
  const team = Math.max(1, Math.min(pool.threads, Math.floor((rows * columns * k) / SHARE_OPERATIONS)));
  const part: TeamFitTask = { ...task, kind: 'teamFit', k, maxIterations, team, memory };
  const [fit] = await pool.run(new Array<TeamFitTask>(team).fill(part), { signal, onProgress });
  return fit!;
}

async function finish(
  pool: KernelPool,
  x: Matrix,
  { fit, weights, signal }: { fit: Fit; weights: Float64Array | undefined; signal: AbortSignal | undefined },
): Promise<KMeansFit> {
  const { centers } = inCanonicalOrder(fit, x.columns);
  const assignment = await assignNearest(pool, x, centers, { signal, weights });
  const sizes = await clusterSizes(assignment.labels, fit.sizes.length);
  const empty = sizes.indexOf(0);
  if (empty >= 0) {
    throw new RangeError(
      `${sizes.length} clusters need rows that differ in single precision, found cluster ${empty} without rows`,
    );
  }
  const { iterations, converged } = fit;
  return { ...assignment, centers, sizes, iterations, converged };
}
