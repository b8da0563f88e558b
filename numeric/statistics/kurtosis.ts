import { moments } from './moments.ts';

/**
 * Excess kurtosis of a column: how heavy its tails are, 0 for a normal one.
 *
 * @param values NaN = missing, left out
 * @returns at least -2; 0 when nothing varies, as the skewness of `moments` is
 * @throws RangeError when there is no value
 *
 * O(n), in three passes. Same values as scipy.stats.kurtosis (Fisher's, biased).
 */
export function kurtosis(values: ArrayLike<number>): number {
  const { count, mean, deviation } = moments(values);
  if (deviation === 0) return 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const standardised = (values[i]! - mean) / deviation;
    // The fourth power of what is NaN is NaN too.
    if (!Number.isNaN(standardised)) sum += standardised ** 4;
  }
  return sum / count - 3;
}
