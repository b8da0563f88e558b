// The number of clusters, by evidence: gates first, then scores beyond what data without groups have, then what
// the clusters tell of a later period.
//
// The silhouette alone answers 2 for nearly every customer base (active against lapsed), and stability alone calls
// any rigid cut a finding. So a candidate must be found again on resamples, and is called natural only where
// clusters have valleys between them that the null model (null-model.ts) does not have.

import { separationOf } from '../../compare/separation.ts';
import type { KernelPool } from '../../kernels/pool.ts';
import { type Matrix, takeRows } from '../../matrix.ts';
import { createRandom } from '../../random/random.ts';
import { distinctRows, toSharedMatrix } from '../../shared-matrix.ts';
import { assignNearest, MAX_CLUSTERS } from '../assign.ts';
import { clusterwiseStability, type Stability } from './bootstrap.ts';
import { calibrateScores } from './calibrate.ts';
import { fitCandidates, scoreCandidates } from './candidates.ts';
import type { ChooseKOptions, ChooseKSettings, Confidence, KCandidate, KChoice } from './choice.ts';
import { confidenceByMargin } from './confidence.ts';
import { explainChoice } from './explain-choice.ts';
import { NoClusteringError } from './no-clustering-error.ts';
import { rankCandidates } from './rank-candidates.ts';

const DEFAULTS = {
  kMin: 3,
  kMax: 8,
  minShare: 0.02,
  minJaccard: 0.75,
  sampleRows: 6000,
  bootstraps: 100,
  nullDraws: 20,
  starts: 10,
};

/**
 * Chooses the number of clusters for k-means.
 *
 * @param X rows x columns, finite, scaled by the caller
 * @returns the same for the same X, options and seed, whatever the number of threads
 * @throws NoClusteringError when no more than kMin rows differ; RangeError when an option is out of range; KernelFailure
 *   when a kernel thread dies; the signal's reason when aborted
 *
 * For s = min(rows, sampleRows): 5 * bootstraps + 3 * nullDraws + starts fits of s rows for each k, and O(s^2 * columns)
 * for each k. All heavy work is done on the pool's threads.
 */
export async function chooseK(pool: KernelPool, X: Matrix, options: ChooseKOptions): Promise<KChoice> {
  const settings: ChooseKSettings = { ...DEFAULTS, ...withoutUndefined(options) };
  checkSettings(settings, X);
  const { signal, onProgress } = options;
  const random = createRandom(settings.seed);
  const x = await toSharedMatrix(X);
  const scoredRows =
    x.rows > settings.sampleRows ? random.fork('sample').sample(x.rows, settings.sampleRows) : null;
  const sample = scoredRows === null ? x : takeRows(x, scoredRows);
  const { ks, kMax, different } = await ksToTry(sample, settings);
  const plan = { ks, different, random, settings, signal };
  const progress = progressOver(
    onProgress,
    [settings.starts, 1, settings.nullDraws, settings.bootstraps].map((pieces) => pieces * ks.length),
  );
  const fits = await fitCandidates(pool, sample, { ...plan, onProgress: progress(0) });
  const scores = await scoreCandidates(pool, sample, { fits, signal, onProgress: progress(1) });
  const calibration = await calibrateScores(pool, sample, { ...plan, scores, onProgress: progress(2) });
  const stabilities = await clusterwiseStability(pool, sample, { ...plan, fits, onProgress: progress(3) });
  const outcomeSeparations = outcomesBy(scores, { outcome: settings.outcome, scoredRows });
  const evidence = { scores, stabilities, calibration, outcomeSeparations };
  const candidates = rankCandidates(evidence, settings);
  const scoredOn = { rows: sample.rows, of: X.rows };
  const choice = explainChoice(candidates, { settings, scoredOn, kMax });
  const confidences = await confidencesOf(pool, sample, { candidates, stabilities, signal });
  return { ...choice, scoredRows, confidences };
}

async function ksToTry(sample: Matrix, { kMin, kMax, fixedK }: ChooseKSettings) {
  const different = await distinctRows(sample, Math.max(kMax, fixedK ?? 0) + 1);
  // One row more than clusters is the least that the scores are defined for.
  const possible = different.length - 1;
  const least = fixedK ?? kMin;
  if (possible < least) {
    throw new NoClusteringError(
      `choosing from ${least} clusters on needs at least ${least + 1} different rows, found ${different.length}`,
    );
  }
  const range = Array.from({ length: kMax - kMin + 1 }, (_, i) => kMin + i);
  const ks = [...new Set(fixedK === undefined ? range : [...range, fixedK])]
    .filter((k) => k <= possible)
    .sort((a, b) => a - b);
  return { ks, kMax: Math.min(kMax, possible), different };
}

