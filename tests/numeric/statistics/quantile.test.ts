import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../numeric/random/random.ts';
import { orderStatistics, quantile, quantiles } from '../../../numeric/statistics/quantile.ts';

const SAMPLE = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, -4, -1.5, 0.25];

describe('quantile', () => {
  test('interpolates as numpy does', () => {
    // Expected values: numpy 2.4, quantile (linear), the sample above
    expect(Array.from(quantiles(SAMPLE, [0, 0.1, 0.25, 0.5, 0.9, 0.99, 1]))).toEqual([
      -4, -1.1999999999999997, 0.25, 3, 31.40000000000001, 52.479999999999976, 55,
    ]);
  });

  test('leaves missing values out', () => {
    expect(quantile([Number.NaN, 1, Number.NaN, 3], 0.5)).toBe(2);
  });

  test('says what it needs', () => {
    expect(() => quantile([], 0.5)).toThrow('a quantile needs at least 1 value, found 0');
    expect(() => quantile([Number.NaN], 0.5)).toThrow(RangeError);
    expect(() => quantile([1], 1.5)).toThrow('a quantile needs a share from 0 to 1, found 1.5');
  });

  test('infinite values do not become NaN', () => {
    expect(quantile([-Infinity, 1, Infinity, Infinity], 1)).toBe(Infinity);
    expect(quantile([-Infinity, 1, Infinity], 0.5)).toBe(1);
  });

  test('leaves its input as it was', () => {
    const values = Float64Array.from(SAMPLE);
    quantile(values, 0.3);
    expect(Array.from(values)).toEqual(SAMPLE);
  });
});

describe('orderStatistics', () => {
  const kinds: Record<string, (i: number) => number> = {
    'of both signs': (i) => createRandom(i).normal() * 1e3,
    'few different values': (i) => (i * 7919) % 5,
    'all equal': () => -2.5,
    'close together': (i) => 1 + ((i * 31) % 9973) * Number.EPSILON,
    'from tiny to huge': (i) => (i % 2 ? -1 : 1) * 10 ** (((i * 13) % 600) - 300),
  };
  test.each(Object.entries(kinds))('selects what sorting gives: %s', (_, make) => {
    const values = Float64Array.from({ length: 20_001 }, (_, i) => make(i));
    const ranks = [0, 1, 5_000, 10_000, 19_999, 20_000];
    const found = orderStatistics(values, ranks);
    const sorted = values.toSorted();
    for (const rank of ranks) expect(found.get(rank)).toBe(sorted[rank]);
  });

  test('selects what sorting gives, for any numbers', () => {
    fc.assert(
      fc.property(fc.float64Array({ minLength: 1, maxLength: 40, noNaN: true }), fc.nat(), (some, seed) => {
        // Repeated until the histogram is used instead of sorting
        const values = Float64Array.from({ length: 5000 }, (_, i) => some[i % some.length]!);
        const rank = seed % values.length;
        expect(orderStatistics(values, [rank]).get(rank)! + 0).toBe(values.toSorted()[rank]! + 0);
      }),
      { numRuns: 30 },
    );
  });
});
