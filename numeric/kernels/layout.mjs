// Where the parts of a k-means fit lie in WebAssembly memory.

export const TILE_ROWS = 16;
export const PAGE_BYTES = 65536;
/** What 32-bit addresses can reach. */
export const MAX_BYTES = PAGE_BYTES * 65536;
// Rows are split the same way whatever the number of threads, so that every sum is made in the same order.
const MAX_PARTITIONS = 64;
// Smaller ones would cost more to add up than they let threads share.
const PARTITION_TILES = 64;
// The compiler keeps the first bytes for itself.
const FIRST_BYTE = 1024;
const BLOCK_BYTES = 128;
/** Rows of a partition that are brought into memory at a time. */
export const LOAD_ROWS = 512;

/**
 * What decides how much memory a fit takes: `isWeighted` when rows have weights, `trials` candidates per centre
 * when the fit makes its own first centres.
 *
 * @typedef {{ rows: number, columns: number, k: number, isWeighted?: boolean, trials?: number }} Shape
 * @typedef {ReturnType<typeof layoutOf>} Layout
 */

/**
 * Sizes, and the byte offsets of all parts. What depends on k comes last, so that the same rows lie in the same
 * place for every k, and need not be brought there again.
 *
 * @param {Shape} shape
 */
export function layoutOf({ rows, columns, k, isWeighted = false, trials = 0 }) {
  const tiles = Math.ceil(rows / TILE_ROWS);
  const partitions = Math.min(MAX_PARTITIONS, Math.ceil(tiles / PARTITION_TILES));
  const evenK = k + (k & 1);
  const slots = tiles * TILE_ROWS;
  let next = FIRST_BYTE + BLOCK_BYTES;
  const place = (/** @type {number} */ bytes) => {
    const offset = next;
    next += Math.ceil(bytes / 64) * 64;
    return offset;
  };
  const ofRows = {
    origin: place(columns * 4),
    loading: place(partitions * LOAD_ROWS * columns * 4),
    values: place(slots * columns * 4),
    norms: place(slots * 4),
    weights: isWeighted ? place(slots * 8) : 0,
    labels: place(slots),
    limits: place(tiles * 8),
    closest: trials > 0 ? place(slots * 4) : 0,
    tileSums: trials > 0 ? place(tiles * 8) : 0,
  };
  const ofCenters = {
    trialClosest: place(trials * slots * 4),
    trialSums: place(trials * tiles * 8),
    candidates: place(trials * columns * 4),
    potentials: place(trials * 8),
    centers: place(k * columns * 8),
    negated: place(evenK * columns * 16),
    halfNorms: place(evenK * 16),
    sums: place(partitions * k * columns * 8),
    masses: place(partitions * k * 8),
    counts: place(partitions * k * 4),
    changed: place(partitions * 4),
    totalSums: place(k * columns * 8),
    totalMasses: place(k * 8),
    totalCounts: place(k * 4),
    slacks: place(partitions * 8),
    drift: place(8),
  };
  const block = FIRST_BYTE;
  return { rows, columns, k, tiles, partitions, block, ...ofRows, ...ofCenters, bytes: next };
}

/**
 * The most rows that one fit of this shape can hold.
 *
 * @param {Shape} shape
 */
export function maxRows(shape) {
  const sample = MAX_PARTITIONS * PARTITION_TILES * TILE_ROWS;
  const small = layoutOf({ ...shape, rows: sample }).bytes;
  const perRow = (layoutOf({ ...shape, rows: 2 * sample }).bytes - small) / sample;
  const most = sample + Math.floor((MAX_BYTES - small) / perRow);
  return Math.max(0, Math.floor(most / TILE_ROWS) * TILE_ROWS);
}

/**
 * The most rows of so many columns whose silhouettes a thread can work out: all rows lie in its memory, those of
 * each cluster in tiles of their own.
 *
 * @param {{ columns: number, k: number }} shape
 */
export function maxSilhouetteRows({ columns, k }) {
  const rowBytes = columns * 4;
  const beside = 2 * PAGE_BYTES + k * TILE_ROWS * rowBytes;
  return Math.max(0, Math.floor((MAX_BYTES - beside) / rowBytes));
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

/**
 * Tells the kernels where everything lies: the fields of assembly/fit.ts, then those of assembly/seeding.ts, in
 * their order.
 *
 * @param {Layout} layout
 * @param {WebAssembly.Memory} memory
 */
export function writeBlock(layout, memory) {
  const { rows, columns, k, tiles, partitions } = layout;
  const left = rows % TILE_ROWS;
  const lastMask = left === 0 ? 0xffff : (1 << left) - 1;
  const { values, norms, weights, labels, limits, centers, negated, halfNorms, sums } = layout;
  const { masses, counts, changed, totalSums, totalMasses, totalCounts, slacks, drift } = layout;
  // The first iteration makes bounds, to see how long they would hold.
  const isBounding = 1;
  const { closest, tileSums, trialClosest, trialSums, candidates, potentials } = layout;
  const fields = [
    ...[columns, k, tiles, partitions, lastMask, values, norms, weights, labels, limits],
    ...[centers, negated, halfNorms, sums, masses, counts, changed],
    ...[totalSums, totalMasses, totalCounts, slacks, isBounding, drift],
    ...[closest, tileSums, trialClosest, trialSums, candidates, potentials],
  ];
  new Uint32Array(memory.buffer, layout.block, fields.length).set(fields);
}

const FIT_FIELDS = 23;

/**
 * Where the fields of assembly/seeding.ts begin.
 *
 * @param {Layout} layout
 */
export function seedingBlock({ block }) {
  return block + FIT_FIELDS * 4;
}
