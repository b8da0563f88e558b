import type { FitTask } from '../../kernels/tasks.ts';
import { nextTurn } from '../../kernels/turn.ts';
import { type Matrix, takeRows } from '../../matrix.ts';
import { createRandom, type Random } from '../../random/random.ts';
import { distinctRows, toSharedMatrix } from '../../shared-matrix.ts';
import type { Algorithm, FitContext } from '../algorithm.ts';
import { MAX_CLUSTERS, MAX_COLUMNS } from '../assign.ts';
import { assignToCenters, type CentroidModel, centroidModel, describeCenters } from '../centroid-model.ts';
import { centersAt, seededStarts } from '../starts.ts';

export interface MiniBatchKMeansParameters {
  /** 1 to 64. */
  readonly nClusters: number;
  /** Rows drawn at a time. */
  readonly batchSize: number;
  /** At most as many rows are drawn as so many passes over all rows would take. */
  readonly maxIter: number;
  /** Short fits on few rows; the best gives the first centres. */
  readonly nInit: number;
  /** Stop after so many batches without a smaller running mean of the batches' inertia. */
  readonly maxNoImprovement: number;
}

// Multiply-adds between two turns of the event loop.
const TURN_OPERATIONS = 1 << 24;
const FEWEST_BATCHES = 20;
// Steps of k-means that the first centres take on few rows, where they cost nothing: batches mend little later.
const FIRST_ITERATIONS = 20;

/**
 * Mini-batch k-means: centres follow small random batches, each centre at the rate 1 / (rows it has had so far).
 *
 * Fast on any number of rows, and rough: centres depend on the seed more than those of k-means, the inertia is some
 * percent larger, and a centre that starts badly is not moved elsewhere. `inertia` is that of all rows.
 *
 * @throws RangeError when a parameter is out of range, a value among the rows drawn is not finite, or rows have
 *   fewer than nClusters different values
 *
 * O(batches * batchSize * nClusters * columns) and one pass at the end. Source: Sculley (2010), Web-scale k-means
 * clustering; it stops as scikit-learn's MiniBatchKMeans, and begins from a short k-means on few rows.
 */
export const miniBatchKMeans: Algorithm<MiniBatchKMeansParameters, CentroidModel> = {
  name: 'mini-batch-k-means',
  takesClusters: true,
  defaults: { nClusters: 8, batchSize: 1024, maxIter: 100, nInit: 10, maxNoImprovement: 10 },
  async fit(X, parameters, context) {
    const settings = { ...miniBatchKMeans.defaults, ...parameters };
    checkSettings(X, settings);
    const { pool, signal } = context;
    const x = await toSharedMatrix(X);
    const random = createRandom(context.seed);
    const first = await firstCenters(x, settings, { ...context, random });
    const { centers, batches } = await followBatches(x, first, { settings, random, context });
    const rows = Math.min(X.rows, batches * settings.batchSize);
    const found = { algorithm: miniBatchKMeans.name, parameters: settings, centers, rows };
    return centroidModel(x, { ...found, criteria: { batches } }, { pool, signal });
  },
  assign: assignToCenters,
  describe: describeCenters,
};

/** The best of several short k-means fits, from greedy k-means++ starts, on three batches' worth of rows. */
async function firstCenters(
  x: Matrix,
  { nClusters: k, batchSize, nInit }: MiniBatchKMeansParameters,
  { pool, signal, random }: Pick<FitContext, 'pool' | 'signal'> & { random: Random },
): Promise<Float64Array> {
  const different = await distinctRows(x, k, { signal });
  if (different.length < k)
    throw new RangeError(`${k} clusters need at least ${k} different rows, found ${different.length}`);
  const size = Math.min(x.rows, 3 * Math.max(batchSize, k));
  const sample = takeRows(x, random.fork('first').sample(x.rows, size));
  const starts = seededStarts({ k, count: nInit, random, otherwise: centersAt(x, different) });
  const task: FitTask = {
    ...{ kind: 'fit', x: sample, rows: null, k, starts },
    ...{ maxIterations: FIRST_ITERATIONS, maxShift: 0 },
  };
  const [fit] = await pool.run([task], { signal });
  return fit!.centers;
}

