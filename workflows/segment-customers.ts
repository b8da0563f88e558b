import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import { COMPUTE, IO, WAIT } from '../pipelines/contracts/policies.ts';
import type { Outcome, Quality, Run, RunSummary, StartInput } from '../pipelines/contracts/run.ts';
import { workflowIds } from '../pipelines/contracts/signatures.ts';
import type { OpenedRun, Stability, Stages, Timed } from '../pipelines/contracts/stages.ts';
import { preserveHistory } from './preserve-history.ts';
import { acceptReview, type Review } from './review.ts';
import { openRunBoard, type RunBoard } from './run-board.ts';
import { says, summaries } from './summaries.ts';

const io = proxyActivities<Stages>(IO);
const compute = proxyActivities<Stages>(COMPUTE);
const wait = proxyActivities<Stages>(WAIT);

/** What a run has come to know of itself; what closes it is told all of it. */
type Known = Omit<RunSummary, 'manifest' | 'outcome' | 'reasons'>;

interface Ending {
  outcome: Outcome;
  reasons: string[];
}

/**
 * One refit run, from extract to publication. Readers see nothing of it before it is published, and
 * nothing at all when it is rejected, fails or is cancelled.
 *
 * @param input nothing, or one JSON object with any of the fields of StartInput
 * @returns the run summary; outcomes are `published` or `rejected` (a broken run fails, a cancelled one ends cancelled)
 */
export async function segmentCustomers(input?: StartInput): Promise<RunSummary> {
  const board = openRunBoard();
  const review = acceptReview(board);
  // A cancel that comes while the run is being opened is obeyed as soon as there is a run to close.
  const opened = await CancellationScope.nonCancellable(() => open(input));
  board.opened(opened.run);
  const known = nothingKnown(opened.run);
  let fault: unknown = null;
  let ending: Ending;
  try {
    await takeTurn(opened.run, board);
    ending = await refit(opened, known, { board, review });
  } catch (error) {
    fault = error;
    ending = endingOf(error);
  }
  const closing = CancellationScope.nonCancellable(() => close(opened.run, known, ending, board));
  const summary = await closing.catch((closingFault: unknown) => {
    throw fault ?? closingFault;
  });
  // Readers see a run whose pointer had moved, whatever went wrong after that.
  if (fault !== null && summary.outcome !== 'published') throw fault;
  return summary;
}

