/**
 * Rows of numbers, stored one column after the other.
 *
 * Columns are what features are made, scaled and summarised by, and neighbouring rows of one column are
 * what a vector instruction reads.
 */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** f32, length rows * columns; row i of column j is data[j * rows + i]. */
  readonly data: Float32Array;
}

/**
 * A matrix of zeros in shared memory, so that the kernel threads read it without a copy.
 *
 * @throws RangeError when a size is not a positive integer
 */
export function createMatrix(rows: number, columns: number): Matrix {
  for (const [name, size] of Object.entries({ rows, columns })) {
    if (!Number.isSafeInteger(size) || size < 1)
      throw new RangeError(`a matrix needs at least 1 of ${name}, found ${size}`);
  }
  return { rows, columns, data: new Float32Array(new SharedArrayBuffer(rows * columns * 4)) };
}

/**
 * Columns of equal length -> matrix. Values are rounded to single precision.
 *
 * @throws RangeError when there is no column, or when their lengths differ
 */
export function matrixFromColumns(columns: readonly ArrayLike<number>[]): Matrix {
  const rows = columns[0]?.length ?? 0;
  const matrix = createMatrix(rows, columns.length);
  columns.forEach((column, j) => {
    if (column.length !== rows)
      throw new RangeError(`column ${j} needs ${rows} values like column 0, found ${column.length}`);
    matrix.data.set(column, j * rows);
  });
  return matrix;
}

/** Rows of equal length -> matrix. For small data and tests. */
export function matrixFromRows(rows: readonly ArrayLike<number>[]): Matrix {
  const matrix = createMatrix(rows.length, rows[0]?.length ?? 0);
  rows.forEach((row, i) => {
    if (row.length !== matrix.columns)
      throw new RangeError(`row ${i} needs ${matrix.columns} values like row 0, found ${row.length}`);
    for (let j = 0; j < matrix.columns; j++) matrix.data[j * matrix.rows + i] = row[j]!;
  });
  return matrix;
}

/** Column j as a view: writing to it writes to the matrix. */
export function columnOf({ data, rows }: Matrix, j: number): Float32Array {
  return data.subarray(j * rows, (j + 1) * rows);
}

/** Row i as a copy. */
export function rowOf({ data, rows, columns }: Matrix, i: number): Float32Array {
  return Float32Array.from({ length: columns }, (_, j) => data[j * rows + i]!);
}

/** The given rows, in the given order, as a new matrix. Repeats are allowed. */
export function takeRows(matrix: Matrix, rows: ArrayLike<number>): Matrix {
  const taken = createMatrix(rows.length, matrix.columns);
  for (let j = 0; j < matrix.columns; j++) {
    const from = columnOf(matrix, j);
    const to = columnOf(taken, j);
    for (let i = 0; i < rows.length; i++) to[i] = from[rows[i]!]!;
  }
  return taken;
}
