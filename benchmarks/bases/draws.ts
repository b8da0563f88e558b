import { columnOf, type Matrix } from '../../numeric/matrix.ts';
import type { Random } from '../../numeric/random/random.ts';
import { moments } from '../../numeric/statistics/moments.ts';

/** Gamma with scale 1 (Marsaglia & Tsang 2000). */
export function gamma(random: Random, shape: number): number {
  if (shape < 1) return gamma(random, shape + 1) * (1 - random.float()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const z = random.normal();
    const v = (1 + c * z) ** 3;
    if (v > 0 && Math.log(1 - random.float()) < 0.5 * z * z + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Exponential with mean 1. */
export function exponential(random: Random): number {
  return -Math.log(1 - random.float());
}

export function beta(random: Random, a: number, b: number): number {
  const first = gamma(random, a);
  return first / (first + gamma(random, b));
}

/** An index, as often as its weight says; weights sum to 1. */
export function weighted(random: Random, weights: readonly number[]): number {
  let left = random.float();
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i]!;
    if (left < 0) return i;
  }
  return weights.length - 1;
}

export function poisson(random: Random, mean: number): number {
  let count = 0;
  for (let left = mean; ; count++) {
    left += Math.log(1 - random.float());
    if (left < 0) return count;
  }
}

/** Every column to mean 0 and standard deviation 1, in place. */
export function standardise(X: Matrix): Matrix {
  for (let j = 0; j < X.columns; j++) {
    const column = columnOf(X, j);
    const { mean, deviation } = moments(column);
    for (let i = 0; i < X.rows; i++) column[i] = (column[i]! - mean) / (deviation || 1);
  }
  return X;
}
