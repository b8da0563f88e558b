import { calinskiHarabasz } from '../../compare/calinski-harabasz.ts';
import { daviesBouldin } from '../../compare/davies-bouldin.ts';
import { silhouette } from '../../compare/silhouette.ts';
import type { KernelPool } from '../../kernels/pool.ts';
import type { Fit, FitTask } from '../../kernels/tasks.ts';
import { columnOf, type Matrix } from '../../matrix.ts';
import { moments } from '../../statistics/moments.ts';
import { inCanonicalOrder } from '../canonical-order.ts';
import { bestFit, centersAt, maxShiftOf, SAMPLE_TOLERANCE, seededStarts } from '../starts.ts';
import type { CandidateFits, ChoicePlan, KScores } from './choose-k.ts';

const MAX_ITERATIONS = 300;

/** The best of several starts for every k, over all rows of the sample; the largest cluster first. */
export async function fitCandidates(
  pool: KernelPool,
  sample: Matrix,
  { ks, different, random, settings, signal, onProgress }: ChoicePlan,
): Promise<CandidateFits> {
  const maxShift = maxShiftOf(sample, SAMPLE_TOLERANCE);
  const tasks = ks.flatMap((k) => {
    const otherwise = centersAt(sample, different.subarray(0, k));
    return seededStarts(sample, { k, count: settings.starts, random, otherwise }).map(
      (start): FitTask => ({
        ...{ kind: 'fit', x: sample, rows: null, k, starts: [start] },
        ...{ maxIterations: MAX_ITERATIONS, maxShift },
      }),
    );
  });
  const fits = await pool.run(tasks, { signal, onProgress });
  return new Map(
    ks.map((k, i) => {
      const best = bestFit(fits.slice(i * settings.starts, (i + 1) * settings.starts));
      return [k, inCanonicalOrder(best, sample.columns)] as const;
    }),
  );
}

export async function scoreCandidates(
  pool: KernelPool,
  sample: Matrix,
  options: { fits: CandidateFits; signal: AbortSignal | undefined; onProgress: (done: number) => void },
): Promise<KScores[]> {
  const scores: KScores[] = [];
  for (const [k, fit] of options.fits) {
    const { mean } = await silhouette(pool, sample, fit.labels, { signal: options.signal });
    scores.push({
      k,
      inertia: fit.inertia,
      silhouette: mean,
      calinskiHarabasz: calinskiHarabasz(sample, fit.labels),
      daviesBouldin: daviesBouldin(sample, fit.labels),
      inertiaGap: inertiaGap(sample, fit),
      minShare: Math.min(...fit.sizes) / sample.rows,
      centers: fit.centers,
      labels: fit.labels,
    });
    options.onProgress(scores.length);
  }
  return scores;
}

/**
 * Data spread evenly over d columns, cut into k cells, keep k^(-2/d) of their inertia (Krzanowski & Lai
 * 1988). The gap is ln of that over what is kept here: it rewards cutting where the data have cuts, and leans
 * to more clusters than the silhouette does. A full gap statistic (Tibshirani et al. 2001) would fit
 * reference data sets instead.
 */
function inertiaGap(sample: Matrix, { inertia, sizes }: Fit): number {
  let total = 0;
  for (let j = 0; j < sample.columns; j++) total += moments(columnOf(sample, j)).deviation ** 2 * sample.rows;
  const expected = -(2 / sample.columns) * Math.log(sizes.length);
  // Rows that all lie on their centres leave nothing to compare: the least a double can tell stands for it.
  return expected - Math.log(Math.max(inertia / total, Number.EPSILON));
}
