import { chiSquareShare } from './gamma.ts';

export interface GTest {
  /** G, at least 0; Infinity when something was counted that was not expected at all. */
  readonly statistic: number;
  /** Categories that can occur, less one. */
  readonly degrees: number;
  /** Share of samples without a difference with as large a G, in [0, 1]; 1 with nothing to compare. */
  readonly pValue: number;
}

/**
 * Whether counts can come from known shares (likelihood ratio test of goodness of fit).
 *
 * @param counts per category, at least 0, finite
 * @param shares expected per category, in the same order, at least 0; they need not add up to 1
 * @throws RangeError when the lengths differ, a number is negative or not finite, or no share is above 0
 *
 * Categories of share 0 that were not counted either do not count as categories. O(categories). p-values below
 * 1e-15 are 0. Source: Sokal & Rohlf, Biometry. Same values as
 * scipy.stats.power_divergence(lambda_='log-likelihood').
 */
export function gTest(counts: ArrayLike<number>, shares: ArrayLike<number>): GTest {
  const [total, whole] = totalsOf(counts, shares);
  if (!(whole > 0)) throw new RangeError(`a G-test needs a share above 0, found none`);
  let sum = 0;
  let categories = 0;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] === 0 && shares[i] === 0) continue;
    categories++;
    sum += part(counts[i]!, (total * shares[i]!) / whole);
  }
  return resultOf(2 * sum, categories - 1);
}

/**
 * Whether two rows of counts can come from the same shares, known of neither (likelihood ratio test of
 * homogeneity): for a baseline that was counted itself, on no more items than what is compared with it.
 *
 * @param a, b counts per category, in the same order, at least 0, finite
 * @throws RangeError when the lengths differ, or a count is negative or not finite
 *
 * O(categories). Same values as scipy.stats.chi2_contingency(lambda_='log-likelihood', correction=False).
 */
export function gTestOfCounts(a: ArrayLike<number>, b: ArrayLike<number>): GTest {
  const [totalA, totalB] = totalsOf(a, b);
  const total = totalA + totalB;
  if (totalA === 0 || totalB === 0) return resultOf(0, 0);
  let sum = 0;
  let categories = 0;
  for (let i = 0; i < a.length; i++) {
    const both = a[i]! + b[i]!;
    if (both === 0) continue;
    categories++;
    sum += part(a[i]!, (totalA * both) / total) + part(b[i]!, (totalB * both) / total);
  }
  return resultOf(2 * sum, categories - 1);
}

function part(observed: number, expected: number): number {
  return observed === 0 ? 0 : observed * Math.log(observed / expected);
}

function resultOf(sum: number, degrees: number): GTest {
  const statistic = Math.max(0, sum);
  const pValue = degrees < 1 ? 1 : Math.max(0, 1 - chiSquareShare(statistic, degrees));
  return { statistic, degrees: Math.max(0, degrees), pValue };
}

function totalsOf(a: ArrayLike<number>, b: ArrayLike<number>): [number, number] {
  if (a.length !== b.length)
    throw new RangeError(
      `a G-test needs the same categories on both sides, found ${a.length} and ${b.length}`,
    );
  const totals: [number, number] = [0, 0];
  [a, b].forEach((side, at) => {
    for (let i = 0; i < side.length; i++) {
      if (!(side[i]! >= 0 && side[i]! < Infinity))
        throw new RangeError(`a G-test needs numbers of at least 0, found ${side[i]}`);
      totals[at]! += side[i]!;
    }
  });
  return totals;
}
