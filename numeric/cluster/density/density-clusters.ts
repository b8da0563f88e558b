import { checkCount, type Points } from '../hierarchy/points.ts';
import { condenseTree } from './condensed-tree.ts';
import { coreDistances, reachabilityTree, type WorkOptions } from './reachability-tree.ts';
import { type DensityLabels, labelRows, type SelectionOptions, selectClusters } from './select-clusters.ts';

export interface DensityOptions extends SelectionOptions {
  /** Rows that make a cluster, at least 2. */
  readonly minClusterSize: number;
  /** A row is in a dense place when so many rows, itself among them, are near: 1 to the number of rows. */
  readonly minSamples: number;
}

export interface DensityClusters extends DensityLabels {
  readonly nClusters: number;
  readonly core: Float64Array;
  /** Distance at which each row leaves its cluster. */
  readonly rowDistance: Float64Array;
  /**
   * Per cluster, in [0, 1]: by what share the distance shrinks, on the mean of its rows, from where the cluster
   * parts from the others until the row leaves it. Near 0 the cluster is hardly denser than what surrounds it.
   */
  readonly persistence: Float64Array;
}

/**
 * HDBSCAN of points held in memory, noise labelled -1.
 *
 * O(n^2 * columns) time, O(n) memory. The same clusters in any order of the rows. Source: Campello, Moulavi &
 * Sander (2013), Campello et al. (2015). Labels and probabilities as scikit-learn's HDBSCAN, except where merges
 * of equal distance leave several results open: there a single row, or with many repeated rows a cluster, may differ.
 *
 * @throws RangeError when an option is out of range; the signal's reason when aborted
 */
export async function densityClusters(
  points: Points,
  options: DensityOptions,
  { signal, onProgress }: WorkOptions = {},
): Promise<DensityClusters> {
  checkOptions(options, points.rows);
  const { rows } = points;
  const core = await coreDistances(points, options.minSamples, {
    signal,
    onProgress: (done) => onProgress?.(done, 2 * rows),
  });
  const tree = await reachabilityTree(points, core, {
    signal,
    onProgress: (done) => onProgress?.(rows + done, 2 * rows),
  });
  const condensed = condenseTree(tree, options.minClusterSize);
  let selected = selectClusters(condensed, options);
  let labelled = labelRows(condensed, selected, options);
  if (labelled.labels.every((label) => label < 0)) {
    // All rows as one cluster, of which none is within epsilon
    selected = [];
    labelled = labelRows(condensed, selected, options);
  }
  const persistence = persistenceOf(labelled, condensed.rowDistance);
  return {
    ...labelled,
    nClusters: selected.length,
    core,
    rowDistance: condensed.rowDistance,
    persistence,
  };
}

function persistenceOf({ labels, reach }: DensityLabels, rowDistance: Float64Array): Float64Array {
  const sums = new Float64Array(reach.length);
  const counts = new Float64Array(reach.length);
  labels.forEach((label, row) => {
    if (label < 0) return;
    counts[label]! += 1;
    // All rows equal, taken as one cluster: nothing is denser.
    sums[label]! += reach[label]! > 0 ? 1 - rowDistance[row]! / reach[label]! : 1;
  });
  return sums.map((sum, c) => sum / Math.max(counts[c]!, 1));
}

function checkOptions(options: DensityOptions, rows: number): void {
  const { minClusterSize, minSamples, clusterSelectionEpsilon, clusterSelectionMethod } = options;
  checkCount('minClusterSize', minClusterSize, 2);
  checkCount('minSamples', minSamples, 1);
  if (minSamples > rows)
    throw new RangeError(`minSamples needs at most the ${rows} rows, found ${minSamples}`);
  if (!(clusterSelectionEpsilon >= 0 && clusterSelectionEpsilon < Infinity))
    throw new RangeError(`clusterSelectionEpsilon needs to be 0 or more, found ${clusterSelectionEpsilon}`);
  if (clusterSelectionMethod !== 'eom' && clusterSelectionMethod !== 'leaf')
    throw new RangeError(`clusterSelectionMethod needs to be eom or leaf, found ${clusterSelectionMethod}`);
}
