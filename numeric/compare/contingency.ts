/** How often each pair of labels meets: the table that all comparisons of partitions start from. */
export interface Contingency {
  /** Number of labels of each side: the largest label + 1. */
  readonly rows: number;
  readonly columns: number;
  /** Row-major, shape (rows, columns): items with label i in the first and j in the second partition. */
  readonly counts: Float64Array;
  readonly rowTotals: Float64Array;
  readonly columnTotals: Float64Array;
  readonly total: number;
}

// 400 MB of counts: labels so large are ids, not labels.
const MAX_CELLS = 5e7;

/**
 * @param a, b labels of the same items, shape (n,), integers from 0; n >= 1
 * @throws RangeError when the lengths differ, there is no item, a label is not an integer from 0, or labels are so
 *   large that the table would have more than 5e7 cells
 *
 * O(n + rows * columns). Same counts as scikit-learn's contingency_matrix when all labels are in use.
 */
export function contingency(a: ArrayLike<number>, b: ArrayLike<number>): Contingency {
  if (a.length !== b.length || a.length === 0) {
    throw new RangeError(
      `comparing partitions needs equally many labels, at least 1, found ${a.length} and ${b.length}`,
    );
  }
  const rows = countLabels(a);
  const columns = countLabels(b);
  if (rows * columns > MAX_CELLS)
    throw new RangeError(`a table of ${rows} x ${columns} labels needs more than ${MAX_CELLS} cells`);
  const counts = new Float64Array(rows * columns);
  for (let i = 0; i < a.length; i++) counts[a[i]! * columns + b[i]!]! += 1;
  return contingencyOf(counts, rows, columns);
}

/** The table from its counts, row-major. */
export function contingencyOf(counts: Float64Array, rows: number, columns: number): Contingency {
  const rowTotals = new Float64Array(rows);
  const columnTotals = new Float64Array(columns);
  counts.forEach((count, at) => {
    rowTotals[Math.floor(at / columns)]! += count;
    columnTotals[at % columns]! += count;
  });
  return { rows, columns, counts, rowTotals, columnTotals, total: rowTotals.reduce((sum, n) => sum + n, 0) };
}

function countLabels(labels: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!(label >= 0 && Number.isInteger(label)))
      throw new RangeError(`a label needs to be an integer from 0, found ${label}`);
    if (label > largest) largest = label;
  }
  return largest + 1;
}
