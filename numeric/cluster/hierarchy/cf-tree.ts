// The tree of clustering features (Zhang, Ramakrishnan & Livny 1996) that sums up rows as they stream by. A
// feature is (n, mean, S) as in BETULA (Lang & Schubert 2020), S being the sum of squared deviations from the
// mean: the classic (n, sum, sum of squares) subtracts two large numbers and loses all digits far from the origin.

import {
  absorb,
  type CfNode,
  createNode,
  deviationWith,
  entryOf,
  type Feature,
  nearestEntry,
  putEntry,
  splitNode,
  summaryOf,
} from './cf-node.ts';
import { checkCount } from './points.ts';

export interface CfTreeOptions {
  readonly columns: number;
  /** A row joins a leaf entry when the entry's radius sqrt(S / n) stays within it; 0 = equal rows only. */
  readonly threshold: number;
  /** A node splits when it has more entries than this, at least 2. */
  readonly branchingFactor: number;
  /** With more leaf entries than this the threshold grows and the tree is built again from its entries. */
  readonly maxLeaves: number;
}

export interface Leaves {
  readonly count: number;
  /** Rows per entry. */
  readonly weights: Float64Array;
  /** Row-major, count * columns. */
  readonly means: Float64Array;
  /** Sum of squared deviations from the mean, per entry. */
  readonly deviations: Float64Array;
}

export interface CfTree {
  /** As it has grown. */
  readonly threshold: number;
  readonly leafCount: number;
  /** @param values the row starts at `at`; it is not kept */
  insert(values: Float64Array, at?: number): void;
  /** From the first leaf to the last. */
  leaves(): Leaves;
}

// Every rebuild raises the threshold at least so far, so that their number stays logarithmic.
const LEAST_GROWTH = 1.05;
const LEAST_THRESHOLD = 2 ** -500;

/**
 * An empty tree.
 *
 * The leaf entries depend on the order in which rows come: each row joins what is nearest at that moment.
 * O(branchingFactor * columns * depth) per row, O(maxLeaves * columns) memory.
 *
 * @throws RangeError when an option is out of range
 */
export function createCfTree(options: CfTreeOptions): CfTree {
  const { columns, branchingFactor, maxLeaves } = options;
  checkOptions(options);
  const capacity = branchingFactor + 1;
  let { threshold } = options;
  let leafCount = 0;
  let root = createNode(capacity, columns, true);

  const add = (feature: Feature) => {
    if (insertInto(root, feature, { branchingFactor, threshold })) leafCount += 1;
    if (root.size <= branchingFactor) return;
    const below = root;
    root = createNode(capacity, columns, false);
    root.children!.push(below);
    putEntry(root, summaryOf(below));
    splitChild(root, 0, capacity);
  };
  const rebuild = () => {
    const { weights, means, deviations } = leavesOf(root, leafCount);
    threshold = nextThreshold(root, threshold);
    root = createNode(capacity, columns, true);
    leafCount = 0;
    weights.forEach((weight, i) => {
      add({ weight, values: means, at: i * columns, deviation: deviations[i]! });
    });
  };
  return {
    get threshold() {
      return threshold;
    },
    get leafCount() {
      return leafCount;
    },
    insert(values, at = 0) {
      add({ weight: 1, values, at, deviation: 0 });
      while (leafCount > maxLeaves) rebuild();
    },
    leaves: () => leavesOf(root, leafCount),
  };
}

/** @returns whether the feature became a leaf entry of its own */
function insertInto(
  node: CfNode,
  feature: Feature,
  options: Pick<CfTreeOptions, 'branchingFactor' | 'threshold'>,
): boolean {
  const { branchingFactor, threshold } = options;
  const entry = nearestEntry(node, feature);
  if (node.children !== null) {
    absorb(node, entry, feature);
    const child = node.children[entry]!;
    const isNew = insertInto(child, feature, options);
    if (child.size > branchingFactor) splitChild(node, entry, branchingFactor + 1);
    return isNew;
  }
  const joins = entry >= 0 && radiusWith(node, entry, feature) <= threshold;
  if (joins) absorb(node, entry, feature);
  else putEntry(node, feature);
  return !joins;
}

function radiusWith(node: CfNode, entry: number, feature: Feature): number {
  return Math.sqrt(deviationWith(node, entry, feature) / (node.weights[entry]! + feature.weight));
}

function splitChild(node: CfNode, entry: number, capacity: number): void {
  const [one, other] = splitNode(node.children![entry]!, capacity);
  node.children![entry] = one;
  putEntry(node, summaryOf(one), entry);
  node.children!.push(other);
  putEntry(node, summaryOf(other));
}

/**
 * A threshold at which some leaf entries find a partner: the first decile of the radii above the present one that
 * each would have together with the best other of its node. More would be too much: in many columns a threshold a
 * little larger leaves far fewer entries.
 */
function nextThreshold(root: CfNode, threshold: number): number {
  const radii: number[] = [];
  for (const node of leafNodes(root)) {
    for (let a = 0; a < node.size; a++) {
      let least = Infinity;
      for (let b = 0; b < node.size; b++)
        if (b !== a) least = Math.min(least, radiusWith(node, a, entryOf(node, b)));
      if (least > threshold && least < Infinity) radii.push(least);
    }
  }
  radii.sort((a, b) => a - b);
  return Math.max(threshold * LEAST_GROWTH, radii[Math.floor(radii.length / 10)] ?? LEAST_THRESHOLD);
}

function leavesOf(root: CfNode, count: number): Leaves {
  const { columns } = root;
  const all = createNode(count, columns, true);
  for (const node of leafNodes(root)) {
    for (let i = 0; i < node.size; i++) putEntry(all, entryOf(node, i));
  }
  return { count, weights: all.weights, means: all.means, deviations: all.deviations };
}

function leafNodes(node: CfNode): CfNode[] {
  return node.children === null ? [node] : node.children.flatMap(leafNodes);
}

function checkOptions({ columns, threshold, branchingFactor, maxLeaves }: CfTreeOptions): void {
  checkCount('columns', columns, 1);
  checkCount('branchingFactor', branchingFactor, 2);
  checkCount('maxLeaves', maxLeaves, 1);
  if (!(threshold >= 0 && threshold < Infinity))
    throw new RangeError(`threshold needs to be 0 or more, found ${threshold}`);
}
