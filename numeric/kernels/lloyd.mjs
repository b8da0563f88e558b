// Lloyd's iterations on tiles, by one thread or by a team of them.
//
// Each partition of the rows has its own sums, which only rows that changed their label touch; they are
// added up in the order of the partitions. So 1, 2 or 4 threads give the same bytes.

import { CONVERGED, FINISHED, ITERATIONS, meet, takePiece } from './control.mjs';
import { firstTile, TILE_ROWS } from './layout.mjs';
import { fillEmptyClusters } from './relocate.mjs';
import { fillPartition, viewsOf } from './tiles.mjs';

/**
 * @typedef {import('./layout.mjs').Layout} Layout
 * @typedef {import('./tiles.mjs').Views} Views
 * @typedef {{
 *   x: import('../matrix.ts').Matrix, rows: Int32Array | null, centers: Float64Array,
 *   maxIterations: number, maxShift: number
 * }} Job
 * @typedef {{ layout: Layout, memory: WebAssembly.Memory, kernels: import('./tasks.ts').Kernels,
 *   control: Int32Array, team: number }} Crew
 */

/**
 * Runs until no label changes, the centres move less than asked for, or the iterations are used up. Every
 * thread of the team calls it with the same job; the outcome lies in `control` and in memory.
 *
 * @param {Job} job
 * @param {Crew} crew
 * @throws RangeError when a value is not finite or beyond 1e15
 */
export function runLloyd(job, crew) {
  const { layout, control, team } = crew;
  const views = viewsOf(crew);
  const offsets = originOf(job.centers, layout);
  for (let p = takePiece(control, layout.partitions); p >= 0; p = takePiece(control, layout.partitions)) {
    fillPartition(p, { source: job, layout, views, offsets });
  }
  meet(control, team, () => {
    for (let c = 0; c < layout.k; c++) {
      for (let j = 0; j < layout.columns; j++) {
        const at = c * layout.columns + j;
        views.centers[at] = /** @type {number} */ (job.centers[at]) - offsets[j];
      }
    }
    spreadCenters(layout, views);
    control[FINISHED] = 0;
    control[CONVERGED] = 0;
    control[ITERATIONS] = 0;
  });
  while (control[FINISHED] === 0) {
    for (let p = takePiece(control, layout.partitions); p >= 0; p = takePiece(control, layout.partitions)) {
      views.changed[p] = assign(p, crew);
    }
    meet(control, team, () => update(job, crew, views));
  }
}

/**
 * @param {Crew} crew
 * @param {Job} job
 */
export function readOutcome({ layout, memory, control }, { centers: start }) {
  const views = viewsOf({ layout, memory });
  const offsets = originOf(start, layout);
  const centers = views.centers.slice();
  for (let at = 0; at < centers.length; at++) centers[at] += offsets[at % layout.columns];
  return {
    centers: Float64Array.from(centers),
    sizes: totalCounts(layout, views),
    iterations: control[ITERATIONS],
    converged: control[CONVERGED] === 1,
  };
}

/**
 * The scores of the kernel lose precision far from the origin, so it is moved amid the first centres.
 *
 * @param {Float64Array} centers
 * @param {Layout} layout
 */
function originOf(centers, { k, columns }) {
  const origin = new Float64Array(columns);
  for (let at = 0; at < k * columns; at++) origin[at % columns] += centers[at] / k;
  return origin;
}

/**
 * @param {number} p
 * @param {Crew} crew
 */
function assign(p, { layout, kernels }) {
  const { columns, k, rows, tiles } = layout;
  const first = firstTile(layout, p);
  const end = firstTile(layout, p + 1);
  const isPadded = end === tiles && rows % TILE_ROWS !== 0;
  return kernels.assignPartition(
    layout.values + first * TILE_ROWS * columns * 4,
    layout.labels + first * TILE_ROWS,
    end - first,
    isPadded ? (1 << (rows % TILE_ROWS)) - 1 : 0xffff,
    columns,
    (k + 1) >> 1,
    layout.negated,
    layout.halfNorms,
    layout.sums + p * k * columns * 8,
    layout.counts + p * k * 4,
  );
}

/**
 * New centres from the partitions' sums; decides whether to go on.
 *
 * @param {Job} job
 * @param {Crew} crew
 * @param {Views} views
 */
function update(job, { layout, control }, views) {
  const { k, columns } = layout;
  let changed = views.changed.reduce((total, count) => total + count, 0);
  let counts = totalCounts(layout, views);
  if (counts.includes(0)) {
    changed += fillEmptyClusters(layout, views, counts);
    counts = totalCounts(layout, views);
  }
  const sums = totalSums(layout, views);
  let shift = 0;
  for (let c = 0; c < k; c++) {
    if (counts[c] === 0) continue;
    for (let j = 0; j < columns; j++) {
      const center = sums[c * columns + j] / counts[c];
      shift += (center - views.centers[c * columns + j]) ** 2;
      views.centers[c * columns + j] = center;
    }
  }
  spreadCenters(layout, views);
  control[ITERATIONS] += 1;
  control[CONVERGED] = changed === 0 || shift <= job.maxShift ? 1 : 0;
  control[FINISHED] = control[CONVERGED] === 1 || control[ITERATIONS] >= job.maxIterations ? 1 : 0;
}

/**
 * @param {Layout} layout
 * @param {Views} views
 */
function totalCounts({ k, partitions }, { counts }) {
  const total = new Uint32Array(k);
  for (let at = 0; at < partitions * k; at++) total[at % k] += counts[at];
  return total;
}

/**
 * @param {Layout} layout
 * @param {Views} views
 */
function totalSums({ k, columns, partitions }, { sums }) {
  const size = k * columns;
  const total = new Float64Array(size);
  for (let p = 0; p < partitions; p++) {
    for (let at = 0; at < size; at++) total[at] += sums[p * size + at];
  }
  return total;
}

/**
 * Writes the centres the way the kernel reads them. An odd k gets one more centre, at infinity.
 *
 * @param {Layout} layout
 * @param {Views} views
 */
function spreadCenters({ k, columns }, { centers, negated, halfNorms }) {
  if (k & 1) {
    negated.fill(0, k * columns * 4);
    halfNorms.fill(Infinity, k * 4);
  }
  for (let c = 0; c < k; c++) {
    let norm = 0;
    for (let j = 0; j < columns; j++) {
      const at = c * columns + j;
      const value = Math.fround(centers[at]);
      norm += value * value;
      negated.fill(-value, at * 4, at * 4 + 4);
    }
    halfNorms.fill(norm / 2, c * 4, c * 4 + 4);
  }
}
