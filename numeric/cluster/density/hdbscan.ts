import { columnOf, type Matrix } from '../../matrix.ts';
import { createRandom } from '../../random/random.ts';
import { type Algorithm, type FitContext, type Fitted, NOISE } from '../algorithm.ts';
import { MAX_CLUSTERS } from '../assign.ts';
import { checkCount, type Points, readPoints } from '../hierarchy/points.ts';
import { type DensityClusters, densityClusters } from './density-clusters.ts';
import { assignByDensity, describeDensity, type HdbscanModel, inSinglePrecision } from './hdbscan-model.ts';
import type { SelectionOptions } from './select-clusters.ts';

export interface HdbscanParameters extends SelectionOptions {
  /**
   * Sampled rows that make a cluster, at least 2; null = 2 % of them, at least 5. scikit-learn's 5 finds dozens of
   * tiny groups in customer data.
   */
  readonly minClusterSize: number | null;
  /** A row is in a dense place when so many sampled rows, itself among them, are near; null = minClusterSize. */
  readonly minSamples: number | null;
  /** The clusters are found among at most so many rows: time grows with their square. */
  readonly sampleRows: number;
}

const DEFAULTS: HdbscanParameters = {
  minClusterSize: null,
  minSamples: null,
  clusterSelectionMethod: 'eom',
  clusterSelectionEpsilon: 0,
  allowSingleCluster: false,
  sampleRows: 4000,
};

/**
 * HDBSCAN (Campello, Moulavi & Sander 2013) of a seeded sample: clusters are places denser than what lies between
 * them, their number is found, and a row that is in none is NOISE. It answers whether there is any natural
 * structure: no cluster at all is a result.
 *
 * Labels of rows outside the sample come from `assign`; those in it keep theirs, which `assign` gives again.
 * Criteria: noiseShare of all rows; persistence, the mean over the clustered sampled rows, and leastPersistence of
 * a cluster, in [0, 1], 0 without a cluster.
 *
 * @throws RangeError also when minSamples is more than there are rows, or more than 64 clusters are found
 *
 * O((sampleRows^2 + rows * sampleRows) * columns) time, O(sampleRows * columns) memory. Same labels as
 * scikit-learn's HDBSCAN up to its ties: see densityClusters.
 */
export const hdbscan: Algorithm<HdbscanParameters, HdbscanModel> = {
  name: 'hdbscan',
  takesClusters: false,
  defaults: DEFAULTS,
  fit: (X, parameters, context) => fitHdbscan(X, { ...DEFAULTS, ...parameters }, context),
  assign: (X, model, context) => assignByDensity(X, model, context),
  describe: (model) => describeDensity(hdbscan.name, model),
};

async function fitHdbscan(
  X: Matrix,
  parameters: HdbscanParameters,
  context: FitContext,
): Promise<Fitted<HdbscanModel>> {
  const { sampleRows } = parameters;
  checkCount('sampleRows', sampleRows, 1);
  const { seed, signal, onProgress } = context;
  const isAll = X.rows <= sampleRows;
  const sample = isAll ? null : createRandom(seed).fork('sample').sample(X.rows, sampleRows);
  const points = readPoints(X, sample);
  const minClusterSize = parameters.minClusterSize ?? Math.max(5, Math.round(points.rows * 0.02));
  const minSamples = parameters.minSamples ?? minClusterSize;
  const used = { ...parameters, minClusterSize, minSamples };
  const toFind = 2 * points.rows;
  const of = toFind + (isAll ? 0 : X.rows);
  const found = await densityClusters(points, used, {
    signal,
    onProgress: (done) => onProgress?.(done, of),
  });
  if (found.nClusters > MAX_CLUSTERS) {
    throw new RangeError(
      `hdbscan needs a minClusterSize that leaves at most ${MAX_CLUSTERS} clusters, ` +
        `found ${found.nClusters} with ${minClusterSize}`,
    );
  }
  const draft = draftModel(points, found, used);
  const inSample = { labels: Uint8Array.from(draft.labels) };
  const { labels } = isAll
    ? inSample
    : await assignByDensity(X, draft, { signal, onProgress: (done) => onProgress?.(toFind + done, of) });
  onProgress?.(of, of);
  return { ...withAllRows(X, draft, labels), fittedOn: { rows: points.rows, of: X.rows } };
}

/** The model before it is known how many rows there are in each cluster. */
function draftModel(
  points: Points,
  found: DensityClusters,
  used: HdbscanParameters & { readonly minSamples: number },
): HdbscanModel {
  const persistence = Array.from(found.persistence);
  const clustered = Array.from(found.labels).filter((label) => label >= 0);
  const total = clustered.reduce((sum, label) => sum + persistence[label]!, 0);
  return {
    parameters: { ...used },
    minSamples: used.minSamples,
    clusters: persistence.map((own, c) => ({
      center: [],
      rows: 0,
      reach: found.reach[c]!,
      fullStrength: found.fullStrength[c]!,
      persistence: own,
    })),
    points: inSinglePrecision(points),
    labels: Array.from(found.labels, (label) => (label < 0 ? NOISE : label)),
    coreDistances: Array.from(found.core),
    rowDistances: Array.from(found.rowDistance),
    criteria: {
      persistence: total / Math.max(clustered.length, 1),
      leastPersistence: persistence.length === 0 ? 0 : Math.min(...persistence),
    },
  };
}

/** Sizes and centres from all rows, the largest cluster first, equal ones by the first row they have. */
function withAllRows(
  X: Matrix,
  draft: HdbscanModel,
  labels: Uint8Array,
): Pick<Fitted<HdbscanModel>, 'model' | 'labels'> {
  const counts = new Uint32Array(NOISE + 1);
  for (const label of labels) counts[label]! += 1;
  const order = Array.from(draft.clusters.keys()).sort(
    (a, b) => counts[b]! - counts[a]! || labels.indexOf(a) - labels.indexOf(b),
  );
  const place = new Uint8Array(NOISE + 1).fill(NOISE);
  order.forEach((from, to) => {
    place[from] = to;
  });
  const centers = meansOf(X, labels, draft.clusters.length);
  const model: HdbscanModel = {
    ...draft,
    clusters: order.map((c) => ({ ...draft.clusters[c]!, center: centers[c]!, rows: counts[c]! })),
    labels: draft.labels.map((label) => place[label]!),
    criteria: { noiseShare: counts[NOISE]! / X.rows, ...draft.criteria },
  };
  return { model, labels: labels.map((label) => place[label]!) };
}

function meansOf(X: Matrix, labels: Uint8Array, nClusters: number): number[][] {
  const means = Array.from({ length: nClusters }, () => new Array<number>(X.columns));
  const counts = new Uint32Array(NOISE + 1);
  for (const label of labels) counts[label]! += 1;
  for (let j = 0; j < X.columns; j++) {
    const column = columnOf(X, j);
    // Noise is summed too, and not read
    const sums = new Float64Array(NOISE + 1);
    for (let i = 0; i < column.length; i++) sums[labels[i]!]! += column[i]!;
    means.forEach((mean, c) => {
      mean[j] = sums[c]! / counts[c]!;
    });
  }
  return means;
}
