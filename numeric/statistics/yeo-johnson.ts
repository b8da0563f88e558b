import { minimise } from './minimise.ts';
import { moments } from './moments.ts';

// Beyond these a column is better winsorised first.
const SMALLEST_LAMBDA = -10;
const LARGEST_LAMBDA = 10;

/**
 * Yeo-Johnson power transform of one value; any sign.
 *
 * Source: Yeo & Johnson (2000), A new family of power transformations. Written with log1p and expm1, so that
 * it stays precise near lambda = 0 and 2. Same values as scipy.stats.yeojohnson.
 */
export function yeoJohnson(x: number, lambda: number): number {
  if (x >= 0) return lambda === 0 ? Math.log1p(x) : Math.expm1(lambda * Math.log1p(x)) / lambda;
  const mirrored = 2 - lambda;
  return mirrored === 0 ? -Math.log1p(-x) : -Math.expm1(mirrored * Math.log1p(-x)) / mirrored;
}

/**
 * The lambda under which a column is most like a normal one (maximum likelihood), in [-10, 10]; 1, the
 * identity, when nothing varies.
 *
 * @param column shape (n,), any unit; NaN = missing; at least one value
 *
 * About 30 passes with a power for each value. Same values as scikit-learn's PowerTransformer to 1e-6, where its own
 * search has converged and the likelihood is not flat.
 */
export function fitYeoJohnson(column: Float64Array): number {
  const present = column.filter((value) => !Number.isNaN(value));
  const { min, max } = moments(present);
  if (min === max) return 1;
  let logSum = 0;
  for (const x of present) logSum += Math.sign(x) * Math.log1p(Math.abs(x));

  const powers = new Float64Array(present.length);
  const negativeLogLikelihood = (lambda: number) => {
    for (let i = 0; i < present.length; i++) powers[i] = yeoJohnson(present[i]!, lambda);
    const { deviation } = moments(powers);
    // All powers may round to one number at the end of the range: as unlikely as can be.
    if (!(deviation > 0 && deviation < Infinity)) return Infinity;
    return present.length * Math.log(deviation) - (lambda - 1) * logSum;
  };
  return minimise(negativeLogLikelihood, { from: SMALLEST_LAMBDA, to: LARGEST_LAMBDA });
}
