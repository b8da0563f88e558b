import { describe, expect, test } from 'vitest';
import {
  columnOf,
  createMatrix,
  matrixFromColumns,
  matrixFromRows,
  rowOf,
  takeRows,
} from '../../numeric/matrix.ts';
import { distinctRows, toSharedMatrix } from '../../numeric/shared-matrix.ts';

describe('matrix', () => {
  test('rows and columns are two ways to write the same', () => {
    const matrix = matrixFromColumns([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(matrix).toEqual(
      matrixFromRows([
        [1, 4],
        [2, 5],
        [3, 6],
      ]),
    );
    expect(Array.from(columnOf(matrix, 1))).toEqual([4, 5, 6]);
    expect(Array.from(rowOf(matrix, 1))).toEqual([2, 5]);
    expect(takeRows(matrix, [2, 0, 2])).toEqual(
      matrixFromRows([
        [3, 6],
        [1, 4],
        [3, 6],
      ]),
    );
  });

  test('refuses sizes that are none, and columns of different length', () => {
    expect(() => createMatrix(0, 3)).toThrow('a matrix needs at least 1 of rows, found 0');
    expect(() => createMatrix(3, 1.5)).toThrow(RangeError);
    expect(() => matrixFromColumns([])).toThrow(RangeError);
    expect(() => matrixFromColumns([[1, 2], [1]])).toThrow('column 1 needs 2 values like column 0, found 1');
    expect(() => matrixFromRows([[1, 2], [1]])).toThrow('row 1 needs 2 values like row 0, found 1');
  });
});

describe('toSharedMatrix', () => {
  test('copies what is not shared, and keeps what is', async () => {
    const own = { rows: 2, columns: 1, data: Float32Array.of(1, 2) };
    const shared = await toSharedMatrix(own);
    expect(Array.from(shared.data)).toEqual([1, 2]);
    expect(shared.data.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(await toSharedMatrix(shared)).toBe(shared);
  });

  test('refuses data of another length', async () => {
    await expect(toSharedMatrix({ rows: 2, columns: 2, data: new Float32Array(3) })).rejects.toThrow(
      'a matrix of 2 x 2 needs 4 values, found 3',
    );
  });
});

test('distinctRows finds the first rows that differ', async () => {
  const matrix = matrixFromRows([
    [1, 1],
    [1, 1],
    [1, 2],
    [1, 1],
    [0, 2],
  ]);
  expect(Array.from(await distinctRows(matrix, 2))).toEqual([0, 2]);
  expect(Array.from(await distinctRows(matrix, 9))).toEqual([0, 2, 4]);
});
