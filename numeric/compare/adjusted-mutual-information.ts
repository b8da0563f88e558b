import { logGamma } from '../statistics/gamma.ts';
import { type Contingency, contingency } from './contingency.ts';

// Terms of the expectation below this share of the largest one no longer change the sum.
const NEGLIGIBLE = 1e-20;

/**
 * Mutual information of two partitions of the same items, corrected for chance and scaled by the mean of the
 * entropies.
 *
 * @param a, b labels, shape (n,), integers from 0
 * @returns at most 1: 1 = the same partition up to renaming, about 0 = chance (may be slightly negative)
 * @throws RangeError when the lengths differ or n < 1
 *
 * O(n + ka * kb * sqrt(n)). Source: Vinh, Epps & Bailey (2010), Information theoretic measures for
 * clusterings comparison. Same values as scikit-learn's adjusted_mutual_info_score (arithmetic average).
 * Prefer it to adjustedRand when small clusters matter (Romano et al. 2016).
 */
export function adjustedMutualInformation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const table = contingency(a, b);
  const rowEntropy = entropy(table.rowTotals, table.total);
  const columnEntropy = entropy(table.columnTotals, table.total);
  const groups = (totals: Float64Array) => totals.filter((n) => n > 0).length;
  const rowGroups = groups(table.rowTotals);
  const columnGroups = groups(table.columnTotals);
  // Both are one single group, or both all singletons: they are the same partition.
  if (rowGroups === columnGroups && (rowGroups === 1 || rowGroups === table.total)) return 1;
  const expected = expectedInformation(table);
  const mean = (rowEntropy + columnEntropy) / 2;
  const range = mean - expected;
  const denominator = range < 0 ? Math.min(range, -Number.EPSILON) : Math.max(range, Number.EPSILON);
  return (mutualInformation(table) - expected) / denominator;
}

/** Entropy of a partition with these group sizes, in nats. */
export function entropy(sizes: ArrayLike<number>, total: number): number {
  let sum = 0;
  for (let i = 0; i < sizes.length; i++) {
    const share = sizes[i]! / total;
    if (share > 0) sum -= share * Math.log(share);
  }
  return sum;
}

/** Mutual information of the two partitions of a table, in nats; at least 0. */
export function mutualInformation({ counts, columns, rowTotals, columnTotals, total }: Contingency): number {
  let sum = 0;
  counts.forEach((count, at) => {
    if (count === 0) return;
    const ifIndependent = rowTotals[Math.floor(at / columns)]! * columnTotals[at % columns]!;
    sum += (count / total) * Math.log((count * total) / ifIndependent);
  });
  return Math.max(sum, 0);
}

function expectedInformation({ rowTotals, columnTotals, total }: Contingency): number {
  let sum = 0;
  for (const a of rowTotals) {
    for (const b of columnTotals) if (a > 0 && b > 0) sum += expectedCell(a, b, total);
  }
  return sum;
}

/**
 * Expected part of one cell when a of the items are drawn without replacement, b of which are marked. Summed
 * from the likeliest count outwards: from the smallest on, the first probabilities would vanish for large
 * tables.
 */
function expectedCell(a: number, b: number, total: number): number {
  const fewest = Math.max(0, a + b - total);
  const most = Math.min(a, b);
  const mode = Math.min(most, Math.max(fewest, Math.floor(((a + 1) * (b + 1)) / (total + 2))));
  const peak = Math.exp(logHypergeometric(mode, { a, b, total }));
  const part = (n: number) => (n === 0 ? 0 : (n / total) * Math.log((n * total) / (a * b)));
  let sum = peak * part(mode);
  let probability = peak;
  for (let n = mode; n < most && probability > peak * NEGLIGIBLE; n++) {
    probability *= ((a - n) * (b - n)) / ((n + 1) * (total - a - b + n + 1));
    sum += probability * part(n + 1);
  }
  probability = peak;
  for (let n = mode; n > fewest && probability > peak * NEGLIGIBLE; n--) {
    probability *= (n * (total - a - b + n)) / ((a - n + 1) * (b - n + 1));
    sum += probability * part(n - 1);
  }
  return sum;
}

function logHypergeometric(n: number, { a, b, total }: { a: number; b: number; total: number }): number {
  return logChoose(a, n) + logChoose(total - a, b - n) - logChoose(total, b);
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
