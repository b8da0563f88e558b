import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isotonicRegression } from '../../../numeric/statistics/isotonic.ts';

const VALUES = [3, 1, 2, 5, 4, 4, 7, 6.5, 0, 8, 8, 7.5];
const WEIGHTS = [1, 2, 1, 0.5, 3, 1, 2, 1, 0.25, 4, 1, 2];

const SCALE = 1e6;
const value = fc.double({ min: -SCALE, max: SCALE, noNaN: true });
const weight = fc.double({ min: 0.01, max: 100, noNaN: true });
const weighted = fc.array(fc.record({ value, weight }), { minLength: 1, maxLength: 60 });

function fit(items: readonly { value: number; weight: number }[]) {
  const values = items.map((item) => item.value);
  const weights = items.map((item) => item.weight);
  return { values, weights, fitted: isotonicRegression(values, weights) };
}

const weightedMean = (values: ArrayLike<number>, weights: readonly number[]) =>
  weights.reduce((sum, w, i) => sum + w * values[i]!, 0) / weights.reduce((sum, w) => sum + w, 0);

const near = (found: number, expected: number, scale = 1) =>
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-12 * Math.max(scale, Math.abs(expected)));

describe('isotonicRegression', () => {
  // Expected values: scikit-learn 1.9, IsotonicRegression().fit_transform(range(12), VALUES, sample_weight)
  test('equals scikit-learn', () => {
    const expected = [2, 2, 2, 13 / 3, 13 / 3, 13 / 3, 4.5, 4.5, 4.5, 47 / 6, 47 / 6, 47 / 6];
    isotonicRegression(VALUES).forEach((level, i) => {
      near(level, expected[i]!);
    });
  });

  test('equals scikit-learn with weights', () => {
    const expected = [
      5 / 3,
      5 / 3,
      2,
      37 / 9,
      37 / 9,
      37 / 9,
      82 / 13,
      82 / 13,
      82 / 13,
      55 / 7,
      55 / 7,
      55 / 7,
    ];
    isotonicRegression(VALUES, WEIGHTS).forEach((level, i) => {
      near(level, expected[i]!);
    });
  });

  test('never falls, keeps the weighted mean, and stays when fitted again', () => {
    fc.assert(
      fc.property(weighted, (items) => {
        const { values, weights, fitted } = fit(items);
        expect(fitted).toEqual(fitted.toSorted());
        near(weightedMean(fitted, weights), weightedMean(values, weights), SCALE);
        isotonicRegression(fitted, weights).forEach((level, i) => {
          near(level, fitted[i]!, SCALE);
        });
      }),
    );
  });

  test('no other values that never fall are nearer', () => {
    fc.assert(
      fc.property(weighted, fc.infiniteStream(value), (items, stream) => {
        const { values, weights, fitted } = fit(items);
        const other = Float64Array.from(stream.take(values.length)).sort();
        // What is left over points away from every other point of a convex set, if and only if this one is nearest
        const products = values.map(
          (own, i) => ((own - fitted[i]!) / SCALE) * ((other[i]! - fitted[i]!) / SCALE),
        );
        expect(weightedMean(products, weights)).toBeLessThan(1e-9);
      }),
    );
  });

  test('a weight of 2 is the value twice', () => {
    const twice = isotonicRegression([3, 1, 1, 2, 0, 0]);
    expect(Array.from(isotonicRegression([3, 1, 2, 0], [1, 2, 1, 2]))).toEqual(
      [0, 1, 3, 4].map((i) => twice[i]),
    );
  });

  test('values in order stay, falling ones become their mean', () => {
    expect(Array.from(isotonicRegression([-2, -2, 0, 1e9]))).toEqual([-2, -2, 0, 1e9]);
    expect(Array.from(isotonicRegression([4, 2, 0]))).toEqual([2, 2, 2]);
    expect(Array.from(isotonicRegression([7]))).toEqual([7]);
    expect(Array.from(isotonicRegression([]))).toEqual([]);
  });

  test('leaves its input as it was', () => {
    const values = [...VALUES];
    isotonicRegression(values, WEIGHTS);
    expect(values).toEqual(VALUES);
  });
});
