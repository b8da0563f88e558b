import { nextTurn } from '../kernels/turn.ts';
import { columnOf, type Matrix } from '../matrix.ts';

// Sweeps double the digits that are right; ten are more than a matrix of any size here has needed.
const MAX_SWEEPS = 50;

/**
 * Means and covariance of the columns, in double precision.
 *
 * @returns covariance row-major, shape (columns, columns), divided by the number of rows
 * @throws RangeError when a value is not finite
 *
 * O(rows * columns^2).
 */
export async function covarianceOf(X: Matrix): Promise<{ means: Float64Array; covariance: Float64Array }> {
  const { rows, columns } = X;
  const means = Float64Array.from({ length: columns }, (_, j) => {
    let sum = 0;
    for (const value of columnOf(X, j)) sum += value;
    if (!Number.isFinite(sum))
      throw new RangeError(`a covariance needs finite values, found one that is not in column ${j}`);
    return sum / rows;
  });
  const covariance = new Float64Array(columns * columns);
  for (let a = 0; a < columns; a++) {
    const first = columnOf(X, a);
    for (let b = a; b < columns; b++) {
      const second = columnOf(X, b);
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += (first[i]! - means[a]!) * (second[i]! - means[b]!);
      covariance[a * columns + b] = sum / rows;
      covariance[b * columns + a] = sum / rows;
    }
    await nextTurn();
  }
  return { means, covariance };
}

/**
 * Orthonormal eigenvectors of a symmetric matrix, by Jacobi rotations (1846).
 *
 * @param matrix row-major, shape (size, size), symmetric, finite
 * @returns row-major, one eigenvector a row, by falling eigenvalue; each with its largest entry positive
 *
 * O(size^3) per sweep, about six sweeps. Same axes as numpy.linalg.eigh up to sign; where eigenvalues are equal, any
 * basis of their space.
 */
export async function principalAxes(matrix: Float64Array, size: number): Promise<Float64Array> {
  const a = matrix.slice();
  const axes = Float64Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? 1 : 0));
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let rotated = false;
    for (let p = 0; p < size - 1; p++) {
      for (let q = p + 1; q < size; q++) rotated = rotate(a, axes, { p, q, size }) || rotated;
    }
    if (!rotated) break;
    await nextTurn();
  }
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => a[j * size + j]! - a[i * size + i]!);
  return Float64Array.from(order.flatMap((i) => upright(axes.subarray(i * size, (i + 1) * size))));
}

/** Turns the plane of p and q so that their entry becomes 0; false when it is so small that it counts as 0. */
function rotate(
  a: Float64Array,
  axes: Float64Array,
  { p, q, size }: { p: number; q: number; size: number },
): boolean {
  const off = a[p * size + q]!;
  const pp = a[p * size + p]!;
  const qq = a[q * size + q]!;
  if (Math.abs(off) <= 1e-15 * Math.sqrt(Math.abs(pp * qq)) || off === 0) return false;
  const theta = (qq - pp) / (2 * off);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const turn = { c, s: t * c };
  for (let i = 0; i < size; i++) turnPair(a, [i * size + p, i * size + q], turn);
  for (let i = 0; i < size; i++) turnPair(a, [p * size + i, q * size + i], turn);
  for (let i = 0; i < size; i++) turnPair(axes, [p * size + i, q * size + i], turn);
  return true;
}

function turnPair(values: Float64Array, [i, j]: [number, number], { c, s }: { c: number; s: number }): void {
  const x = values[i]!;
  const y = values[j]!;
  values[i] = c * x - s * y;
  values[j] = s * x + c * y;
}

function upright(axis: Float64Array): number[] {
  const largest = axis.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  return Array.from(axis, (value) => (largest < 0 ? -value : value));
}
