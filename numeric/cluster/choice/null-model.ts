import { nextTurn } from '../../kernels/turn.ts';
import { columnOf, createMatrix, type Matrix } from '../../matrix.ts';
import type { Random } from '../../random/random.ts';
import { latentCorrelation, type Steps, stepsOf } from '../../statistics/latent-correlation.ts';
import { correlation } from '../../statistics/moments.ts';
import { normalQuantile } from '../../statistics/normal.ts';
import { spreadTies } from '../../statistics/spread-ties.ts';
import { unimodalQuantiles } from '../../statistics/unimodal.ts';

/** Data like the given ones in each column and in how columns go together, but without groups. */
export interface NullModel {
  readonly rows: number;
  readonly columns: number;
  /** Per column, ascending, shape (rows,): what the column's values are drawn from. */
  readonly quantiles: readonly Float32Array[];
  /** Lower triangle of the Cholesky factor of the normal deviates' correlations, row-major, columns * columns. */
  readonly factor: Float64Array;
}

// Keeps the factor real when columns are copies of each other.
const RIDGE = 1e-9;
const LEAST_PIVOT = 1e-4;
const SHRINKAGES = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3];

/**
 * The null model of a matrix: a Gaussian copula with the columns' rank correlations, and margins that keep
 * their skew, tails, steps and range but have a single hump each. Humps are levelled since a hump of its own
 * is what a group shows in a margin; steps stay since counts have them without any group. Rank correlations are
 * Spearman's with mid-ranks, so that counts go together in the draws as they do in the data.
 *
 * @param X rows x columns, finite, at least 2 rows
 *
 * O(columns * rows log rows + columns^2 * rows).
 */
export async function fitNullModel(
  X: Matrix,
  random: Random,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<NullModel> {
  const { rows, columns } = X;
  const quantiles: Float32Array[] = [];
  const found: Column[] = [];
  for (let j = 0; j < columns; j++) {
    const column = columnOf(X, j);
    const spread = spreadTies(column, random.fork('ties').fork(j));
    quantiles.push(onSteps(unimodalQuantiles(spread.slice().sort()), column));
    found.push(describeColumn(column, spread));
    await nextTurn();
    signal?.throwIfAborted();
  }
  return { rows, columns, quantiles, factor: await factorOf(found) };
}

/** A matrix of the model's shape in which nothing but chance makes groups. */
export async function drawNull(
  { rows, columns, quantiles, factor }: NullModel,
  random: Random,
): Promise<Matrix> {
  const drawn = createMatrix(rows, columns);
  const normals = new Float64Array(rows * columns);
  for (let at = 0; at < normals.length; at++) normals[at] = random.normal();
  const mixed = new Float64Array(rows);
  for (let j = 0; j < columns; j++) {
    mixed.fill(0);
    for (let l = 0; l <= j; l++) {
      const load = factor[j * columns + l]!;
      for (let i = 0; i < rows; i++) mixed[i]! += load * normals[l * rows + i]!;
    }
    const column = columnOf(drawn, j);
    ranksOf(mixed).forEach((rank, row) => {
      column[row] = quantiles[j]![rank]!;
    });
    await nextTurn();
  }
  return drawn;
}

/** Values moved to the nearest of those that the column has; a column without repeats is taken as continuous. */
function onSteps(values: Float64Array, column: Float32Array): Float32Array {
  const steps = Float32Array.from(new Set(column)).sort();
  if (steps.length === column.length) return Float32Array.from(values);
  let step = 0;
  return Float32Array.from(values, (value) => {
    while (step < steps.length - 1 && (steps[step]! + steps[step + 1]!) / 2 < value) step++;
    return steps[step]!;
  });
}

/** Place of each value among all, from 0; equal values share the first place of theirs. */
function ranksOf(values: Float64Array): Int32Array {
  const sorted = values.slice().sort();
  return Int32Array.from(values, (value) => {
    let low = 0;
    let high = sorted.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  });
}

interface Column {
  readonly hasTies: boolean;
  /** Ranks as normal deviates, ties in any order. */
  readonly normalScores: Float64Array;
  readonly midRanks: Float64Array;
  readonly steps: Steps;
}

function describeColumn(column: Float32Array, spread: Float64Array): Column {
  const values = Float64Array.from(column);
  const below = ranksOf(values);
  // The same from above gives the last place of equal values.
  const above = ranksOf(values.map((value) => -value));
  return {
    hasTies: new Set(column).size < column.length,
    normalScores: normalScores(spread),
    midRanks: Float64Array.from(below, (rank, i) => (rank + column.length - 1 - above[i]!) / 2),
    steps: stepsOf(column),
  };
}

/** Ranks as normal deviates (Blom 1958). */
function normalScores(values: Float64Array): Float64Array {
  const count = values.length;
  return Float64Array.from(ranksOf(values), (rank) => normalQuantile((rank + 0.625) / (count + 0.25)));
}

/** Of the correlations that normal deviates need for the columns' rank correlations. */
async function factorOf(found: readonly Column[]): Promise<Float64Array> {
  const columns = found.length;
  const matrix = new Float64Array(columns * columns);
  for (let j = 0; j < columns; j++) {
    for (let l = 0; l <= j; l++) {
      const r = l === j ? 1 : correlationOf(found[j]!, found[l]!);
      matrix[j * columns + l] = r;
      matrix[l * columns + j] = r;
    }
    await nextTurn();
  }
  // Solved one by one, correlations need not go together: they are drawn to none until they do.
  const shrinkages = found.some(({ hasTies }) => hasTies) ? SHRINKAGES : [0];
  for (const shrinkage of shrinkages) {
    const shrunk = matrix.map((r, at) => (at % (columns + 1) === 0 ? 1 : r * (1 - shrinkage)));
    const { factor, leastPivot } = choleskyOf(shrunk, columns);
    if (leastPivot > LEAST_PIVOT || shrinkages.length === 1) return factor;
  }
  return choleskyOf(
    matrix.map((_, at) => (at % (columns + 1) === 0 ? 1 : 0)),
    columns,
  ).factor;
}

/** A column that does not vary goes with no other. */
function correlationOf(a: Column, b: Column): number {
  if (!a.hasTies && !b.hasTies) return correlation(a.normalScores, b.normalScores) || 0;
  const rankCorrelation = correlation(a.midRanks, b.midRanks);
  return Number.isNaN(rankCorrelation) ? 0 : latentCorrelation(a.steps, b.steps, rankCorrelation);
}

/** @returns the lower triangle, and the least that a row had left for a deviate of its own */
function choleskyOf(matrix: Float64Array, columns: number): { factor: Float64Array; leastPivot: number } {
  const factor = new Float64Array(columns * columns);
  let leastPivot = Infinity;
  for (let j = 0; j < columns; j++) {
    for (let l = 0; l <= j; l++) {
      let left = matrix[j * columns + l]! + (l === j ? RIDGE : 0);
      for (let m = 0; m < l; m++) left -= factor[j * columns + m]! * factor[l * columns + m]!;
      if (l < j) {
        factor[j * columns + l] = left / factor[l * columns + l]!;
        continue;
      }
      leastPivot = Math.min(leastPivot, left);
      factor[j * columns + j] = Math.sqrt(Math.max(left, RIDGE));
    }
  }
  return { factor, leastPivot };
}
