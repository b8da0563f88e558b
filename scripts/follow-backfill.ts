import type { WorkflowHandle } from '@temporalio/client';
import type {
  BackfilledDate,
  BackfillInput,
  BackfillProgress,
  BackfillSummary,
} from '../pipelines/contracts/backfill.ts';
import { DEFAULT_PIPELINE } from '../pipelines/contracts/same-start.ts';
import { HANDLERS, type RunProgress, WORKFLOWS, workflowIds } from '../pipelines/contracts/signatures.ts';
import { nullUnlessKeyMissing } from './codec/read-payload.ts';
import { followWorkflow, startOrJoinWorkflow } from './join-workflow.ts';
import { formatDuration, type Log, type Step } from './log.ts';
import type { Strata } from './open-strata.ts';
import { percent, thousands } from './terminal.ts';

const NOUN = 'backfill';
/** How long the run that was going on may take to stop and clean up. */
const CANCEL_WITHIN_MS = 30_000;

/**
 * Starts the backfill, or joins the one of the same id and input that is still going on, and follows it to its end,
 * with a line for each date. An interrupt cancels it with the run that is going on; dates that are published stay so.
 *
 * @throws PipelineError RUN_IN_PROGRESS, TEMPORAL_UNREACHABLE; the workflow's failure; the signal's reason
 */
export async function followBackfill(
  { client, log, addressOf }: Pick<Strata, 'client' | 'log' | 'addressOf'>,
  input: BackfillInput,
  signal: AbortSignal,
): Promise<BackfillSummary> {
  const { pipeline = DEFAULT_PIPELINE, from, to } = input;
  const workflowId = workflowIds.backfill(pipeline, from, to);
  const execution = await startOrJoinWorkflow(client, {
    noun: NOUN,
    type: WORKFLOWS.backfillRuns,
    workflowId,
    input,
    summary: `backfill ${pipeline} ${from ?? ''}..${to ?? ''}`,
  });
  log.info(`backfill  ${addressOf(execution)}`);
  // Without the run id: a long one goes on in executions of its own.
  const handle = client.workflow.getHandle(workflowId);
  const teller = dateTeller(log);
  try {
    return await followWorkflow<BackfillProgress, BackfillSummary>(handle, {
      ...{ noun: NOUN, signal, cancelWithinMs: CANCEL_WITHIN_MS },
      onLook: async (progress) =>
        teller.tell(progress, await runOf(progress, (id) => client.workflow.getHandle(id))),
    });
  } finally {
    teller.stop();
  }
}

/** Null between two runs, and where no worker is there to answer. */
async function runOf(
  { current }: BackfillProgress,
  handleOf: (workflowId: string) => WorkflowHandle,
): Promise<RunProgress | null> {
  if (current === null) return null;
  return handleOf(current.workflowId).query<RunProgress>(HANDLERS.progress).catch(nullUnlessKeyMissing);
}

function dateTeller(log: Log) {
  const watch = stopwatch();
  let told = 0;
  let step: { asOf: string; step: Step } | null = null;
  let heldRun: string | null = null;
  const begin = (asOf: string) => {
    if (step?.asOf !== asOf) step = { asOf, step: log.step(asOf) };
    return step.step;
  };
  return {
    tell(progress: BackfillProgress, run: RunProgress | null) {
      const { done, dates, current } = progress;
      for (const row of done.slice(told)) {
        const isBad = row.outcome !== 'published' && row.outcome !== 'skipped';
        begin(row.asOf)[isBad ? 'fail' : 'done'](sentenceOf(row));
        step = null;
      }
      told = Math.max(told, done.length);
      if (current === null) return;
      const leftMs = watch.leftMs(progress);
      const howLong = leftMs === null ? '' : `, about ${formatDuration(leftMs)} left for all`;
      begin(current.asOf).update(`${done.length + 1} of ${dates}${doing(run)}${howLong}`);
      if (run?.outcome === 'held' && run.runId !== heldRun) {
        heldRun = run.runId;
        log.warn(
          `${current.asOf} is held for review: npm run strata -- review ${run.runId} publish (or reject)`,
        );
      }
    },
    stop() {
      step?.step.skip();
    },
  };
}

function doing(run: RunProgress | null): string {
  if (run === null) return '';
  if (run.outcome === 'held') return ', held for review';
  if (run.paused?.standsBefore) return `, paused before ${run.paused.standsBefore}`;
  if (run.waitsFor !== null) return `, waits for ${run.waitsFor}`;
  return run.stage === null ? '' : `, ${run.stage}`;
}

/** How long the rest may take: as long as each run that was seen from its beginning to its end. */
function stopwatch() {
  const begunAt = new Map<string, number>();
  const tookMs = new Map<string, number>();
  return {
    /** Null before a run was seen to end. */
    leftMs({ done, dates, current }: BackfillProgress): number | null {
      const now = performance.now();
      if (current !== null && !begunAt.has(current.asOf)) begunAt.set(current.asOf, now);
      for (const { asOf } of done) {
        const begun = begunAt.get(asOf);
        if (begun !== undefined && !tookMs.has(asOf)) tookMs.set(asOf, now - begun);
      }
      if (tookMs.size === 0) return null;
      const each = [...tookMs.values()].reduce((sum, ms) => sum + ms, 0) / tookMs.size;
      const spentMs = current === null ? 0 : now - begunAt.get(current.asOf)!;
      return Math.max(0, each - spentMs) + each * Math.max(0, dates - done.length - 1);
    },
  };
}

function sentenceOf({ outcome, verdict, customers, k, movedShare, reason }: BackfilledDate): string {
  if (outcome === 'skipped') return 'published before';
  if (reason !== undefined) return `${outcome}: ${reason}`;
  const moved = movedShare === null ? '' : `, ${percent(movedShare)} moved`;
  return `${verdict}: ${thousands(customers)} customers in ${k} segments${moved}`;
}
