import { columnOf, type Matrix, takeRows } from '../../numeric/matrix.ts';
import { createRandom } from '../../numeric/random/random.ts';

/** Points of a picture; more of them make a blot. */
const MOST_POINTS = 1_500;
/** The power method gains a digit in a few steps; a picture needs three. */
const STEPS = 200;

export interface ScatterAxis {
  /** Share of the variance that lies along it. */
  share: number;
  /** Weight of each feature, in the order of the matrix's columns; a unit vector. */
  weights: number[];
}

export interface Scatter {
  x: number[];
  y: number[];
  /** Cluster of each point. */
  clusters: number[];
  axes: [ScatterAxis, ScatterAxis];
  rows: { shown: number; of: number };
}

/**
 * The two directions in which the rows differ most (principal components), and where each row lies along them.
 *
 * @param clusters one per row
 * @returns null for a single column: there is no second direction
 */
export function scatterOf(X: Matrix, clusters: Uint8Array, seed: number): Scatter | null {
  if (X.columns < 2) return null;
  const covariance = covarianceOf(X);
  const total = covariance.reduce((sum, row, j) => sum + row[j]!, 0);
  const first = principalDirection(covariance);
  const rest = covariance.map((row, i) =>
    row.map((c, j) => c - first.variance * first.weights[i]! * first.weights[j]!),
  );
  const second = principalDirection(rest);
  const shown = createRandom(seed).fork('scatter').sample(X.rows, Math.min(MOST_POINTS, X.rows));
  const points = takeRows(X, shown);
  const axis = ({ variance, weights }: Direction) => ({ share: total > 0 ? variance / total : 0, weights });
  return {
    x: along(points, first.weights),
    y: along(points, second.weights),
    clusters: Array.from(shown, (row) => clusters[row]!),
    axes: [axis(first), axis(second)],
    rows: { shown: shown.length, of: X.rows },
  };
}

interface Direction {
  variance: number;
  weights: number[];
}

function covarianceOf(X: Matrix): number[][] {
  const centered = Array.from({ length: X.columns }, (_, j) => {
    const column = Float64Array.from(columnOf(X, j));
    const mean = column.reduce((sum, value) => sum + value, 0) / X.rows;
    return column.map((value) => value - mean);
  });
  return centered.map((a) =>
    centered.map((b) => a.reduce((sum, value, i) => sum + value * b[i]!, 0) / X.rows),
  );
}

/** The largest eigenvector by the power method, its largest weight positive. */
function principalDirection(matrix: readonly (readonly number[])[]): Direction {
  // Not along an axis: a start that is orthogonal to the answer would never find it.
  let weights = unit(matrix.map((_, j) => 1 + j / 7));
  for (let step = 0; step < STEPS; step++) weights = unit(times(matrix, weights));
  const variance = times(matrix, weights).reduce((sum, value, j) => sum + value * weights[j]!, 0);
  const largest = weights.reduce((best, w) => (Math.abs(w) > Math.abs(best) ? w : best), 0);
  return { variance: Math.max(0, variance), weights: largest < 0 ? weights.map((w) => -w) : weights };
}

function times(matrix: readonly (readonly number[])[], vector: readonly number[]): number[] {
  return matrix.map((row) => row.reduce((sum, value, j) => sum + value * vector[j]!, 0));
}

function unit(vector: readonly number[]): number[] {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length > 1e-12 ? vector.map((value) => value / length) : vector.map((_, j) => (j === 0 ? 1 : 0));
}

function along(X: Matrix, weights: readonly number[]): number[] {
  return Array.from({ length: X.rows }, (_, i) => {
    const place = weights.reduce((sum, weight, j) => sum + weight * X.data[j * X.rows + i]!, 0);
    return Number(place.toFixed(3));
  });
}