async function followBatches(
  x: Matrix,
  first: Float64Array,
  parts: { settings: MiniBatchKMeansParameters; random: Random; context: FitContext },
): Promise<{ centers: Float64Array; batches: number }> {
  const { settings, random, context } = parts;
  const { nClusters: k, batchSize, maxIter, maxNoImprovement } = settings;
  const size = Math.min(batchSize, x.rows);
  const most = Math.max(FEWEST_BATCHES, Math.ceil((maxIter * x.rows) / size));
  const perTurn = Math.max(1, Math.floor(TURN_OPERATIONS / (size * k * x.columns)));
  const batch = new Float64Array(size * x.columns);
  const state = { centers: first.slice(), counts: new Float64Array(k), columns: x.columns };
  const draw = random.fork('batches');
  const patience = patienceOf(Math.min(1, (2 * size) / (x.rows + 1)), maxNoImprovement);
  let batches = 0;
  let isSettled = false;
  while (batches < most && !isSettled) {
    drawBatch(x, batch, draw);
    isSettled = patience(learn(batch, state) / size);
    batches += 1;
    if (batches % perTurn !== 0) continue;
    await nextTurn();
    context.signal?.throwIfAborted();
    context.onProgress?.(batches, most);
  }
  context.onProgress?.(most, most);
  return { centers: state.centers, batches };
}

/** Row-major; rows may repeat. */
function drawBatch(x: Matrix, batch: Float64Array, random: Random): void {
  const { rows, columns, data } = x;
  for (let at = 0; at < batch.length; at += columns) {
    const row = random.int(rows);
    for (let j = 0; j < columns; j++) {
      const value = data[j * rows + row]!;
      if (!Number.isFinite(value))
        throw new RangeError(`clustering needs finite values, found ${value} in row ${row}, column ${j}`);
      batch[at + j] = value;
    }
  }
}

/**
 * One step of the centres towards the rows of a batch, that are assigned before any centre moves.
 *
 * @returns the batch's inertia before
 */
function learn(
  batch: Float64Array,
  { centers, counts, columns }: { centers: Float64Array; counts: Float64Array; columns: number },
): number {
  const labels = new Uint8Array(batch.length / columns);
  let inertia = 0;
  for (let i = 0; i < labels.length; i++) {
    let nearest = Infinity;
    for (let c = 0; c < counts.length; c++) {
      let square = 0;
      for (let j = 0; j < columns; j++) square += (batch[i * columns + j]! - centers[c * columns + j]!) ** 2;
      if (square >= nearest) continue;
      nearest = square;
      labels[i] = c;
    }
    inertia += nearest;
  }
  for (let i = 0; i < labels.length; i++) {
    const c = labels[i]!;
    counts[c]! += 1;
    const rate = 1 / counts[c]!;
    for (let j = 0; j < columns; j++) {
      const at = c * columns + j;
      centers[at] = centers[at]! + rate * (batch[i * columns + j]! - centers[at]!);
    }
  }
  return inertia;
}

/** @returns a function that is told each batch's inertia, and answers whether it has stopped falling */
function patienceOf(share: number, maxNoImprovement: number): (inertia: number) => boolean {
  let mean: number | undefined;
  let least = Infinity;
  let waited = 0;
  return (inertia) => {
    mean = mean === undefined ? inertia : mean * (1 - share) + inertia * share;
    waited = mean < least ? 0 : waited + 1;
    least = Math.min(least, mean);
    return waited >= maxNoImprovement;
  };
}

function checkSettings(X: Matrix, settings: MiniBatchKMeansParameters): void {
  const { nClusters: k, ...counts } = settings;
  if (!Number.isInteger(k) || k < 1 || k > MAX_CLUSTERS)
    throw new RangeError(`mini-batch k-means needs 1 to ${MAX_CLUSTERS} clusters, found ${k}`);
  if (X.columns > MAX_COLUMNS)
    throw new RangeError(`mini-batch k-means takes at most ${MAX_COLUMNS} columns, found ${X.columns}`);
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${name} needs to be at least 1, found ${count}`);
  }
}
