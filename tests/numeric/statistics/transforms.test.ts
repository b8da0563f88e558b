import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyTransform,
  type FittedTransform,
  fitTransform,
  type TransformKind,
} from '../../../numeric/statistics/transforms.ts';
import { fitYeoJohnson, yeoJohnson } from '../../../numeric/statistics/yeo-johnson.ts';

const X = Float64Array.of(0, 1, 2, 3, 5, 8, 13, 21, 34, 55, -4, -1.5, 0.25);
const SPEND = Float64Array.from({ length: 200 }, (_, i) => Math.exp(((i + 1) / 200) * 6) - 1);
const KINDS: TransformKind[] = ['log1p', 'winsorise', 'standard', 'robust', 'yeo-johnson'];

describe('scaling', () => {
  test('standard is StandardScaler', () => {
    const found = applyTransform(fitTransform('standard', X), X);
    // Expected values: scikit-learn 1.9, StandardScaler
    const expected = [-0.6435062548628483, -0.5823319856619925, -0.5211577164611367, -0.45998344726028095];
    expected.forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 12);
    });
  });

  test('robust is RobustScaler', () => {
    // Expected values: scikit-learn 1.9, RobustScaler
    expect(fitTransform('robust', X)).toEqual({ kind: 'robust', center: 3, scale: 12.75 });
    expect(applyTransform(fitTransform('robust', X), X)[0]).toBe(-0.23529411764705882);
  });

  test.each(['standard', 'robust'] as const)('%s turns a column that does not vary into zeros', (kind) => {
    const column = new Float64Array(50).fill(0.1);
    expect(applyTransform(fitTransform(kind, column), column)).toEqual(new Float64Array(50));
  });
});

describe('winsorise', () => {
  test('holds values between the quantiles of the fit', () => {
    const fitted = fitTransform('winsorise', X, { limits: [0.1, 0.9] });
    // Expected values: numpy 2.4, quantile
    expect(fitted).toEqual({ kind: 'winsorise', lower: -1.1999999999999997, upper: 31.40000000000001 });
    expect(Array.from(applyTransform(fitted, Float64Array.of(-99, 5, 99)))).toEqual([
      -1.1999999999999997, 5, 31.40000000000001,
    ]);
  });

  test('refuses limits out of order', () => {
    expect(() => fitTransform('winsorise', X, { limits: [0.9, 0.1] })).toThrow(RangeError);
  });
});

describe('log1p', () => {
  test('refuses what has no logarithm, when fitted and when applied', () => {
    expect(() => fitTransform('log1p', X)).toThrow('log1p needs values above -1, found -4');
    const fitted = fitTransform('log1p', SPEND);
    expect(() => applyTransform(fitted, Float64Array.of(-1))).toThrow(RangeError);
  });
});

describe('yeo-johnson', () => {
  // Expected values: scikit-learn 1.9, PowerTransformer(standardize=False).lambdas_
  test.each([
    ['both signs', X, 0.45741338406202636],
    ['exponential', SPEND, -4.947698700914009e-9],
    ['negative', SPEND.map((x) => -x), 2.000000000014336],
  ])('finds the lambda of scikit-learn: %s', (_, column, expected) => {
    expect(Math.abs(fitYeoJohnson(column) - expected)).toBeLessThan(1e-4);
  });

  // Expected values: scipy 1.17, stats.yeojohnson
  test.each([
    [3, 0.5, 2],
    [-3, 0.5, -4.666666666666665],
    [3, 0, 1.3862943611198906],
    [-3, 2, -1.3862943611198906],
    [1e-9, 1.3, 1.00000000015e-9],
    [-2, -1, -8.666666666666666],
  ])('maps %d at lambda %d as scipy does', (x, lambda, expected) => {
    expect(Math.abs(yeoJohnson(x, lambda) / expected - 1)).toBeLessThan(1e-12);
  });

  test('is the identity for a column that does not vary', () => {
    expect(fitYeoJohnson(new Float64Array(9).fill(4))).toBe(1);
    expect(yeoJohnson(4, 1)).toBeCloseTo(4, 12);
  });

  test('makes a long tail symmetric', () => {
    const fitted = fitTransform('yeo-johnson', SPEND);
    const [low, middle, high] = applyTransform(fitted, Float64Array.of(SPEND[19]!, SPEND[99]!, SPEND[179]!));
    expect(high! - middle!).toBeCloseTo(middle! - low!, 4);
  });
});

describe('every transform', () => {
  const columns = fc.float64Array({ min: 0, max: 1e6, noNaN: true, minLength: 3, maxLength: 60 });

  test.each(KINDS)('%s gives one value the result it has in a batch, after a trip through JSON', (kind) => {
    fc.assert(
      fc.property(columns, (column) => {
        const fitted = JSON.parse(JSON.stringify(fitTransform(kind, column))) as FittedTransform;
        const batch = applyTransform(fitted, column);
        column.forEach((value, i) => {
          expect(applyTransform(fitted, Float64Array.of(value))[0]).toBe(batch[i]);
        });
      }),
      { numRuns: 40 },
    );
  });

  test.each(KINDS)('%s keeps the order of values and makes no NaN', (kind) => {
    fc.assert(
      fc.property(columns, (column) => {
        const sorted = column.toSorted();
        const found = applyTransform(fitTransform(kind, column), sorted);
        found.forEach((value, i) => {
          expect(value).not.toBeNaN();
          if (i > 0) expect(value).toBeGreaterThanOrEqual(found[i - 1]!);
        });
      }),
      { numRuns: 40 },
    );
  });

  test.each(KINDS)('%s leaves missing values missing, and its input as it was', (kind) => {
    const column = Float64Array.of(1, Number.NaN, 2, 7, 3);
    const found = applyTransform(fitTransform(kind, column), column);
    expect(Array.from(found, Number.isNaN)).toEqual([false, true, false, false, false]);
    expect(fitTransform(kind, column)).toEqual(fitTransform(kind, Float64Array.of(1, 2, 7, 3)));
    expect(Array.from(column)).toEqual([1, Number.NaN, 2, 7, 3]);
  });

  test.each(KINDS)('%s needs a value', (kind) => {
    expect(() => fitTransform(kind, Float64Array.of(Number.NaN))).toThrow(RangeError);
  });
});