/** The run, registered, and beside it the workflow that will keep its history. */
async function open(input: StartInput | undefined): Promise<OpenedRun> {
  try {
    const opened = await openRun(input);
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

function openRun(input: StartInput | undefined): Promise<OpenedRun> {
  const { workflowId, runId, searchAttributes } = workflowInfo();
  // A scheduled or backfilled run is as of its scheduled time, whenever it comes to run.
  const scheduled = searchAttributes.TemporalScheduledStartTime?.[0];
  return io.openRun.executeWithOptions({ summary: 'check the input, freeze the definition' }, [
    {
      input: (input ?? {}) as StartInput,
      workflow: { id: workflowId, runId },
      scheduledAt: scheduled instanceof Date ? scheduled.toISOString() : null,
    },
  ]);
}

async function takeTurn(run: Run, board: RunBoard): Promise<void> {
  const turn = await io.takeTurn({ run });
  if (turn.granted) return;
  board.waitsFor(turn.waitsFor!.workflowId);
  await wait.awaitTurn.executeWithOptions({ summary: `waits for ${turn.waitsFor!.runId}` }, [{ run }]);
  board.waitsFor(null);
}

async function refit(
  opened: OpenedRun,
  known: Known,
  told: { board: RunBoard; review: Review },
): Promise<Ending> {
  const { board } = told;
  const step = stepper(known, board);
  let run = opened.run;

  const extract = await step('extract', summaries.extract(run), says.extract, (options) =>
    compute.extractCustomers.executeWithOptions(options, [{ run }]),
  );
  run = { ...run, asOf: extract.asOf };
  known.asOf = extract.asOf;
  known.counts = { ...known.counts, rowsRead: extract.rowsRead };
  board.dated(extract.asOf);

  const validation = await step('validate', summaries.validate(extract), says.validate, (options) =>
    compute.validateExtract.executeWithOptions(options, [{ run, extract }]),
  );
  known.counts = validation.counts;
  board.counted(validation.counts.customers);
  if (validation.verdict === 'fail') return refused(known, board, validation.reasons);
  warn(known, validation.reasons);

  await step('profile', summaries.profile(extract), says.profile, (options) =>
    compute.profileExtract.executeWithOptions(options, [{ run, extract }]),
  );
  const features = await step('features', summaries.features(validation), says.features, (options) =>
    compute.buildFeatures.executeWithOptions(options, [{ run, extract, validation }]),
  );
  warn(known, features.warnings);
  const clustering = await step('cluster', summaries.cluster(features, opened.k), says.cluster, (options) =>
    compute.fitClusters.executeWithOptions(options, [{ run, features }]),
  );
  if (clustering.verdict === 'none') return refused(known, board, clustering.reasons);
  known.quality = clustering.quality;
  known.k = clustering.k;
  board.segmented(clustering.k);

  const match = await step('match', summaries.match(clustering), says.match, (options) =>
    compute.matchIdentities.executeWithOptions(options, [{ run, features, clustering }]),
  );
  const naming = await step('name', summaries.name(match), says.name, (options) =>
    compute.nameSegments.executeWithOptions(options, [{ run, features, clustering, match }]),
  );
  known.segments = naming.segments;
  await step('persist', summaries.persist(features), says.persist, (options) =>
    compute.persistRun.executeWithOptions(options, [
      { run, extract, validation, features, clustering, match, naming },
    ]),
  );
  const stability = await step('stability', summaries.stability(match), says.stability, (options) =>
    compute.measureStability.executeWithOptions(options, [{ run, features, clustering, match, naming }]),
  );
  known.verdict = stability.verdict;
  known.quality = withStability(clustering.quality, stability);
  board.judged(stability.verdict);

  const decision = await decide({ run, opened, known, stability }, told);
  if (decision.rejected) return { outcome: 'rejected', reasons: decision.reasons };
  // From here on the pointer may move: a cancel comes too late to be half done.
  return CancellationScope.nonCancellable(async () => {
    await step('publish', summaries.publish(naming), says.publish, (options) =>
      io.publishRun.executeWithOptions(options, [
        { run, match, naming, review: decision.note, verdict: stability.verdict },
      ]),
    );
    const undelivered = await notify(run, step);
    return { outcome: 'published', reasons: [...decision.reasons, ...undelivered] };
  });
}

interface Decision {
  rejected: boolean;
  reasons: string[];
  note: string | null;
}

async function decide(
  { run, opened, known, stability }: { run: Run; opened: OpenedRun; known: Known; stability: Stability },
  { board, review }: { board: RunBoard; review: Review },
): Promise<Decision> {
  if (stability.decision === 'publish') return { rejected: false, reasons: stability.reasons, note: null };
  await io.holdRun({ run, closing: { ...known, outcome: 'held', reasons: stability.reasons } });
  board.closed('held', stability.reasons);
  const { decision, note } = await review.decided(opened.review);
  board.resumed();
  const said = `review: ${decision}${note ? ` (${note})` : ''}`;
  return { rejected: decision === 'reject', reasons: [said], note: said };
}

/** A message that cannot be delivered does not undo a publication: it stays in the outbox, and the run says so. */
async function notify(run: Run, step: Step): Promise<string[]> {
  try {
    await step('notify', 'deliver the outbox', says.notify, (options) =>
      io.deliverOutbox.executeWithOptions({ ...options, scheduleToCloseTimeout: '5 minutes' }, [{ run }]),
    );
    return [];
  } catch (error) {
    return [`published, but a message waits in the outbox: ${wordsOf(error)}`];
  }
}

function refused(known: Known, board: RunBoard, reasons: string[]): Ending {
  known.verdict = 'refused';
  board.judged('refused');
  return { outcome: 'rejected', reasons };
}

function warn(known: Known, warnings: readonly string[] = []): void {
  if (warnings.length > 0) known.warnings = [...(known.warnings ?? []), ...warnings];
}

async function close(run: Run, known: Known, ending: Ending, board: RunBoard): Promise<RunSummary> {
  const closing = { ...known, ...ending };
  const summary = await io.closeRun.executeWithOptions({ summary: `close the run as ${ending.outcome}` }, [
    { run: { ...run, asOf: known.asOf }, closing },
  ]);
  board.closed(summary.outcome, summary.reasons);
  return summary;
}

function endingOf(error: unknown): Ending {
  if (isCancellation(error))
    return { outcome: 'cancelled', reasons: ['cancelled by a person or a pipeline'] };
  return { outcome: 'failed', reasons: [wordsOf(error)] };
}

/** The innermost message with its code of the catalogue. */
function wordsOf(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  if (cause instanceof ApplicationFailure && cause.type) return `${cause.message} (${cause.type})`;
  return cause instanceof Error ? cause.message : 'failed without a message';
}

type Step = <R extends Timed>(
  stage: RunSummary['stages'][number]['stage'],
  summary: string,
  tell: (result: R) => string,
  call: (options: { summary: string }) => Promise<R>,
) => Promise<R>;

/** Calls a stage's activity with the board told before and after, and the summary's log of stages kept. */
function stepper(known: Known, board: RunBoard): Step {
  return async (stage, summary, tell, call) => {
    board.began(stage);
    const result = await call({ summary });
    known.stages.push({ stage, ms: result.ms, ...productsOf(result) });
    board.ended(stage, result, tell(result));
    return result;
  };
}

/** The product a stage is known by. */
const MAIN_PRODUCTS = ['artifact', 'model', 'matrix', 'identities', 'names', 'page', 'report'];

function productsOf(result: object): Omit<RunSummary['stages'][number], 'stage' | 'ms'> {
  const products = artifactsIn(result);
  const main = MAIN_PRODUCTS.find((name) => name in result);
  return {
    ...(main && { artifact: Reflect.get(result, main) as ArtifactRef }),
    digests: Object.fromEntries(products.map(([name, { sha256 }]) => [name, sha256])),
  };
}

/** The artifacts of a result by name; those of its second table as `customers.artifact`. */
function artifactsIn(result: object): [string, ArtifactRef][] {
  return Object.entries(result).flatMap(([name, value]): [string, ArtifactRef][] => {
    if (value === null || typeof value !== 'object') return [];
    if ('sha256' in value) return [[name, value as ArtifactRef]];
    if (name !== 'customers') return [];
    return artifactsIn(value).map(([inner, artifact]) => [`${name}.${inner}`, artifact]);
  });
}

function withStability(
  quality: Quality,
  found: { adjustedRand: number | null; movedShare: number | null },
): Quality {
  return { ...quality, adjustedRand: found.adjustedRand, movedShare: found.movedShare };
}

function nothingKnown(run: Run): Known {
  return {
    runId: run.runId,
    kind: run.kind,
    pipeline: run.pipeline,
    asOf: run.asOf,
    verdict: null,
    counts: { rowsRead: 0, rowsAccepted: 0, rowsQuarantined: 0, quarantinedBy: [], customers: 0 },
    k: null,
    segments: [],
    quality: null,
    stages: [],
    workflow: run.workflow,
  };
}