/** Epsilon squared less what unrelated labels would have: more clusters tell more apart by chance alone. */
function outcomesBy(
  scores: readonly Pick<KCandidate, 'k' | 'labels'>[],
  { outcome, scoredRows }: Pick<ChooseKSettings, 'outcome'> & Pick<KChoice, 'scoredRows'>,
): Map<number, number> | null {
  if (outcome === undefined) return null;
  const scored = scoredRows === null ? outcome : Float64Array.from(scoredRows, (row) => outcome[row]!);
  return new Map(
    scores.map(({ k, labels }) => {
      const { epsilonSquared, expected } = separationOf(labels, scored, k);
      return [k, epsilonSquared - expected] as const;
    }),
  );
}

async function confidencesOf(
  pool: KernelPool,
  sample: Matrix,
  {
    candidates,
    stabilities,
    signal,
  }: {
    candidates: readonly KCandidate[];
    stabilities: ReadonlyMap<number, Stability>;
    signal: AbortSignal | undefined;
  },
): Promise<Map<number, Confidence>> {
  const confidences = new Map<number, Confidence>();
  for (const { k, centers } of candidates) {
    const { margin } = await assignNearest(pool, sample, centers, { signal });
    confidences.set(k, confidenceByMargin(margin, stabilities.get(k)!));
  }
  return confidences;
}

function withoutUndefined(options: ChooseKOptions): ChooseKOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as ChooseKOptions;
}

function progressOver(onProgress: ChooseKOptions['onProgress'], pieces: readonly number[]) {
  const of = pieces.reduce((sum, count) => sum + count, 0);
  return (step: number) => {
    const before = pieces.slice(0, step).reduce((sum, count) => sum + count, 0);
    return (done: number) => onProgress?.(before + done, of);
  };
}

function checkEarlier(centers: Float64Array | undefined, columns: number): void {
  if (!centers) return;
  const k = centers.length / columns;
  if (!(Number.isInteger(k) && k >= 1 && k <= MAX_CLUSTERS) || !centers.every(Number.isFinite))
    throw new RangeError(
      `earlier centres need to be finite, 1 to ${MAX_CLUSTERS} of ${columns} columns, found ${centers.length} values`,
    );
}

function checkSettings(settings: ChooseKSettings, { rows, columns }: Pick<Matrix, 'rows' | 'columns'>): void {
  const { kMin, kMax, fixedK, minShare, minJaccard, sampleRows, bootstraps, nullDraws, starts } = settings;
  if (
    !(Number.isInteger(kMin) && Number.isInteger(kMax) && kMin >= 2 && kMin <= kMax && kMax <= MAX_CLUSTERS)
  )
    throw new RangeError(`choosing k needs 2 <= kMin <= kMax <= ${MAX_CLUSTERS}, found ${kMin} and ${kMax}`);
  if (fixedK !== undefined && !(Number.isInteger(fixedK) && fixedK >= 2 && fixedK <= MAX_CLUSTERS))
    throw new RangeError(`a fixed k needs to be from 2 to ${MAX_CLUSTERS}, found ${fixedK}`);
  checkEarlier(settings.earlierCenters, columns);
  if (settings.outcome !== undefined && settings.outcome.length !== rows)
    throw new RangeError(`${rows} rows need as many outcomes, found ${settings.outcome.length}`);
  const least = fixedK ?? kMin;
  if (rows <= least)
    throw new NoClusteringError(`${least} clusters need more than ${least} rows, found ${rows}`);
  for (const [name, share] of Object.entries({ minShare, minJaccard })) {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`${name} needs to be from 0 to 1, found ${share}`);
  }
  for (const [name, count] of Object.entries({ bootstraps, nullDraws, starts })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${name} needs to be at least 1, found ${count}`);
  }
  if (!Number.isInteger(sampleRows) || sampleRows <= kMax)
    throw new RangeError(`sampleRows needs to be more than kMax = ${kMax}, found ${sampleRows}`);
}
