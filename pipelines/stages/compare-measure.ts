import { NOISE } from '../../numeric/cluster/algorithm.ts';
import { type Points, shallowestValley } from '../../numeric/cluster/choice/valleys.ts';
import type { Contender, FittedContender } from '../../numeric/cluster/contender.ts';
import { calinskiHarabasz } from '../../numeric/compare/calinski-harabasz.ts';
import { daviesBouldin } from '../../numeric/compare/davies-bouldin.ts';
import { silhouette } from '../../numeric/compare/silhouette.ts';
import type { KernelPool } from '../../numeric/kernels/pool.ts';
import { type Matrix, takeRows } from '../../numeric/matrix.ts';
import type { ComparePlan, FitRecord, Scores } from '../contracts/compare.ts';
import {
  countNoise,
  nearestMeanFidelity,
  pick,
  sizesOf,
  withNearest,
  withoutGaps,
} from './compare-labels.ts';
import {
  type Asked,
  bootstrapJaccards,
  fitOrNull,
  type Measuring,
  type Trials,
} from './compare-stability.ts';
import { cellNames } from './rule-grid.ts';

// One candidate at one number of segments, measured as all others are: the same customers, the same resamples, the
// same data without groups. Scores alone say little (any algorithm finds groups in noise); what counts is how far they
// are above what the same algorithm reaches where there is nothing to find.

export interface MeasuredFit {
  record: Omit<FitRecord, 'peakMegabytes'>;
  /** Of all customers. */
  labels: Uint8Array;
}

/** Fits that measuring one number of segments takes. */
export function stepsPerFit({
  bootstraps,
  nullDraws,
}: Pick<ComparePlan, 'bootstraps' | 'nullDraws'>): number {
  return 1 + bootstraps + nullDraws;
}

/**
 * Fits a candidate to all customers and measures what it found.
 *
 * @param askedK null for a candidate that finds the number of clusters itself
 * @throws RangeError when there is no such fit, what the candidate throws
 */
export async function measureFit(
  candidate: Contender,
  { trials, askedK }: { trials: Trials; askedK: number | null },
  measuring: Measuring,
): Promise<MeasuredFit> {
  const { pool, seed, now, onStep } = measuring;
  const { all } = trials;
  const began = now();
  const fitted = await candidate.fit(all, askedK, { pool, seed });
  const fitMs = now() - began;
  onStep();
  const { labels, description, fittedOn } = fitted;
  const sizes = sizesOf(labels);
  if (sizes.length === 0) throw new RangeError('found no cluster: all customers are noise');
  const X = takeRows(all, trials.scored);
  const scoredLabels = pick(labels, trials.scored);
  const scores = await scoresOf(pool, X, scoredLabels);
  const jaccards = await bootstrapJaccards(candidate, { trials, askedK, labels, k: sizes.length }, measuring);
  const record = {
    askedK,
    k: sizes.length,
    sizes,
    names: cellNames(description.parameters.cells),
    smallestShare: Math.min(...sizes) / all.rows,
    noiseShare: countNoise(labels) / all.rows,
    parameters: finite(description.parameters),
    criteria: finite(description.criteria),
    fittedOn: { ...fittedOn },
    fitMs,
    scores,
    ...(await nullScoresOf(candidate, { trials, askedK }, measuring)),
    jaccards: jaccards.means,
    jaccardErrors: jaccards.errors,
    minJaccard: Math.min(...jaccards.means),
    valley: scores && (await valleyOf(trials.points.scored, X, scoredLabels)),
    assignedAgain: await assignedAgain(pool, fitted, trials),
    fidelity: nearestMeanFidelity(all, labels, sizes.length),
  };
  return { record, labels };
}

/** JSON has no infinities; a criterion that is none is left out rather than that the candidate is lost. */
function finite<V>(figures: Readonly<Record<string, V>>): Record<string, V> {
  return Object.fromEntries(
    Object.entries(figures).filter(([, value]) => typeof value !== 'number' || Number.isFinite(value)),
  );
}

/** Scores of the clustered rows; null with fewer than two clusters among them, or no more rows than clusters. */
async function scoresOf(pool: KernelPool, X: Matrix, labels: Uint8Array): Promise<Scores | null> {
  const rows = Int32Array.from(labels.keys()).filter((row) => labels[row] !== NOISE);
  const { compact: all, k } = withoutGaps(labels);
  if (k < 2 || rows.length <= k) return null;
  const clustered = rows.length === X.rows ? X : takeRows(X, rows);
  const compact = pick(all, rows);
  return {
    silhouette: (await silhouette(pool, clustered, compact)).mean,
    calinskiHarabasz: calinskiHarabasz(clustered, compact),
    daviesBouldin: daviesBouldin(clustered, compact),
  };
}

async function nullScoresOf(
  candidate: Contender,
  { trials, askedK }: Asked,
  { pool, seed, onStep }: Measuring,
): Promise<Pick<FitRecord, 'nullScores' | 'nullDraws' | 'nullValleys'>> {
  const found: Scores[] = [];
  const nullValleys: number[] = [];
  for (const [draw, X] of trials.nulls.entries()) {
    const labels = await fitOrNull(candidate, X, { askedK, pool, seed: `${seed}/null/${draw}` });
    const scores = labels && (await scoresOf(pool, X, labels));
    if (scores) found.push(withRows(scores, { from: X.rows, to: trials.scored.length, labels }));
    nullValleys.push(scores ? await valleyOf(trials.points.nulls[draw]!, X, labels!) : 1);
    onStep();
  }
  if (found.length === 0) return { nullScores: null, nullDraws: 0, nullValleys };
  const band = (of: (scores: Scores) => number) => {
    const mean = found.reduce((sum, scores) => sum + of(scores), 0) / found.length;
    const square = found.reduce((sum, scores) => sum + (of(scores) - mean) ** 2, 0);
    return { mean, deviation: found.length > 1 ? Math.sqrt(square / (found.length - 1)) : 0 };
  };
  return {
    nullScores: {
      silhouette: band((scores) => scores.silhouette),
      calinskiHarabasz: band((scores) => scores.calinskiHarabasz),
      daviesBouldin: band((scores) => scores.daviesBouldin),
    },
    nullDraws: found.length,
    nullValleys,
  };
}

/** The valley between the two least separated neighbours; noise is where valleys are, so it counts with the nearest. */
function valleyOf(points: Points, X: Matrix, labels: Uint8Array): Promise<number> {
  const { compact, k } = withoutGaps(labels);
  return shallowestValley(points, withNearest(X, compact, k), k);
}

/** Calinski-Harabasz grows with the rows, as (n - k): the figure that as many rows as are scored would have. */
function withRows(
  scores: Scores,
  { from, to, labels }: { from: number; to: number; labels: Uint8Array },
): Scores {
  const k = new Set(labels).size;
  return {
    ...scores,
    calinskiHarabasz: (scores.calinskiHarabasz * Math.max(1, to - k)) / Math.max(1, from - k),
  };
}

async function assignedAgain(
  pool: KernelPool,
  { labels, assign }: FittedContender,
  { all, scored }: Trials,
): Promise<number> {
  const again = await assign(takeRows(all, scored), { pool });
  const same = scored.reduce(
    (count, row, i) => count + (labels[row] !== NOISE && labels[row] === again.labels[i] ? 1 : 0),
    0,
  );
  return same / scored.length;
}
