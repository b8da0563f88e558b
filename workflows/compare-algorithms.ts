import { CancellationScope, isCancellation, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type {
  CandidateOutcome,
  CompareInput,
  CompareStages,
  ComparisonSummary,
  OpenedComparison,
} from '../pipelines/contracts/compare.ts';
import { COMPUTE, IO } from '../pipelines/contracts/policies.ts';
import type { Run, RunCounts } from '../pipelines/contracts/run.ts';
import type { Features } from '../pipelines/contracts/stages.ts';
import { type CompareBoard, openCompareBoard } from './compare-board.ts';
import { keepHistory } from './keep-history.ts';
import { says, summaries } from './summaries.ts';
import { wordsOf } from './words-of.ts';

const io = proxyActivities<CompareStages>(IO);
const compute = proxyActivities<CompareStages>(COMPUTE);

/**
 * The bake-off: every candidate algorithm on the same customers, by the same gates and scores. Publishes nothing and
 * waits for no run. A candidate that fails or takes too long is a line of the report with its reason.
 *
 * @param input nothing, or one JSON object with any of the fields of CompareInput
 * @returns leaderboard, recommendation, and where the report is
 */
export async function compareAlgorithms(input?: CompareInput): Promise<ComparisonSummary> {
  const board = openCompareBoard();
  await keepHistory('keeps the history of this comparison');
  // A cancel that comes while it is being opened is obeyed as soon as there is something to close.
  const opened = await CancellationScope.nonCancellable(() => open(input));
  board.opened(opened);
  let isKept = false;
  try {
    const summary = await compare(opened, board);
    isKept = summary.outcome === 'compared';
    board.closed(summary.outcome, summary.reasons);
    return summary;
  } catch (error) {
    board.closed(isCancellation(error) ? 'cancelled' : 'failed', [wordsOf(error)]);
    throw error;
  } finally {
    await CancellationScope.nonCancellable(() => io.closeComparison({ run: opened.run, isKept }));
  }
}

function open(input: CompareInput | undefined): Promise<OpenedComparison> {
  const { workflowId, runId, searchAttributes } = workflowInfo();
  const scheduled = searchAttributes.TemporalScheduledStartTime?.[0];
  return io.openComparison.executeWithOptions({ summary: 'check the input, freeze the definition' }, [
    {
      input: (input ?? {}) as CompareInput,
      workflow: { id: workflowId, runId },
      scheduledAt: scheduled instanceof Date ? scheduled.toISOString() : null,
    },
  ]);
}

async function compare(
  { run: opened, plan }: OpenedComparison,
  board: CompareBoard,
): Promise<ComparisonSummary> {
  board.began('extract');
  const extract = await compute.extractForComparison.executeWithOptions(
    { summary: summaries.extract(opened) },
    [{ run: opened }],
  );
  const run: Run = { ...opened, asOf: extract.asOf };
  board.ended('extract', extract, says.extract(extract));
  board.dated(extract.asOf);

  board.began('validate');
  const validation = await compute.validateForComparison.executeWithOptions(
    { summary: summaries.validate(extract) },
    [{ run, extract }],
  );
  const { counts } = validation;
  board.ended('validate', validation, says.validate(validation));
  board.counted(counts.customers);
  if (validation.verdict === 'fail') return refused(run, counts, validation.reasons);

  board.began('features');
  const features = await compute.buildFeaturesForComparison.executeWithOptions(
    { summary: summaries.features(validation) },
    [{ run, extract, validation }],
  );
  board.ended('features', features, says.features(features));

  const candidates = await measureAll({ run, plan }, features, board);
  board.began('report');
  const written = await compute.writeComparison.executeWithOptions(
    { summary: `compare ${candidates.length} candidates, write the report` },
    [{ run, plan, features, counts, candidates }],
  );
  board.ended('report', written, `${written.recommendation.headline}`);
  const { recommendation, leaderboard, report, page } = written;
  const reasons = [recommendation.headline];
  return { ...about(run), outcome: 'compared', reasons, counts, recommendation, leaderboard, report, page };
}

/** All at once; a worker takes as many at a time as it has room for. */
async function measureAll(
  { run, plan }: OpenedComparison,
  features: Features,
  board: CompareBoard,
): Promise<CandidateOutcome[]> {
  const measured = await Promise.allSettled(
    plan.candidates.map(async (candidate) => {
      const outcome = await measure({ run, plan }, candidate, features);
      board.measured(outcome);
      return outcome;
    }),
  );
  // Only a cancel gets here as a fault: it is obeyed when the last candidate has stopped writing.
  return measured.map((settled) => {
    if (settled.status === 'rejected') throw settled.reason;
    return settled.value;
  });
}

async function measure(
  { run, plan }: OpenedComparison,
  candidate: string,
  features: Features,
): Promise<CandidateOutcome> {
  try {
    return await compute.fitCandidate.executeWithOptions({ summary: candidate }, [
      { run, plan, candidate, features },
    ]);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return {
      candidate,
      status: 'failed',
      reason: wordsOf(error),
      k: null,
      record: null,
      labels: null,
      ms: 0,
    };
  }
}

function refused(run: Run, counts: RunCounts, reasons: string[]): ComparisonSummary {
  return {
    ...about(run),
    outcome: 'refused',
    reasons,
    counts,
    recommendation: null,
    leaderboard: [],
    report: null,
    page: null,
  };
}

function about({ runId, pipeline, asOf, workflow }: Run) {
  return { comparisonId: runId, pipeline, asOf, workflow };
}
