import { fitKMeans } from '../cluster/k-means.ts';
import type { KernelPool } from '../kernels/pool.ts';
import { type Matrix, takeRows } from '../matrix.ts';
import { createRandom } from '../random/random.ts';
import { toSharedMatrix } from '../shared-matrix.ts';
import { type GapPoint, gapChoice, gapCurve } from './gap-curve.ts';
import { type ReferenceBox, referenceBox } from './uniform-reference.ts';

export interface GapOptions {
  readonly seed: number | string;
  /** @default 1 */
  readonly kMin?: number;
  /** @default 10 */
  readonly kMax?: number;
  /** Reference data sets, B. @default 50 */
  readonly references?: number;
  /** What the reference data fill; see referenceBox. @default 'principal' */
  readonly box?: ReferenceBox;
  /** Starts of every fit. @default 5 */
  readonly nInit?: number;
  /** Of larger data so many rows are drawn, and the statistic is theirs. @default 5000 */
  readonly sampleRows?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after every data set; `done` grows to `of`. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export interface Gap {
  /** By ascending k. */
  readonly curve: readonly GapPoint[];
  /** By the rule of Tibshirani; null when no k in the range satisfies it. May be 1: nothing to be told apart. */
  readonly k: number | null;
  readonly scoredOn: { readonly rows: number; readonly of: number };
}

type Settings = GapOptions & typeof DEFAULTS;

const DEFAULTS = {
  kMin: 1,
  kMax: 10,
  references: 50,
  box: 'principal' as ReferenceBox,
  nInit: 5,
  sampleRows: 5000,
};

/**
 * The gap statistic: how much smaller the inertia of k clusters is than in data of the same extent without any.
 *
 * W_k is the inertia, the reference is uniform over a box, both are clustered by fitKMeans with as many starts. It is
 * the only one of the usual indices that can answer 1. A box is a coarse null: skewed or correlated data without
 * groups depart from it too, so a large gap alone does not make groups natural.
 *
 * @param X rows x columns, finite, scaled by the caller, with more than kMax different rows
 * @returns the same for the same X, options and seed, whatever the number of threads
 * @throws RangeError when an option is out of range, a value is not finite, or rows are too few or too much alike
 *
 * (B + 1) * (kMax - kMin + 1) * nInit fits on the pool's threads. Source: Tibshirani, Walther & Hastie (2001),
 * Estimating the number of clusters in a data set via the gap statistic. Same values as clusGap of R's cluster with
 * d.power = 2 for the same fits and reference data: 'principal' is its spaceH0 = "scaledPCA", 'columns' "original".
 */
export async function gapStatistic(pool: KernelPool, X: Matrix, options: GapOptions): Promise<Gap> {
  const settings: Settings = { ...DEFAULTS, ...options };
  checkSettings(settings);
  const { references, sampleRows, onProgress } = settings;
  const random = createRandom(settings.seed);
  const x = await toSharedMatrix(X);
  const sample = x.rows > sampleRows ? takeRows(x, random.fork('sample').sample(x.rows, sampleRows)) : x;
  const own = await logInertias(pool, sample, settings, 'data');
  const box = await referenceBox(sample, settings.box);
  const others: Float64Array[] = [];
  for (let b = 0; b < references; b++) {
    onProgress?.(b + 1, references + 1);
    const drawn = await box.draw(sample.rows, random.fork('reference').fork(b));
    others.push(await logInertias(pool, drawn, settings, b));
  }
  onProgress?.(references + 1, references + 1);
  const curve = gapCurve(own, others, settings.kMin);
  return { curve, k: gapChoice(curve), scoredOn: { rows: sample.rows, of: X.rows } };
}

async function logInertias(
  pool: KernelPool,
  X: Matrix,
  { kMin, kMax, nInit, seed, signal }: Settings,
  label: string | number,
): Promise<Float64Array> {
  const logs = new Float64Array(kMax - kMin + 1);
  for (let k = kMin; k <= kMax; k++) {
    const fit = await fitKMeans(pool, X, { nClusters: k, nInit, seed: `${seed}/gap/${label}`, signal });
    if (!(fit.inertia > 0))
      throw new RangeError(`a gap needs rows that vary within ${k} clusters, found an inertia of 0`);
    logs[k - kMin] = Math.log(fit.inertia);
  }
  return logs;
}

function checkSettings({ kMin, kMax, references, nInit, sampleRows }: Settings): void {
  for (const [name, count] of Object.entries({ kMin, references, nInit })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${name} needs to be at least 1, found ${count}`);
  }
  if (!Number.isInteger(kMax) || kMax < kMin)
    throw new RangeError(`kMax needs to be at least the ${kMin} of kMin, found ${kMax}`);
  if (!Number.isInteger(sampleRows) || sampleRows <= kMax)
    throw new RangeError(`sampleRows needs to be above the ${kMax} clusters, found ${sampleRows}`);
}
