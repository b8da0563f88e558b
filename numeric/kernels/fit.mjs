// A whole k-means fit on one thread, from several starts; and one thread's part of a team's fit.

import { layoutOf, TILE_ROWS } from './layout.mjs';
import { readOutcome, runLloyd } from './lloyd.mjs';
import { bindKernels, ownMemory } from './memory.mjs';
import { seedCenters } from './seeding.mjs';
import { viewsOf } from './tiles.mjs';

/** @typedef {import('./tasks.ts').Fit} Fit */

/**
 * The best of the task's starts by inertia, the first of them when equal.
 *
 * @param {import('./tasks.ts').FitTask} task
 * @param {Int32Array} control of this thread alone
 * @returns {Promise<Fit>}
 */
export async function fitBest(task, control) {
  const layout = layoutOf({
    rows: task.rows?.length ?? task.x.rows,
    columns: task.x.columns,
    k: task.k,
  });
  const crew = { ...ownMemory(layout.bytes), layout, control, team: 1 };
  /** @type {Fit | undefined} */
  let best;
  for (const start of task.starts) {
    const centers = 'centers' in start ? start.centers : await seedCenters(task, start);
    const job = { ...task, centers };
    runLloyd(job, crew);
    const inertia = inertiaOf(crew);
    if (best !== undefined && best.inertia <= inertia) continue;
    const labels = viewsOf(crew).labels.slice(0, layout.rows);
    best = { ...readOutcome(crew, job), inertia, labels: Uint8Array.from(labels) };
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
  const crew = { memory, kernels: bindKernels(memory), layout, control, team };
  const job = { ...task, rows: null };
  runLloyd(job, crew);
  return { ...readOutcome(crew, job), inertia: Number.NaN, labels: new Uint8Array(0) };
}

/** @param {{ layout: import('./layout.mjs').Layout, memory: WebAssembly.Memory }} crew */
function inertiaOf({ layout, memory }) {
  const { columns, rows } = layout;
  const { values, labels, centers } = viewsOf({ layout, memory });
  let inertia = 0;
  for (let i = 0; i < rows; i++) {
    const x = (i & ~15) * columns + (i & 15);
    const c = labels[i] * columns;
    for (let j = 0; j < columns; j++) inertia += (values[x + j * TILE_ROWS] - centers[c + j]) ** 2;
  }
  return inertia;
}
