import { logGamma } from './gamma.ts';
import { normalQuantile } from './normal.ts';
import { stirlingRest } from './stirling.ts';

// The beta distribution: what is known of a share after some have been counted.

const MAX_TERMS = 100_000;
const MAX_STEPS = 400;
const PRECISION = 1e-16;
const TINY = 1e-300;

/**
 * ln B(a, b), the logarithm of the beta function.
 *
 * @param a, b above 0
 * @throws RangeError when one is 0 or less
 *
 * Large arguments lose no digits. Same values as scipy.special.betaln, which has some 11 digits there.
 */
export function logBeta(a: number, b: number): number {
  const small = Math.min(a, b);
  const large = Math.max(a, b);
  if (!(small > 0 && large < Infinity))
    throw new RangeError(`the beta function needs numbers above 0, found ${a} and ${b}`);
  if (large < 10) return logGamma(small) + logGamma(large) - logGamma(a + b);
  const rest = stirlingRest(large) - stirlingRest(a + b);
  const shift = -(large - 0.5) * Math.log1p(small / large);
  if (small < 10) return logGamma(small) + shift - small * Math.log(a + b) + small + rest;
  const ofSmall = (small - 0.5) * Math.log(small) + Math.log(2 * Math.PI) / 2 + stirlingRest(small);
  return ofSmall + shift - small * Math.log(a + b) + rest;
}

/**
 * Regularised incomplete beta function I_x(a, b): the share of a beta variable's values up to x.
 *
 * @param x in [0, 1]
 * @param a, b above 0
 * @returns in [0, 1]
 * @throws RangeError when x, a or b is out of range
 *
 * Continued fraction (DiDonato & Morris 1992, by the modified Lentz method), about sqrt(max(a, b)) terms. Same
 * values as scipy.special.betainc.
 */
export function regularisedBeta(x: number, a: number, b: number): number {
  if (!(x >= 0 && x <= 1)) throw new RangeError(`I_x(a, b) needs x in [0, 1], found ${x}`);
  const scale = logBeta(a, b);
  if (x === 0 || x === 1) return x;
  return isLower(x, a, b) ? lowerTail(x, { a, b, scale }) : 1 - lowerTail(1 - x, { a: b, b: a, scale });
}

/**
 * Quantile of the beta distribution.
 *
 * @param p in [0, 1]
 * @param a, b above 0
 * @returns x in [0, 1] with I_x(a, b) = p
 * @throws RangeError when p, a or b is out of range
 *
 * Newton's method on the logarithms, kept inside a bracket that halves: some ten evaluations. Same values as
 * scipy.stats.beta.ppf to 1e-12.
 */
export function betaQuantile(p: number, a: number, b: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a beta quantile needs a share in [0, 1], found ${p}`);
  const scale = logBeta(a, b);
  if (p === 0 || p === 1) return p;
  // Numbers near 0 have more digits than those near 1.
  if (a > b) return 1 - solve(1 - p, { a: b, b: a, scale });
  return solve(p, { a, b, scale });
}

interface Shape {
  a: number;
  b: number;
  /** logBeta(a, b). */
  scale: number;
}

function solve(p: number, shape: Shape): number {
  const { a, b, scale } = shape;
  let low = 0;
  let high = 1;
  let x = firstGuess(p, shape);
  for (let step = 0; step < MAX_STEPS; step++) {
    const share = isLower(x, a, b) ? lowerTail(x, shape) : 1 - lowerTail(1 - x, { a: b, b: a, scale });
    if (share < p) low = x;
    else high = x;
    // d ln I / d ln x, so that a power of x is found in one step.
    const slope = Math.exp(a * Math.log(x) + (b - 1) * Math.log1p(-x) - scale) / share;
    let next = x * Math.exp((Math.log(p) - Math.log(share)) / slope);
    // Halves the bracket by its logarithm; without a lower end, goes down faster with every step.
    if (!(next > low && next < high))
      next = low > 0 ? Math.sqrt(low) * Math.sqrt(high) : high / 2 ** (1 + step);
    if (Math.abs(next - x) <= x * 2 ** -52 || !(next > low && next < high)) return next;
    x = next;
  }
  return x;
}

function firstGuess(p: number, { a, b, scale }: Shape): number {
  const mean = a / (a + b);
  const deviation = Math.sqrt((mean * (1 - mean)) / (a + b + 1));
  const central = mean + normalQuantile(Math.min(1 - 1e-15, Math.max(p, 1e-300))) * deviation;
  if (a >= 1 && central > 0 && central < 1) return central;
  // The distribution function near 0: x^a / (a B).
  const power = Math.exp((Math.log(p) + Math.log(a) + scale) / a);
  return power > 0 && power < 1 ? power : mean;
}

/** Where the continued fraction converges at once; above, the other tail is taken. */
function isLower(x: number, a: number, b: number): boolean {
  return x <= (a + 1) / (a + b + 2);
}

function lowerTail(x: number, { a, b, scale }: Shape): number {
  return Math.min(1, (Math.exp(logFront(x, { a, b, scale })) * fraction(x, a, b)) / a);
}

/** ln(x^a (1 - x)^b / B(a, b)); for large a and b from the distance to the mean, in which no digits cancel. */
function logFront(x: number, { a, b, scale }: Shape): number {
  if (a < 10 || b < 10) return a * Math.log(x) + b * Math.log1p(-x) - scale;
  const over = (a + b) * x - a;
  const peak = (Math.log(a) + Math.log(b) - Math.log(a + b) - Math.log(2 * Math.PI)) / 2;
  const rest = stirlingRest(a + b) - stirlingRest(a) - stirlingRest(b);
  return a * Math.log1p(over / a) + b * Math.log1p(-over / b) + peak + rest;
}

function fraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / avoidZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < MAX_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / avoidZero(1 + even * d);
    c = avoidZero(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / avoidZero(1 + odd * d);
    c = avoidZero(1 + odd / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < PRECISION) break;
  }
  return value;
}

function avoidZero(x: number): number {
  return Math.abs(x) < TINY ? TINY : x;
}
