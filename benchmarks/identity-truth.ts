import { assignNearest } from '../numeric/cluster/assign.ts';
import { confidenceByMargin } from '../numeric/cluster/choice/confidence.ts';
import { fitKMeans } from '../numeric/cluster/k-means.ts';
import type { KernelPool } from '../numeric/kernels/pool.ts';
import { noiseBand } from '../numeric/movement/noise-band.ts';
import type { Random } from '../numeric/random/random.ts';
import type { Columns } from '../pipelines/stages/features.ts';
import { applyTransforms, type FittedTransforms, fitTransforms } from '../pipelines/stages/transform.ts';
import type { Month } from './bases/changing-shop.ts';
import { columnsOf, SIMULATED } from './simulated-definition.ts';

// The planted truth about moves: the house definition with models of the planted groups themselves in place of
// fitted ones. Such a model is fitted on ten times as many other customers of the same groups, and its border is as
// wide as fits on fresh customers disagree; keys are the planted numbers. Nothing of it comes from the run.

const COPIES = 10;

/** A model of the planted groups. */
export interface Truth {
  transforms: FittedTransforms;
  centers: Float64Array;
  /** Planted group of each cluster. */
  groups: number[];
  noiseBand: number;
}

export interface Shares {
  behaviour: number;
  model: number;
  border: number;
}

export async function truthOf(
  month: Month,
  columns: Columns,
  { pool, random, refits }: { pool: KernelPool; random: Random; refits: number },
): Promise<Truth> {
  const whole = await fitFresh(pool, month, { random: random.fork('whole'), copies: COPIES });
  const { labels, margin } = await label(pool, whole, columns);
  const agreed = new Float64Array(labels.length);
  for (let i = 0; i < refits; i++) {
    const refit = await fitFresh(pool, month, { random: random.fork(i), copies: 1 });
    const other = await label(pool, refit, columns);
    for (let row = 0; row < agreed.length; row++)
      if (refit.groups[other.labels[row]!] === whole.groups[labels[row]!]) agreed[row]!++;
  }
  const drawn = new Float64Array(labels.length).fill(refits);
  return { ...whole, noiseBand: noiseBand(confidenceByMargin(margin, { agreed, drawn })) };
}

async function fitFresh(
  pool: KernelPool,
  month: Month,
  { random, copies }: { random: Random; copies: number },
): Promise<Omit<Truth, 'noiseBand'>> {
  const columns = columnsOf(month.figures(random, { copies }));
  const transforms = fitTransforms(columns, SIMULATED.features.cluster);
  const matrix = applyTransforms(columns, transforms);
  const k = month.places.size;
  const { centers, labels } = await fitKMeans(pool, matrix, { nClusters: k, seed: random.uint32() });
  return { transforms, centers, groups: groupsOf(month, labels, k) };
}

/** The group that most of each cluster's customers are of. */
function groupsOf({ customers }: Month, labels: Uint8Array, k: number): number[] {
  const counts = Array.from({ length: k }, () => new Map<number, number>());
  for (let row = 0; row < labels.length; row++) {
    const { group, between } = customers[row % customers.length]!;
    const of = counts[labels[row]!]!;
    if (!between) of.set(group, (of.get(group) ?? 0) + 1);
  }
  return counts.map((of) => [...of].sort((a, b) => b[1] - a[1])[0]?.[0] ?? -1);
}

function label(
  pool: KernelPool,
  { transforms, centers }: Pick<Truth, 'transforms' | 'centers'>,
  columns: Columns,
) {
  return assignNearest(pool, applyTransforms(columns, transforms), centers);
}

/** A month with the truth about it. */
export interface KnownMonth {
  month: Month;
  columns: Columns;
  truth: Truth;
}

/** Common customers whose segment changed, by cause, as shares of all common customers. */
export async function plantedMoves(pool: KernelPool, before: KnownMonth, now: KnownMonth): Promise<Shares> {
  const was = await label(pool, before.truth, before.columns);
  const byLast = await label(pool, before.truth, now.columns);
  const is = await label(pool, now.truth, now.columns);
  const rowOf = new Map(before.month.customers.map(({ id }, row) => [id, row]));
  const counts = { behaviour: 0, model: 0, border: 0 };
  let common = 0;
  now.month.customers.forEach(({ id }, row) => {
    const previous = rowOf.get(id);
    if (previous === undefined) return;
    common++;
    const from = before.truth.groups[was.labels[previous]!];
    const between = before.truth.groups[byLast.labels[row]!];
    const to = now.truth.groups[is.labels[row]!];
    if (from === to) return;
    const isNear = byLast.margin[row]! < before.truth.noiseBand || is.margin[row]! < now.truth.noiseBand;
    counts[isNear ? 'border' : from === between ? 'model' : 'behaviour']++;
  });
  return {
    behaviour: counts.behaviour / common,
    model: counts.model / common,
    border: counts.border / common,
  };
}
