import { MAX_VALUE } from '../../kernels/tiles.mjs';
import { nextTurn } from '../../kernels/turn.ts';
import type { Matrix } from '../../matrix.ts';

/** Rows of numbers one after the other, in double precision: what loops over whole rows read. */
export interface RowMajor {
  readonly rows: number;
  readonly columns: number;
  /** Length rows * columns; column j of row i is values[i * columns + j]. */
  readonly values: Float64Array;
}

// About 2 ms of copying or looking.
const SLICE_VALUES = 1 << 20;
// About 5 ms of arithmetic.
const BLOCK_OPERATIONS = 2e6;

/** The rows in blocks `[from, to)` that take a few milliseconds each. */
export function* rowBlocks(rows: number, operationsPerRow: number): Generator<[from: number, to: number]> {
  const block = Math.max(1, Math.floor(BLOCK_OPERATIONS / operationsPerRow));
  for (let from = 0; from < rows; from += block) yield [from, Math.min(rows, from + block)];
}

/** Rows `from` to `to` - 1 as the first rows of `into`. */
export function copyRows(X: Matrix, from: number, to: number, into: Float64Array): void {
  const { data, rows, columns } = X;
  for (let j = 0; j < columns; j++) {
    const column = j * rows;
    for (let i = from, at = j; i < to; i++, at += columns) into[at] = data[column + i]!;
  }
}

/** All rows as a copy, made in slices so that the event loop stays free. */
export async function toRowMajor(X: Matrix): Promise<RowMajor> {
  const { rows, columns } = X;
  const values = new Float64Array(rows * columns);
  const slice = Math.max(1, Math.floor(SLICE_VALUES / columns));
  for (let from = 0; from < rows; from += slice) {
    const to = Math.min(rows, from + slice);
    copyRows(X, from, to, values.subarray(from * columns));
    await nextTurn();
  }
  return { rows, columns, values };
}

/**
 * @throws RangeError when the matrix has another number of values than its shape says, or one is not finite or beyond
 *   what k-means takes
 */
export async function checkFinite({ data, rows, columns }: Matrix): Promise<void> {
  if (data.length !== rows * columns || data.length === 0) {
    throw new RangeError(
      `a matrix of ${rows} x ${columns} needs ${rows * columns} values, at least 1, found ${data.length}`,
    );
  }
  for (let from = 0; from < data.length; from += SLICE_VALUES) {
    const to = Math.min(data.length, from + SLICE_VALUES);
    for (let at = from; at < to; at++) {
      if (!(Math.abs(data[at]!) <= MAX_VALUE)) {
        const column = Math.floor(at / rows);
        throw new RangeError(
          `clustering needs finite values within ${MAX_VALUE}, found ${data[at]} in row ${at % rows}, column ${column}`,
        );
      }
    }
    await nextTurn();
  }
}
