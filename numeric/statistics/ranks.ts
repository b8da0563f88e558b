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
  const ranks = new Float64Array(values.length).fill(Number.NaN);
  const present = Uint32Array.from({ length: values.length }, (_, i) => i).filter(
    (i) => !Number.isNaN(values[i]),
  );
  present.sort((i, j) => values[i]! - values[j]!);
  for (let first = 0; first < present.length; ) {
    let end = first + 1;
    while (end < present.length && values[present[end]!] === values[present[first]!]) end++;
    for (let place = first; place < end; place++) ranks[present[place]!] = (first + 1 + end) / 2;
    first = end;
  }
  return ranks;
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
