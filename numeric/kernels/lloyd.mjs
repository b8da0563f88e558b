// Lloyd's iterations on tiles, by one thread or by a team of them.
//
// Each partition of the rows has its own sums, which only rows that changed their label touch; they are
// added up in the order of the partitions. So 1, 2 or 4 threads give the same bytes.

import { CONVERGED, FINISHED, ITERATIONS, meet, takePiece } from './control.mjs';
import { writeBlock } from './layout.mjs';
import { fillEmptyClusters } from './relocate.mjs';
import { clearPartition } from './tiles.mjs';

/**
 * @typedef {import('./layout.mjs').Layout} Layout
 * @typedef {import('./tiles.mjs').Views} Views
 * @typedef {{ maxIterations: number, maxShift: number }} Limits
 * @typedef {{ layout: Layout, memory: WebAssembly.Memory, kernels: import('./tasks.ts').Kernels, views: Views,
 *   control: Int32Array, team: number }} Crew
 */

/**
 * Runs until no label changes, the centres move less than asked for, or the iterations are used up. Every
 * thread of the team calls it with the same arguments; the outcome lies in `control` and in memory.
 *
 * @param {Limits} limits
 * @param {Crew} crew
 * @param {{ begin: () => void, fill?: (p: number) => void }} start `begin` puts the first centres in place, in
 *   one thread; `fill` the rows of a partition, when they are not there yet
 */
export function runLloyd(limits, crew, { begin, fill }) {
  const { layout, control, kernels, team, views } = crew;
  meet(control, team, () => {
    writeBlock(layout, crew.memory);
    begin();
    kernels.spreadCenters(layout.block);
    views.drift[0] = 0;
    control[FINISHED] = 0;
    control[CONVERGED] = 0;
    control[ITERATIONS] = 0;
  });
  for (let isFirst = true; control[FINISHED] === 0; isFirst = false) {
    for (let p = takePiece(control, layout.partitions); p >= 0; p = takePiece(control, layout.partitions)) {
      if (isFirst) {
        fill?.(p);
        clearPartition(p, layout, views);
      }
      views.changed[p] = kernels.assignPartition(layout.block, p);
    }
    meet(control, team, () => update(limits, crew));
  }
}

/**
 * @param {Crew} crew
 * @param {Float32Array} origin of the tiles
 */
export function readOutcome({ layout, views, control }, origin) {
  const centers = views.centers.slice();
  for (let at = 0; at < centers.length; at++) centers[at] += origin[at % layout.columns];
  return {
    centers: Float64Array.from(centers),
    sizes: Uint32Array.from(views.totalCounts),
    iterations: control[ITERATIONS],
    converged: control[CONVERGED] === 1,
  };
}

/**
 * New centres from the partitions' sums; decides whether to go on.
 *
 * @param {Limits} limits
 * @param {Crew} crew
 */
function update({ maxIterations, maxShift }, { layout, control, kernels, views }) {
  let changed = kernels.addPartitions(layout.block);
  if (views.totalCounts.includes(0)) {
    changed += fillEmptyClusters(layout, views);
    kernels.addPartitions(layout.block);
  }
  const shift = kernels.moveCenters(layout.block);
  control[ITERATIONS] += 1;
  control[CONVERGED] = changed === 0 || shift <= maxShift ? 1 : 0;
  control[FINISHED] = control[CONVERGED] === 1 || control[ITERATIONS] >= maxIterations ? 1 : 0;
}
