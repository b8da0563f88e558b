import { type CovarianceType, covarianceLength } from './covariance.ts';
import { cholesky, invertLower, packedLength } from './packed-symmetric.ts';

/** Weighted Gaussians; k and columns follow from the lengths. */
export interface Mixture {
  readonly covarianceType: CovarianceType;
  readonly columns: number;
  /** Length k, positive, summing to 1. */
  readonly weights: Float64Array;
  /** Row-major, k * columns. */
  readonly means: Float64Array;
  /** k times the variances (diag) or the packed lower triangle (full); positive definite. */
  readonly covariances: Float64Array;
}

/** A mixture made ready for looking at rows. */
export interface Densities {
  readonly covarianceType: CovarianceType;
  readonly columns: number;
  readonly k: number;
  readonly means: Float64Array;
  /** Per component: ln weight - (columns * ln 2π + ln det covariance) / 2. */
  readonly logScales: Float64Array;
  /** Per component W with Wᵀ W = covariance⁻¹: 1 / sd (diag) or a packed lower triangle (full). */
  readonly whitening: Float64Array;
}

/** @throws RangeError when a covariance is not positive definite */
export function densitiesOf({ covarianceType, columns, weights, means, covariances }: Mixture): Densities {
  const length = covarianceLength(covarianceType, columns);
  const whitening = new Float64Array(covariances.length);
  const logScales = weights.map((weight, c) => {
    const own = covariances.subarray(c * length, (c + 1) * length);
    const W =
      covarianceType === 'diag' ? own.map((variance) => 1 / Math.sqrt(variance)) : inverse(own, columns);
    whitening.set(W, c * length);
    let logDeterminant = 0;
    for (let j = 0; j < columns; j++)
      logDeterminant -= 2 * Math.log(W[covarianceType === 'diag' ? j : packedLength(j) + j]!);
    return Math.log(weight) - (columns * Math.log(2 * Math.PI) + logDeterminant) / 2;
  });
  return { covarianceType, columns, k: weights.length, means, logScales, whitening };
}

/** Two exponentials, in multiplications. */
const EXPONENTIALS = 20;

/** Multiplications that a row takes, for cutting rows into blocks. */
export function operationsPerRow({ covarianceType, columns, k }: Densities): number {
  return k * (covarianceLength(covarianceType, columns) + EXPONENTIALS);
}

function inverse(covariance: Float64Array, columns: number): Float64Array {
  const L = cholesky(covariance, columns);
  if (L === null)
    throw new RangeError('a component needs a positive definite covariance, found one that is not');
  return invertLower(L, columns);
}

/**
 * Squared Mahalanobis distances of rows to the means of all components.
 *
 * @param values row-major, rows * columns
 * @param squares result, row-major, rows * k
 *
 * O(rows * k * columns), times columns / 2 when full.
 */
export function mahalanobisSquares(values: Float64Array, densities: Densities, squares: Float64Array): void {
  if (densities.covarianceType === 'diag') diagonalSquares(values, densities, squares);
  else fullSquares(values, densities, squares);
}

function diagonalSquares(
  values: Float64Array,
  { columns, k, means, whitening }: Densities,
  squares: Float64Array,
): void {
  for (let row = 0, to = 0; row < values.length; row += columns) {
    for (let c = 0, at = 0; c < k; c++, to++) {
      let square = 0;
      for (let j = row; j < row + columns; j++, at++) {
        const whitened = (values[j]! - means[at]!) * whitening[at]!;
        square += whitened * whitened;
      }
      squares[to] = square;
    }
  }
}

function fullSquares(
  values: Float64Array,
  { columns, k, means, whitening }: Densities,
  squares: Float64Array,
): void {
  const difference = new Float64Array(columns);
  for (let row = 0, to = 0; row < values.length; row += columns) {
    for (let c = 0, at = 0; c < k; c++, to++) {
      for (let j = 0; j < columns; j++) difference[j] = values[row + j]! - means[c * columns + j]!;
      let square = 0;
      for (let j = 0; j < columns; j++) {
        let whitened = 0;
        for (let m = 0; m <= j; m++, at++) whitened += difference[m]! * whitening[at]!;
        square += whitened * whitened;
      }
      squares[to] = square;
    }
  }
}

/**
 * Squared Mahalanobis distances -> posterior probabilities of the components, row by row (log-sum-exp).
 *
 * @param posteriors result, rows * k; may be `squares` itself
 * @returns sums over the rows: of the log-densities, and of the entropies -Σ p ln p
 */
export function toPosteriors(
  squares: Float64Array,
  { k, logScales }: Densities,
  posteriors: Float64Array,
): { logLikelihood: number; entropy: number } {
  let logLikelihood = 0;
  let entropy = 0;
  for (let row = 0; row < squares.length; row += k) {
    let largest = -Infinity;
    for (let c = 0; c < k; c++) {
      const logDensity = logScales[c]! - squares[row + c]! / 2;
      posteriors[row + c] = logDensity;
      if (logDensity > largest) largest = logDensity;
    }
    let sum = 0;
    for (let c = 0; c < k; c++) sum += Math.exp(posteriors[row + c]! - largest);
    const logDensity = largest + Math.log(sum);
    logLikelihood += logDensity;
    for (let c = 0; c < k; c++) {
      const logPosterior = posteriors[row + c]! - logDensity;
      const posterior = Math.exp(logPosterior);
      posteriors[row + c] = posterior;
      if (posterior > 0) entropy -= posterior * logPosterior;
    }
  }
  return { logLikelihood, entropy };
}
