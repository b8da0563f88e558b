import type { Random } from '../random/random.ts';

/**
 * Values that repeat, spread evenly over the cell that is theirs, half way to the next value on either side: what
 * was counted in whole numbers becomes as smooth as its frequencies are. Values that stand alone stay.
 *
 * @param column shape (n,), finite
 * @returns shape (n,): in the column's order, and no two values change places
 *
 * O(n log n). A density estimated on counts as they are would find a gap between each number and the next.
 */
export function spreadTies(column: ArrayLike<number>, random: Random): Float64Array {
  const n = column.length;
  const sorted = Float64Array.from(column).sort();
  const spread = new Float64Array(n);
  const cells = new Map<number, readonly [number, number]>();
  for (let start = 0; start < n; ) {
    let end = start + 1;
    while (end < n && sorted[end] === sorted[start]) end++;
    if (end - start > 1) {
      const value = sorted[start]!;
      const before = start > 0 ? (value - sorted[start - 1]!) / 2 : Number.NaN;
      const after = end < n ? (sorted[end]! - value) / 2 : Number.NaN;
      // At the ends a cell is as wide outside as inside; a constant column has no width at all.
      const down = Number.isNaN(before) ? after || 0 : before;
      const up = Number.isNaN(after) ? before || 0 : after;
      cells.set(value, [value - down, value + up]);
    }
    start = end;
  }
  for (let i = 0; i < n; i++) {
    const cell = cells.get(column[i]!);
    spread[i] = cell === undefined ? column[i]! : cell[0] + (cell[1] - cell[0]) * random.float();
  }
  return spread;
}

/**
 * How wide the cell of a typical value is: the median over the rows of the gap to the next larger value (at the largest,
 * to the one before), 0 for values that stand alone.
 *
 * @param column shape (n,), finite, n >= 1
 * @returns at least 0; 0 where fewer than half of the rows repeat
 *
 * O(n log n).
 */
export function tieWidth(column: ArrayLike<number>): number {
  const sorted = Float64Array.from(column).sort();
  const n = sorted.length;
  const widths = new Float64Array(n);
  for (let start = 0; start < n; ) {
    let end = start + 1;
    while (end < n && sorted[end] === sorted[start]) end++;
    const gap = end < n ? sorted[end]! - sorted[start]! : start > 0 ? sorted[start]! - sorted[start - 1]! : 0;
    if (end - start > 1) widths.fill(gap, start, end);
    start = end;
  }
  return widths.sort()[n >> 1]!;
}
