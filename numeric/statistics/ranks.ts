import { correlation } from './moments.ts';

/**
 * Ranks from 1; equal values share the mean of the ranks they take.
 *
 * @param values NaN = missing: has no rank, NaN, and counts for none of the others
 * @returns shape (n,)
 *
 * O(n log n). Same values as scipy.stats.rankdata.
 */
export function midRanks(values: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();
  return Float64Array.from(values, (value) =>
    Number.isNaN(value)
      ? value
      : (countBelow(sorted, value, false) + 1 + countBelow(sorted, value, true)) / 2,
  );
}

/** How many are smaller, or no larger, than the value. */
function countBelow(sorted: Float64Array, value: number, orEqual: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value || (orEqual && sorted[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Rank correlation over the pairs where neither is missing: whether one rises with the other, along whatever
 * curve, whatever the largest values are.
 *
 * @returns in [-1, 1]; NaN when one of them does not vary
 * @throws RangeError when the lengths differ or fewer than 2 pairs are there
 *
 * O(n log n). Source: Spearman (1904), The proof and measurement of association between two things. Same
 * values as scipy.stats.spearmanr. Of columns without missing values it is the correlation of their ranks,
 * which then need to be taken only once for each column.
 */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const isPair = (_: number, i: number) => !Number.isNaN(a[i]! + b[i]!);
  if (a.length !== b.length)
    throw new RangeError(`a correlation needs equally many values, found ${a.length} and ${b.length}`);
  const first = Float64Array.from(a).filter(isPair);
  const second = Float64Array.from(b).filter(isPair);
  return correlation(midRanks(first), midRanks(second));
}
