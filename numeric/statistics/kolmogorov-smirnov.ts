import { kolmogorovTail } from './kolmogorov-distribution.ts';
import { type SortedSample, sortSample, walkDistributions } from './sorted-sample.ts';

export interface KolmogorovSmirnov {
  /** Largest distance of the two distribution functions, in [0, 1]. */
  readonly statistic: number;
  /** Share of samples without a difference that lie as far apart, in [0, 1]. */
  readonly pValue: number;
  readonly referenceCount: number;
  readonly currentCount: number;
}

/**
 * Two-sample Kolmogorov-Smirnov test: whether two samples can come from one distribution.
 *
 * @param reference, current NaN = missing, not counted; at least one value each, finite
 * @throws RangeError when a side has no value, or an infinite one
 *
 * O(n log n + m log m); without the logarithms for samples sorted before. The p-value is that of one sample of
 * round(n m / (n + m)) values against a known distribution: not to be trusted below some ten values a side, and
 * too large, so that it alarms too seldom, where many values are equal. Sources: Smirnov (1939); for the p-value
 * see kolmogorovTail. Same values as scipy.stats.ks_2samp(method='asymp').
 */
export function kolmogorovSmirnov(
  reference: ArrayLike<number> | SortedSample,
  current: ArrayLike<number> | SortedSample,
): KolmogorovSmirnov {
  const before = sortSample(reference);
  const after = sortSample(current);
  let statistic = 0;
  walkDistributions(before, after, (difference) => {
    statistic = Math.max(statistic, Math.abs(difference));
  });
  const referenceCount = before.sorted.length;
  const currentCount = after.sorted.length;
  const values = roundHalfToEven((referenceCount * currentCount) / (referenceCount + currentCount));
  // One value a side says nothing.
  const pValue = values === 0 ? 1 : kolmogorovTail(statistic, values);
  return { statistic, pValue, referenceCount, currentCount };
}

function roundHalfToEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
