// Rows of a matrix -> tiles in WebAssembly memory: 16 rows, stored column by column.

import { firstTile, TILE_ROWS } from './layout.mjs';

/** Larger values overflow when squared in single precision. */
export const MAX_VALUE = 1e15;
const NO_LABEL = 255;

/**
 * @typedef {import('./layout.mjs').Layout} Layout
 * @typedef {ReturnType<typeof viewsOf>} Views
 * @typedef {{ x: import('../matrix.ts').Matrix, rows: Int32Array | null }} Source rows: by index; null = all
 */

/** @param {{ layout: Layout, memory: WebAssembly.Memory }} crew */
export function viewsOf({ layout, memory: { buffer } }) {
  const { k, columns, partitions, tiles } = layout;
  const evenK = k + (k & 1);
  return {
    centers: new Float64Array(buffer, layout.centers, k * columns),
    negated: new Float32Array(buffer, layout.negated, evenK * columns * 4),
    halfNorms: new Float32Array(buffer, layout.halfNorms, evenK * 4),
    sums: new Float64Array(buffer, layout.sums, partitions * k * columns),
    counts: new Int32Array(buffer, layout.counts, partitions * k),
    changed: new Int32Array(buffer, layout.changed, partitions),
    labels: new Uint8Array(buffer, layout.labels, tiles * TILE_ROWS),
    values: new Float32Array(buffer, layout.values, tiles * TILE_ROWS * columns),
  };
}

/**
 * @param {number} p
 * @param {{ source: Source, layout: Layout, views: Views, offsets: Float64Array }} parts
 */
export function fillPartition(p, { source: { x, rows }, layout, views, offsets }) {
  const { columns, k } = layout;
  const first = firstTile(layout, p) * TILE_ROWS;
  const end = firstTile(layout, p + 1) * TILE_ROWS;
  const last = Math.min(end, layout.rows);
  for (let j = 0; j < columns; j++) {
    const column = x.data.subarray(j * x.rows, (j + 1) * x.rows);
    const values = rows === null ? column.subarray(first, last) : gather(column, rows.subarray(first, last));
    const wrong = fillColumn(views.values.subarray(first * columns + j * TILE_ROWS), values, {
      stride: columns * TILE_ROWS,
      offset: offsets[j],
    });
    if (wrong >= 0) refuseValue(values[wrong], rows === null ? first + wrong : rows[first + wrong], j);
  }
  views.labels.fill(NO_LABEL, first, end);
  views.sums.fill(0, p * k * columns, (p + 1) * k * columns);
  views.counts.fill(0, p * k, (p + 1) * k);
}

/**
 * @param {Float32Array} column
 * @param {Int32Array} rows
 */
function gather(column, rows) {
  const values = new Float32Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = column[rows[i]];
  return values;
}

/**
 * Writes one column of consecutive tiles; rows after the last value are padding, at the origin.
 *
 * @param {Float32Array} tiles from the column's place in the first tile
 * @param {Float32Array} values
 * @param {{ stride: number, offset: number }} where values from tile to tile; what is subtracted
 * @returns {number} index of a value that is not finite or too large, or -1
 */
function fillColumn(tiles, values, { stride, offset }) {
  let at = 0;
  let i = 0;
  for (; i + TILE_ROWS <= values.length; i += TILE_ROWS) {
    for (let lane = 0; lane < TILE_ROWS; lane++) {
      const value = values[i + lane];
      if (!(value >= -MAX_VALUE && value <= MAX_VALUE)) return i + lane;
      tiles[at + lane] = value - offset;
    }
    at += stride;
  }
  if (i === values.length) return -1;
  for (let lane = 0; lane < TILE_ROWS; lane++) {
    const value = i + lane < values.length ? values[i + lane] : offset;
    if (!(value >= -MAX_VALUE && value <= MAX_VALUE)) return i + lane;
    tiles[at + lane] = value - offset;
  }
  return -1;
}

/**
 * @param {number} value
 * @param {number} row
 * @param {number} column
 * @returns {never}
 */
export function refuseValue(value, row, column) {
  throw new RangeError(
    `clustering needs finite values within ${MAX_VALUE}, found ${value} in row ${row}, column ${column}`,
  );
}
