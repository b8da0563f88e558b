// Single linkage over mutual reachability distances, without a matrix of them: Prim's algorithm computes each
// distance when it needs it.

import { nextTurn } from '../../kernels/turn.ts';
import { type Points, squaredDistance } from '../hierarchy/points.ts';
import { buildNeighbourTree, nearestRows, searchNear } from './neighbour-tree.ts';

/** n - 1 merges in order of distance; merge i makes cluster n + i. */
export interface LinkageTree {
  readonly rows: number;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Ascending. */
  readonly distance: Float64Array;
  /** Rows of what merge i made. */
  readonly size: Int32Array;
}

export interface WorkOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

/** How many rows may be compared with `rows` others between two turns of the event loop: some 30 ms. */
export function blockOf(rows: number, columns: number): number {
  // A pair costs as much as some columns, however few there are.
  return Math.max(1, Math.floor(2 ** 23 / (rows * (columns + 6))));
}

/**
 * Distance of each row to the `minSamples`-th nearest, the row itself being the first.
 *
 * @param minSamples 1 to the number of rows
 *
 * O(n^2 * columns) time at worst, far less in few columns. Same values as scikit-learn's HDBSCAN, which counts the
 * row itself too.
 */
export async function coreDistances(
  points: Points,
  minSamples: number,
  { signal, onProgress }: WorkOptions = {},
): Promise<Float64Array> {
  const { rows, columns, values } = points;
  const tree = buildNeighbourTree(points);
  const nearest = nearestRows(minSamples);
  const core = new Float64Array(rows);
  const block = blockOf(rows, columns);
  for (let i = 0; i < rows; i++) {
    nearest.reset();
    searchNear(tree, { values, at: i * columns }, nearest);
    core[i] = nearest.limit;
    if (i % block !== 0) continue;
    onProgress?.(i, rows);
    await nextTurn();
    signal?.throwIfAborted();
  }
  return core;
}

/**
 * Single linkage under the mutual reachability distance max(core(a), core(b), d(a, b)) (Campello et al. 2013).
 *
 * O(n^2 * columns) time, O(n) memory. Merges of equal distance are in an order that means nothing: whoever
 * reads the tree takes them as one.
 */
export async function reachabilityTree(
  points: Points,
  core: Float64Array,
  options: WorkOptions = {},
): Promise<LinkageTree> {
  const { rows } = points;
  const { from, to, distance } = await spanningTree(points, core, options);
  const order = Array.from(distance.keys()).sort((a, b) => distance[a]! - distance[b]!);
  const cluster = Int32Array.from({ length: 2 * rows - 1 }, (_, i) => i);
  const left = new Int32Array(rows - 1);
  const right = new Int32Array(rows - 1);
  const size = new Int32Array(rows - 1);
  const sizeOf = (c: number) => (c < rows ? 1 : size[c - rows]!);
  order.forEach((edge, i) => {
    left[i] = rootOf(cluster, from[edge]!);
    right[i] = rootOf(cluster, to[edge]!);
    size[i] = sizeOf(left[i]!) + sizeOf(right[i]!);
    cluster[left[i]!] = rows + i;
    cluster[right[i]!] = rows + i;
  });
  return { rows, left, right, size, distance: Float64Array.from(order, (edge) => distance[edge]!) };
}

interface Edges {
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly distance: Float64Array;
}

/** Prim (1957), from row 0. */
async function spanningTree(
  { rows, columns, values }: Points,
  core: Float64Array,
  { signal, onProgress }: WorkOptions,
): Promise<Edges> {
  const from = new Int32Array(rows - 1);
  const to = new Int32Array(rows - 1);
  const distance = new Float64Array(rows - 1);
  const reach = new Float64Array(rows).fill(Infinity);
  const source = new Int32Array(rows);
  const outside = Int32Array.from({ length: rows }, (_, i) => i);
  const block = blockOf(rows, columns);
  let newest = 0;
  let place = 0;
  for (let i = 0; i < rows - 1; i++) {
    outside[place] = outside[rows - 1 - i]!;
    place = 0;
    for (let at = 0; at < rows - 1 - i; at++) {
      const other = outside[at]!;
      const apart = Math.sqrt(squaredDistance(values, newest * columns, other * columns, columns));
      const mutual = Math.max(apart, core[newest]!, core[other]!);
      if (mutual < reach[other]!) {
        reach[other] = mutual;
        source[other] = newest;
      }
      if (reach[other]! < reach[outside[place]!]!) place = at;
    }
    newest = outside[place]!;
    from[i] = source[newest]!;
    to[i] = newest;
    distance[i] = reach[newest]!;
    if (i % block !== 0) continue;
    onProgress?.(i, rows);
    await nextTurn();
    signal?.throwIfAborted();
  }
  return { from, to, distance };
}

function rootOf(cluster: Int32Array, start: number): number {
  let root = start;
  while (cluster[root] !== root) {
    // Halving the path keeps it short.
    cluster[root] = cluster[cluster[root]!]!;
    root = cluster[root]!;
  }
  return root;
}
