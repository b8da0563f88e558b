import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quantiles } from '../../../numeric/statistics/quantile.ts';
import {
  applyTransform,
  type FittedTransform,
  fitTransform,
  type TransformKind,
} from '../../../numeric/statistics/transforms.ts';
import { fitYeoJohnson, yeoJohnson } from '../../../numeric/statistics/yeo-johnson.ts';

const X = Float64Array.of(0, 1, 2, 3, 5, 8, 13, 21, 34, 55, -4, -1.5, 0.25);
const SPEND = Float64Array.from({ length: 200 }, (_, i) => Math.exp(((i + 1) / 200) * 6) - 1);
const LONG_TAIL = Float64Array.from({ length: 200 }, (_, i) => Math.expm1(((i + 1) / 200) * 6));
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

// Expected values of this block: scikit-learn 1.9.1 (StandardScaler, RobustScaler, PowerTransformer) and numpy 2.4
// (quantile) on the same columns; the first three values each.
describe('as scikit-learn has it', () => {
  const COLUMNS: Record<string, Float64Array> = {
    'both signs': X,
    'long tail': LONG_TAIL,
    'mirrored tail': LONG_TAIL.map((x) => -x),
    ties: Float64Array.of(1, 1, 1, 2, 2, 3, 7, 7, 7, 7),
    'one value': Float64Array.of(4),
    constant: new Float64Array(5).fill(2.5),
    huge: Float64Array.of(1e12, 2e12, 5e12, -3e12, 1e9, 7e11),
    tiny: Float64Array.of(1e-9, 3e-9, -2e-9, 5e-9, 8e-9),
    'far from 0': Float64Array.of(1e9, 1e9 + 1, 1e9 + 2, 1e9 + 5),
  };
  const close = (found: ArrayLike<number>, expected: readonly number[], tolerance = 1e-12) => {
    expected.forEach((value, i) => {
      expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(value)));
    });
  };

  test.each([
    ['both signs', 10.51923076923077, 16.34674207086418, [-0.6435062548628483, -0.5823319856619925]],
    ['long tail', 67.08256785031922, 96.63608531865081, [-0.6938620608985349, -0.6935373166532732]],
    ['ties', 3.8, 2.6758176320519307, [-1.04640912985271, -1.04640912985271]],
    ['one value', 4, 1, [0]],
    ['constant', 2.5, 1, [0, 0, 0]],
    ['huge', 950166666666.6666, 2383033809850.1436, [0.02091171897240817, 0.4405448756093611]],
    ['far from 0', 1000000002, 1.8708286933869707, [-1.0690449676496976, -0.5345224838248488, 0]],
  ])('standard is StandardScaler: %s', (name, center, scale, expected) => {
    const fitted = fitTransform('standard', COLUMNS[name]!) as { center: number; scale: number };
    close([fitted.center, fitted.scale], [center, scale]);
    close(applyTransform(fitted as FittedTransform, COLUMNS[name]!), expected);
  });

  test('standard is StandardScaler: a spread of billionths', () => {
    const fitted = fitTransform('standard', COLUMNS.tiny!) as { center: number; scale: number };
    expect(fitted.center / 3.0000000000000004e-9).toBeCloseTo(1, 12);
    expect(fitted.scale / 3.4058772731852805e-9).toBeCloseTo(1, 12);
  });

  test.each([
    ['both signs', 3, 12.75, 32.60000000000001, [-0.23529411764705882, -0.1568627450980392]],
    ['long tail', 19.391384756288588, 86.11843386160994, 220.20863772479186, [-0.22481749091544762]],
    ['ties', 2.5, 5.75, 6, [-0.2608695652173913]],
    ['one value', 4, 1, 1, [0]],
    ['constant', 2.5, 1, 1, [0, 0, 0]],
    ['huge', 850000000000, 1574250000000, 4999500000000, [0.09528346831824679, 0.730506590439892]],
    ['far from 0', 1000000001.5, 2, 3.8000000715255737, [-0.75, -0.25, 0.25]],
  ])(
    'robust is RobustScaler, also of quantile_range 10 to 90: %s',
    (name, center, scale, wider, expected) => {
      const column = COLUMNS[name]!;
      const fitted = fitTransform('robust', column) as { center: number; scale: number };
      close([fitted.center, fitted.scale], [center, scale]);
      close(applyTransform(fitted as FittedTransform, column), expected);
      const other = fitTransform('robust', column, { quantileRange: [0.1, 0.9] }) as { scale: number };
      close([other.scale], [wider]);
    },
  );

  test.each([
    [
      'both signs',
      0.4574133957804019,
      [0, 0.8156250466376108, 1.4273330355647869],
      [-0.5690349825374796, -0.39312921934402917],
    ],
    [
      'long tail',
      -4.947698700914009e-9,
      [0.029999999997773537, 0.05999999999109414],
      [-1.7234121047585345, -1.7060913799179127],
    ],
    [
      'mirrored tail',
      2.000000000014336,
      [-0.029999999999993546, -0.059999999999974185],
      [1.72341209634134, 1.7060913717545032],
    ],
    ['ties', -0.12684118100301972, [0.6635502671881828], [-1.2057293541920706]],
    ['one value', 1, [4], [0]],
    ['constant', 1, [2.5, 2.5, 2.5], [0, 0, 0]],
    [
      'huge',
      1.0101139904081078,
      [1309174382627.7422, 2636769149674.301],
      [-0.08505060147049849, 0.40160541164472946],
    ],
  ])(
    'yeo-johnson is PowerTransformer, with standard after it its default: %s',
    (name, lambda, expected, scaled) => {
      const column = COLUMNS[name]!;
      const fitted = fitTransform('yeo-johnson', column) as { kind: 'yeo-johnson'; lambda: number };
      expect(Math.abs(fitted.lambda - lambda)).toBeLessThan(1e-6);
      close(applyTransform({ kind: 'yeo-johnson', lambda }, column), expected, 1e-11);
      const powers = applyTransform(fitted, column);
      close(applyTransform(fitTransform('standard', powers), powers), scaled, 1e-5);
    },
  );

  test.each([
    [
      'both signs',
      [
        -4, -3.7, -2.5, -1.1999999999999997, 0.25, 0.9970000000000003, 3, 13, 31.40000000000001,
        52.479999999999976, 55,
      ],
    ],
    ['ties', [1, 1, 1, 1, 1.25, 1.9970000000000003, 2.5, 7, 7, 7, 7]],
    ['one value', [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]],
    [
      'huge',
      [
        -3e12, -2849950000000, -2249750000000, -1499500000000, 175750000000, 465835000000, 8.5e11, 1.75e12,
        3.5e12, 4850000000000.001, 5e12,
      ],
    ],
    [
      'far from 0',
      [
        1e9, 1000000000.03, 1000000000.15, 1000000000.3, 1000000000.75, 1000000000.999, 1000000001.5,
        1000000002.75, 1000000004.1, 1000000004.91, 1000000005,
      ],
    ],
  ])('quantiles are those of type 7: %s', (name, expected) => {
    close(quantiles(COLUMNS[name]!, [0, 0.01, 0.05, 0.1, 0.25, 0.333, 0.5, 0.75, 0.9, 0.99, 1]), expected);
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
