import { quantile } from './quantile.ts';

/**
 * How much more counts vary from run to run than chance alone would have it: 1 = as chance, 4 = twice as far. Real
 * shops have weeks, weather and campaigns; a test that knows nothing of them cries wolf.
 *
 * @param ratios each a statistic over its degrees of freedom, of runs without a change: squares of standard
 *   normals, or chi-square values; at least 0. NaN = not tested, not counted
 * @param options.degrees of each ratio; default 1 for all
 * @returns at least 1; 1 with fewer than 8 ratios, which say too little
 *
 * O(n log n). By the median, so that the events among past runs do not make the next one look usual. The median of
 * a chi-square by degrees * (1 - 2 / (9 degrees))^3 (Wilson & Hilferty 1931).
 */
export function dispersionOf(ratios: ArrayLike<number>, degrees?: ArrayLike<number>): number {
  const scaled: number[] = [];
  for (let i = 0; i < ratios.length; i++) {
    const df = degrees?.[i] ?? 1;
    if (Number.isNaN(ratios[i]!) || !(df > 0)) continue;
    scaled.push(ratios[i]! / (1 - 2 / (9 * df)) ** 3);
  }
  if (scaled.length < FEWEST_RATIOS) return 1;
  return Math.max(1, quantile(scaled, 0.5));
}

const FEWEST_RATIOS = 8;
