// Rows of a matrix -> tiles in WebAssembly memory: 16 rows, stored column by column.

import { firstTile, LOAD_ROWS, TILE_ROWS } from './layout.mjs';

/** Larger values overflow when squared in single precision. */
export const MAX_VALUE = 1e15;
const NO_LABEL = 255;
// Rows, evenly spaced, whose median a column's origin is; and how many quartile ranges from 0 are far.
const ORIGIN_ROWS = 255;
const FAR = 4;

/**
 * @typedef {import('./layout.mjs').Layout} Layout
 * @typedef {ReturnType<typeof viewsOf>} Views
 * @typedef {{ x: import('../matrix.ts').Matrix, rows: Int32Array | null, weights?: Float64Array | null }} Source
 *   rows: by index; null = all. weights: one per row of x
 */

/** @param {{ layout: Layout, memory: WebAssembly.Memory }} crew */
export function viewsOf({ layout, memory: { buffer } }) {
  const { k, columns, partitions, tiles } = layout;
  const slots = tiles * TILE_ROWS;
  return {
    origin: new Float32Array(buffer, layout.origin, columns),
    loading: new Float32Array(buffer, layout.loading, partitions * LOAD_ROWS * columns),
    values: new Float32Array(buffer, layout.values, slots * columns),
    weights: new Float64Array(buffer, layout.weights, layout.weights === 0 ? 0 : slots),
    labels: new Uint8Array(buffer, layout.labels, slots),
    limits: new Float64Array(buffer, layout.limits, tiles),
    centers: new Float64Array(buffer, layout.centers, k * columns),
    sums: new Float64Array(buffer, layout.sums, partitions * k * columns),
    masses: new Float64Array(buffer, layout.masses, partitions * k),
    counts: new Int32Array(buffer, layout.counts, partitions * k),
    changed: new Int32Array(buffer, layout.changed, partitions),
    totalCounts: new Int32Array(buffer, layout.totalCounts, k),
    drift: new Float64Array(buffer, layout.drift, 1),
  };
}

/**
 * What is subtracted from each column. Scores lose their precision far from the origin, so a column whose middle
 * lies there is moved; the others keep their bits. The middle is a median: one giant outlier must not draw it away.
 *
 * @param {Source} source
 */
export function originOf({ x, rows }) {
  const count = rows?.length ?? x.rows;
  const step = Math.max(1, Math.floor(count / ORIGIN_ROWS));
  const origin = new Float32Array(x.columns);
  for (let j = 0; j < x.columns; j++) {
    const values = Float32Array.from({ length: Math.min(count, ORIGIN_ROWS) }, (_, at) => {
      const row = rows === null ? at * step : rows[at * step];
      return x.data[j * x.rows + row];
    }).sort();
    const quantile = (/** @type {number} */ share) => values[Math.floor((values.length - 1) * share)];
    const middle = quantile(0.5);
    const isFar = Math.abs(middle) > FAR * (quantile(0.75) - quantile(0.25));
    origin[j] = isFar && Math.abs(middle) <= MAX_VALUE ? middle : 0;
  }
  return origin;
}

/**
 * Brings the rows of a partition into the tiles, and their weights beside them.
 *
 * @param {number} p
 * @param {{ source: Source, crew: Pick<import('./lloyd.mjs').Crew, 'layout' | 'views' | 'kernels'> }} parts the
 *   origin is in place
 * @throws RangeError when a value is not finite or too large, or a weight not positive
 */
export function fillPartition(p, { source, crew: { layout, views, kernels } }) {
  const { columns, block } = layout;
  const end = firstTile(layout, p + 1) * TILE_ROWS;
  const at = p * LOAD_ROWS * columns;
  const loading = views.loading.subarray(at, at + LOAD_ROWS * columns);
  for (let first = firstTile(layout, p) * TILE_ROWS; first < end; first += LOAD_ROWS) {
    const slots = Math.min(LOAD_ROWS, end - first);
    const count = Math.min(slots, layout.rows - first);
    for (let j = 0; j < columns; j++) {
      const to = loading.subarray(j * LOAD_ROWS, j * LOAD_ROWS + slots);
      loadColumn(to, source, { j, first, count });
      to.fill(views.origin[j], count);
    }
    const from = layout.loading + at * 4;
    const where = /** @type {const} */ ([first / TILE_ROWS, slots / TILE_ROWS, from, LOAD_ROWS * 4]);
    if (kernels.fillTiles(block, ...where, layout.origin) === 0) refuseRows(source, { first, count });
    if (source.weights) loadWeights(views.weights.subarray(first, first + slots), source, { first, count });
  }
}

/**
 * @param {Float32Array} to
 * @param {Source} source
 * @param {{ j: number, first: number, count: number }} where
 */
function loadColumn(to, { x, rows }, { j, first, count }) {
  const start = j * x.rows;
  if (rows === null) {
    to.set(x.data.subarray(start + first, start + first + count));
    return;
  }
  for (let i = 0; i < count; i++) to[i] = x.data[start + rows[first + i]];
}

/**
 * @param {Float64Array} to
 * @param {Source} source
 * @param {{ first: number, count: number }} where
 */
function loadWeights(to, { rows, weights }, { first, count }) {
  for (let i = 0; i < count; i++) {
    const row = rows === null ? first + i : rows[first + i];
    const weight = /** @type {Float64Array} */ (weights)[row];
    if (!(weight > 0 && weight <= MAX_VALUE))
      throw new RangeError(
        `weights need to be above 0 and within ${MAX_VALUE}, found ${weight} for row ${row}`,
      );
    to[i] = weight;
  }
  to.fill(0, count);
}

/**
 * Makes a partition as before the first iteration: no row is in any cluster.
 *
 * @param {number} p
 * @param {Layout} layout
 * @param {Views} views
 */
export function clearPartition(p, layout, { labels, limits, sums, masses, counts }) {
  const { k, columns } = layout;
  const first = firstTile(layout, p);
  const end = firstTile(layout, p + 1);
  labels.fill(NO_LABEL, first * TILE_ROWS, end * TILE_ROWS);
  limits.fill(-1, first, end);
  sums.fill(0, p * k * columns, (p + 1) * k * columns);
  masses.fill(0, p * k, (p + 1) * k);
  counts.fill(0, p * k, (p + 1) * k);
}

/**
 * @param {Source} source
 * @param {{ first: number, count: number }} where
 * @returns {never}
 */
function refuseRows({ x, rows }, { first, count }) {
  for (let j = 0; j < x.columns; j++) {
    for (let i = first; i < first + count; i++) {
      const row = rows === null ? i : rows[i];
      const value = x.data[j * x.rows + row];
      if (!(Math.abs(value) <= MAX_VALUE)) refuseValue(value, row, j);
    }
  }
  throw new RangeError('clustering needs rows that nobody changes meanwhile');
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
