import { squaredDistance } from './points.ts';

/** Rows summed up: their number, mean, and sum of squared deviations from it. */
export interface Feature {
  readonly weight: number;
  /** The mean starts at `at`. */
  readonly values: Float64Array;
  readonly at: number;
  readonly deviation: number;
}

/** Entries of a CF tree's node: up to the branching factor, and one more while it waits to be split. */
export interface CfNode {
  readonly columns: number;
  /** What each entry sums up; null in a leaf node. */
  readonly children: CfNode[] | null;
  size: number;
  readonly weights: Float64Array;
  /** Row-major. */
  readonly means: Float64Array;
  /** Sums of squared deviations. */
  readonly deviations: Float64Array;
}

export function createNode(capacity: number, columns: number, isLeaf: boolean): CfNode {
  return {
    columns,
    children: isLeaf ? null : [],
    size: 0,
    weights: new Float64Array(capacity),
    means: new Float64Array(capacity * columns),
    deviations: new Float64Array(capacity),
  };
}

/** Index of the entry whose mean is nearest, the first of equals; -1 when there is none. */
export function nearestEntry({ size, means, columns }: CfNode, { values, at }: Feature): number {
  let nearest = -1;
  let least = Infinity;
  for (let i = 0, from = 0; i < size; i++, from += columns) {
    let square = 0;
    for (let j = 0; j < columns; j++) {
      const difference = means[from + j]! - values[at + j]!;
      square += difference * difference;
    }
    if (square < least) {
      nearest = i;
      least = square;
    }
  }
  return nearest;
}

/** Sum of squared deviations of an entry and a feature together. */
export function deviationWith(node: CfNode, entry: number, feature: Feature): number {
  const { columns, means } = node;
  let square = 0;
  for (let j = 0; j < columns; j++) {
    const difference = means[entry * columns + j]! - feature.values[feature.at + j]!;
    square += difference * difference;
  }
  const weight = node.weights[entry]!;
  const growth = ((weight * feature.weight) / (weight + feature.weight)) * square;
  return node.deviations[entry]! + feature.deviation + growth;
}

/** Adds a feature to an entry. */
export function absorb(node: CfNode, entry: number, feature: Feature): void {
  const { columns, means, weights } = node;
  node.deviations[entry] = deviationWith(node, entry, feature);
  weights[entry]! += feature.weight;
  const share = feature.weight / weights[entry]!;
  for (let j = 0; j < columns; j++) {
    const at = entry * columns + j;
    means[at]! += (feature.values[feature.at + j]! - means[at]!) * share;
  }
}

/** Makes the feature an entry of its own, at `entry` or at the end. */
export function putEntry(node: CfNode, feature: Feature, entry = node.size): void {
  const { columns } = node;
  node.size = Math.max(node.size, entry + 1);
  node.weights[entry] = feature.weight;
  node.deviations[entry] = feature.deviation;
  for (let j = 0; j < columns; j++) node.means[entry * columns + j] = feature.values[feature.at + j]!;
}

export function entryOf({ weights, means, deviations, columns }: CfNode, entry: number): Feature {
  return { weight: weights[entry]!, values: means, at: entry * columns, deviation: deviations[entry]! };
}

/** All entries of a node as one. */
export function summaryOf(node: CfNode): Feature {
  const sum = createNode(1, node.columns, true);
  putEntry(sum, entryOf(node, 0));
  for (let i = 1; i < node.size; i++) absorb(sum, 0, entryOf(node, i));
  return entryOf(sum, 0);
}

/** Two nodes instead of one: its two entries farthest apart, each with the entries that are nearer to it. */
export function splitNode(node: CfNode, capacity: number): [CfNode, CfNode] {
  const { columns, means, children, size } = node;
  const [one, other] = farthestPair(node);
  const halves: [CfNode, CfNode] = [0, 0].map(() => createNode(capacity, columns, children === null)) as [
    CfNode,
    CfNode,
  ];
  for (let i = 0; i < size; i++) {
    const toOne = squaredDistance(means, i * columns, one * columns, columns);
    const toOther = squaredDistance(means, i * columns, other * columns, columns);
    // Each seed stays with itself even where all entries are at one place: neither half may be empty.
    const half = i === other || (i !== one && toOther < toOne) ? halves[1] : halves[0];
    putEntry(half, entryOf(node, i));
    if (children !== null) half.children!.push(children[i]!);
  }
  return halves;
}

function farthestPair({ columns, means, size }: CfNode): [number, number] {
  let pair: [number, number] = [0, 1];
  let farthest = -1;
  for (let a = 0; a < size; a++) {
    for (let b = a + 1; b < size; b++) {
      const square = squaredDistance(means, a * columns, b * columns, columns);
      if (square <= farthest) continue;
      farthest = square;
      pair = [a, b];
    }
  }
  return pair;
}
