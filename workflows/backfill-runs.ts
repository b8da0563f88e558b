import {
  CancellationScope,
  ChildWorkflowCancellationType,
  continueAsNew,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  BackfilledDate,
  BackfillInput,
  BackfillPlan,
  BackfillSoFar,
  BackfillStages,
  BackfillSummary,
} from '../pipelines/contracts/backfill.ts';
import { IO } from '../pipelines/contracts/policies.ts';
import type { RunSummary } from '../pipelines/contracts/run.ts';
import { workflowIds } from '../pipelines/contracts/signatures.ts';
import { type BackfillBoard, openBackfillBoard } from './backfill-board.ts';
import { keepHistory } from './keep-history.ts';
import { segmentCustomers } from './segment-customers.ts';
import { wordsOf } from './words-of.ts';

const io = proxyActivities<BackfillStages>(IO);

/** Each run leaves its summary in the history, some 10 KB: from here on a new execution goes on with the rest. */
const HISTORY_GROWTH_BYTES = 40_000;
const REASON_LENGTH = 200;

/**
 * Runs over past as-of dates, one after another: each a whole run of its own, compared with the one before. A date
 * whose run is rejected or fails is told, and the next one goes on. Dates that are published already are left out.
 *
 * @param input nothing, or one JSON object with any of the fields of BackfillInput
 * @param soFar from an execution before this one, whose history had grown long
 * @returns every date with what came of it
 */
export async function backfillRuns(input?: BackfillInput, soFar?: BackfillSoFar): Promise<BackfillSummary> {
  const board = openBackfillBoard();
  await keepHistory('keeps the history of this backfill');
  const { plan, rows } = isSoFar(soFar) ? soFar : { plan: await makePlan(input), rows: [] };
  board.planned(plan, rows);
  let isOver = false;
  try {
    isOver = await runDates(plan, rows, board);
  } catch (error) {
    board.closed(isCancellation(error) ? 'cancelled' : 'failed', [wordsOf(error)]);
    throw error;
  }
  if (!isOver) await continueAsNew<typeof backfillRuns>(input, { plan, rows });
  const summary = summaryOf(plan, rows);
  board.closed(summary.outcome, summary.reasons);
  return summary;
}

/** Whatever a caller sends beside the input: what is not from an execution before this one is as nothing. */
function isSoFar(sent: unknown): sent is BackfillSoFar {
  if (workflowInfo().continuedFromExecutionRunId === undefined) return false;
  if (!isObject(sent) || !isObject(sent.plan)) return false;
  const { plan, rows } = sent;
  const { pipeline, dates, done, given, reasons } = plan;
  return (
    typeof pipeline === 'string' &&
    isObject(given) &&
    [dates, reasons].every((list) => Array.isArray(list) && list.every((text) => typeof text === 'string')) &&
    [rows, done].every((list) => Array.isArray(list) && list.every(isObject))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function makePlan(input: BackfillInput | undefined): Promise<BackfillPlan> {
  const { startTime, searchAttributes } = workflowInfo();
  const scheduled = searchAttributes.TemporalScheduledStartTime?.[0];
  const startedAt = scheduled instanceof Date ? scheduled : startTime;
  return io.planBackfill.executeWithOptions({ summary: 'check the input, lay down the dates' }, [
    { input: (input ?? {}) as BackfillInput, startedAt: startedAt.toISOString() },
  ]);
}

/** @returns false where the rest is for an execution with a new history */
async function runDates(plan: BackfillPlan, rows: BackfilledDate[], board: BackfillBoard): Promise<boolean> {
  const startBytes = workflowInfo().historySize;
  for (const asOf of plan.dates.slice(rows.length)) {
    if (isStopped(plan, rows)) return true;
    if (workflowInfo().historySize - startBytes > HISTORY_GROWTH_BYTES) return false;
    const done = plan.done.find((date) => date.asOf === asOf);
    const row = done ? skipped(done) : await runDate(plan, asOf, board);
    rows.push(row);
    board.ended(row);
  }
  return true;
}

function isStopped({ stopOn }: BackfillPlan, rows: readonly BackfilledDate[]): boolean {
  const last = rows.at(-1)?.outcome;
  if (stopOn === 'never' || last === undefined) return false;
  return last === 'failed' || last === 'cancelled' || (stopOn === 'unpublished' && last === 'rejected');
}

function skipped({ asOf, runId }: BackfillPlan['done'][number]): BackfilledDate {
  const nothing = { verdict: null, customers: 0, k: null, movedShare: null, seconds: 0 };
  return { asOf, outcome: 'skipped', runId, ...nothing };
}

async function runDate(plan: BackfillPlan, asOf: string, board: BackfillBoard): Promise<BackfilledDate> {
  const workflowId = workflowIds.segment(plan.pipeline, asOf);
  board.began(asOf, workflowId);
  try {
    const summary = await executeChild(segmentCustomers, {
      workflowId,
      args: [{ pipeline: plan.pipeline, asOf, ...plan.given }],
      staticSummary: `segment customers of ${plan.pipeline} as of ${asOf}`,
      // A backfill that ends has no run left: it waits until the cancelled one has cleaned up.
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    });
    return rowOf(asOf, summary);
  } catch (error) {
    // The backfill's own cancel ends it; that of one run is what came of that date.
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    return {
      ...{ asOf, outcome: isCancellation(error) ? 'cancelled' : 'failed', runId: null, verdict: null },
      ...{ customers: 0, k: null, movedShare: null, seconds: 0, reason: reasonOf(error) },
    };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError')
    return 'a run of this date was going on, started by someone else';
  return shortened(isCancellation(error) ? 'cancelled by a person or a pipeline' : wordsOf(error));
}

function shortened(text: string): string {
  return text.length > REASON_LENGTH ? `${text.slice(0, REASON_LENGTH - 1)}…` : text;
}

function rowOf(asOf: string, summary: RunSummary): BackfilledDate {
  const { runId, verdict, counts, k, quality, reasons, stages } = summary;
  const outcome = summary.outcome === 'held' ? 'failed' : summary.outcome;
  return {
    ...{ asOf, outcome, runId, verdict, customers: counts.customers, k },
    movedShare: quality?.movedShare ?? null,
    seconds: Math.round(stages.reduce((sum, { ms }) => sum + ms, 0) / 100) / 10,
    ...(outcome !== 'published' && { reason: shortened(reasons[0] ?? 'no reason was given') }),
  };
}

function summaryOf(plan: BackfillPlan, rows: BackfilledDate[]): BackfillSummary {
  const { workflowId, runId } = workflowInfo();
  const left = plan.dates.slice(rows.length);
  const stopped = `stopped after ${rows.at(-1)?.asOf}, since stopOn is ${plan.stopOn}`;
  return {
    pipeline: plan.pipeline,
    every: plan.every,
    outcome: left.length === 0 ? 'completed' : 'stopped',
    reasons: left.length === 0 ? plan.reasons : [...plan.reasons, stopped],
    review: plan.given.review,
    dates: rows,
    left,
    workflow: { id: workflowId, runId },
  };
}
