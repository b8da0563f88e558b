/** Values in ascending order, without the missing ones: sorted once for all comparisons with others. */
export interface SortedSample {
  readonly sorted: Float64Array;
}

/**
 * @param values NaN = missing, left out; a sample that is sorted already is given back
 * @throws RangeError when no value is left, or one is infinite
 *
 * O(n log n).
 */
export function sortSample(values: ArrayLike<number> | SortedSample): SortedSample {
  if ('sorted' in values) return values;
  const sorted = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();
  if (sorted.length === 0) throw new RangeError('comparing samples needs at least 1 value in each, found 0');
  for (const value of [sorted[0]!, sorted[sorted.length - 1]!]) {
    if (!Number.isFinite(value))
      throw new RangeError(`comparing samples needs finite values, found ${value}`);
  }
  return { sorted };
}

/**
 * Walks both distribution functions at once: at each value of either, how far they are apart from there on.
 *
 * @param onStep called with F_a - F_b in [-1, 1], and the length to the next value in the unit of the values,
 *   0 after the last
 *
 * O(n + m).
 */
export function walkDistributions(
  { sorted: a }: SortedSample,
  { sorted: b }: SortedSample,
  onStep: (difference: number, length: number) => void,
): void {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const value = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    while (a[i] === value) i++;
    while (b[j] === value) j++;
    const next = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    onStep(i / a.length - j / b.length, next === Infinity ? 0 : next - value);
  }
}
