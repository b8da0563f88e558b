import { expect, test } from 'vitest';
import { kurtosis } from '../../../numeric/statistics/kurtosis.ts';

const X = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, -4, -1.5, 0.25];

test('kurtosis is that of scipy, with and without missing values', () => {
  // Expected value: scipy 1.17, stats.kurtosis
  expect(kurtosis(X)).toBeCloseTo(1.672220939410069, 12);
  expect(kurtosis([Number.NaN, ...X])).toBe(kurtosis(X));
});

test('two equal heaps have the lightest tails there are, a constant has none', () => {
  expect(kurtosis([0, 0, 1, 1])).toBe(-2);
  expect(kurtosis([3, 3, 3])).toBe(0);
});

test('kurtosis needs a value', () => {
  expect(() => kurtosis([Number.NaN])).toThrow(RangeError);
});
