import { nextTurn } from '../../kernels/turn.ts';
import type { Matrix } from '../../matrix.ts';
import type { Algorithm, FitContext, Fitted } from '../algorithm.ts';
import { assignToCenters, type CentroidModel, centroidModel, describeCenters } from '../centroid-model.ts';
import { type CfTree, createCfTree } from './cf-tree.ts';
import { blockRows, checkCount, differentRows, readPoints } from './points.ts';
import { checkClusters } from './ward.ts';
import { cutTree, wardTree, weightedMeans } from './ward-tree.ts';

export interface BirchParameters {
  /** 1 to 64. */
  readonly nClusters: number;
  /**
   * Largest radius of a leaf entry, in the units of X, as scikit-learn's. null starts at 0 and lets it grow as
   * maxLeaves asks for; a number is where it starts.
   */
  readonly threshold: number | null;
  readonly branchingFactor: number;
  /** Leaf entries that the clusters are made from; the hierarchy of them takes time as their square. */
  readonly maxLeaves: number;
}

const DEFAULTS: BirchParameters = {
  nClusters: 8,
  threshold: null,
  branchingFactor: 50,
  maxLeaves: 2000,
};

/**
 * BIRCH (Zhang, Ramakrishnan & Livny 1996) with BETULA's features (Lang & Schubert 2020): all rows stream once
 * through a tree of clustering features, whose leaf entries, weighted by their rows, are clustered by Ward's
 * hierarchy. The centres are the weighted means of the leaf entries in a cluster; labels are by nearest centre.
 *
 * The result depends on the order of the rows, and entries are balls: long thin groups come out in pieces.
 * Centres that are nearest to no row are left out, so that there may be fewer than nClusters.
 * Of the criteria, `leaves` counts the leaf entries, `threshold` is theirs as it has grown.
 *
 * O(rows * columns * branchingFactor * depth + maxLeaves^2 * columns), one pass over the rows. Same rule for
 * joining an entry as scikit-learn's Birch.
 */
export const birch: Algorithm<BirchParameters, CentroidModel> = {
  name: 'birch',
  takesClusters: true,
  defaults: DEFAULTS,
  fit: (X, parameters, context) => fitBirch(X, { ...DEFAULTS, ...parameters }, context),
  assign: assignToCenters,
  describe: describeCenters,
};

async function fitBirch(
  X: Matrix,
  parameters: BirchParameters,
  context: FitContext,
): Promise<Fitted<CentroidModel>> {
  const { nClusters, threshold, branchingFactor, maxLeaves } = parameters;
  checkClusters(nClusters);
  checkCount('maxLeaves', maxLeaves, nClusters);
  await differentRows(X, nClusters, context);
  const tree = createCfTree({ columns: X.columns, threshold: threshold ?? 0, branchingFactor, maxLeaves });
  await insertAll(tree, X, context);
  const { count, means, weights } = tree.leaves();
  if (count < nClusters) {
    throw new RangeError(
      `${nClusters} clusters need at least as many leaf entries, found ${count} with threshold ${tree.threshold}`,
    );
  }
  const points = { rows: count, columns: X.columns, values: means };
  const hierarchy = await wardTree(points, weights, { signal: context.signal });
  const labels = cutTree(hierarchy, nClusters);
  const centers = weightedMeans(points, { labels, weights, k: nClusters });
  const criteria = { leaves: count, threshold: tree.threshold };
  const found = { algorithm: birch.name, parameters: { ...parameters }, centers, rows: X.rows, criteria };
  return centroidModel(X, found, context);
}

async function insertAll(tree: CfTree, X: Matrix, { signal, onProgress }: FitContext): Promise<void> {
  const block = blockRows(X.columns);
  let { threshold } = tree;
  for (let from = 0; from < X.rows; from += block) {
    const rows = Int32Array.from({ length: Math.min(block, X.rows - from) }, (_, i) => from + i);
    const points = readPoints(X, rows);
    for (let i = 0; i < points.rows; i++) {
      tree.insert(points.values, i * points.columns);
      // Building the tree again takes as long as thousands of rows.
      if (tree.threshold !== threshold) await nextTurn();
      threshold = tree.threshold;
    }
    onProgress?.(from + points.rows, X.rows);
    await nextTurn();
    signal?.throwIfAborted();
  }
}
