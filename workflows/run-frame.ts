import {
  CancellationScope,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { IO, WAIT } from '../pipelines/contracts/policies.ts';
import {
  ASSIGN_STAGES,
  type Outcome,
  type Run,
  type RunKind,
  type RunSummary,
  STAGES,
  type StartInput,
} from '../pipelines/contracts/run.ts';
import { workflowIds } from '../pipelines/contracts/signatures.ts';
import type { OpenedRun, Stages } from '../pipelines/contracts/stages.ts';
import { acceptPauses, type Pauses } from './pause.ts';
import { preserveHistory } from './preserve-history.ts';
import { acceptRenames } from './rename.ts';
import { acceptReview, type Review } from './review.ts';
import { openRunBoard, type RunBoard } from './run-board.ts';
import { type Known, nothingKnown } from './run-steps.ts';
import { wordsOf } from './words-of.ts';

// What frames the stages of every run, whatever they are: it is opened, waits for its turn, and is closed however it
// ends.

const io = proxyActivities<Stages>(IO);
const wait = proxyActivities<Stages>(WAIT);

export interface Ending {
  outcome: Outcome;
  reasons: string[];
}

/** Who is told of a run, and whom it can ask. */
export interface Told {
  board: RunBoard;
  review: Review;
  pauses: Pauses;
}

/** What a kind of run does between its opening and its closing; a run that it changes is put into `opened`. */
export type RunWork = (opened: OpenedRun, known: Known, told: Told) => Promise<Ending>;

/**
 * A run from its opening to its closing. Readers see nothing of it before it is published, and nothing at all when it
 * is rejected, fails or is cancelled.
 *
 * @returns the run summary; a broken run fails, a cancelled one ends cancelled
 */
export async function frameRun(
  kind: RunKind,
  input: StartInput | undefined,
  work: RunWork,
): Promise<RunSummary> {
  const stages = kind === 'assign' ? ASSIGN_STAGES : STAGES;
  const board = openRunBoard(stages);
  const review = acceptReview(board);
  const pauses = acceptPauses(board, stages);
  const renames = acceptRenames();
  // A cancel that comes while the run is being opened is obeyed as soon as there is a run to close.
  const opened = await CancellationScope.nonCancellable(() => open(kind, input));
  board.opened(opened.run);
  renames.opened(opened.run);
  const known = nothingKnown(opened.run);
  let fault: unknown = null;
  let ending: Ending;
  try {
    const refusals = await takeTurn(opened.run, board);
    ending = refusals
      ? { outcome: 'rejected', reasons: refusals }
      : await work(opened, known, { board, review, pauses });
  } catch (error) {
    fault = error;
    ending = endingOf(error);
  }
  pauses.over();
  const closing = CancellationScope.nonCancellable(() =>
    close(opened, known, ending, board).finally(renames.answered),
  );
  const summary = await closing.catch((closingFault: unknown) => {
    throw fault ?? closingFault;
  });
  // Readers see a run whose pointer had moved, whatever went wrong after that.
  if (fault !== null && summary.outcome !== 'published') throw fault;
  return summary;
}

/** The run, registered, and beside it the workflow that will keep its history. */
async function open(kind: RunKind, input: StartInput | undefined): Promise<OpenedRun> {
  try {
    const opened = await openRun(kind, input);
    await preserve(opened.run);
    return opened;
  } catch (error) {
    await preserve(null);
    throw error;
  }
}

/** @param run null: the input was refused, there is only a history to keep */
async function preserve(run: Run | null): Promise<void> {
  const { workflowId, runId } = workflowInfo();
  const name = run?.runId ?? runId;
  try {
    await startChild(preserveHistory, {
      workflowId: workflowIds.history(name),
      args: [{ runId: run?.runId ?? null, workflow: run?.workflow ?? { id: workflowId, runId } }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `keeps the history of ${name}`,
    });
  } catch (error) {
    // A run that was reset to its beginning has its keeper already.
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
  }
}

function openRun(kind: RunKind, input: StartInput | undefined): Promise<OpenedRun> {
  const { workflowId, runId, searchAttributes } = workflowInfo();
  // A scheduled or backfilled run is as of its scheduled time, whenever it comes to run.
  const scheduled = searchAttributes.TemporalScheduledStartTime?.[0];
  return io.openRun.executeWithOptions({ summary: 'check the input, freeze the definition' }, [
    {
      input: (input ?? {}) as StartInput,
      workflow: { id: workflowId, runId },
      scheduledAt: scheduled instanceof Date ? scheduled.toISOString() : null,
      ...(kind !== 'refit' && { kind }),
    },
  ]);
}

/** @returns why the run may not go on; undefined where it may */
async function takeTurn(run: Run, board: RunBoard): Promise<string[] | undefined> {
  const turn = await io.takeTurn.executeWithOptions({ summary: 'one run of a pipeline at a time' }, [
    { run },
  ]);
  if (turn.granted) return turn.refused;
  board.waitsFor(turn.waitsFor!.workflowId);
  const options = { summary: `waits for ${turn.waitsFor!.runId}` };
  const { refused } = await wait.awaitTurn.executeWithOptions(options, [{ run }]);
  board.waitsFor(null);
  return refused;
}

async function close(
  { run, scale }: OpenedRun,
  known: Known,
  ending: Ending,
  board: RunBoard,
): Promise<RunSummary> {
  const closing = { ...known, ...ending };
  const summary = await io.closeRun.executeWithOptions({ summary: `close the run as ${ending.outcome}` }, [
    { run: { ...run, asOf: known.asOf }, closing, ...(scale && { hadParts: true }) },
  ]);
  board.closed(summary.outcome, summary.reasons);
  return summary;
}

function endingOf(error: unknown): Ending {
  if (isCancellation(error))
    return { outcome: 'cancelled', reasons: ['cancelled by a person or a pipeline'] };
  return { outcome: 'failed', reasons: [wordsOf(error)] };
}
