import { CONTENDERS } from '../numeric/cluster/algorithms.ts';
import { type Contender, contender } from '../numeric/cluster/contender.ts';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import type { Matrix } from '../numeric/matrix.ts';
import type { ThreadContext } from '../numeric/threads/run-in-thread.ts';
import type { ComparePlan, FitRecord } from '../pipelines/contracts/compare.ts';
import { measureFit, stepsPerFit } from '../pipelines/stages/compare-measure.ts';
import type { Trials } from '../pipelines/stages/compare-stability.ts';
import { createTrials } from '../pipelines/stages/compare-trials.ts';
import { RULE_GRID, type RuleGridParameters, ruleGrid } from '../pipelines/stages/rule-grid.ts';

// Runs in a thread of its own: an algorithm may hold it as long as it likes.

export interface CandidateJob {
  candidate: string;
  /** In shared memory. */
  matrix: Matrix;
  plan: ComparePlan;
  seed: number;
  /** Null when the definition's bands give no grid. */
  grid: RuleGridParameters | null;
  threads: number;
}

export type CandidatePart =
  | { fit: Omit<FitRecord, 'peakMegabytes'>; labels: Uint8Array }
  | { failure: { askedK: number | null; reason: string } };

/** Fits a candidate at every number of segments; each is handed over as soon as it is measured. */
export async function measureCandidate(
  job: CandidateJob,
  thread: ThreadContext<CandidatePart>,
): Promise<void> {
  const { matrix, plan } = job;
  const candidate = contenderOf(job);
  const ks = candidate.takesClusters ? range(plan.ks) : [null];
  const of = ks.length * stepsPerFit(plan);
  let done = 0;
  const onStep = () => thread.onProgress(++done, of);
  const trials = await createTrials(matrix, job);
  const pool = createKernelPool({ threads: job.threads });
  try {
    for (const [i, askedK] of ks.entries()) {
      thread.onPart(await measured({ candidate, trials, askedK, pool, job, onStep }));
      done = (i + 1) * stepsPerFit(plan);
    }
  } finally {
    await pool.close();
  }
}

async function measured({
  candidate,
  trials,
  askedK,
  pool,
  job,
  onStep,
}: {
  candidate: Contender;
  trials: Trials;
  askedK: number | null;
  pool: KernelPool;
  job: CandidateJob;
  onStep: () => void;
}): Promise<CandidatePart> {
  const { seed, plan } = job;
  const now = () => performance.now();
  try {
    const { record, labels } = await measureFit(
      candidate,
      { trials, askedK },
      { pool, seed, plan, now, onStep },
    );
    return { fit: record, labels };
  } catch (error) {
    // That there is no such fit is about this number of segments; what else goes wrong is about the candidate.
    if (error instanceof RangeError) return { failure: { askedK, reason: error.message } };
    throw error;
  }
}

function contenderOf({ candidate, grid }: CandidateJob): Contender {
  if (candidate === RULE_GRID.name) {
    if (grid === null)
      throw new RangeError(
        'the rule grid needs its stage and value features among those that are clustered, and at most 255 cells',
      );
    return contender(RULE_GRID, ruleGrid, () => grid);
  }
  const found = CONTENDERS.find(({ name }) => name === candidate);
  if (found === undefined) throw new RangeError(`no algorithm has the name ${candidate}`);
  return found;
}

function range({ min, max }: { min: number; max: number }): number[] {
  return Array.from({ length: max - min + 1 }, (_, i) => min + i);
}
