import { runInThread } from '../numeric/threads/run-in-thread.ts';
import type { ArtifactKind } from '../pipelines/contracts/artifacts.ts';
import type {
  CandidateOutcome,
  CandidateRecord,
  ComparePlan,
  CompareStages,
  FitRecord,
} from '../pipelines/contracts/compare.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Features } from '../pipelines/contracts/stages.ts';
import { CANDIDATES } from '../pipelines/stages/compare-candidates.ts';
import { entrantOf } from '../pipelines/stages/compare-ranking.ts';
import { scoredRows } from '../pipelines/stages/compare-trials.ts';
import { gridParameters, type RuleGridParameters } from '../pipelines/stages/rule-grid.ts';
import type { FittedTransforms } from '../pipelines/stages/transform.ts';
import { encodeColumns } from '../store/artifacts/columns-file.ts';
import { decodeJson, encodeJson } from '../store/artifacts/json.ts';
import type { CandidateJob, CandidatePart } from './candidate-job.ts';
import { readMatrix } from './columns.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { keptStep } from './kept-step.ts';
import type { Work } from './stage.ts';

const MEGABYTE = 2 ** 20;
/** Of JavaScript objects; a candidate that needs more is no candidate, and must not take the worker with it. */
const HEAP_MEGABYTES = 2_048;
const WATCH_MEMORY_MS = 25;
const JOB = { module: new URL('./candidate-job.ts', import.meta.url).href, name: 'measureCandidate' };

/** Features -> one candidate, fitted at every number of segments and measured, in a thread of its own. */
export function createCandidateActivities(context: ActivityContext): Pick<CompareStages, 'fitCandidate'> {
  return {
    async fitCandidate({ run, plan, candidate, features }) {
      const inputs = [features.matrix, features.transforms, plan];
      return keptStep<CandidateOutcome>(context, { name: candidate, run, inputs }, async (work) => {
        const matrix = await readMatrix(context.artifacts, features.matrix);
        const grid = await gridOf(context, { run, plan, features });
        const { threads } = context;
        const job: CandidateJob = { candidate, matrix, plan, seed: run.seed, grid, threads };
        return keep(context, { run, job, measured: await measureInThread(job, work) });
      });
    },
  };
}

/** The definition's bands as cuts of the matrix. */
export async function gridOf(
  { artifacts }: Pick<ActivityContext, 'artifacts'>,
  { run, plan, features }: { run: Run; plan: ComparePlan; features: Features },
): Promise<RuleGridParameters | null> {
  const { naming } = await frozenDefinition(artifacts, run);
  const transforms = decodeJson(await artifacts.read(features.transforms)) as FittedTransforms;
  return gridParameters(naming, transforms, plan.smallestShare);
}

interface Measured {
  fits: FitRecord[];
  labels: Uint8Array[];
  failures: CandidateRecord['failures'];
  /** Why it ended before its end; null when it did not. */
  reason: string | null;
}

/** @throws the signal's reason when the run is cancelled; all else that goes wrong is about the candidate */
async function measureInThread(job: CandidateJob, { signal, onProgress }: Work): Promise<Measured> {
  const budget = AbortSignal.timeout(job.plan.budgetSeconds * 1000);
  const memory = watchMemory();
  const measured: Measured = { fits: [], labels: [], failures: [], reason: null };
  try {
    await runInThread<void, CandidatePart>(
      { ...JOB, input: job },
      {
        signal: AbortSignal.any([signal, budget]),
        heapMegabytes: HEAP_MEGABYTES,
        onProgress,
        onStart: memory.reset,
        onPart(part) {
          const peakMegabytes = memory.peakMegabytes();
          if ('failure' in part) measured.failures.push(part.failure);
          else {
            measured.fits.push({ ...part.fit, peakMegabytes });
            measured.labels.push(part.labels);
          }
        },
      },
    );
  } catch (error) {
    signal.throwIfAborted();
    measured.reason = budget.aborted
      ? `took longer than the ${job.plan.budgetSeconds} s that each candidate has`
      : (error as Error).message;
  } finally {
    memory.stop();
  }
  return measured;
}

/**
 * Growth of the process's resident memory since `reset`, highest since the last question: what a candidate needs in
 * all, shared arrays and kernel memory included. Other work of the process at that time is counted, too.
 */
function watchMemory() {
  let base = process.memoryUsage.rss();
  let peak = base;
  const look = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(look, WATCH_MEMORY_MS);
  return {
    reset() {
      base = process.memoryUsage.rss();
      peak = base;
    },
    peakMegabytes() {
      look();
      const grown = (peak - base) / MEGABYTE;
      peak = base;
      return grown;
    },
    stop: () => clearInterval(timer),
  };
}

async function keep(
  { artifacts }: ActivityContext,
  { run, job, measured }: { run: Run; job: CandidateJob; measured: Measured },
): Promise<Omit<CandidateOutcome, 'ms'>> {
  const { candidate, matrix, plan } = job;
  const { fits, failures, labels } = measured;
  const reason =
    measured.reason ?? (fits.length === 0 ? (failures[0]?.reason ?? 'nothing was measured') : null);
  const status = fits.length === 0 ? 'failed' : reason === null ? 'measured' : 'partly';
  const scored = scoredRows(matrix, job).length;
  const record: CandidateRecord = {
    candidate,
    title: titleOf(candidate),
    fits,
    failures,
    reason,
    rows: { all: matrix.rows, scored, trial: Math.min(plan.trialRows, scored) },
    bootstraps: plan.bootstraps,
  };
  const write = (kind: ArtifactKind, bytes: Buffer, about: { ending: string; rows: number }) =>
    artifacts.write(kind, bytes, { runId: run.runId, ...about });
  const outcome = { candidate, status, reason, k: null, record: null, labels: null, ms: 0 } as const;
  const { best } = entrantOf(outcome, record, plan);
  return {
    candidate,
    status,
    reason,
    k: best === null ? null : fits[best]!.k,
    record: await write('clustering', encodeJson(record), { ending: 'json', rows: fits.length }),
    labels:
      best === null
        ? null
        : await write('labels', encodeColumns({ labels: labels[best]! }), {
            ending: 'columns',
            rows: matrix.rows,
          }),
  };
}

function titleOf(candidate: string): string {
  return CANDIDATES.find(({ name }) => name === candidate)?.title ?? candidate;
}
