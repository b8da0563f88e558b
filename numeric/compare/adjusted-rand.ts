import { contingency } from './contingency.ts';

/**
 * Agreement of two partitions of the same items, corrected for chance.
 *
 * @param a, b labels, shape (n,), integers from 0
 * @returns in [-0.5, 1]: 1 = the same partition up to renaming, about 0 = chance
 * @throws RangeError when the lengths differ or n < 1
 *
 * O(n + ka * kb) for ka, kb labels. Source: Hubert & Arabie (1985), Comparing partitions. Same values as
 * scikit-learn's adjusted_rand_score. Prefer it when clusters are large and balanced.
 */
export function adjustedRand(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const { counts, rowTotals, columnTotals, total } = contingency(a, b);
  const together = sumOfPairs(counts);
  const inRows = sumOfPairs(rowTotals);
  const inColumns = sumOfPairs(columnTotals);
  // Both are one single group, or both all singletons: they are the same partition.
  const allPairs = (total * (total - 1)) / 2;
  if (inRows === inColumns && (inRows === 0 || inRows === allPairs)) return 1;
  const expected = (inRows * inColumns) / allPairs;
  return (together - expected) / ((inRows + inColumns) / 2 - expected);
}

function sumOfPairs(counts: Float64Array): number {
  return counts.reduce((sum, n) => sum + (n * (n - 1)) / 2, 0);
}
