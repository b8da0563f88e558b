// How much the columns of a table say twice, from their correlation matrix: row-major, shape (d, d), ones on
// the diagonal.

/** A column of which so little is left beside those before it is a combination of them. */
const NOTHING_LEFT = 1e-10;

/**
 * Variance inflation of each column: 1 / (1 - R²) of its regression on all the others.
 *
 * @param correlations of d columns that all vary
 * @returns shape (d,), each at least 1; Infinity for a column that is a combination of those before it,
 *   which is then left out of what the others are regressed on
 * @throws RangeError when the matrix is not square
 *
 * O(d^3). Source: Belsley, Kuh & Welsch (1980), Regression diagnostics. Same values as statsmodels'
 * variance_inflation_factor with a constant, and as the diagonal of numpy.linalg.inv of the matrix.
 */
export function varianceInflation(correlations: ArrayLike<number>, d: number): Float64Array {
  needSquare(correlations, d);
  // Gauss and Jordan's elimination of the kept columns; the diagonal of the inverse is what is asked for.
  const a = Float64Array.from(correlations);
  const inflation = new Float64Array(d).fill(Infinity);
  const kept: number[] = [];
  for (let p = 0; p < d; p++) {
    const pivot = a[p * d + p]!;
    if (!(pivot > NOTHING_LEFT)) continue;
    kept.push(p);
    sweep(a, p, d);
  }
  for (const p of kept) inflation[p] = Math.max(1, -a[p * d + p]!);
  return inflation;
}

/** The sweep operator (Beaton 1964): afterwards the swept block holds minus its inverse. */
function sweep(a: Float64Array, p: number, d: number): void {
  const pivot = a[p * d + p]!;
  for (let i = 0; i < d; i++) {
    if (i === p) continue;
    for (let j = 0; j < d; j++) {
      if (j !== p) a[i * d + j]! -= (a[i * d + p]! * a[p * d + j]!) / pivot;
    }
  }
  for (let i = 0; i < d; i++) {
    if (i === p) continue;
    a[i * d + p]! /= pivot;
    a[p * d + i]! /= pivot;
  }
  a[p * d + p] = -1 / pivot;
}

/**
 * In how many directions the columns really vary: (sum of the eigenvalues)² / sum of their squares.
 *
 * @returns from 1, all columns say the same, to d, none says anything of another
 * @throws RangeError when the matrix is not square
 *
 * O(d^2): the participation ratio of the eigenvalues, without them, since their squares sum to those of a
 * symmetric matrix's entries.
 */
export function effectiveDimensions(correlations: ArrayLike<number>, d: number): number {
  needSquare(correlations, d);
  let trace = 0;
  let squares = 0;
  for (let i = 0; i < d; i++) {
    trace += correlations[i * d + i]!;
    for (let j = 0; j < d; j++) squares += correlations[i * d + j]! ** 2;
  }
  return trace ** 2 / squares;
}

function needSquare({ length }: ArrayLike<number>, d: number): void {
  if (length !== d * d || d < 1)
    throw new RangeError(`a correlation matrix of ${d} columns needs ${d * d} entries, found ${length}`);
}
