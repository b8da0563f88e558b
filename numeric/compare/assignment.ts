/**
 * Pairs rows with columns one to one so that the total cost is the smallest (or the total weight the
 * largest).
 *
 * @param costs row-major, shape (rows, columns), finite
 * @param maximise true = the largest total instead of the smallest
 * @returns column of each row, shape (rows,); -1 = the row has no partner (when rows outnumber columns)
 * @throws RangeError when the length is not rows * columns or a cost is not finite
 *
 * Every row or every column is paired, whichever are fewer. Equal totals give the same pairs every time.
 * O(m^2 * M) for m = min(rows, columns), M = max. Shortest augmenting paths: Jonker & Volgenant (1987) in the
 * rectangular form of Crouse (2016). Same total as scipy's linear_sum_assignment.
 */
export function solveAssignment(
  costs: ArrayLike<number>,
  { rows, columns, maximise = false }: { rows: number; columns: number; maximise?: boolean },
): Int32Array {
  if (costs.length !== rows * columns)
    throw new RangeError(`assignment needs ${rows} x ${columns} costs, found ${costs.length}`);
  const sign = maximise ? -1 : 1;
  const isWide = rows <= columns;
  const short = isWide ? rows : columns;
  const long = isWide ? columns : rows;
  const table = new Float64Array(rows * columns);
  for (let i = 0; i < short; i++) {
    for (let j = 0; j < long; j++)
      table[i * long + j] = sign * costs[isWide ? i * columns + j : j * columns + i]!;
  }
  const wrong = table.findIndex((cost) => !Number.isFinite(cost));
  if (wrong >= 0) throw new RangeError(`assignment needs finite costs, found ${table[wrong]}`);

  const ownerOf = augment(table, short, long);
  const columnOfRow = new Int32Array(rows).fill(-1);
  ownerOf.forEach((owner, j) => {
    if (owner < 0) return;
    if (isWide) columnOfRow[owner] = j;
    else columnOfRow[j] = owner;
  });
  return columnOfRow;
}

/** Row that owns each column (-1 = none), for a table with at least as many columns as rows. */
function augment(table: Float64Array, rows: number, columns: number): Int32Array {
  const rowPotential = new Float64Array(rows);
  const columnPotential = new Float64Array(columns);
  const ownerOf = new Int32Array(columns).fill(-1);
  const columnOf = new Int32Array(rows).fill(-1);
  for (let row = 0; row < rows; row++) {
    const path = shortestPath(table, { row, rowPotential, columnPotential, ownerOf });
    rowPotential[row]! += path.length;
    for (const i of path.rows) rowPotential[i]! += path.length - path.shortest[columnOf[i]!]!;
    for (const j of path.columns) columnPotential[j]! -= path.length - path.shortest[j]!;
    let j = path.sink;
    let owner: number;
    do {
      owner = path.cameFrom[j]!;
      ownerOf[j] = owner;
      const next = columnOf[owner]!;
      columnOf[owner] = j;
      j = next;
    } while (owner !== row);
  }
  return ownerOf;
}

/** Dijkstra over reduced costs from a free row to the nearest free column. */
function shortestPath(
  table: Float64Array,
  state: { row: number; rowPotential: Float64Array; columnPotential: Float64Array; ownerOf: Int32Array },
) {
  const { rowPotential, columnPotential, ownerOf } = state;
  const columnCount = ownerOf.length;
  const shortest = new Float64Array(columnCount).fill(Infinity);
  const cameFrom = new Int32Array(columnCount).fill(-1);
  const isDone = new Uint8Array(columnCount);
  const rows: number[] = [];
  const columns: number[] = [];
  let row = state.row;
  let length = 0;
  for (;;) {
    let nearest = -1;
    for (let j = 0; j < columnCount; j++) {
      if (isDone[j]) continue;
      const through = length + table[row * columnCount + j]! - rowPotential[row]! - columnPotential[j]!;
      if (through < shortest[j]!) {
        shortest[j] = through;
        cameFrom[j] = row;
      }
      if (nearest < 0 || isNearer(j, nearest, { shortest, ownerOf })) nearest = j;
    }
    length = shortest[nearest]!;
    isDone[nearest] = 1;
    if (ownerOf[nearest]! < 0) return { sink: nearest, length, shortest, cameFrom, rows, columns };
    row = ownerOf[nearest]!;
    rows.push(row);
    columns.push(nearest);
  }
}

/** Among equally near columns a free one ends the search at once; else the first counts. */
function isNearer(
  j: number,
  nearest: number,
  { shortest, ownerOf }: { shortest: Float64Array; ownerOf: Int32Array },
): boolean {
  if (shortest[j] !== shortest[nearest]) return shortest[j]! < shortest[nearest]!;
  return ownerOf[nearest]! >= 0 && ownerOf[j]! < 0;
}
