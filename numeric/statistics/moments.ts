// NaN = missing and is left out everywhere; no value left = RangeError.

export interface Moments {
  /** Values that are not NaN. */
  readonly count: number;
  readonly mean: number;
  /** Population standard deviation (divided by n: ddof 0). */
  readonly deviation: number;
  /** Third standardised moment, biased as scipy's default; 0 when nothing varies. */
  readonly skewness: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Count, mean, spread and skew of a column, in two passes.
 *
 * @throws RangeError when there is no value
 *
 * O(n). Same values as numpy's nanmean and nanstd, and scipy's skew.
 */
export function moments(values: ArrayLike<number>): Moments {
  let count = 0;
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    count++;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (count === 0) throw new RangeError('moments need at least 1 value, found 0');
  // Rounding may put the mean of equal values beside them.
  const mean = min === max ? min : sum / count;
  let squares = 0;
  let cubes = 0;
  for (let i = 0; i < values.length; i++) {
    const difference = values[i]! - mean;
    if (Number.isNaN(difference)) continue;
    squares += difference * difference;
    cubes += difference * difference * difference;
  }
  const deviation = Math.sqrt(squares / count);
  const skewness = deviation > 0 ? cubes / count / deviation ** 3 : 0;
  return { count, mean, deviation, skewness, min, max };
}

/** Mean of the values. @throws RangeError when there is none */
export function mean(values: ArrayLike<number>): number {
  return moments(values).mean;
}

/** Population standard deviation (ddof 0). @throws RangeError when there is no value */
export function deviation(values: ArrayLike<number>): number {
  return moments(values).deviation;
}

/**
 * Pearson correlation over the pairs where neither is missing.
 *
 * @returns in [-1, 1]; NaN when one of them does not vary
 * @throws RangeError when the lengths differ or fewer than 2 pairs are there
 *
 * O(n). Same values as numpy.corrcoef.
 */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length)
    throw new RangeError(`a correlation needs equally many values, found ${a.length} and ${b.length}`);
  const isPair = (i: number) => !Number.isNaN(a[i]! + b[i]!);
  let pairs = 0;
  let sumA = 0;
  let sumB = 0;
  for (let i = 0; i < a.length; i++) {
    if (!isPair(i)) continue;
    pairs++;
    sumA += a[i]!;
    sumB += b[i]!;
  }
  if (pairs < 2) throw new RangeError(`a correlation needs at least 2 pairs of values, found ${pairs}`);
  let squareA = 0;
  let squareB = 0;
  let product = 0;
  for (let i = 0; i < a.length; i++) {
    if (!isPair(i)) continue;
    const fromA = a[i]! - sumA / pairs;
    const fromB = b[i]! - sumB / pairs;
    squareA += fromA * fromA;
    squareB += fromB * fromB;
    product += fromA * fromB;
  }
  if (squareA === 0 || squareB === 0) return Number.NaN;
  return Math.max(-1, Math.min(1, product / Math.sqrt(squareA * squareB)));
}
