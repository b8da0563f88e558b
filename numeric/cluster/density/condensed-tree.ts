import type { LinkageTree } from './reachability-tree.ts';

/**
 * Clusters that persist while the distance shrinks (Campello et al. 2013). Cluster 0 is the root, all rows; a
 * cluster's parts come after it.
 *
 * Density is 1 / distance. A row leaves its cluster at the distance below which it is in no group of at least
 * minClusterSize rows any more; a cluster ends where two or more such groups part.
 */
export interface CondensedTree {
  /** Of the cluster each row leaves. */
  readonly rowCluster: Int32Array;
  /** Distance at which each row leaves it. */
  readonly rowDistance: Float64Array;
  /** -1 for the root. */
  readonly parent: readonly number[];
  /** Distance at which the cluster parted from its siblings; Infinity for the root. */
  readonly birth: readonly number[];
  /** Distance at which it parts itself, or its last rows leave it. */
  readonly end: readonly number[];
  /** Sum over its rows of the density they stay to, above that of its birth; the root's is from 0. */
  readonly stability: readonly number[];
}

interface Growing {
  readonly rowCluster: Int32Array;
  readonly rowDistance: Float64Array;
  readonly parent: number[];
  readonly birth: number[];
  readonly end: number[];
  readonly stability: number[];
}

/**
 * The linkage tree without its groups below minClusterSize.
 *
 * Merges of equal distance are one: a mutual reachability distance is often a row's core distance and so that of
 * many pairs, and taking them one by one, as scikit-learn does, would make the result depend on the order of the rows.
 *
 * @param minClusterSize at least 2
 */
export function condenseTree(tree: LinkageTree, minClusterSize: number): CondensedTree {
  const { rows } = tree;
  const condensed: Growing = {
    rowCluster: new Int32Array(rows),
    rowDistance: new Float64Array(rows),
    parent: [-1],
    birth: [Infinity],
    end: [rows < 2 ? 0 : Infinity],
    stability: [0],
  };
  if (rows < 2) return condensed;
  const open: { node: number; cluster: number }[] = [{ node: 2 * rows - 2, cluster: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, cluster } = next;
    const distance = tree.distance[node - rows]!;
    const parts = partsAt(tree, node);
    const large = parts.filter((part) => sizeOf(tree, part) >= minClusterSize);
    for (const part of parts) {
      if (sizeOf(tree, part) < minClusterSize)
        leave(condensed, { cluster, distance, rows: rowsOf(tree, part) });
    }
    if (large.length === 1) open.push({ node: large[0]!, cluster });
    if (large.length < 2) continue;
    for (const part of large) {
      const size = sizeOf(tree, part);
      addStability(condensed, { cluster, distance, size });
      open.push({ node: part, cluster: newCluster(condensed, cluster, distance) });
    }
  }
  return condensed;
}

/** What a merge puts together, with the merges of the same distance below it taken as one. */
function partsAt({ rows, left, right, distance }: LinkageTree, node: number): number[] {
  const parts: number[] = [];
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next >= rows && distance[next - rows] === distance[node - rows])
      open.push(right[next - rows]!, left[next - rows]!);
    else parts.push(next);
  }
  return parts;
}

function rowsOf({ rows, left, right }: LinkageTree, node: number): number[] {
  const found: number[] = [];
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next < rows) found.push(next);
    else open.push(right[next - rows]!, left[next - rows]!);
  }
  return found;
}

function sizeOf({ rows, size }: LinkageTree, node: number): number {
  return node < rows ? 1 : size[node - rows]!;
}

function newCluster({ parent, birth, end, stability }: Growing, from: number, distance: number): number {
  parent.push(from);
  birth.push(distance);
  end.push(distance);
  return stability.push(0) - 1;
}

function leave(
  condensed: Growing,
  { cluster, distance, rows }: { cluster: number; distance: number; rows: readonly number[] },
): void {
  for (const row of rows) {
    condensed.rowCluster[row] = cluster;
    condensed.rowDistance[row] = distance;
  }
  addStability(condensed, { cluster, distance, size: rows.length });
}

function addStability(
  { birth, end, stability }: Growing,
  { cluster, distance, size }: { cluster: number; distance: number; size: number },
): void {
  stability[cluster]! += (1 / distance - 1 / birth[cluster]!) * size;
  end[cluster] = Math.min(end[cluster]!, distance);
}
