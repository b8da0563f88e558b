import { calinskiHarabasz } from '../../compare/calinski-harabasz.ts';
import { daviesBouldin } from '../../compare/davies-bouldin.ts';
import { silhouette } from '../../compare/silhouette.ts';
import { sizeEntropy } from '../../compare/size-entropy.ts';
import type { KernelPool } from '../../kernels/pool.ts';
import type { FitTask } from '../../kernels/tasks.ts';
import type { Matrix } from '../../matrix.ts';
import { inCanonicalOrder } from '../canonical-order.ts';
import { bestFit, centersAt, maxShiftOf, SAMPLE_TOLERANCE, seededStarts } from '../starts.ts';
import type { CandidateFits, ChoicePlan, KScores } from './choice.ts';

const MAX_ITERATIONS = 300;

/** Two optima whose inertia differs by no more are as good as each other; .04 % has been seen at an ARI of .55. */
const NEAR_TIE = 1e-3;

/**
 * The best of several starts for every k, over all rows of the sample; the largest cluster first. Among near ties at
 * the k of an earlier clustering, the one that goes on from it.
 */
export async function fitCandidates(
  pool: KernelPool,
  sample: Matrix,
  { ks, different, random, settings, signal, onProgress }: ChoicePlan,
): Promise<CandidateFits> {
  const maxShift = maxShiftOf(sample, SAMPLE_TOLERANCE);
  const tasks = ks.flatMap((k) => {
    const otherwise = centersAt(sample, different.subarray(0, k));
    return seededStarts({ k, count: settings.starts, random, otherwise }).map(
      (start): FitTask => ({
        ...{ kind: 'fit', x: sample, rows: null, k, starts: [start] },
        ...{ maxIterations: MAX_ITERATIONS, maxShift },
      }),
    );
  });
  const fits = await pool.run(tasks, { signal, onProgress });
  const earlier = await fitFromEarlier(pool, sample, { settings, signal, maxShift });
  return new Map(
    ks.map((k, i) => {
      const best = bestFit(fits.slice(i * settings.starts, (i + 1) * settings.starts));
      const isTie = earlier?.k === k && earlier.fit.inertia <= best.inertia * (1 + NEAR_TIE);
      const chosen = inCanonicalOrder(isTie ? earlier.fit : best, sample.columns);
      const fresh = inCanonicalOrder(best, sample.columns);
      // Where both have found the same clusters, what was published leaves no trace in the last digits.
      return [k, chosen.labels.every((label, row) => label === fresh.labels[row]) ? fresh : chosen] as const;
    }),
  );
}

async function fitFromEarlier(
  pool: KernelPool,
  sample: Matrix,
  { settings, signal, maxShift }: Pick<ChoicePlan, 'settings' | 'signal'> & { maxShift: number },
) {
  const { earlierCenters: centers } = settings;
  if (!centers) return null;
  const k = centers.length / sample.columns;
  const task: FitTask = {
    ...{ kind: 'fit', x: sample, rows: null, k, starts: [{ centers }] },
    ...{ maxIterations: MAX_ITERATIONS, maxShift },
  };
  const [fit] = await pool.run([task], { signal });
  return { k, fit: fit! };
}

export async function scoreCandidates(
  pool: KernelPool,
  sample: Matrix,
  options: { fits: CandidateFits; signal: AbortSignal | undefined; onProgress: (done: number) => void },
): Promise<Omit<KScores, 'valley'>[]> {
  const scores: Omit<KScores, 'valley'>[] = [];
  for (const [k, fit] of options.fits) {
    const { mean } = await silhouette(pool, sample, fit.labels, { signal: options.signal });
    scores.push({
      k,
      inertia: fit.inertia,
      silhouette: mean,
      calinskiHarabasz: calinskiHarabasz(sample, fit.labels),
      daviesBouldin: daviesBouldin(sample, fit.labels),
      minShare: Math.min(...fit.sizes) / sample.rows,
      sizeEntropy: sizeEntropy(fit.sizes),
      centers: fit.centers,
      labels: fit.labels,
    });
    options.onProgress(scores.length);
  }
  return scores;
}
