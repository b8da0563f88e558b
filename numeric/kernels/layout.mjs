// Where the parts of a k-means fit lie in WebAssembly memory.

export const TILE_ROWS = 16;
export const PAGE_BYTES = 65536;
/** What 32-bit addresses can reach. */
export const MAX_BYTES = PAGE_BYTES * 65536;
// Rows are split the same way whatever the number of threads, so that every sum is made in the same order.
const MAX_PARTITIONS = 64;
// The compiler keeps the first bytes for itself.
const FIRST_BYTE = 1024;

/**
 * @typedef {{ rows: number, columns: number, k: number }} Shape
 * @typedef {Shape & {
 *   tiles: number, partitions: number, centers: number, negated: number, halfNorms: number, sums: number,
 *   counts: number, changed: number, labels: number, values: number, bytes: number
 * }} Layout tiles and partitions are numbers of them; the others from `centers` on are byte offsets
 */

/**
 * @param {Shape} shape
 * @returns {Layout}
 */
export function layoutOf({ rows, columns, k }) {
  const tiles = Math.ceil(rows / TILE_ROWS);
  const partitions = Math.min(MAX_PARTITIONS, tiles);
  const evenK = k + (k & 1);
  let next = FIRST_BYTE;
  const place = (/** @type {number} */ bytes) => {
    const offset = next;
    next += Math.ceil(bytes / 16) * 16;
    return offset;
  };
  const centers = place(k * columns * 8);
  const negated = place(evenK * columns * 16);
  const halfNorms = place(evenK * 16);
  const sums = place(partitions * k * columns * 8);
  const counts = place(partitions * k * 4);
  const changed = place(partitions * 4);
  const labels = place(tiles * TILE_ROWS);
  const values = place(tiles * TILE_ROWS * columns * 4);
  const offsets = { centers, negated, halfNorms, sums, counts, changed, labels, values };
  return { rows, columns, k, tiles, partitions, ...offsets, bytes: next };
}

/**
 * The most rows of that many columns that one fit can hold.
 *
 * @param {{ columns: number, k: number }} shape
 */
export function maxRows({ columns, k }) {
  const fixed = layoutOf({ rows: MAX_PARTITIONS * TILE_ROWS, columns, k });
  const left = MAX_BYTES - fixed.labels;
  return Math.floor(left / (TILE_ROWS * (columns * 4 + 1))) * TILE_ROWS;
}

/**
 * First tile of a partition; that of partition + 1 is where it ends.
 *
 * @param {Layout} layout
 * @param {number} partition
 */
export function firstTile({ tiles, partitions }, partition) {
  return Math.floor((partition * tiles) / partitions);
}
