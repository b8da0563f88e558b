import { NOISE } from '../../numeric/cluster/algorithm.ts';
import type { Points } from '../../numeric/cluster/choice/valleys.ts';
import type { Contender } from '../../numeric/cluster/contender.ts';
import { contingency } from '../../numeric/compare/contingency.ts';
import { jaccardTable } from '../../numeric/compare/jaccard.ts';
import type { KernelPool } from '../../numeric/kernels/pool.ts';
import { type Matrix, takeRows } from '../../numeric/matrix.ts';
import { createRandom } from '../../numeric/random/random.ts';
import type { ComparePlan } from '../contracts/compare.ts';
import { pick, sizesOf } from './compare-labels.ts';

export interface Trials {
  /** All customers. */
  readonly all: Matrix;
  /** Customers that are scored, ascending. */
  readonly scored: Int32Array;
  /** Of those, the ones that resamples are drawn from, ascending. */
  readonly trial: Int32Array;
  /** Data without groups, as many rows as `trial`. */
  readonly nulls: readonly Matrix[];
  /** The scored rows, and those of each null, as points whose density can be looked at. */
  readonly points: { readonly scored: Points; readonly nulls: readonly Points[] };
}

export interface Measuring {
  readonly pool: KernelPool;
  readonly seed: number;
  readonly plan: Pick<ComparePlan, 'bootstraps'>;
  /** Milliseconds of any clock: numbers are made without one, times are not. */
  now(): number;
  /** Called after each fit. */
  onStep(): void;
}

export interface Asked {
  trials: Trials;
  askedK: number | null;
}

export interface Jaccards {
  /** Mean over the resamples, by cluster. */
  means: number[];
  /** Standard errors of the means. */
  errors: number[];
}

/**
 * How well each cluster is found again on resamples (Hennig 2007): rows drawn with replacement, repeats used once,
 * clustered afresh; the mean of the largest Jaccard similarity with a new cluster.
 */
export async function bootstrapJaccards(
  candidate: Contender,
  { trials, askedK, labels, k }: Asked & { labels: Uint8Array; k: number },
  { pool, seed, plan, onStep }: Measuring,
): Promise<Jaccards> {
  const found = Array.from({ length: k }, (): number[] => []);
  for (let b = 0; b < plan.bootstraps; b++) {
    const rows = drawn(trials.trial, seed, b);
    const asked = { askedK, pool, seed: `${seed}/${b}` };
    const refit = await fitOrNull(candidate, takeRows(trials.all, rows), asked);
    const own = bestJaccards(pick(labels, rows), refit ?? new Uint8Array(rows.length).fill(NOISE), k);
    for (const [cluster, jaccard] of own) found[cluster]!.push(jaccard);
    onStep();
  }
  return { means: found.map(meanOf), errors: found.map(errorOf) };
}

/** A cluster that no resample met was not found again. */
function meanOf(jaccards: readonly number[]): number {
  return jaccards.length === 0 ? 0 : jaccards.reduce((sum, own) => sum + own, 0) / jaccards.length;
}

function errorOf(jaccards: readonly number[]): number {
  const count = jaccards.length;
  if (count < 2) return 0;
  const mean = meanOf(jaccards);
  return Math.sqrt(jaccards.reduce((sum, own) => sum + (own - mean) ** 2, 0) / (count - 1) / count);
}

/** On resamples and on data without groups a candidate may find nothing to fit: that is an answer. */
export async function fitOrNull(
  candidate: Contender,
  X: Matrix,
  { askedK, pool, seed }: { askedK: number | null; pool: KernelPool; seed: number | string },
): Promise<Uint8Array | null> {
  try {
    return (await candidate.fit(X, askedK, { pool, seed })).labels;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function drawn(population: Int32Array, seed: number, resample: number): Int32Array {
  const random = createRandom(seed).fork('bootstrap').fork(resample);
  const isDrawn = new Uint8Array(population.length);
  for (let i = 0; i < population.length; i++) isDrawn[random.int(population.length)] = 1;
  return population.filter((_, i) => isDrawn[i] === 1);
}

/** For each cluster of `a` that has rows here, its largest similarity with a cluster of `b`; noise is no cluster. */
function bestJaccards(a: Uint8Array, b: Uint8Array, k: number): [cluster: number, jaccard: number][] {
  const noiseless = (labels: Uint8Array, noise: number) =>
    labels.map((label) => (label === NOISE ? noise : label));
  const clustersOfB = sizesOf(b).length;
  const table = contingency(noiseless(a, k), noiseless(b, clustersOfB));
  const similarities = jaccardTable(table);
  return Array.from({ length: Math.min(k, table.rows) }, (_, cluster) => cluster)
    .filter((cluster) => table.rowTotals[cluster]! > 0)
    .map((cluster) => {
      const from = cluster * table.columns;
      return [cluster, Math.max(0, ...similarities.subarray(from, from + clustersOfB))];
    });
}
