import { adjustedRand } from '../../compare/adjusted-rand.ts';
import { type Matrix, takeRows } from '../../matrix.ts';
import { createRandom } from '../../random/random.ts';
import { distinctRows } from '../../shared-matrix.ts';
import type { Algorithm, FitContext, Fitted } from '../algorithm.ts';
import { MAX_CLUSTERS } from '../assign.ts';
import { assignToCenters, type CentroidModel, centroidModel, describeCenters } from '../centroid-model.ts';
import { type Coreset, lightweightCoreset } from '../scale/lightweight-coreset.ts';
import { checkCount, differentRows, readPoints } from './points.ts';
import { cutTree, wardTree, weightedMeans } from './ward-tree.ts';

export interface WardParameters {
  /** 1 to 64. */
  readonly nClusters: number;
  /**
   * The hierarchy is built on at most about so many rows, of more on a weighted coreset of them: its time grows with
   * their square.
   */
  readonly sampleRows: number;
}

const DEFAULTS: WardParameters = { nClusters: 8, sampleRows: 5000 };

/**
 * Ward's hierarchy of a lightweight coreset, cut at nClusters; the centres are the weighted means of what the cut
 * leaves. No more rows than sampleRows are taken as they are.
 *
 * The labels are by nearest centre, on the coreset too, so that a new row is treated like an old one. The tree itself
 * draws some borders elsewhere: criteria.treeAgreement is the adjusted Rand index of both on the coreset's rows.
 * Centres that are nearest to no row are left out, so that there may be fewer than nClusters.
 *
 * O(sampleRows^2 * columns + rows * nClusters * columns). The cut is scikit-learn's AgglomerativeClustering.
 */
export const ward: Algorithm<WardParameters, CentroidModel> = {
  name: 'ward',
  takesClusters: true,
  defaults: DEFAULTS,
  fit: (X, parameters, context) => fitWard(X, { ...DEFAULTS, ...parameters }, context),
  assign: assignToCenters,
  describe: describeCenters,
};

async function fitWard(
  X: Matrix,
  parameters: WardParameters,
  context: FitContext,
): Promise<Fitted<CentroidModel>> {
  const { nClusters, sampleRows } = parameters;
  checkClusters(nClusters);
  checkCount('sampleRows', sampleRows, nClusters);
  const { rows, weights } = await coresetOf(X, parameters, context);
  const points = readPoints(X, rows);
  const tree = await wardTree(points, weights, context);
  const treeLabels = cutTree(tree, nClusters);
  const centers = weightedMeans(points, { labels: treeLabels, weights, k: nClusters });
  const found = { algorithm: ward.name, parameters: { ...parameters }, centers, rows: points.rows };
  const fitted = await centroidModel(X, found, context);
  const labels = rows.map((row) => fitted.labels[row]!);
  const treeAgreement = adjustedRand(treeLabels, labels);
  return {
    ...fitted,
    model: { ...fitted.model, criteria: { ...fitted.model.criteria, treeAgreement } },
  };
}

/** Rows that chance has missed are added where the coreset has fewer different ones than clusters are asked for. */
async function coresetOf(
  X: Matrix,
  { nClusters, sampleRows }: WardParameters,
  context: FitContext,
): Promise<Coreset> {
  const needed = await differentRows(X, nClusters, context);
  const { seed, signal } = context;
  const random = createRandom(seed).fork('coreset');
  const coreset = await lightweightCoreset(X, { size: sampleRows, random, signal });
  const drawn = await distinctRows(takeRows(X, coreset.rows), nClusters, { signal });
  if (drawn.length === nClusters) return coreset;
  const weightOf = new Map(Array.from(coreset.rows, (row, i) => [row, coreset.weights[i]!]));
  for (const row of needed) if (!weightOf.has(row)) weightOf.set(row, 1);
  const rows = Int32Array.from(weightOf.keys()).sort();
  return { rows, weights: Float64Array.from(rows, (row) => weightOf.get(row)!) };
}

/** @throws RangeError when so many clusters cannot be had */
export function checkClusters(nClusters: number): void {
  if (!Number.isInteger(nClusters) || nClusters < 1 || nClusters > MAX_CLUSTERS)
    throw new RangeError(`nClusters needs to be 1 to ${MAX_CLUSTERS}, found ${nClusters}`);
}
