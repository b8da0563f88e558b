import { daviesBouldin } from '../../compare/davies-bouldin.ts';
import { silhouette, stratifiedSample } from '../../compare/silhouette.ts';
import type { KernelPool } from '../../kernels/pool.ts';
import type { Fit, FitTask } from '../../kernels/tasks.ts';
import { nextTurn } from '../../kernels/turn.ts';
import { type Matrix, takeRows } from '../../matrix.ts';
import type { Random } from '../../random/random.ts';
import { distinctRows } from '../../shared-matrix.ts';
import { centersAt, maxShiftOf, SAMPLE_TOLERANCE, seededStarts } from '../starts.ts';
import type { Calibrated, CandidateFits, ChoicePlan, KScores, NullComparison } from './choice.ts';
import { drawNull, fitNullModel } from './null-model.ts';
import { pointsOf, shallowestValley } from './valleys.ts';

const MAX_ITERATIONS = 100;
// Without groups the starts end near each other: more than a few change nothing.
const STARTS = 3;
const SILHOUETTE_ROWS = 2000;

type Scores = Record<'silhouette' | 'logInertia' | 'daviesBouldin' | 'valley', number>;

export interface Calibration {
  /** By k; `valleyShare` is of the observed valley. */
  readonly comparisons: ReadonlyMap<number, NullComparison>;
  /** Of the observed clusters, by k. */
  readonly valleys: ReadonlyMap<number, number>;
}

/**
 * The scores of every k beside those that the same procedure gets from data without groups (null-model.ts). A
 * silhouette of .4 or a fall of the inertia means nothing by itself: skewed and correlated columns have them too.
 */
export async function calibrateScores(
  pool: KernelPool,
  sample: Matrix,
  plan: ChoicePlan & { readonly scores: readonly Omit<KScores, 'valley'>[] },
): Promise<Calibration> {
  const { ks, settings, signal, onProgress } = plan;
  const random = plan.random.fork('null');
  const observed = await observedScores(sample, plan.scores, { random: random.fork('observed'), signal });
  const model = await fitNullModel(sample, random, { signal });
  const draws: Map<number, Scores>[] = [];
  for (let draw = 0; draw < settings.nullDraws; draw++) {
    const own = random.fork(draw);
    signal?.throwIfAborted();
    const drawn = await drawNull(model, own);
    const nullFits = await fitNull(pool, drawn, { ...plan, random: own });
    draws.push(await scoresOf(pool, drawn, { ks, fits: nullFits, random: own, signal }));
    onProgress((draw + 1) * ks.length);
  }
  const leastValleys = draws.map((scores) =>
    Math.min(...Array.from(scores.values(), ({ valley }) => valley)),
  );
  const comparisons = new Map(
    ks.map((k) => {
      const found = observed.get(k)!;
      const against = (score: keyof Scores) =>
        calibrated(
          found[score],
          draws.flatMap((scores) => scores.get(k)?.[score] ?? []),
        );
      const asDeep = leastValleys.filter((least) => least <= found.valley).length;
      return [
        k,
        {
          silhouette: against('silhouette'),
          logInertia: against('logInertia'),
          daviesBouldin: against('daviesBouldin'),
          valleyShare: (asDeep + 1) / (draws.length + 1),
        },
      ] as const;
    }),
  );
  return { comparisons, valleys: new Map(ks.map((k) => [k, observed.get(k)!.valley])) };
}

/** What is known of the candidates already, and their valleys. */
async function observedScores(
  sample: Matrix,
  known: readonly Omit<KScores, 'valley'>[],
  { random, signal }: { random: Random; signal: AbortSignal | undefined },
): Promise<Map<number, Scores>> {
  const points = await pointsOf(sample, random.fork('ties'));
  const scores = new Map<number, Scores>();
  for (const { k, silhouette, daviesBouldin, inertia, labels } of known) {
    const valley = await shallowestValley(points, labels, k, { signal });
    scores.set(k, { silhouette, daviesBouldin, logInertia: logOf(inertia), valley });
    await nextTurn();
  }
  return scores;
}

/** Rows that all lie on their centres: the least a double can tell stands for ln of nothing. */
function logOf(inertia: number): number {
  return Math.log(Math.max(inertia, Number.MIN_VALUE));
}

function calibrated(found: number, nulls: readonly number[]): Calibrated {
  if (nulls.length === 0) return { found, nullMean: found, nullDeviation: 0 };
  const mean = nulls.reduce((sum, value) => sum + value, 0) / nulls.length;
  const squares = nulls.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    found,
    nullMean: mean,
    nullDeviation: nulls.length > 1 ? Math.sqrt(squares / (nulls.length - 1)) : 0,
  };
}

async function scoresOf(
  pool: KernelPool,
  X: Matrix,
  {
    ks,
    fits,
    random,
    signal,
  }: { ks: readonly number[]; fits: CandidateFits; random: Random; signal: AbortSignal | undefined },
): Promise<Map<number, Scores>> {
  const points = await pointsOf(X, random.fork('ties'));
  const scores = new Map<number, Scores>();
  for (const k of ks) {
    const fit = fits.get(k);
    if (fit === undefined) continue;
    const { labels, inertia } = fit;
    const rows = stratifiedSample(labels, SILHOUETTE_ROWS, random.fork('silhouette').fork(k));
    const ofRows = Uint8Array.from(rows, (row) => labels[row]!);
    const { mean } = await silhouette(pool, takeRows(X, rows), ofRows, { signal });
    scores.set(k, {
      silhouette: mean,
      logInertia: logOf(inertia),
      daviesBouldin: daviesBouldin(X, labels),
      valley: await shallowestValley(points, labels, k, { signal }),
    });
    await nextTurn();
  }
  return scores;
}

async function fitNull(
  pool: KernelPool,
  X: Matrix,
  { ks, random, signal }: Pick<ChoicePlan, 'ks' | 'random' | 'signal'>,
): Promise<Map<number, Fit>> {
  const different = await distinctRows(X, Math.max(...ks));
  const maxShift = maxShiftOf(X, SAMPLE_TOLERANCE);
  // A draw of few different values may have too few of them for the largest k.
  const possible = ks.filter((k) => k <= different.length);
  const tasks = possible.map((k): FitTask => {
    const otherwise = centersAt(X, different.subarray(0, k));
    const starts = seededStarts({ k, count: STARTS, random, otherwise });
    return { kind: 'fit', x: X, rows: null, k, starts, maxIterations: MAX_ITERATIONS, maxShift };
  });
  const fits = await pool.run(tasks, { signal });
  return new Map(possible.map((k, i) => [k, fits[i]!] as const));
}
