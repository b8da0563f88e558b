// Nearest centres of any number of rows: they stream through a small block of memory.

import { DONE, takePiece } from './control.mjs';
import { CHUNK_ROWS } from './margin.mjs';
import { ownMemory } from './memory.mjs';
import { refuseValue } from './tiles.mjs';

const CENTERS = 1024;
const VALUES = CENTERS + 64 * 4 * 256;
// Columns a power of two apart would all fall into the same lines of the cache.
const COLUMN_VALUES = CHUNK_ROWS + 16;

/**
 * One thread's share of the rows. Each row's result depends on that row and the centres alone.
 *
 * @param {import('./tasks.ts').NearestTask} task
 * @param {Int32Array} control shared by the threads
 * @throws RangeError when a value is not finite
 */
export function assignChunks(task, control) {
  const { x, centers, inertia } = task;
  const labelsAt = VALUES + COLUMN_VALUES * x.columns * 4;
  const nearestAt = labelsAt + CHUNK_ROWS;
  const secondAt = nearestAt + CHUNK_ROWS * 4;
  const weightsAt = secondAt + CHUNK_ROWS * 4;
  const { memory, kernels } = ownMemory(weightsAt + CHUNK_ROWS * 8);
  const places = {
    values: new Float32Array(memory.buffer, VALUES, COLUMN_VALUES * x.columns),
    labels: new Uint8Array(memory.buffer, labelsAt, CHUNK_ROWS),
    distance: new Float32Array(memory.buffer, nearestAt, CHUNK_ROWS),
    margin: new Float32Array(memory.buffer, secondAt, CHUNK_ROWS),
    weights: new Float64Array(memory.buffer, weightsAt, CHUNK_ROWS),
  };
  new Float32Array(memory.buffer, CENTERS, centers.length).set(centers);
  const k = centers.length / x.columns;

  for (
    let chunk = takePiece(control, inertia.length);
    chunk >= 0;
    chunk = takePiece(control, inertia.length)
  ) {
    const first = chunk * CHUNK_ROWS;
    const count = Math.min(CHUNK_ROWS, x.rows - first);
    for (let j = 0; j < x.columns; j++) {
      const column = x.data.subarray(j * x.rows + first, j * x.rows + first + count);
      places.values.set(column, j * COLUMN_VALUES);
    }
    const rowBytes = COLUMN_VALUES * 4;
    const outputs = /** @type {const} */ ([labelsAt, nearestAt, secondAt, task.weights ? weightsAt : 0]);
    if (task.weights) places.weights.set(task.weights.subarray(first, first + count));
    inertia[chunk] = kernels.nearestRows(VALUES, rowBytes, x.columns, count, CENTERS, k, ...outputs);
    if (!Number.isFinite(inertia[chunk])) refuseRows(x, places.distance, { first, count });
    task.labels.set(places.labels.subarray(0, count), first);
    task.distance.set(places.distance.subarray(0, count), first);
    task.margin.set(places.margin.subarray(0, count), first);
    Atomics.add(control, DONE, 1);
  }
}

/**
 * @param {import('../matrix.ts').Matrix} x
 * @param {Float32Array} distance
 * @param {{ first: number, count: number }} chunk
 */
function refuseRows(x, distance, { first, count }) {
  for (let i = 0; i < count; i++) if (!(distance[i] < Infinity)) refuseRow(x, first + i);
}

/**
 * @param {import('../matrix.ts').Matrix} x
 * @param {number} row
 */
function refuseRow(x, row) {
  const values = Array.from({ length: x.columns }, (_, j) => x.data[j * x.rows + row]);
  const worst = values.findIndex((value) => !Number.isFinite(value));
  const column = worst >= 0 ? worst : values.indexOf(Math.max(...values.map(Math.abs)));
  refuseValue(values[column], row, column);
}
