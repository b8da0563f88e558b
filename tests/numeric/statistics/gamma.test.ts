import { describe, expect, test } from 'vitest';
import { chiSquareQuantile, logGamma, regularisedGamma } from '../../../numeric/statistics/gamma.ts';

const relative = (found: number, expected: number) => Math.abs(found / expected - 1);

// Expected values: scipy 1.17, special.gammaln
test.each([
  [0.1, 2.252712651734206],
  [0.5, 0.5723649429247],
  [1.5, -0.12078223763524526],
  [3.3, 0.9870985778947343],
  [10, 12.801827480081469],
  [100.5, 361.43554046777757],
  [1e6, 12815504.569147611],
])('logGamma(%d) is that of scipy', (x, expected) => {
  expect(relative(logGamma(x), expected)).toBeLessThan(1e-12);
});

// Expected values: scipy 1.17, special.gammainc
test.each([
  [0.5, 0.1, 0.34527915398142317],
  [1, 1, 0.6321205588285577],
  [4.5, 8, 0.9331184122258733],
  [50, 40, 0.07033506665939494],
  [50, 70, 0.994859497541494],
  [1e4, 1.01e4, 0.8413487504471796],
  [0.01, 1e-5, 0.8963367982671969],
])('regularisedGamma(%d, %d) is that of scipy', (a, x, expected) => {
  expect(relative(regularisedGamma(a, x), expected)).toBeLessThan(1e-10);
});

// Expected values: scipy 1.17, stats.chi2.ppf
test.each([
  [0.95, 9, 16.918977604620448],
  [0.95, 1, 3.841458820694124],
  [0.99, 9, 21.665994333461924],
  [0.5, 3, 2.3659738843753377],
  [1e-6, 2, 2.0000010000006676e-6],
  [0.999, 100, 149.44925277903886],
  [0.95, 1000, 1074.679448803441],
  [0.05, 0.5, 8.437150840525987e-6],
])('chiSquareQuantile(%d, %d) is that of scipy', (p, degrees, expected) => {
  expect(relative(chiSquareQuantile(p, degrees), expected)).toBeLessThan(1e-9);
});

describe('out of range', () => {
  test('is refused with what was found', () => {
    expect(() => logGamma(0)).toThrow('logGamma needs a number above 0, found 0');
    expect(() => regularisedGamma(0, 1)).toThrow(RangeError);
    expect(() => chiSquareQuantile(1, 3)).toThrow('needs a share in [0, 1), found 1');
    expect(() => chiSquareQuantile(0.5, 0)).toThrow(RangeError);
  });

  test('the ends of the range are exact', () => {
    expect(regularisedGamma(2, 0)).toBe(0);
    expect(regularisedGamma(2, Infinity)).toBe(1);
    expect(chiSquareQuantile(0, 4)).toBeLessThan(1e-12);
  });
});
