import { chiSquareShare } from '../statistics/gamma.ts';

export interface SegmentFlow {
  /** Customers of the segment before and now. */
  readonly before: number;
  readonly now: number;
  /** Of those now, who were not in it; of those before, who are not any more. */
  readonly arrived: number;
  readonly left: number;
}

/**
 * How much more a segment grew or shrank than the whole did, in units of what its comings and goings give by chance:
 * McNemar's test of paired shares, with people who come and go counted as moves.
 *
 * The segment would have before * growth customers had it kept its share; what it has more is arrived less left,
 * and varies by chance as their sum does (both counts Poisson, those who left scaled by the growth).
 *
 * @param growth customers of all segments now, over those before; above 0
 * @returns standard normal without a change; 0 when nobody came or went
 * @throws RangeError when a number is negative or not finite, or more left than there were
 *
 * Source: McNemar (1947), Note on the sampling error of the difference between correlated proportions.
 */
export function netFlow({ before, now, arrived, left }: SegmentFlow, growth: number): number {
  for (const count of [before, now, arrived, left])
    if (!(count >= 0 && count < Infinity))
      throw new RangeError(`a flow needs counts of at least 0, found ${count}`);
  if (left > before || arrived > now)
    throw new RangeError(
      `a flow needs no more moves than customers, found ${left} of ${before}, ${arrived} of ${now}`,
    );
  if (!(growth > 0 && growth < Infinity)) throw new RangeError(`growth needs to be above 0, found ${growth}`);
  const variance = arrived + left * growth * growth;
  return variance > 0 ? (now - before * growth) / Math.sqrt(variance) : 0;
}

/** Chance of a standard normal as far from 0 as this, either way. */
export function twoSidedNormal(z: number): number {
  return Math.max(0, 1 - chiSquareShare(z * z, 1));
}
