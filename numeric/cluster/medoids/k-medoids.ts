import type { Matrix } from '../../matrix.ts';
import { createRandom } from '../../random/random.ts';
import { distinctRows, toSharedMatrix } from '../../shared-matrix.ts';
import type { Algorithm, FitContext, Fitted } from '../algorithm.ts';
import { assignNearest, MAX_CLUSTERS, MAX_COLUMNS } from '../assign.ts';
import { type CentroidModel, describeCenters } from '../centroid-model.ts';
import { centersAt } from '../starts.ts';
import { type FoundMedoids, type MedoidSearch, searchAllRows, searchSamples } from './clara.ts';
import type { Metric } from './distances.ts';
import { assignNearestMedoid } from './nearest-medoid.ts';

export interface KMedoidsParameters extends MedoidSearch {
  /** 1 to 64. @default 8 */
  readonly nClusters: number;
  /** @default 'euclidean' */
  readonly metric: Metric;
  /** How each start is made. @default 'lab' */
  readonly init: MedoidSearch['init'];
  /** Starts, where all rows are searched. @default 10 */
  readonly nInit: number;
  /** Passes over the rows for each start. @default 100 */
  readonly maxIter: number;
  /** Up to so many rows all are searched (PAM), beyond them samples of this size (CLARA); at most 10,000. @default 3000 */
  readonly sampleRows: number;
  /** Samples, where not all rows are searched. @default 5 */
  readonly nSamples: number;
  /** Medoids of samples are compared by their cost over so many rows, or all. @default 50000 */
  readonly evaluationRows: number;
}

/** A centroid model whose centres are rows of the data it was fitted on. */
export interface MedoidModel extends CentroidModel {
  readonly metric: Metric;
  /** Index of the row of X that each centre is: a real one as a prototype. Of equal rows, one. */
  readonly medoids: readonly number[];
}

const MAX_ROUNDS = 4;
// A sample also holds the medoids of the one before, and distances of all pairs are bounded just above this.
const MAX_SAMPLE_ROWS = 10_000;

const DEFAULTS: KMedoidsParameters = {
  nClusters: 8,
  metric: 'euclidean',
  init: 'lab',
  nInit: 10,
  maxIter: 100,
  sampleRows: 3000,
  nSamples: 5,
  evaluationRows: 50_000,
};

/**
 * k-medoids: k rows with a small sum of distances (not squared) from each row to its nearest. Outliers pull less than
 * in k-means, and a cluster is shown by a row that exists.
 *
 * FasterPAM up to sampleRows rows, CLARA above; all rows are then assigned. The model's criteria: `cost`, the sum of
 * distances of all rows to their medoids, and `inertia`, that of their squared Euclidean distances, to compare it with
 * other algorithms.
 *
 * O(s^2 * (columns + passes)) for s = min(rows, sampleRows), times nInit or nSamples, plus an assignment of all rows; 36
 * MB at the default. Sources: Schubert & Rousseeuw (2021), Fast and eager k-medoids clustering; Kaufman & Rousseeuw
 * (1990), Finding groups in data. Same loss as fasterpam of the kmedoids package from the same start.
 */
export const kMedoids: Algorithm<KMedoidsParameters, MedoidModel> = {
  name: 'k-medoids',
  takesClusters: true,
  defaults: DEFAULTS,

  async fit(X, parameters, context) {
    const search: KMedoidsParameters = { ...DEFAULTS, ...parameters };
    checkParameters(X, search);
    const { nClusters, sampleRows, nInit, nSamples } = search;
    const { pool, signal } = context;
    const x = await toSharedMatrix(X);
    const different = await distinctRows(x, nClusters);
    if (different.length < nClusters) {
      throw new RangeError(
        `${nClusters} clusters need at least ${nClusters} different rows, found ${different.length}`,
      );
    }
    const isLarge = x.rows > sampleRows;
    // Looks at every value, so that one that is refused is named by its row in X, not in a sample.
    if (isLarge) await assignNearest(pool, x, new Float64Array(x.columns), { signal });
    const of = (isLarge ? nSamples : nInit) + 1;
    const onProgress = (done: number) => context.onProgress?.(done, of);
    const random = createRandom(context.seed).fork('k-medoids');
    const searching = { random, pool, signal, onProgress };
    const found = await (isLarge ? searchSamples : searchAllRows)(x, search, searching);
    const fitted = await medoidModel(x, { search, found }, context);
    onProgress(of);
    return fitted;
  },

  async assign(X, { centers, metric }, context) {
    const { labels, distance, margin } = await assignNearestMedoid(
      X,
      { centers: Float64Array.from(centers.flat()), metric },
      context,
    );
    return { labels, distance, margin };
  },

  describe: describeCenters,
};

