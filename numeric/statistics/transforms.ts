// Transforms of one column: fitted once, kept with the model as plain JSON, applied to later data and to
// single customers with the same result. NaN = missing: not fitted on, and still NaN afterwards.

import { moments } from './moments.ts';
import { quantiles } from './quantile.ts';
import { fitYeoJohnson, yeoJohnson } from './yeo-johnson.ts';

export type FittedTransform =
  | { readonly kind: 'log1p' }
  | { readonly kind: 'winsorise'; readonly lower: number; readonly upper: number }
  | { readonly kind: 'standard'; readonly center: number; readonly scale: number }
  | { readonly kind: 'robust'; readonly center: number; readonly scale: number }
  | { readonly kind: 'yeo-johnson'; readonly lambda: number };

export type TransformKind = FittedTransform['kind'];

export interface FitOptions {
  /** Shares of the smallest and largest values that winsorise pulls in. @default [0.01, 0.99] */
  readonly limits?: readonly [lower: number, upper: number];
  /** Shares of the quantiles whose distance is the scale of robust. @default [0.25, 0.75] */
  readonly quantileRange?: readonly [lower: number, upper: number];
}

/**
 * Learns a transform from a column.
 *
 * | kind | value x becomes | in units of | same as |
 * |---|---|---|---|
 * | log1p | ln(1 + x); needs x > -1 | logarithms of 1 + x | numpy.log1p |
 * | winsorise | x, held between two quantiles (type 7) | x | numpy.clip at nanquantile |
 * | standard | (x - mean) / population standard deviation | standard deviations | scikit-learn's StandardScaler |
 * | robust | (x - median) / distance of two quantiles | that distance | scikit-learn's RobustScaler |
 * | yeo-johnson | a power, by maximum likelihood; not scaled | none | scikit-learn's PowerTransformer(standardize=False) |
 *
 * `yeo-johnson` and then `standard` are PowerTransformer's default. A column that does not vary keeps its scale: it
 * becomes all 0, never NaN.
 *
 * @param column shape (n,), n >= 1, in the feature's unit; NaN = missing, left out of what is learnt
 * @returns plain JSON; centre and scale in the unit of the column
 * @throws RangeError when the column has no value, or one that the transform cannot take
 *
 * O(n); yeo-johnson takes about 30 passes with a power for each value: give it a sample of large columns.
 */
export function fitTransform(
  kind: TransformKind,
  column: Float64Array,
  { limits = [0.01, 0.99], quantileRange = [0.25, 0.75] }: FitOptions = {},
): FittedTransform {
  const { mean, deviation, min } = moments(column);
  switch (kind) {
    case 'log1p':
      if (min <= -1) throw new RangeError(`log1p needs values above -1, found ${min}`);
      return { kind };
    case 'winsorise': {
      if (limits[0] > limits[1])
        throw new RangeError(`winsorise needs its limits in ascending order, found ${limits.join(', ')}`);
      const [lower, upper] = quantiles(column, limits) as unknown as [number, number];
      return { kind, lower, upper };
    }
    case 'standard':
      return { kind, center: mean, scale: scaleOf(deviation, mean) };
    case 'robust': {
      const [low, median, high] = quantiles(column, [quantileRange[0], 0.5, quantileRange[1]]);
      return { kind, center: median!, scale: scaleOf(high! - low!, median!) };
    }
    case 'yeo-johnson':
      return { kind, lambda: fitYeoJohnson(column) };
  }
}

/**
 * A column under a fitted transform, as a new array. Each value's result depends on that value alone.
 *
 * @param column shape (m,), in the unit of the column it was fitted on; m does not matter
 * @returns shape (m,), in the units of the table above; NaN where the value is missing
 * @throws RangeError when log1p meets a value of -1 or less
 */
export function applyTransform(fitted: FittedTransform, column: Float64Array): Float64Array {
  return column.map(transformOf(fitted));
}

function transformOf(fitted: FittedTransform): (x: number) => number {
  switch (fitted.kind) {
    case 'log1p':
      return (x) => {
        if (x <= -1) throw new RangeError('log1p needs values above -1, found one that is not');
        return Math.log1p(x);
      };
    case 'winsorise':
      return (x) => Math.min(fitted.upper, Math.max(fitted.lower, x));
    case 'standard':
    case 'robust':
      return (x) => (x - fitted.center) / fitted.scale;
    case 'yeo-johnson':
      return (x) => yeoJohnson(x, fitted.lambda);
  }
}

// A spread this far below the values themselves is rounding, not variation (the rule of scikit-learn's
// scalers).
function scaleOf(spread: number, location: number): number {
  return spread <= 10 * Number.EPSILON * Math.abs(location) || spread === 0 ? 1 : spread;
}
