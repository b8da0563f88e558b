import { assignNearest } from '../cluster/assign.ts';
import { fitKMeans, type KMeansFit } from '../cluster/k-means.ts';
import type { KernelPool } from '../kernels/pool.ts';
import { type Matrix, takeRows } from '../matrix.ts';
import { createRandom } from '../random/random.ts';
import { toSharedMatrix } from '../shared-matrix.ts';
import { contingency } from './contingency.ts';

export interface PredictionStrengthOptions {
  readonly seed: number | string;
  /** @default 2 */
  readonly kMin?: number;
  /** @default 10 */
  readonly kMax?: number;
  /** Times that the rows are split into halves, M. @default 25 */
  readonly splits?: number;
  /** What a k must reach; .8 to .9 is advised. @default 0.8 */
  readonly threshold?: number;
  /** Starts of every fit. @default 5 */
  readonly nInit?: number;
  /** Of larger data so many rows are drawn, and the strength is theirs. @default 10000 */
  readonly sampleRows?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after every split; `done` grows to `of`. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export interface PredictionStrength {
  /** Strengths by ascending k: the mean over both directions of all splits, and its standard error over the splits. */
  readonly curve: readonly { readonly k: number; readonly strength: number; readonly error: number }[];
  /** The largest k whose strength reaches the threshold; 1 when none does. */
  readonly k: number;
  readonly scoredOn: { readonly rows: number; readonly of: number };
}

type Settings = PredictionStrengthOptions & typeof DEFAULTS;

const DEFAULTS = { kMin: 2, kMax: 10, splits: 25, threshold: 0.8, nInit: 5, sampleRows: 10_000 };

/**
 * Whether clusters found in one half of the rows predict those of the other half: both halves are clustered, and each
 * is also assigned by the other's centres.
 *
 * @param X rows x columns, finite, scaled by the caller, each half with kMax different rows or more
 * @returns the same for the same X, options and seed, whatever the number of threads
 * @throws RangeError when an option is out of range, a value is not finite, or a half has too few different rows
 *
 * 2 * splits * (kMax - kMin + 1) * nInit fits on the pool's threads. Source: Tibshirani & Walther (2005), Cluster
 * validation by prediction strength. Same statistic as prediction.strength of R's fpc where clusters have two rows or more.
 */
export async function predictionStrength(
  pool: KernelPool,
  X: Matrix,
  options: PredictionStrengthOptions,
): Promise<PredictionStrength> {
  const settings: Settings = { ...DEFAULTS, ...options };
  checkSettings(settings);
  const { kMin, kMax, splits, sampleRows, threshold } = settings;
  const random = createRandom(settings.seed);
  const x = await toSharedMatrix(X);
  const sample = x.rows > sampleRows ? takeRows(x, random.fork('sample').sample(x.rows, sampleRows)) : x;
  if (sample.rows < 2) throw new RangeError(`two halves need at least 2 rows, found ${sample.rows}`);
  const found = Array.from({ length: kMax - kMin + 1 }, () => [] as number[]);
  for (let split = 0; split < splits; split++) {
    const order = random
      .fork('split')
      .fork(split)
      .shuffle(Int32Array.from({ length: sample.rows }, (_, i) => i));
    const half = sample.rows >> 1;
    const halves = [order.subarray(0, half), order.subarray(half)].map((rows) => takeRows(sample, rows));
    for (const [at, strengths] of found.entries())
      strengths.push(await strengthOfSplit(pool, halves, { ...settings, k: kMin + at, split }));
    settings.onProgress?.(split + 1, splits);
  }
  const curve = found.map((strengths, at) => ({ k: kMin + at, ...meanOf(strengths) }));
  const k = curve.reduce((largest, { k, strength }) => (strength >= threshold ? k : largest), 1);
  return { curve, k, scoredOn: { rows: sample.rows, of: X.rows } };
}

async function strengthOfSplit(
  pool: KernelPool,
  halves: readonly Matrix[],
  { k, split, seed, nInit, signal }: Settings & { k: number; split: number },
): Promise<number> {
  const fits: KMeansFit[] = [];
  for (const [at, half] of halves.entries()) {
    const own = `${seed}/prediction/${split}/${at}`;
    fits.push(await fitKMeans(pool, half, { nClusters: k, nInit, seed: own, signal }));
  }
  let sum = 0;
  for (const [at, half] of halves.entries()) {
    const predicted = await assignNearest(pool, half, fits[1 - at]!.centers, { signal });
    sum += strengthOfPrediction(fits[at]!.labels, predicted.labels);
  }
  return sum / halves.length;
}

/**
 * The smallest share, over the clusters found, of pairs of rows in it that the prediction keeps together.
 *
 * @param found labels of the rows by their own clustering, shape (n,), integers from 0
 * @param predicted labels of the same rows by the other half's centres
 * @returns in [0, 1]; 1 = every cluster is kept whole. Clusters of fewer than two rows have no pair and do not count
 * @throws RangeError when the lengths differ or n < 1
 *
 * O(n + k^2).
 */
export function strengthOfPrediction(found: ArrayLike<number>, predicted: ArrayLike<number>): number {
  const { counts, rows, columns, rowTotals } = contingency(found, predicted);
  let weakest = 1;
  for (let c = 0; c < rows; c++) {
    let together = 0;
    for (let j = 0; j < columns; j++) together += pairs(counts[c * columns + j]!);
    if (rowTotals[c]! > 1) weakest = Math.min(weakest, together / pairs(rowTotals[c]!));
  }
  return weakest;
}

function pairs(count: number): number {
  return (count * (count - 1)) / 2;
}

function meanOf(values: readonly number[]): { strength: number; error: number } {
  const count = values.length;
  const strength = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - strength) ** 2, 0);
  return { strength, error: count > 1 ? Math.sqrt(squares / (count - 1) / count) : Infinity };
}

function checkSettings({ kMin, kMax, splits, threshold, nInit, sampleRows }: Settings): void {
  for (const [name, count] of Object.entries({ kMin, splits, nInit })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${name} needs to be at least 1, found ${count}`);
  }
  if (!Number.isInteger(kMax) || kMax < kMin)
    throw new RangeError(`kMax needs to be at least the ${kMin} of kMin, found ${kMax}`);
  if (!Number.isInteger(sampleRows) || sampleRows < 2 * kMax)
    throw new RangeError(
      `sampleRows needs two rows for each of ${kMax} clusters or more, found ${sampleRows}`,
    );
  if (!(threshold >= 0 && threshold <= 1))
    throw new RangeError(`threshold needs to be from 0 to 1, found ${threshold}`);
}
