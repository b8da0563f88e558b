// Silhouettes of all rows, from exact distances between all pairs.

import { DONE, takePiece } from './control.mjs';
import { TILE_ROWS } from './layout.mjs';
import { ownMemory } from './memory.mjs';
import { MAX_VALUE, refuseValue } from './tiles.mjs';

export const BLOCK_ROWS = 128;
const ROW = 1024;

/**
 * One thread's share of the rows.
 *
 * @param {import('./tasks.ts').SilhouetteTask} task
 * @param {Int32Array} control shared by the threads
 * @throws RangeError when a value is not finite
 */
export function silhouetteBlocks({ x, labels, k, values }, control) {
  const sizes = new Int32Array(k);
  for (const label of labels) sizes[label] += 1;
  const slots = slotsOf(labels, sizes);
  const sizesAt = ROW + Math.ceil(x.columns / 4) * 16;
  const sumsAt = sizesAt + Math.ceil(k / 4) * 16;
  const tilesAt = sumsAt + Math.ceil(k / 2) * 16;
  const { memory, kernels } = ownMemory(tilesAt + slots.total * x.columns * 4);
  const tiles = new Float32Array(memory.buffer, tilesAt, slots.total * x.columns);
  const row = new Float32Array(memory.buffer, ROW, x.columns);
  const sums = new Float64Array(memory.buffer, sumsAt, k);
  new Int32Array(memory.buffer, sizesAt, k).set(sizes);
  fillTiles(tiles, x, slots.slotOf);

  const blocks = Math.ceil(x.rows / BLOCK_ROWS);
  for (let block = takePiece(control, blocks); block >= 0; block = takePiece(control, blocks)) {
    const end = Math.min((block + 1) * BLOCK_ROWS, x.rows);
    for (let i = block * BLOCK_ROWS; i < end; i++) {
      for (let j = 0; j < x.columns; j++) row[j] = x.data[j * x.rows + i];
      kernels.distanceSums(ROW, x.columns, tilesAt, sizesAt, k, sumsAt);
      values[i] = silhouetteOf(labels[i], sums, sizes);
    }
    Atomics.add(control, DONE, 1);
  }
}

/**
 * @param {number} own
 * @param {Float64Array} sums
 * @param {Int32Array} sizes
 */
function silhouetteOf(own, sums, sizes) {
  if (sizes[own] === 1) return 0;
  const within = sums[own] / (sizes[own] - 1);
  let nearest = Infinity;
  for (let c = 0; c < sizes.length; c++) {
    if (c !== own && sizes[c] > 0) nearest = Math.min(nearest, sums[c] / sizes[c]);
  }
  const larger = Math.max(within, nearest);
  return larger > 0 ? (nearest - within) / larger : 0;
}

/**
 * Where each row goes when rows are ordered by cluster and each cluster starts a tile.
 *
 * @param {Uint8Array} labels
 * @param {Int32Array} sizes
 */
function slotsOf(labels, sizes) {
  const next = new Int32Array(sizes.length);
  let total = 0;
  sizes.forEach((size, c) => {
    next[c] = total;
    total += Math.ceil(size / TILE_ROWS) * TILE_ROWS;
  });
  const slotOf = new Int32Array(labels.length);
  for (let i = 0; i < labels.length; i++) slotOf[i] = next[labels[i]]++;
  return { slotOf, total };
}

/**
 * @param {Float32Array} tiles
 * @param {import('../matrix.ts').Matrix} x
 * @param {Int32Array} slotOf
 */
function fillTiles(tiles, x, slotOf) {
  // What padding holds does not count, but a NaN left there by earlier work would slow the arithmetic.
  tiles.fill(0);
  for (let j = 0; j < x.columns; j++) {
    for (let i = 0; i < x.rows; i++) {
      const slot = slotOf[i];
      const value = x.data[j * x.rows + i];
      if (!(value >= -MAX_VALUE && value <= MAX_VALUE)) refuseValue(value, i, j);
      tiles[(slot & ~15) * x.columns + j * TILE_ROWS + (slot & 15)] = value;
    }
  }
}
