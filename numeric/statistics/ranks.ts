import { correlation } from './moments.ts';

/**
 * Place of each value among all, from 1 for the smallest; equal values share the mean of their places.
 *
 * @param values shape (n,), without NaN
 * @returns shape (n,): from 1 to n, halves where values are equal
 *
 * O(n log n). Same values as scipy.stats.rankdata.
 */
export function midRanks(values: ArrayLike<number>): Float64Array {
  const n = values.length;
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(n);
  for (let start = 0; start < n; ) {
    let end = start + 1;
    while (end < n && values[order[end]!] === values[order[start]!]) end++;
    for (let place = start; place < end; place++) ranks[order[place]!] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

/**
 * Spearman's rank correlation: how far two columns rise together, whatever their scales.
 *
 * @param a, b mid-ranks of the columns, shape (n,) each, n >= 2
 * @returns in [-1, 1]; NaN when one of them does not vary
 * @throws RangeError when the lengths differ or n < 2
 *
 * O(n). Same values as scipy.stats.spearmanr of the columns.
 */
export function rankCorrelation(a: Float64Array, b: Float64Array): number {
  return correlation(a, b);
}
