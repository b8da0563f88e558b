import type { CondensedTree } from './condensed-tree.ts';

export interface SelectionOptions {
  /** 'eom': those with the largest excess of mass; 'leaf': those that do not part any more. */
  readonly clusterSelectionMethod: 'eom' | 'leaf';
  /** Clusters that part below this distance are taken together. */
  readonly clusterSelectionEpsilon: number;
  /** Whether all rows may be one cluster. */
  readonly allowSingleCluster: boolean;
}

/**
 * The flat clustering of a condensed tree: clusters of which none contains another, ascending.
 *
 * O(clusters^2) at worst. Source: Campello et al. (2015), epsilon: Malzer & Baum (2020). Same rules as
 * scikit-learn's HDBSCAN.
 */
export function selectClusters(tree: CondensedTree, options: SelectionOptions): number[] {
  const { clusterSelectionMethod, clusterSelectionEpsilon, allowSingleCluster } = options;
  const chosen = clusterSelectionMethod === 'eom' ? byExcessOfMass(tree, allowSingleCluster) : leavesOf(tree);
  if (clusterSelectionEpsilon === 0 || chosen[0] === 0) return chosen;
  const merged = new Set(
    chosen.map((cluster) =>
      tree.birth[cluster]! < clusterSelectionEpsilon ? ancestorAbove(tree, cluster, options) : cluster,
    ),
  );
  return Array.from(merged).sort((a, b) => a - b);
}

function byExcessOfMass({ parent, stability }: CondensedTree, allowSingleCluster: boolean): number[] {
  const ofParts = new Float64Array(parent.length);
  const isChosen = new Uint8Array(parent.length);
  // From the parts to the whole: a cluster comes after the one it is part of.
  for (let c = parent.length - 1; c >= 0; c--) {
    if (c === 0 && !allowSingleCluster) continue;
    isChosen[c] = ofParts[c]! > stability[c]! ? 0 : 1;
    if (c > 0) ofParts[parent[c]!]! += Math.max(ofParts[c]!, stability[c]!);
  }
  const isCovered = new Uint8Array(parent.length);
  const chosen: number[] = [];
  for (let c = 0; c < parent.length; c++) {
    isCovered[c] = c > 0 && (isChosen[parent[c]!] || isCovered[parent[c]!]) ? 1 : 0;
    if (isChosen[c] && !isCovered[c]) chosen.push(c);
  }
  return chosen;
}

function leavesOf({ parent }: CondensedTree): number[] {
  const parts = new Set(parent);
  return Array.from(parent.keys()).filter((c) => c > 0 && !parts.has(c));
}

/**
 * The nearest cluster above that parted at epsilon or more; below the root when that may not be one. At exactly
 * epsilon scikit-learn goes on upwards, and may so select a cluster together with a part of it.
 */
function ancestorAbove(
  { parent, birth }: CondensedTree,
  cluster: number,
  { clusterSelectionEpsilon, allowSingleCluster }: SelectionOptions,
): number {
  let from = cluster;
  for (;;) {
    const above = parent[from]!;
    if (above === 0) return allowSingleCluster ? 0 : from;
    if (birth[above]! >= clusterSelectionEpsilon) return above;
    from = above;
  }
}

export interface DensityLabels {
  /** Per row: index into the selected clusters, or -1 for noise. */
  readonly labels: Int32Array;
  /** Strength of the membership, per row in [0, 1]; 0 for noise. */
  readonly probabilities: Float64Array;
  /** Distance within which a row belongs to the cluster, per selected cluster. */
  readonly reach: Float64Array;
  /** Distance at which a membership has full strength, per selected cluster. */
  readonly fullStrength: Float64Array;
}

/** Rows -> the selected clusters. Same labels and probabilities as scikit-learn's HDBSCAN. */
export function labelRows(
  tree: CondensedTree,
  selected: readonly number[],
  { clusterSelectionEpsilon }: Pick<SelectionOptions, 'clusterSelectionEpsilon'>,
): DensityLabels {
  const { parent, rowCluster, rowDistance, birth, end } = tree;
  const label = new Int32Array(parent.length).fill(-1);
  selected.forEach((cluster, at) => {
    label[cluster] = at;
  });
  for (let c = 1; c < parent.length; c++) if (label[c]! < 0) label[c] = label[parent[c]!]!;
  const ofRoot = clusterSelectionEpsilon > 0 ? clusterSelectionEpsilon : end[0]!;
  const reach = Float64Array.from(selected, (cluster) => (cluster === 0 ? ofRoot : birth[cluster]!));
  const fullStrength = Float64Array.from(selected, (cluster) => end[cluster]!);
  const labels = Int32Array.from(rowCluster, (cluster, row) => {
    const at = label[cluster]!;
    return at >= 0 && rowDistance[row]! <= reach[at]! ? at : -1;
  });
  const probabilities = Float64Array.from(labels, (at, row) =>
    at < 0 ? 0 : strengthAt(rowDistance[row]!, fullStrength[at]!),
  );
  return { labels, probabilities, reach, fullStrength };
}

/** Density at a distance as a share of that at which a membership has full strength. */
export function strengthAt(distance: number, fullStrength: number): number {
  return distance <= fullStrength ? 1 : fullStrength / distance;
}
