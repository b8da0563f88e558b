// The number of clusters, by evidence: gates first, then several criteria that lean different ways.
//
// The silhouette alone answers 2 for nearly every customer base (active against lapsed), so it is one voice
// of five. Candidates that are too small or not found again on resamples do not compete, however well they
// score. What is left is at best reproducible: whether groups are natural takes a null model, which this does
// not have.

import type { KernelPool } from '../../kernels/pool.ts';
import type { Fit } from '../../kernels/tasks.ts';
import { type Matrix, takeRows } from '../../matrix.ts';
import { createRandom } from '../../random/random.ts';
import { distinctRows, toSharedMatrix } from '../../shared-matrix.ts';
import { MAX_CLUSTERS } from '../assign.ts';
import { clusterwiseStability } from './bootstrap.ts';
import { fitCandidates, scoreCandidates } from './candidates.ts';
import { explainChoice } from './explain-choice.ts';
import { NoClusteringError } from './no-clustering-error.ts';
import { rankCandidates } from './rank-candidates.ts';

export interface ChooseKOptions {
  readonly seed: number | string;
  /** @default 3 */
  readonly kMin?: number;
  /** @default 8 */
  readonly kMax?: number;
  /** Smallest share of the rows that a cluster may have. @default 0.02 */
  readonly minShare?: number;
  /** Smallest bootstrap Jaccard similarity that a cluster may have, less two standard errors. @default 0.75 */
  readonly minJaccard?: number;
  /** All is scored on at most so many rows. @default 10000 */
  readonly sampleRows?: number;
  /** Resamples that stability is measured on; 100 are recommended where time allows. @default 20 */
  readonly bootstraps?: number;
  /** @default 10 */
  readonly starts?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called while it works; `done` grows to `of`. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export interface Gate {
  readonly passed: boolean;
  readonly needed: number;
  readonly found: number;
}

export interface KScores {
  readonly k: number;
  readonly inertia: number;
  /** Exact, over all scored rows. */
  readonly silhouette: number;
  readonly calinskiHarabasz: number;
  readonly daviesBouldin: number;
  /** ln of how much smaller the inertia is than evenly spread data would have it: a simplified gap. */
  readonly inertiaGap: number;
  /** Share of the smallest cluster. */
  readonly minShare: number;
  /** Of the fit that all this is of: row-major, k * columns, largest cluster first. Where a fit on all rows begins. */
  readonly centers: Float64Array;
  /** One per scored row. */
  readonly labels: Uint8Array;
}

export interface KCandidate extends KScores {
  /** Clusterwise bootstrap Jaccard similarity (Hennig 2007), largest cluster first. */
  readonly jaccards: readonly number[];
  /** Their standard errors, from the spread over the resamples. */
  readonly jaccardErrors: readonly number[];
  /** The smallest of the jaccards; the gate asks it of every cluster less two standard errors. */
  readonly minJaccard: number;
  readonly gates: { readonly size: Gate; readonly stability: Gate };
  /** Share of comparisons won against the other candidates that are large enough; null = it is not. */
  readonly score: number | null;
  /** 1 = chosen; null = a gate kept it from competing. */
  readonly rank: number | null;
}

export interface KChoice {
  readonly k: number;
  /** reproducible: every cluster is found again on resamples. constructed: no k passed that gate. */
  readonly verdict: 'reproducible' | 'constructed';
  readonly reasons: readonly string[];
  readonly candidates: readonly KCandidate[];
  /** Every k that passed all gates, ascending. */
  readonly stableRange: readonly number[];
  readonly scoredOn: { readonly rows: number; readonly of: number };
  /** The scored rows by index, ascending; null = all. */
  readonly scoredRows: Int32Array | null;
  readonly bootstraps: number;
}

export type ChooseKSettings = Required<Omit<ChooseKOptions, 'signal' | 'onProgress'>>;

const DEFAULTS = {
  kMin: 3,
  kMax: 8,
  minShare: 0.02,
  minJaccard: 0.75,
  sampleRows: 10_000,
  bootstraps: 20,
  starts: 10,
};

/**
 * Chooses the number of clusters for k-means.
 *
 * @param X rows x columns, finite, scaled by the caller
 * @returns the same for the same X, options and seed, whatever the number of threads
 * @throws NoClusteringError when no more than kMin rows differ, or at every k some cluster is smaller than minShare;
 *   RangeError when an option is out of range; KernelFailure when a kernel thread dies; the signal's reason when
 *   aborted
 *
 * O(s^2 * columns * ks) for s = min(rows, sampleRows), plus 5 * bootstraps * ks fits: one to four seconds at the
 * defaults on two threads. All work is done on the pool's threads.
 */
export async function chooseK(pool: KernelPool, X: Matrix, options: ChooseKOptions): Promise<KChoice> {
  const settings: ChooseKSettings = { ...DEFAULTS, ...options };
  checkSettings(settings, X.rows);
  const random = createRandom(settings.seed);
  const x = await toSharedMatrix(X);
  const { sampleRows, kMin } = settings;
  const scoredRows = x.rows > sampleRows ? random.fork('sample').sample(x.rows, sampleRows) : null;
  const sample = scoredRows === null ? x : takeRows(x, scoredRows);
  const different = await distinctRows(sample, settings.kMax + 1);
  // One row more than clusters is the least that the scores are defined for.
  const kMax = Math.min(settings.kMax, different.length - 1);
  if (kMax < kMin) {
    throw new NoClusteringError(
      `choosing from ${kMin} clusters on needs at least ${kMin + 1} different rows, found ${different.length}`,
    );
  }
  const ks = Array.from({ length: kMax - kMin + 1 }, (_, i) => kMin + i);
  const plan = { ks, different, random, settings, signal: options.signal };
  const progress = progressOver(options.onProgress, [
    ks.length * settings.starts,
    ks.length,
    ks.length * settings.bootstraps,
  ]);
  const fits = await fitCandidates(pool, sample, { ...plan, onProgress: progress(0) });
  const scores = await scoreCandidates(pool, sample, {
    fits,
    signal: options.signal,
    onProgress: progress(1),
  });
  const jaccards = await clusterwiseStability(pool, sample, { ...plan, fits, onProgress: progress(2) });
  const candidates = rankCandidates(scores, jaccards, settings);
  const scoredOn = { rows: sample.rows, of: X.rows };
  return { ...explainChoice(candidates, { settings, scoredOn, kMax }), scoredRows };
}

/** What the steps of choosing share. */
export interface ChoicePlan {
  readonly ks: readonly number[];
  /** Rows that all differ, more than the largest k. */
  readonly different: Int32Array;
  readonly random: ReturnType<typeof createRandom>;
  readonly settings: ChooseKSettings;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (done: number) => void;
}

export type CandidateFits = ReadonlyMap<number, Fit>;

function progressOver(onProgress: ChooseKOptions['onProgress'], pieces: readonly number[]) {
  const of = pieces.reduce((sum, count) => sum + count, 0);
  return (step: number) => {
    const before = pieces.slice(0, step).reduce((sum, count) => sum + count, 0);
    return (done: number) => onProgress?.(before + done, of);
  };
}

function checkSettings(settings: ChooseKSettings, rows: number): void {
  const { kMin, kMax, minShare, minJaccard, sampleRows, bootstraps, starts } = settings;
  if (
    !(Number.isInteger(kMin) && Number.isInteger(kMax) && kMin >= 2 && kMin <= kMax && kMax <= MAX_CLUSTERS)
  )
    throw new RangeError(`choosing k needs 2 <= kMin <= kMax <= ${MAX_CLUSTERS}, found ${kMin} and ${kMax}`);
  if (rows <= kMin)
    throw new NoClusteringError(`${kMin} clusters need more than ${kMin} rows, found ${rows}`);
  for (const [name, share] of Object.entries({ minShare, minJaccard })) {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`${name} needs to be from 0 to 1, found ${share}`);
  }
  for (const [name, count] of Object.entries({ bootstraps, starts })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${name} needs to be at least 1, found ${count}`);
  }
  if (!Number.isInteger(sampleRows) || sampleRows <= kMax)
    throw new RangeError(`sampleRows needs to be more than kMax = ${kMax}, found ${sampleRows}`);
}
