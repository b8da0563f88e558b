import { entropy, mutualInformation } from './adjusted-mutual-information.ts';
import { contingency } from './contingency.ts';

/**
 * What must be told to turn one partition into the other: the entropy of each that the other does not explain.
 *
 * @param a, b labels of the same items, shape (n,), integers from 0; n >= 1
 * @returns in nats, in [0, ln n]: 0 = the same partition up to renaming. A metric: symmetric, with the triangle
 *   inequality, so that distances between many partitions can be drawn as a map
 * @throws RangeError when the lengths differ or n < 1
 *
 * O(n + ka * kb) for ka, kb labels. Source: Meila (2007), Comparing clusterings: an information based distance. Same
 * values as igraph's compare(method = "vi"), and as scikit-learn's entropies less twice mutual_info_score.
 */
export function variationOfInformation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const table = contingency(a, b);
  const entropies = entropy(table.rowTotals, table.total) + entropy(table.columnTotals, table.total);
  return Math.max(entropies - 2 * mutualInformation(table), 0);
}
