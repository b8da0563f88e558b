import { nextTurn } from '../../kernels/turn.ts';
import { columnOf, createMatrix, type Matrix } from '../../matrix.ts';
import { copyRows, type RowMajor, rowBlocks } from '../mixture/row-major.ts';

/** The order of columns that loops are written for: numbers first, then categories. */
export interface MixedColumns {
  /** Columns of the data, the numbers before the categories. */
  readonly order: readonly number[];
  /** So many of them are numbers. */
  readonly numbers: number;
  /** What a different category costs, in squared units of the numbers. */
  readonly gamma: number;
}

export function mixedColumns(columns: number, categorical: readonly number[], gamma: number): MixedColumns {
  const all = Array.from({ length: columns }, (_, j) => j);
  const numbers = all.filter((j) => !categorical.includes(j));
  const order = [...numbers, ...all.filter((j) => categorical.includes(j))];
  return { order, numbers: numbers.length, gamma };
}

/** The same rows with the numbers before the categories. */
export async function numbersFirst(X: Matrix, { order }: MixedColumns): Promise<Matrix> {
  const ordered = createMatrix(X.rows, X.columns);
  for (const [place, j] of order.entries()) {
    columnOf(ordered, place).set(columnOf(X, j));
    await nextTurn();
  }
  return ordered;
}

/** The cost of every row under its nearest prototype. */
export interface NearestPrototypes {
  /** Ties go to the lower index. */
  readonly labels: Uint8Array;
  readonly costs: Float64Array;
  /** Cost under the second nearest; Infinity when there is one prototype. */
  readonly seconds: Float64Array;
}

export function emptyNearest(rows: number): NearestPrototypes {
  return {
    labels: new Uint8Array(rows),
    costs: new Float64Array(rows),
    seconds: new Float64Array(rows),
  };
}

/**
 * The nearest of `prototypes` (row-major, k * columns) for rows `from` to `to` - 1, written at their places: the one
 * with the least Σ (x - c)² over the numbers plus gamma for each category that differs.
 *
 * @param data numbers first
 *
 * O(rows * k * columns).
 */
export function findNearest(
  { columns, values }: RowMajor,
  [from, to]: readonly [number, number],
  {
    mixed: { numbers, gamma },
    prototypes,
    into: { labels, costs, seconds },
  }: { mixed: MixedColumns; prototypes: Float64Array; into: NearestPrototypes },
): void {
  for (let i = from, row = from * columns; i < to; i++, row += columns) {
    let label = 0;
    let nearest = Infinity;
    let second = Infinity;
    for (let c = 0, at = 0; at < prototypes.length; c++) {
      let cost = 0;
      for (let j = row; j < row + numbers; j++, at++) {
        const difference = values[j]! - prototypes[at]!;
        cost += difference * difference;
      }
      let mismatches = 0;
      for (let j = row + numbers; j < row + columns; j++, at++)
        if (values[j]! !== prototypes[at]!) mismatches++;
      cost += gamma * mismatches;
      if (cost < nearest) {
        second = nearest;
        nearest = cost;
        label = c;
      } else if (cost < second) second = cost;
    }
    labels[i] = label;
    costs[i] = nearest;
    seconds[i] = second;
  }
}

/** The nearest prototypes of all rows, block by block. @param X numbers first */
export async function nearestPrototypes(
  X: Matrix,
  prototypes: Float64Array,
  { mixed, signal }: { mixed: MixedColumns; signal: AbortSignal | undefined },
): Promise<NearestPrototypes> {
  const { rows, columns } = X;
  const nearest = emptyNearest(rows);
  for (const [from, to] of rowBlocks(rows, prototypes.length)) {
    const values = new Float64Array((to - from) * columns);
    copyRows(X, from, to, values);
    const into = {
      labels: nearest.labels.subarray(from, to),
      costs: nearest.costs.subarray(from, to),
      seconds: nearest.seconds.subarray(from, to),
    };
    findNearest({ rows: to - from, columns, values }, [0, to - from], { mixed, prototypes, into });
    await nextTurn();
    signal?.throwIfAborted();
  }
  return nearest;
}
