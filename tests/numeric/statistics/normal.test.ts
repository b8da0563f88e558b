import { describe, expect, test } from 'vitest';
import { normalQuantile } from '../../../numeric/statistics/normal.ts';

// Expected values: scipy 1.17, stats.norm.ppf; on both sides of the places where the approximations meet
// (0.075 and 0.925, and about 1.39e-11), and at the smallest and largest numbers that there are
const QUANTILES: readonly (readonly [number, number])[] = [
  [5e-324, -38.467405617144344],
  [1e-300, -37.0470962993612],
  [1e-100, -21.273453560965322],
  [1e-20, -9.262340089798409],
  [1e-12, -7.034483825301131],
  [1e-11, -6.706023155495137],
  [1.3e-11, -6.667611456510741],
  [1e-6, -4.753424308822899],
  [0.001, -3.090232306167813],
  [0.025, -1.9599639845400545],
  [0.074, -1.4466320671589785],
  [0.0750001, -1.4395307645017301],
  [0.25, -0.6744897501960817],
  [0.49999, -2.5066282748960008e-5],
  [0.5, 0],
  [0.6, 0.2533471031357997],
  [0.9, 1.2815515655446004],
  [0.925, 1.4395314709384563],
  [0.92501, 1.4396021182393162],
  [0.975, 1.959963984540054],
  [0.999, 3.090232306167813],
  [0.999999999, 5.997807019601637],
  [1 - 2 ** -53, 8.209536151601387],
];

describe('normalQuantile', () => {
  test.each(QUANTILES)('of %d equals scipy', (p, expected) => {
    expect(Math.abs(normalQuantile(p) - expected)).toBeLessThanOrEqual(
      1e-14 * Math.max(1, Math.abs(expected)),
    );
  });

  test('is symmetric about a half, and rises', () => {
    let before = Number.NEGATIVE_INFINITY;
    for (let i = 1; i < 4096; i++) {
      const z = normalQuantile(i / 4096);
      expect(z).toBeGreaterThan(before);
      expect(z + normalQuantile(1 - i / 4096)).toBe(0);
      before = z;
    }
  });

  test.each([0, 1, -0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a share of %d', (p) => {
    expect(() => normalQuantile(p)).toThrow(RangeError);
    expect(() => normalQuantile(p)).toThrow(`a normal quantile needs a share between 0 and 1, found ${p}`);
  });
});
