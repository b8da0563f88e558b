/**
 * The non-decreasing values nearest to the given ones, by weighted squares.
 *
 * @param values shape (n,), finite
 * @param weights shape (n,), above 0; default: all 1
 * @returns shape (n,); within each run of equal values the weighted sum is that of the given ones
 *
 * O(n), pool adjacent violators (Barlow et al. 1972). Same values as scikit-learn's IsotonicRegression.
 */
export function isotonicRegression(values: ArrayLike<number>, weights?: ArrayLike<number>): Float64Array {
  const n = values.length;
  const levels = new Float64Array(n);
  const masses = new Float64Array(n);
  const ends = new Int32Array(n);
  let blocks = 0;
  for (let i = 0; i < n; i++) {
    levels[blocks] = values[i]!;
    masses[blocks] = weights?.[i] ?? 1;
    ends[blocks] = i + 1;
    while (blocks > 0 && levels[blocks - 1]! >= levels[blocks]!) {
      const mass = masses[blocks - 1]! + masses[blocks]!;
      levels[blocks - 1] =
        (levels[blocks - 1]! * masses[blocks - 1]! + levels[blocks]! * masses[blocks]!) / mass;
      masses[blocks - 1] = mass;
      ends[blocks - 1] = ends[blocks]!;
      blocks--;
    }
    blocks++;
  }
  const fitted = new Float64Array(n);
  for (let block = 0, i = 0; block < blocks; block++) {
    for (; i < ends[block]!; i++) fitted[i] = levels[block]!;
  }
  return fitted;
}
