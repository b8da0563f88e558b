import { describe, expect, test } from 'vitest';
import { correlation, deviation, mean, moments } from '../../../numeric/statistics/moments.ts';

const X = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, -4, -1.5, 0.25];
const Y = X.map((x, i) => Math.sqrt(Math.abs(x)) + i / 3);

describe('moments', () => {
  test('are those of numpy and scipy', () => {
    const found = moments(X);
    // Expected values: numpy 2.4 mean and std (ddof 0), scipy 1.17 skew, the sample above
    expect(found.mean).toBeCloseTo(10.51923076923077, 12);
    expect(found.deviation).toBeCloseTo(16.34674207086418, 12);
    expect(found.skewness).toBeCloseTo(1.6374853307863522, 12);
    expect([found.count, found.min, found.max]).toEqual([13, -4, 55]);
  });

  test('leave missing values out', () => {
    expect(moments([Number.NaN, ...X, Number.NaN])).toEqual(moments(X));
    expect(mean([1, Number.NaN, 3])).toBe(2);
    expect(deviation([1, Number.NaN, 3])).toBe(1);
  });

  test('equal values do not vary, not even by rounding', () => {
    const { deviation, skewness } = moments(new Float64Array(1000).fill(0.1));
    expect([deviation, skewness]).toEqual([0, 0]);
  });

  test('need a value', () => {
    expect(() => moments([])).toThrow('moments need at least 1 value, found 0');
  });
});

describe('correlation', () => {
  test('is that of numpy', () => {
    // Expected value: numpy 2.4, corrcoef, the samples above
    expect(correlation(X, Y)).toBeCloseTo(0.8277979854556016, 12);
  });

  test('is symmetric, and 1 with itself', () => {
    expect(correlation(X, Y)).toBe(correlation(Y, X));
    expect(correlation(X, X)).toBe(1);
    expect(
      correlation(
        X,
        X.map((x) => -2 * x),
      ),
    ).toBe(-1);
  });

  test('counts only pairs without a missing value', () => {
    expect(correlation([1, 2, Number.NaN, 3], [2, 4, 100, 6])).toBe(1);
  });

  test('is not defined when one side does not vary', () => {
    expect(correlation([1, 1, 1], [1, 2, 3])).toBeNaN();
    expect(() => correlation([1], [1])).toThrow(RangeError);
    expect(() => correlation([1, 2], [1])).toThrow(RangeError);
  });
});
