/**
 * p-values of many tests -> p-values that count the others: calling everything below alpha a find makes, on
 * average, no more than a share alpha of the finds false.
 *
 * @param pValues shape (m,), in [0, 1]; NaN = not tested, stays NaN and does not count as a test
 * @returns shape (m,), in [0, 1], none below its p-value, in the same order as them
 * @throws RangeError when a p-value is outside [0, 1]
 *
 * O(m log m). For tests that are independent or depend positively. Source: Benjamini & Hochberg (1995),
 * Controlling the false discovery rate. Same values as scipy.stats.false_discovery_control.
 */
export function benjaminiHochberg(pValues: ArrayLike<number>): Float64Array {
  const adjusted = Float64Array.from(pValues);
  const wrong = adjusted.find((p) => p < 0 || p > 1);
  if (wrong !== undefined) throw new RangeError(`a p-value needs to be in [0, 1], found ${wrong}`);
  const order = Array.from(adjusted.keys())
    .filter((i) => !Number.isNaN(adjusted[i]!))
    .sort((i, j) => adjusted[j]! - adjusted[i]! || j - i);
  let least = 1;
  order.forEach((i, fromLargest) => {
    least = Math.min(least, adjusted[i]! * (order.length / (order.length - fromLargest)));
    adjusted[i] = least;
  });
  return adjusted;
}
