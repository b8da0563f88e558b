// Nearest centres of any number of rows: they stream through a small block of memory.

import { DONE, takePiece } from './control.mjs';
import { CHUNK_ROWS, marginOf } from './margin.mjs';
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
  const { memory, kernels } = ownMemory(secondAt + CHUNK_ROWS * 4);
  const places = {
    values: new Float32Array(memory.buffer, VALUES, COLUMN_VALUES * x.columns),
    labels: new Uint8Array(memory.buffer, labelsAt, CHUNK_ROWS),
    nearest: new Float32Array(memory.buffer, nearestAt, CHUNK_ROWS),
    second: new Float32Array(memory.buffer, secondAt, CHUNK_ROWS),
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
    for (let i = 0; i < count; i += 16) {
      const at = {
        row: VALUES + i * 4,
        label: labelsAt + i,
        nearest: nearestAt + i * 4,
        second: secondAt + i * 4,
      };
      kernels.nearestTile(at.row, COLUMN_VALUES * 4, x.columns, CENTERS, k, at.label, at.nearest, at.second);
    }
    inertia[chunk] = handOver(task, places, { first, count });
    Atomics.add(control, DONE, 1);
  }
}

/**
 * @param {import('./tasks.ts').NearestTask} task
 * @param {{ labels: Uint8Array, nearest: Float32Array, second: Float32Array }} found
 * @param {{ first: number, count: number }} chunk
 * @returns {number} the sum of squared distances, in the order of the rows
 */
function handOver({ x, labels, distance, margin }, found, { first, count }) {
  labels.set(found.labels.subarray(0, count), first);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const nearest = found.nearest[i];
    if (!(nearest < Infinity)) refuseRow(x, first + i);
    sum += nearest;
    distance[first + i] = Math.sqrt(nearest);
    margin[first + i] = marginOf(nearest, found.second[i]);
  }
  return sum;
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
