// Ward's hierarchy by the nearest-neighbour chain, from centroids and weights instead of a matrix of all pairs:
// 5,000 rows would need 100 MB for one, and a cluster's centroid and weight are all that Ward's distance uses.

import { nextTurn } from '../../kernels/turn.ts';
import { type Points, squaredDistance } from './points.ts';

/** n - 1 merges in order of height, as scipy's linkage matrix has them; merge i makes cluster n + i. */
export interface MergeTree {
  readonly rows: number;
  /** Clusters merged; those below `rows` are single rows, and left < right. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** sqrt(2 * growth of the sum of squared deviations), ascending. */
  readonly height: Float64Array;
  /** Sum of weights of what merge i made. */
  readonly weight: Float64Array;
}

export interface TreeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

interface Forest {
  readonly columns: number;
  readonly centroids: Float64Array;
  readonly weights: Float64Array;
  /** 1 / weight: the growth of a merge is the squared distance over the sum of two, at one division. */
  readonly inverse: Float64Array;
  /** Clusters not merged into another, ascending; the first `count` entries. */
  readonly active: Int32Array;
  count: number;
}

// About 20 ms.
const BLOCK_VALUES = 1 << 24;

/**
 * Ward's hierarchy of weighted points: each merge is the one that lets the weighted sum of squared deviations
 * from the clusters' centroids grow least.
 *
 * @param points n >= 1 rows, finite
 * @param weights one per row, > 0; null = 1 each
 * @throws RangeError when the shapes do not fit or a weight is not positive; the signal's reason when aborted
 *
 * O(n^2 * columns) time, O(n * columns) memory. Ties go to the row with the lower index. Source: Ward (1963);
 * nearest-neighbour chain: Murtagh (1983), Müllner (2011). Same heights as scipy's linkage(method='ward').
 */
export async function wardTree(
  points: Points,
  weights: Float64Array | null = null,
  { signal, onProgress }: TreeOptions = {},
): Promise<MergeTree> {
  const { rows, columns } = points;
  checkPoints(points, weights);
  const own = weights === null ? new Float64Array(rows).fill(1) : weights.slice();
  const forest: Forest = {
    columns,
    centroids: points.values.slice(),
    weights: own,
    inverse: own.map((weight) => 1 / weight),
    active: Int32Array.from({ length: rows }, (_, i) => i),
    count: rows,
  };
  const merges: Merge[] = [];
  const chain: number[] = [];
  let read = 0;
  while (forest.count > 1) {
    if (chain.length === 0) chain.push(forest.active[0]!);
    const top = chain.at(-1)!;
    const before = chain.at(-2) ?? -1;
    const { nearest, growth } = nearestOf(forest, top, before);
    read += forest.count * columns;
    if (nearest === before) {
      chain.length -= 2;
      merges.push(mergeOf(forest, { a: before, b: top, growth }));
    } else chain.push(nearest);
    if (read < BLOCK_VALUES) continue;
    read = 0;
    onProgress?.(merges.length, rows - 1);
    await nextTurn();
    signal?.throwIfAborted();
  }
  return inOrder(rows, merges, weights);
}

/**
 * Labels of the rows when the tree is cut where `nClusters` are left: 0 is the cluster of row 0, and so on in
 * the order in which clusters appear.
 */
export function cutTree({ rows, left, right }: MergeTree, nClusters: number): Int32Array {
  if (!Number.isInteger(nClusters) || nClusters < 1 || nClusters > rows)
    throw new RangeError(`cutting a tree needs 1 to ${rows} clusters, found ${nClusters}`);
  const merged = rows - nClusters;
  const owner = new Int32Array(rows + merged).fill(-1);
  for (let i = 0; i < merged; i++) {
    owner[left[i]!] = rows + i;
    owner[right[i]!] = rows + i;
  }
  // A cluster is made after its parts, so that going down each one finds its owner's root known.
  const root = new Int32Array(rows + merged);
  for (let c = rows + merged - 1; c >= 0; c--) root[c] = owner[c]! < 0 ? c : root[owner[c]!]!;
  const label = new Map<number, number>();
  return Int32Array.from({ length: rows }, (_, i) => {
    const known = label.get(root[i]!) ?? label.size;
    label.set(root[i]!, known);
    return known;
  });
}

