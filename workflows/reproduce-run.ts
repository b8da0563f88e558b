import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import { COMPUTE, IO } from '../pipelines/contracts/policies.ts';
import type {
  Difference,
  MadeAgain,
  OpenedReproduction,
  ReproducedStage,
  ReproduceInput,
  ReproduceStages,
  Reproduction,
  ReproductionSummary,
  StageAgain,
  StageDigests,
} from '../pipelines/contracts/reproduce.ts';
import type { Run, Stage } from '../pipelines/contracts/run.ts';
import { keepHistory } from './keep-history.ts';
import { openReproduceBoard, type ReproduceBoard } from './reproduce-board.ts';
import { wordsOf } from './words-of.ts';

const io = proxyActivities<ReproduceStages>(IO);
const compute = proxyActivities<ReproduceStages>(COMPUTE);

/**
 * A published run, computed again from its kept extract, with what was known when it was going on; every digest and
 * figure is compared with its manifest. Changes nothing, publishes nothing, waits for no run.
 *
 * @param input nothing, or one JSON object with any of the fields of ReproduceInput
 * @returns whether it was the same, and all in which it was not
 */
export async function reproduceRun(input?: ReproduceInput | null): Promise<ReproductionSummary> {
  const board = openReproduceBoard();
  await keepHistory('keeps the history of this reproduction');
  try {
    const opened = await open(input);
    board.opened(opened);
    const summary = await reproduce(opened, board);
    board.closed(summary.verdict, summary.reasons);
    return summary;
  } catch (error) {
    board.closed(isCancellation(error) ? 'cancelled' : 'failed', [wordsOf(error)]);
    throw error;
  } finally {
    await CancellationScope.nonCancellable(close);
  }
}

function own(): Run['workflow'] {
  const { workflowId: id, runId } = workflowInfo();
  return { id, runId };
}

function close(): Promise<void> {
  const options = { summary: 'let go of what was written' };
  return io.closeReproduction.executeWithOptions(options, [{ workflow: own() }]);
}

function open(input: ReproduceInput | null | undefined): Promise<OpenedReproduction> {
  return compute.openReproduction.executeWithOptions({ summary: 'find the run, check what is kept of it' }, [
    { input: input ?? {}, workflow: own() },
  ]);
}

/** What has come out so far. */
interface Found {
  made: MadeAgain;
  digests: StageDigests[];
  stages: ReproductionSummary['stages'];
  differences: Difference[];
  /** Why no more was computed. */
  reasons: string[];
}

async function reproduce(opened: OpenedReproduction, board: ReproduceBoard): Promise<ReproductionSummary> {
  const { reproduction } = opened;
  const found: Found = { made: {}, digests: [], stages: [], differences: [], reasons: [] };
  if (reproduction === null) return summaryOf(opened, { ...found, reasons: opened.reasons });
  for (const stage of reproduction.stages) {
    if (!(await makeStage(reproduction, stage, { found, board }))) break;
  }
  if (found.reasons.length === 0) {
    const { made, digests } = found;
    const { differences } = await io.compareManifests.executeWithOptions(
      { summary: "compare today's manifest with the one of the run" },
      [{ reproduction, made, digests }],
    );
    found.differences = withCauses(differences, found.differences);
  }
  return summaryOf(opened, found);
}

/** @returns whether the next stage can be made */
async function makeStage(
  reproduction: Reproduction,
  stage: ReproducedStage,
  { found, board }: { found: Found; board: ReproduceBoard },
): Promise<boolean> {
  board.began(stage);
  const { made } = found;
  const differing = found.stages.flatMap(({ stage: earlier, differing: count }) =>
    count > 0 ? earlier : [],
  );
  let again: StageAgain;
  try {
    again = await compute.reproduceStage.executeWithOptions({ summary: `${stage} once more` }, [
      { reproduction, stage, made, differing },
    ]);
  } catch (error) {
    // What a retry cannot help is a finding about the run; all else, that this reproduction is broken.
    if (isCancellation(error) || !isFinal(error)) throw error;
    found.reasons.push(`${stage} cannot be computed again: ${wordsOf(error)}`);
    board.ended(stage, { ms: 0 }, `✗ **${stage}** cannot be computed again`);
    return false;
  }
  Object.assign(made, again.made);
  const { ms, compared, digests, differences } = again;
  found.digests.push({ stage, digests });
  found.stages.push({ stage, ms, compared, differing: differences.length });
  found.differences.push(...differences);
  board.ended(stage, again, saidOf(stage, again));
  if (again.made.clustering?.verdict !== 'none') return true;
  found.reasons.push(`no segmentation comes out today: ${again.made.clustering.reasons.join('; ')}`);
  return false;
}

function isFinal(error: unknown): boolean {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof ApplicationFailure && cause.nonRetryable === true;
}

function saidOf(stage: Stage, { compared, differences }: StageAgain): string {
  const of = `${compared} ${compared === 1 ? 'digest' : 'digests'}`;
  if (differences.length === 0) return `✓ **${stage}** ${of}, all the same`;
  return `✗ **${stage}** ${differences.length} of ${of} differ: ${differences.map(({ product }) => product).join(', ')}`;
}

/** The manifests say what differs; the stages know where and why. */
function withCauses(of: readonly Difference[], known: readonly Difference[]): Difference[] {
  return of.map((one) => {
    const cause = known.find(({ stage, product }) => stage === one.stage && product === one.product);
    return cause ?? one;
  });
}

function summaryOf(opened: OpenedReproduction, found: Found): ReproductionSummary {
  const { runId, kind, pipeline, asOf, reproduction, damaged, notes } = opened;
  const differences = [...damaged, ...found.differences];
  const isWhole = found.reasons.length === 0;
  const verdict = differences.length > 0 ? 'differs' : isWhole ? 'reproduced' : 'cannot';
  return {
    ...{ runId, kind, pipeline, asOf, verdict, reasons: found.reasons, code: reproduction?.code ?? null },
    ...{ stages: found.stages, differences, notes, workflow: own() },
  };
}
