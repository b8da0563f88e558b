import { entropy } from './adjusted-mutual-information.ts';

/**
 * How equal clusters are in size: the entropy of their shares over the largest that so many clusters can have.
 *
 * @param sizes rows per cluster, finite, at least 0, one of them above 0; empty clusters count as clusters
 * @returns in [0, 1]: 1 = all of one size, near 0 = one has nearly all rows; 1 for a single cluster
 * @throws RangeError when there is no row or a size is negative or not finite
 *
 * O(k). Source: Shannon (1948); as a measure of evenness Pielou (1966). Same values as scipy.stats.entropy(sizes,
 * base=k).
 */
export function sizeEntropy(sizes: ArrayLike<number>): number {
  let total = 0;
  for (let c = 0; c < sizes.length; c++) {
    if (!(sizes[c]! >= 0 && sizes[c]! < Infinity))
      throw new RangeError(`a cluster needs a size of at least 0, found ${sizes[c]}`);
    total += sizes[c]!;
  }
  if (total === 0) throw new RangeError(`an entropy of sizes needs at least 1 row, found 0`);
  if (sizes.length === 1) return 1;
  return Math.min(entropy(sizes, total) / Math.log(sizes.length), 1);
}
