// A k-d tree with bounding boxes (Bentley 1975; boxes: Omohundro 1989) over the sampled rows. It changes no result:
// a box is passed over only when nothing in it can be near enough, in the same rounding as the distances themselves.

import type { Points } from '../hierarchy/points.ts';

export interface NeighbourTree {
  readonly columns: number;
  /** Row-major, in the order of the leaves. */
  readonly values: Float64Array;
  /** Index of the row at each place of `values`. */
  readonly order: Int32Array;
  /** Per node: its places are from start to end; its children are `first` and the next, -1 in a leaf. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly first: Int32Array;
  /** Row-major bounds, one row per node. */
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** What a search looks for. */
export interface Search {
  /** Rows farther away are of no interest; visits lower it. */
  limit: number;
  visit(row: number, distance: number): void;
}

const LEAF_ROWS = 24;
const ROUNDING = 1 + 2 ** -40;

/** O(rows * log(rows)^2 + rows * columns) time, O(rows * columns) memory. */
export function buildNeighbourTree(points: Points): NeighbourTree {
  const { rows, columns, values } = points;
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  const nodes: { start: number; end: number; first: number; low: Float64Array; high: Float64Array }[] = [];
  const addNode = (start: number, end: number) =>
    nodes.push({ start, end, first: -1, ...boundsOf(points, order.subarray(start, end)) });
  addNode(0, rows);
  for (let at = 0; at < nodes.length; at++) {
    const node = nodes[at]!;
    const widest = widestColumn(node.low, node.high);
    if (node.end - node.start <= LEAF_ROWS || node.low[widest] === node.high[widest]) continue;
    order
      .subarray(node.start, node.end)
      .sort((a, b) => values[a * columns + widest]! - values[b * columns + widest]! || a - b);
    const middle = (node.start + node.end) >> 1;
    node.first = nodes.length;
    addNode(node.start, middle);
    addNode(middle, node.end);
  }
  const inOrder = new Float64Array(values.length);
  order.forEach((row, place) => {
    inOrder.set(values.subarray(row * columns, (row + 1) * columns), place * columns);
  });
  const low = new Float64Array(nodes.length * columns);
  const high = new Float64Array(nodes.length * columns);
  nodes.forEach((node, i) => {
    low.set(node.low, i * columns);
    high.set(node.high, i * columns);
  });
  return {
    ...{ columns, values: inOrder, order, low, high },
    start: Int32Array.from(nodes, (node) => node.start),
    end: Int32Array.from(nodes, (node) => node.end),
    first: Int32Array.from(nodes, (node) => node.first),
  };
}

/** Visits every row within the search's limit of the row that starts at `at`, near ones mostly first. */
export function searchNear(
  tree: NeighbourTree,
  { values, at }: { values: Float64Array; at: number },
  search: Search,
): void {
  const { columns, first, start, end, order } = tree;
  const open = [0];
  const distanceOf = [0];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (distanceOf.pop()! > search.limit) continue;
    const child = first[node]!;
    if (child < 0) {
      for (let place = start[node]!; place < end[node]!; place++) {
        // A little more than the limit, so that rounding leaves nothing out
        const bound = search.limit * search.limit * ROUNDING;
        let square = 0;
        for (let j = 0; j < columns && square <= bound; j++) {
          const difference = tree.values[place * columns + j]! - values[at + j]!;
          square += difference * difference;
        }
        const distance = Math.sqrt(square);
        if (square <= bound && distance <= search.limit) search.visit(order[place]!, distance);
      }
      continue;
    }
    const one = distanceToBox(tree, child, values, at);
    const other = distanceToBox(tree, child + 1, values, at);
    // The nearer one comes off the stack first.
    if (one <= other) {
      open.push(child + 1, child);
      distanceOf.push(other, one);
    } else {
      open.push(child, child + 1);
      distanceOf.push(one, other);
    }
  }
}

function distanceToBox(
  { columns, low, high }: NeighbourTree,
  node: number,
  values: Float64Array,
  at: number,
): number {
  let square = 0;
  for (let j = 0; j < columns; j++) {
    const value = values[at + j]!;
    const gap = Math.max(low[node * columns + j]! - value, value - high[node * columns + j]!, 0);
    square += gap * gap;
  }
  return Math.sqrt(square);
}

function boundsOf({ columns, values }: Points, rows: Int32Array): { low: Float64Array; high: Float64Array } {
  const low = new Float64Array(columns).fill(Infinity);
  const high = new Float64Array(columns).fill(-Infinity);
  for (const row of rows) {
    for (let j = 0; j < columns; j++) {
      const value = values[row * columns + j]!;
      if (value < low[j]!) low[j] = value;
      if (value > high[j]!) high[j] = value;
    }
  }
  return { low, high };
}

function widestColumn(low: Float64Array, high: Float64Array): number {
  let widest = 0;
  for (let j = 1; j < low.length; j++) {
    if (high[j]! - low[j]! > high[widest]! - low[widest]!) widest = j;
  }
  return widest;
}

export interface NearestRows extends Search {
  /** So many of the nearest, in no order; of rows as far as the limit any may be left out. */
  readonly rows: Int32Array;
  readonly distances: Float64Array;
  reset(): void;
}

/** Keeps the `count` nearest rows; the limit is the distance of the farthest of them. */
export function nearestRows(count: number): NearestRows {
  // A heap with the largest on top
  const distances = new Float64Array(count);
  const rows = new Int32Array(count);
  const search = {
    limit: Infinity,
    rows,
    distances,
    reset() {
      distances.fill(Infinity);
      search.limit = Infinity;
    },
    visit(row: number, distance: number) {
      if (distance >= distances[0]!) return;
      const at = sinkFromTop(search, distance);
      distances[at] = distance;
      rows[at] = row;
      search.limit = distances[0]!;
    },
  };
  search.reset();
  return search;
}

/** Takes the largest out and moves others up; returns where a value fits. */
function sinkFromTop({ distances, rows }: Pick<NearestRows, 'distances' | 'rows'>, value: number): number {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= distances.length) return at;
    if (child + 1 < distances.length && distances[child + 1]! > distances[child]!) child += 1;
    if (distances[child]! <= value) return at;
    distances[at] = distances[child]!;
    rows[at] = rows[child]!;
    at = child;
  }
}
