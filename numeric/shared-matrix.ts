import { nextTurn } from './kernels/turn.ts';
import { createMatrix, type Matrix } from './matrix.ts';

// About 2 ms of copying.
const SLICE_VALUES = 1 << 22;

/**
 * The matrix itself when it lies in shared memory (createMatrix puts it there), else a copy that does, made
 * in slices so that the event loop stays free.
 *
 * @throws RangeError when the length of its data is not rows * columns
 */
export async function toSharedMatrix(matrix: Matrix): Promise<Matrix> {
  const { rows, columns, data } = matrix;
  if (data.length !== rows * columns) {
    throw new RangeError(
      `a matrix of ${rows} x ${columns} needs ${rows * columns} values, found ${data.length}`,
    );
  }
  if (data.buffer instanceof SharedArrayBuffer && rows > 0) return matrix;
  const shared = createMatrix(rows, columns);
  for (let at = 0; at < data.length; at += SLICE_VALUES) {
    shared.data.set(data.subarray(at, at + SLICE_VALUES), at);
    await nextTurn();
  }
  return shared;
}

/** The values in shared memory, so that the kernel threads read them without a copy of their own. */
export function sharedCopy(values: Float64Array): Float64Array {
  const copy = new Float64Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}

/**
 * Indices of the first `count` rows that differ from each other; fewer when there are no more.
 *
 * O(rows * count * columns) at worst, when rows repeat; done as soon as enough are found. Gives the event
 * loop a turn between blocks.
 *
 * @throws the signal's reason when aborted
 */
export async function distinctRows(
  matrix: Matrix,
  count: number,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Int32Array> {
  const { rows, columns, data } = matrix;
  const found: number[] = [];
  const isEqual = (a: number, b: number) => {
    for (let at = 0; at < columns * rows; at += rows) if (data[at + a] !== data[at + b]) return false;
    return true;
  };
  for (let i = 0; i < rows && found.length < count; i++) {
    if (!found.some((other) => isEqual(i, other))) found.push(i);
    if ((i & 0x3fff) === 0x3fff) {
      await nextTurn();
      signal?.throwIfAborted();
    }
  }
  return Int32Array.from(found);
}
