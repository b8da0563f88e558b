// A whole k-means fit on one thread, from several starts; and one thread's part of a team's fit.

import { throwIfAborted } from './control.mjs';
import { layoutOf, writeBlock } from './layout.mjs';
import { readOutcome, runLloyd } from './lloyd.mjs';
import { bindKernels, ownMemory } from './memory.mjs';
import { seedCenters, trialsOf } from './seeding.mjs';
import { fillPartition, originOf, viewsOf } from './tiles.mjs';

/**
 * @typedef {import('./tasks.ts').Fit} Fit
 * @typedef {import('./tasks.ts').FitTask} FitTask
 * @typedef {import('./lloyd.mjs').Crew} Crew
 */

/**
 * What a fit on one thread takes.
 *
 * @param {FitTask} task
 * @returns {import('./layout.mjs').Shape}
 */
export function shapeOf({ x, rows, weights, k, starts }) {
  const isSeeded = starts.some((start) => 'draws' in start);
  return {
    ...{ rows: rows?.length ?? x.rows, columns: x.columns, k },
    ...{ isWeighted: Boolean(weights), trials: isSeeded ? trialsOf(k) : 0 },
  };
}

/**
 * The best of the task's starts by inertia, the first of them when equal.
 *
 * @param {FitTask} task
 * @param {{ control: Int32Array, source: number }} request the control is of this thread alone; tasks of one
 *   source have the same rows
 * @returns {Fit}
 * @throws RangeError when a value is not finite or beyond 1e15, or a weight not positive
 */
export function fitBest(task, { control, source }) {
  const layout = layoutOf(shapeOf(task));
  const own = ownMemory(layout.bytes, source);
  const views = viewsOf({ layout, memory: own.memory });
  const crew = { ...own, layout, views, control, team: 1 };
  writeBlock(layout, own.memory);
  own.origin ??= bringRows(task, crew);
  const { origin } = own;
  /** @type {Fit | undefined} */
  let best;
  for (const start of task.starts) {
    const centers =
      'centers' in start ? start.centers : seedCenters(start.draws, crew) ? null : start.otherwise;
    runLloyd(task, crew, { begin: () => centers !== null && placeCenters(centers, crew, origin) });
    const inertia = own.kernels.inertiaOf(layout.block, layout.rows);
    if (best !== undefined && best.inertia <= inertia) continue;
    const labels = Uint8Array.from(views.labels.subarray(0, layout.rows));
    best = { ...readOutcome(crew, origin), inertia, labels };
  }
  if (best === undefined) throw new RangeError('a fit needs at least 1 start, found 0');
  return best;
}

/**
 * @param {import('./tasks.ts').TeamFitTask} task
 * @param {Int32Array} control shared by the team
 * @returns {Fit}
 */
export function fitTogether(task, control) {
  const { x, k, memory, team } = task;
  const layout = layoutOf({ rows: x.rows, columns: x.columns, k });
  const views = viewsOf({ layout, memory });
  const kernels = bindKernels(memory);
  const crew = { memory, kernels, layout, views, control, team };
  const source = { x, rows: null };
  const origin = originOf(source);
  runLloyd(task, crew, {
    begin: () => {
      views.origin.set(origin);
      placeCenters(task.centers, crew, origin);
    },
    fill: (p) => fillPartition(p, { source, crew }),
  });
  return { ...readOutcome(crew, origin), inertia: Number.NaN, labels: new Uint8Array(0) };
}

/**
 * @param {FitTask} task
 * @param {Crew} crew
 * @returns {Float32Array} the origin of the tiles
 */
function bringRows(task, crew) {
  const origin = originOf(task);
  crew.views.origin.set(origin);
  for (let p = 0; p < crew.layout.partitions; p++) {
    throwIfAborted(crew.control);
    fillPartition(p, { source: task, crew });
  }
  return origin;
}

/**
 * @param {Float64Array} centers
 * @param {Crew} crew
 * @param {Float32Array} origin
 */
function placeCenters(centers, { layout, views }, origin) {
  for (let at = 0; at < centers.length; at++) views.centers[at] = centers[at] - origin[at % layout.columns];
}
