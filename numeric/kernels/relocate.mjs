// What to do when a cluster lost all its rows.

import { firstTile, TILE_ROWS } from './layout.mjs';

/**
 * Gives each empty cluster the row that lies farthest from its own centre, as scikit-learn does. Ties go to
 * the first row. A cluster stays empty when every row lies on its centre.
 *
 * O(rows * columns) per empty cluster, on one thread: it happens once in a while, in the first iterations.
 *
 * @param {import('./layout.mjs').Layout} layout
 * @param {import('./tiles.mjs').Views} views
 * @returns {number} rows moved
 */
export function fillEmptyClusters(layout, views) {
  const counts = Uint32Array.from(views.totalCounts);
  let moved = 0;
  for (let empty = 0; empty < layout.k; empty++) {
    if (counts[empty] !== 0) continue;
    const row = farthestRow(layout, views, counts);
    if (row < 0) continue;
    const old = views.labels[row];
    moveRow(layout, views, { row, to: empty });
    counts[old] -= 1;
    counts[empty] = 1;
    moved += 1;
  }
  return moved;
}

/**
 * @param {import('./layout.mjs').Layout} layout
 * @param {import('./tiles.mjs').Views} views
 * @param {Uint32Array} counts rows per cluster
 */
function farthestRow({ rows, columns }, { values, labels, centers }, counts) {
  let farthest = -1;
  let largest = 0;
  for (let i = 0; i < rows; i++) {
    const label = labels[i];
    if (counts[label] < 2) continue;
    const base = (i & ~15) * columns + (i & 15);
    let distance = 0;
    for (let j = 0; j < columns; j++) {
      distance += (values[base + j * TILE_ROWS] - centers[label * columns + j]) ** 2;
    }
    if (distance > largest) {
      largest = distance;
      farthest = i;
    }
  }
  return farthest;
}

/**
 * @param {import('./layout.mjs').Layout} layout
 * @param {import('./tiles.mjs').Views} views
 * @param {{ row: number, to: number }} move
 */
function moveRow(layout, views, { row, to }) {
  const { values, labels, sums, counts } = views;
  const { columns, k } = layout;
  const tile = row >> 4;
  let p = 0;
  while (firstTile(layout, p + 1) <= tile) p++;
  const from = labels[row];
  labels[row] = to;
  counts[p * k + from] -= 1;
  counts[p * k + to] += 1;
  const weight = views.weights.length > 0 ? views.weights[row] : 1;
  views.masses[p * k + from] -= weight;
  views.masses[p * k + to] += weight;
  // This label is not the nearest centre's: nothing is known of how long it holds.
  views.limits[tile] = -1;
  for (let j = 0; j < columns; j++) {
    const value = weight * values[tile * TILE_ROWS * columns + j * TILE_ROWS + (row & 15)];
    sums[(p * k + from) * columns + j] -= value;
    sums[(p * k + to) * columns + j] += value;
  }
}
