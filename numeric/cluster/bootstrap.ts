import { bestJaccards } from '../compare/jaccard.ts';
import type { KernelPool } from '../kernels/pool.ts';
import type { FitTask, Start } from '../kernels/tasks.ts';
import { nextTurn } from '../kernels/turn.ts';
import type { Matrix } from '../matrix.ts';
import type { Random } from '../random/random.ts';
import type { CandidateFits, ChoicePlan } from './choose-k.ts';
import { centersAt, maxShiftOf, SAMPLE_TOLERANCE, seededStarts } from './starts.ts';

const MAX_ITERATIONS = 100;
// Beside these each resample is also fitted from the centres under test: the lowest inertia wins, so that a
// worse local optimum of the solver is not taken for instability of the data.
const FRESH_STARTS = 2;
// Resamples that are in memory at a time.
const BATCH = 10;

type StabilityPlan = ChoicePlan & { readonly fits: CandidateFits };

/**
 * How well each cluster is found again when the rows are drawn anew.
 *
 * For every resample (rows drawn with replacement, repeats used once) and every k the rows are clustered
 * afresh; a cluster scores its largest Jaccard similarity with a new one, on the rows drawn. The mean over
 * the resamples is its stability: up to .5 dissolved, from .75 stable, from .85 highly stable. Source: Hennig
 * (2007), Cluster-wise assessment of cluster stability; as clusterboot of R's fpc with bootmethod "boot",
 * multipleboot = FALSE.
 *
 * @returns for each k its clusters' stabilities, in the order of the fit's clusters
 */
export async function clusterwiseStability(
  pool: KernelPool,
  sample: Matrix,
  plan: StabilityPlan,
): Promise<Map<number, Float64Array>> {
  const { ks, settings, signal, onProgress } = plan;
  const stabilities = new Map(ks.map((k) => [k, new Float64Array(k)] as const));
  for (let first = 0; first < settings.bootstraps; first += BATCH) {
    const end = Math.min(first + BATCH, settings.bootstraps);
    const tasks = await refitTasks(sample, { plan, first, end });
    const report = (done: number) => onProgress(first * ks.length + done);
    const refits = await pool.run(tasks, { signal, onProgress: report });
    for (const [i, { k, rows }] of tasks.entries()) {
      const { labels } = plan.fits.get(k)!;
      const reference = Uint8Array.from(rows!, (row) => labels[row]!);
      const found = bestJaccards(reference, refits[i]!.labels, k);
      const sums = stabilities.get(k)!;
      for (let c = 0; c < k; c++) sums[c]! += found[c]! / settings.bootstraps;
      if (i % ks.length === 0) await nextTurn();
    }
    report(tasks.length);
  }
  return stabilities;
}

async function refitTasks(
  sample: Matrix,
  { plan, first, end }: { plan: StabilityPlan; first: number; end: number },
): Promise<FitTask[]> {
  const maxShift = maxShiftOf(sample, SAMPLE_TOLERANCE);
  const tasks: FitTask[] = [];
  for (let b = first; b < end; b++) {
    const rows = drawWithReplacement(sample.rows, plan.random.fork('bootstrap').fork(b));
    for (const k of plan.ks) {
      const starts = startsOn(rows, { sample, plan, k, b });
      tasks.push({ kind: 'fit', x: sample, rows, k, starts, maxIterations: MAX_ITERATIONS, maxShift });
    }
    await nextTurn();
  }
  return tasks;
}

function startsOn(
  rows: Int32Array,
  { sample, plan, k, b }: { sample: Matrix; plan: StabilityPlan; k: number; b: number },
): Start[] {
  const otherwise = centersAt(sample, plan.different.subarray(0, k));
  const random = plan.random.fork('bootstrap').fork(b);
  const fresh = seededStarts(sample, { k, count: FRESH_STARTS, random, otherwise, among: rows });
  return [{ centers: plan.fits.get(k)!.centers }, ...fresh];
}

/** The different rows among as many draws as there are rows: about 63 %, ascending, in shared memory. */
function drawWithReplacement(population: number, random: Random): Int32Array {
  const isDrawn = new Uint8Array(population);
  for (let i = 0; i < population; i++) isDrawn[random.int(population)] = 1;
  const size = isDrawn.reduce((sum, flag) => sum + flag, 0);
  const rows = new Int32Array(new SharedArrayBuffer(size * 4));
  let next = 0;
  isDrawn.forEach((flag, row) => {
    if (flag === 1) rows[next++] = row;
  });
  return rows;
}