/** The largest cluster first, equal ones by their coordinates; a medoid that no row is nearest to is left out. */
async function medoidModel(
  X: Matrix,
  { search, found }: { search: KMedoidsParameters; found: FoundMedoids },
  context: FitContext,
): Promise<Fitted<MedoidModel>> {
  const { metric } = search;
  const rowAt = (row: number) => Array.from(centersAt(X, Int32Array.of(row)));
  let medoids = Array.from(found.medoids).sort((a, b) => compareRows(rowAt(a), rowAt(b)) || a - b);
  for (let round = 1; ; round++) {
    const centers = centersAt(X, Int32Array.from(medoids));
    const { labels, distance, inertia } = await assignNearestMedoid(X, { centers, metric }, context);
    const { order, counts } = bySize(labels, medoids.length);
    // Rows as near to two medoids go to the first, so that another order may move some: assigned again until the labels
    // are those that `assign` gives. Where that goes round in circles, such rows keep their label of the last round.
    if (round < MAX_ROUNDS && (order.length < medoids.length || order.some((c, at) => c !== at))) {
      const last = medoids;
      medoids = order.map((c) => last[c]!);
      continue;
    }
    const place = new Uint8Array(medoids.length);
    order.forEach((from, to) => {
      place[from] = to;
    });
    const cost = distance.reduce((sum, value) => sum + value, 0);
    return {
      model: {
        algorithm: kMedoids.name,
        parameters: { ...search },
        metric,
        medoids: order.map((c) => medoids[c]!),
        centers: order.map((c) => rowAt(medoids[c]!)),
        sizes: order.map((c) => counts[c]!),
        criteria: { cost, meanDistance: cost / X.rows, inertia },
      },
      labels: labels.map((label) => place[label]!),
      fittedOn: { rows: found.rows, of: X.rows },
    };
  }
}

/** The labels in use, the most frequent first; stable, so that of equal ones the one before stays before. */
function bySize(labels: Uint8Array, k: number): { order: number[]; counts: Uint32Array } {
  const counts = new Uint32Array(k);
  for (const label of labels) counts[label]! += 1;
  const inUse = Array.from(counts.keys()).filter((c) => counts[c]! > 0);
  return { order: inUse.sort((a, b) => counts[b]! - counts[a]!), counts };
}

function compareRows(a: readonly number[], b: readonly number[]): number {
  const j = a.findIndex((value, at) => value !== b[at]);
  return j < 0 ? 0 : a[j]! - b[j]!;
}

function checkParameters(X: Matrix, parameters: KMedoidsParameters): void {
  const { nClusters, metric, init, sampleRows, evaluationRows } = parameters;
  if (!Number.isInteger(nClusters) || nClusters < 1 || nClusters > MAX_CLUSTERS)
    throw new RangeError(`k-medoids needs 1 to ${MAX_CLUSTERS} clusters, found ${nClusters}`);
  if (X.rows < nClusters)
    throw new RangeError(`${nClusters} clusters need at least ${nClusters} rows, found ${X.rows}`);
  if (X.columns > MAX_COLUMNS)
    throw new RangeError(`k-medoids takes at most ${MAX_COLUMNS} columns, found ${X.columns}`);
  for (const name of ['nInit', 'maxIter', 'nSamples'] as const) {
    if (!Number.isInteger(parameters[name]) || parameters[name] < 1)
      throw new RangeError(`${name} needs to be at least 1, found ${parameters[name]}`);
  }
  if (!Number.isInteger(sampleRows) || sampleRows < nClusters || sampleRows > MAX_SAMPLE_ROWS) {
    throw new RangeError(
      `sampleRows needs to be from the ${nClusters} clusters to ${MAX_SAMPLE_ROWS}, found ${sampleRows}`,
    );
  }
  if (!Number.isInteger(evaluationRows) || evaluationRows < sampleRows)
    throw new RangeError(`evaluationRows needs to be at least sampleRows, found ${evaluationRows}`);
  if (metric !== 'euclidean' && metric !== 'manhattan')
    throw new RangeError(`metric needs to be euclidean or manhattan, found ${metric}`);
  if (init !== 'build' && init !== 'lab' && init !== 'random')
    throw new RangeError(`init needs to be build, lab or random, found ${init}`);
}
