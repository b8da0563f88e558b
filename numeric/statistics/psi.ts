import { chiSquareQuantile } from './gamma.ts';
import { quantiles } from './quantile.ts';

/** Shares below this count as this: a logarithm needs something in every bin. */
export const SHARE_FLOOR = 1e-4;

export interface PopulationStability {
  /** Sum over the bins of (actual - expected) * ln(actual / expected); at least 0. */
  readonly psi: number;
  /** What PSI exceeds by chance alone in a share `alpha` of comparisons without change. */
  readonly criticalValue: number;
  readonly isSignificant: boolean;
  /** The rule of thumb: below 0.10, up to 0.25, above. Independent of the sample sizes. */
  readonly magnitude: 'none' | 'moderate' | 'major';
  readonly referenceCount: number;
  readonly currentCount: number;
  readonly alpha: number;
  readonly floor: number;
  readonly bins: readonly StabilityBin[];
}

export interface StabilityBin {
  /** Values above `from` up to and including `to`; null = open end, or a category. */
  readonly from: number | null;
  readonly to: number | null;
  readonly expectedShare: number;
  readonly actualShare: number;
  readonly contribution: number;
}

export interface StabilityOptions {
  /** @default 10, deciles */
  readonly bins?: number;
  /** @default 0.05 */
  readonly alpha?: number;
}

/**
 * How far a column has moved since a reference: population stability index over bins with equally many
 * reference values (deciles), open at both ends. Quantiles that coincide, as in columns of few values, share
 * one bin.
 *
 * @param reference, current NaN = missing, not counted; at least one value each
 * @throws RangeError when a side has no value, or bins is below 2
 *
 * O(n). PSI sees only the mix: it is blind to members that change places, and with few values it alarms
 * without a cause, so that significance is reported beside magnitude. Sources: Siddiqi (2006), Credit risk
 * scorecards, for the thresholds .10 and .25; Yurdakul (2018) for the chi-square approximation.
 */
export function populationStability(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  { bins = 10, alpha }: StabilityOptions = {},
): PopulationStability {
  if (!Number.isInteger(bins) || bins < 2) throw new RangeError(`PSI needs at least 2 bins, found ${bins}`);
  const inner = Array.from({ length: bins - 1 }, (_, i) => (i + 1) / bins);
  const edges = Array.from(new Set(quantiles(reference, inner)));
  const expected = countsBetween(reference, edges);
  const actual = countsBetween(current, edges);
  const result = stabilityOfCounts(expected, actual, alpha === undefined ? {} : { alpha });
  const named = result.bins.map((bin, i) => ({ ...bin, from: edges[i - 1] ?? null, to: edges[i] ?? null }));
  return { ...result, bins: named };
}

/**
 * The same for counts per category: `expected` and `actual` hold one count per category, in the same order.
 *
 * @throws RangeError when the lengths differ, or a side counts nothing
 */
export function stabilityOfCounts(
  expected: ArrayLike<number>,
  actual: ArrayLike<number>,
  { alpha = 0.05 }: Pick<StabilityOptions, 'alpha'> = {},
): PopulationStability {
  if (expected.length !== actual.length)
    throw new RangeError(
      `PSI needs the same bins on both sides, found ${expected.length} and ${actual.length}`,
    );
  const referenceCount = totalOf(expected);
  const currentCount = totalOf(actual);
  if (!(referenceCount > 0 && currentCount > 0))
    throw new RangeError(`PSI needs values on both sides, found ${referenceCount} and ${currentCount}`);
  const bins = Array.from(expected, (count, i): StabilityBin => {
    const expectedShare = count / referenceCount;
    const actualShare = actual[i]! / currentCount;
    return {
      from: null,
      to: null,
      expectedShare,
      actualShare,
      contribution: term(expectedShare, actualShare),
    };
  });
  const psi = bins.reduce((sum, bin) => sum + bin.contribution, 0);
  const noise = 1 / referenceCount + 1 / currentCount;
  const criticalValue = bins.length > 1 ? chiSquareQuantile(1 - alpha, bins.length - 1) * noise : 0;
  return {
    psi,
    criticalValue,
    isSignificant: psi > criticalValue,
    magnitude: psi < 0.1 ? 'none' : psi <= 0.25 ? 'moderate' : 'major',
    ...{ referenceCount, currentCount, alpha, floor: SHARE_FLOOR, bins },
  };
}

function term(expectedShare: number, actualShare: number): number {
  const expected = Math.max(expectedShare, SHARE_FLOOR);
  const actual = Math.max(actualShare, SHARE_FLOOR);
  return (actual - expected) * Math.log(actual / expected);
}

/**
 * How many values lie up to and including each edge, and above the last.
 *
 * @param values NaN = missing, not counted
 * @param edges ascending, each once
 * @returns shape (edges + 1,)
 *
 * O(n log edges).
 */
export function countsBetween(values: ArrayLike<number>, edges: readonly number[]): Float64Array {
  const counts = new Float64Array(edges.length + 1);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= edges[middle]!) high = middle;
      else low = middle + 1;
    }
    counts[low]! += 1;
  }
  return counts;
}

function totalOf(counts: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  return total;
}