/** Row-major, k * columns: the weighted mean of the points with each label. */
export function weightedMeans(
  { rows, columns, values }: Points,
  { labels, weights, k }: { labels: ArrayLike<number>; weights: ArrayLike<number> | null; k: number },
): Float64Array {
  const means = new Float64Array(k * columns);
  const total = new Float64Array(k);
  for (let i = 0; i < rows; i++) {
    const c = labels[i]!;
    const weight = weights?.[i] ?? 1;
    total[c]! += weight;
    // A running mean, since sums lose digits when the data lie far from the origin
    const share = weight / total[c]!;
    for (let j = 0; j < columns; j++) {
      const at = c * columns + j;
      means[at]! += (values[i * columns + j]! - means[at]!) * share;
    }
  }
  return means;
}

interface Merge {
  /** Slots of the two clusters, not yet numbered by height. */
  readonly a: number;
  readonly b: number;
  readonly height: number;
}

/** The active cluster whose merge with `top` costs least; `before` wins ties, so that the chain ends. */
function nearestOf(forest: Forest, top: number, before: number): { nearest: number; growth: number } {
  const { columns, centroids, inverse, active, count } = forest;
  const own = inverse[top]!;
  const from = top * columns;
  let nearest = before;
  let growth = before < 0 ? Infinity : growthOf(forest, top, before);
  for (let at = 0; at < count; at++) {
    const other = active[at]!;
    const sum = own + inverse[other]!;
    const limit = growth * sum;
    const to = other * columns;
    let square = 0;
    // Most others are too far already in their first columns.
    for (let j = 0; j < columns && square < limit; j++) {
      const difference = centroids[from + j]! - centroids[to + j]!;
      square += difference * difference;
    }
    if (square >= limit || square / sum >= growth || other === top) continue;
    nearest = other;
    growth = square / sum;
  }
  return { nearest, growth };
}

/** |A||B| / (|A| + |B|) * squared distance of the centroids. */
function growthOf({ columns, centroids, inverse }: Forest, a: number, b: number): number {
  const square = squaredDistance(centroids, a * columns, b * columns, columns);
  return square / (inverse[a]! + inverse[b]!);
}

/** Puts cluster b into the slot of a. */
function mergeOf(forest: Forest, { a, b, growth }: { a: number; b: number; growth: number }): Merge {
  const { columns, centroids, weights, inverse, active } = forest;
  weights[a]! += weights[b]!;
  inverse[a] = 1 / weights[a]!;
  const share = weights[b]! / weights[a]!;
  for (let j = 0; j < columns; j++) {
    const at = a * columns + j;
    centroids[at]! += (centroids[b * columns + j]! - centroids[at]!) * share;
  }
  active.copyWithin(active.indexOf(b), active.indexOf(b) + 1, forest.count);
  forest.count -= 1;
  return { a, b, height: Math.sqrt(2 * growth) };
}

/** Merges in the order in which the chain finds them -> ascending heights, clusters numbered by it. */
function inOrder(rows: number, merges: readonly Merge[], weights: Float64Array | null): MergeTree {
  const sorted = merges.toSorted((one, other) => one.height - other.height);
  const parent = Int32Array.from({ length: 2 * rows - 1 }, (_, i) => i);
  const weightOf = new Float64Array(2 * rows - 1).fill(1);
  if (weights !== null) weightOf.set(weights);
  const left = new Int32Array(sorted.length);
  const right = new Int32Array(sorted.length);
  sorted.forEach(({ a, b }, i) => {
    const one = rootOf(parent, a);
    const other = rootOf(parent, b);
    left[i] = Math.min(one, other);
    right[i] = Math.max(one, other);
    parent[one] = rows + i;
    parent[other] = rows + i;
    weightOf[rows + i] = weightOf[one]! + weightOf[other]!;
  });
  const height = Float64Array.from(sorted, (merge) => merge.height);
  return { rows, left, right, height, weight: weightOf.subarray(rows) };
}

function rootOf(parent: Int32Array, from: number): number {
  let root = from;
  while (parent[root] !== root) {
    // Halving the path keeps chains short.
    parent[root] = parent[parent[root]!]!;
    root = parent[root]!;
  }
  return root;
}

function checkPoints({ rows, columns, values }: Points, weights: Float64Array | null): void {
  if (rows < 1 || values.length !== rows * columns) {
    throw new RangeError(
      `a hierarchy needs rows of ${columns} columns, found ${values.length} values for ${rows} rows`,
    );
  }
  if (values.some((value) => !Number.isFinite(value)))
    throw new RangeError('a hierarchy needs finite values, found one that is not');
  if (weights === null) return;
  if (weights.length !== rows)
    throw new RangeError(`${rows} rows need as many weights, found ${weights.length}`);
  const wrong = weights.find((weight) => !(weight > 0 && weight < Infinity));
  if (wrong !== undefined) throw new RangeError(`weights need to be positive and finite, found ${wrong}`);
}
