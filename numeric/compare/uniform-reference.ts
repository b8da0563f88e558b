import { nextTurn } from '../kernels/turn.ts';
import { columnOf, createMatrix, type Matrix } from '../matrix.ts';
import type { Random } from '../random/random.ts';
import { covarianceOf, principalAxes } from './principal-axes.ts';

/** 'columns': sides along the columns. 'principal': sides along the principal axes, so that it fits correlated data. */
export type ReferenceBox = 'principal' | 'columns';

export interface Box {
  /** Rows spread evenly over the box. O(rows * columns^2). */
  draw(rows: number, random: Random): Promise<Matrix>;
}

/**
 * The smallest box around all rows whose sides lie along the columns or along the principal axes.
 *
 * @param X rows x columns, finite; a column that is constant stays so
 * @throws RangeError when a value is not finite
 *
 * O(rows * columns^2 + columns^3). Source: Tibshirani, Walther & Hastie (2001), reference distributions (a) and (b).
 */
export async function referenceBox(X: Matrix, kind: ReferenceBox): Promise<Box> {
  const { columns } = X;
  const { means, covariance } = await covarianceOf(X);
  const axes = kind === 'principal' ? await principalAxes(covariance, columns) : identity(columns);
  const { low, high } = await extentAlong(axes, X, means);
  return {
    async draw(rows, random) {
      const drawn = createMatrix(rows, columns);
      const place = new Float64Array(columns);
      for (let i = 0; i < rows; i++) {
        for (let a = 0; a < columns; a++) place[a] = low[a]! + (high[a]! - low[a]!) * random.float();
        for (let j = 0; j < columns; j++) {
          let value = means[j]!;
          for (let a = 0; a < columns; a++) value += axes[a * columns + j]! * place[a]!;
          drawn.data[j * rows + i] = value;
        }
        if ((i & 0x3ff) === 0x3ff) await nextTurn();
      }
      return drawn;
    },
  };
}

async function extentAlong(
  axes: Float64Array,
  X: Matrix,
  means: Float64Array,
): Promise<{ low: Float64Array; high: Float64Array }> {
  const { rows, columns } = X;
  const low = new Float64Array(columns).fill(Infinity);
  const high = new Float64Array(columns).fill(-Infinity);
  const along = new Float64Array(rows);
  for (let a = 0; a < columns; a++) {
    along.fill(0);
    for (let j = 0; j < columns; j++) {
      const column = columnOf(X, j);
      const weight = axes[a * columns + j]!;
      if (weight === 0) continue;
      for (let i = 0; i < rows; i++) along[i]! += weight * (column[i]! - means[j]!);
    }
    for (const value of along) {
      low[a] = Math.min(low[a]!, value);
      high[a] = Math.max(high[a]!, value);
    }
    await nextTurn();
  }
  return { low, high };
}

function identity(columns: number): Float64Array {
  return Float64Array.from({ length: columns * columns }, (_, at) => (at % (columns + 1) === 0 ? 1 : 0));
}
