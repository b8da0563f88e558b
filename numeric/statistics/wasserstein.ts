import { deviation } from './moments.ts';
import { type SortedSample, sortSample, walkDistributions } from './sorted-sample.ts';

export interface WassersteinDistance {
  /** In the unit of the values, at least 0: how far a value has to be carried on average. */
  readonly distance: number;
  /** In standard deviations of the reference (ddof 0); NaN when the reference does not vary. */
  readonly standardised: number;
  readonly referenceCount: number;
  readonly currentCount: number;
}

/**
 * How far one sample has to be carried to lie as the other: the area between the two distribution functions
 * (first Wasserstein distance, earth mover's distance).
 *
 * @param reference, current NaN = missing, not counted; at least one value each, finite
 * @throws RangeError when a side has no value, or an infinite one
 *
 * O(n log n + m log m); without the logarithms for samples sorted before. Of all measures of drift the one in
 * the unit of the values: a shift of everybody by 3 days is a distance of 3. Source: Vallender (1974),
 * Calculation of the Wasserstein distance between probability distributions on the line. Same values as
 * scipy.stats.wasserstein_distance.
 */
export function wassersteinDistance(
  reference: ArrayLike<number> | SortedSample,
  current: ArrayLike<number> | SortedSample,
): WassersteinDistance {
  const before = sortSample(reference);
  const after = sortSample(current);
  let distance = 0;
  walkDistributions(before, after, (difference, length) => {
    distance += Math.abs(difference) * length;
  });
  const spread = deviation(before.sorted);
  return {
    distance,
    standardised: spread > 0 ? distance / spread : Number.NaN,
    referenceCount: before.sorted.length,
    currentCount: after.sorted.length,
  };
}
