import { proxyActivities } from '@temporalio/workflow';
import { type ArtifactRef, artifactsIn } from '../pipelines/contracts/artifacts.ts';
import { COMPUTE } from '../pipelines/contracts/policies.ts';
import type { Run, RunSummary } from '../pipelines/contracts/run.ts';
import type { Extract, Stages, Timed, Validation } from '../pipelines/contracts/stages.ts';
import type { RunBoard } from './run-board.ts';
import type { Ending, Told } from './run-frame.ts';
import { says, summaries } from './summaries.ts';

const compute = proxyActivities<Stages>(COMPUTE);

/** What a run has come to know of itself; what closes it is told all of it. */
export type Known = Omit<RunSummary, 'manifest' | 'outcome' | 'reasons'>;

export type Step = <R extends Timed>(
  stage: RunSummary['stages'][number]['stage'],
  summary: string,
  tell: (result: R) => string,
  call: (options: { summary: string }) => Promise<R>,
) => Promise<R>;

/** Calls a stage's activity with the board told before and after, and the summary's log of stages kept; not while paused. */
export function stepper(known: Known, { board, pauses }: Told): Step {
  return async (stage, summary, tell, call) => {
    while (pauses.stops(stage)) await pauses.resumed(stage);
    board.began(stage);
    const result = await call({ summary });
    known.stages.push({ stage, ms: result.ms, ...productsOf(result) });
    board.ended(stage, result, tell(result));
    return result;
  };
}

/** The source, frozen and checked; the run is as of its date from now on. How it ends, where it may not go on. */
export async function readExtract(
  given: Run,
  { known, board, step }: { known: Known; board: RunBoard; step: Step },
): Promise<{ run: Run; extract: Extract; validation: Validation } | Ending> {
  const extract = await step('extract', summaries.extract(given), says.extract, (options) =>
    compute.extractCustomers.executeWithOptions(options, [{ run: given }]),
  );
  const run = { ...given, asOf: extract.asOf };
  known.asOf = extract.asOf;
  known.counts = { ...known.counts, rowsRead: extract.rowsRead };
  board.dated(extract.asOf);
  if (extract.refused) return { outcome: 'rejected', reasons: extract.refused };

  const validation = await step('validate', summaries.validate(extract), says.validate, (options) =>
    compute.validateExtract.executeWithOptions(options, [{ run, extract }]),
  );
  known.counts = validation.counts;
  board.counted(validation.counts.customers);
  if (validation.verdict === 'fail') return refused(known, board, validation.reasons);
  warn(known, validation.reasons);
  return { run, extract, validation };
}

export function refused(known: Known, board: RunBoard, reasons: string[]): Ending {
  known.verdict = 'refused';
  board.judged('refused');
  return { outcome: 'rejected', reasons };
}

export function warn(known: Known, warnings: readonly string[] = []): void {
  if (warnings.length > 0) known.warnings = [...(known.warnings ?? []), ...warnings];
}

export function nothingKnown(run: Run): Known {
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
