import { logGamma } from './gamma.ts';

const HALF_LOG_2PI = Math.log(2 * Math.PI) / 2;

/**
 * What Stirling's formula leaves over: ln Gamma(x) - ((x - 1/2) ln x - x + ln(2 pi)/2). Differences of large
 * log-gammas are taken of this, since the large parts would eat their digits.
 *
 * @param x above 0
 * @returns above 0, about 1 / (12 x)
 * @throws RangeError when x is 0 or less
 */
export function stirlingRest(x: number): number {
  if (x < 10) return logGamma(x) - ((x - 0.5) * Math.log(x) - x + HALF_LOG_2PI);
  const square = 1 / (x * x);
  // B(2j) / (2j (2j - 1)), j from 8 down.
  const series = [-3617 / 122400, 1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12];
  return series.reduce((sum, coefficient) => sum * square + coefficient, 0) / x;
}
