import { ParentClosePolicy, proxyActivities, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';
import { COMPUTE, IO } from '../pipelines/contracts/policies.ts';
import type { RefitAdvice, Run, RunSummary, StartInput } from '../pipelines/contracts/run.ts';
import { workflowIds } from '../pipelines/contracts/signatures.ts';
import type { AssignStages, RefitQuestion, Stages } from '../pipelines/contracts/stages.ts';
import { assignByModel, makeFeatures } from './in-parts.ts';
import { publishSegments } from './publish-segments.ts';
import { frameRun, type RunWork } from './run-frame.ts';
import { type Known, readExtract, refused, stepper, warn } from './run-steps.ts';
import { segmentCustomers } from './segment-customers.ts';
import { says, summaries } from './summaries.ts';
import { wordsOf } from './words-of.ts';

const io = proxyActivities<AssignStages>(IO);
const compute = proxyActivities<Stages & AssignStages>(COMPUTE);

/**
 * One run that fits nothing: the published model, as it is, puts the customers of a new extract into its segments, and
 * they are published. Afterwards the refit policy of the definition is asked.
 *
 * @param input nothing, or one JSON object with any of the fields of StartInput but `seed` and `k`, which are the model's
 * @returns the run summary, as that of segmentCustomers, with what the policy says in `refit`
 */
export async function assignCustomers(input?: StartInput): Promise<RunSummary> {
  return frameRun('assign', input, assign);
}

const assign: RunWork = async (opened, known, told) => {
  const { board } = told;
  const step = stepper(known, told);
  const adopted = await io.adoptChampion.executeWithOptions({ summary: 'take the published model' }, [
    { run: opened.run },
  ]);
  opened.run = adopted.run;
  const { runId, asOf } = adopted.run.champion!;
  known.champion = { runId, asOf };
  warn(known, adopted.warnings);

  const read = await readExtract(adopted.run, { known, board, step });
  if ('outcome' in read) return read;
  const { run, extract, validation } = read;
  const parted = { scale: opened.scale, board };
  const { made, ...features } = await step(
    'features',
    summaries.features(validation),
    says.features,
    (options) => makeFeatures(options, { run, extract, validation }, parted),
  );
  warn(known, features.warnings);
  const clustering = await step('assign', summaries.assign(features, run), says.assign, (options) =>
    assignByModel(options, { run, features, made }, parted),
  );
  if (clustering.verdict === 'none') return refused(known, board, clustering.reasons);
  known.quality = clustering.quality;
  known.k = clustering.k;
  board.segmented(clustering.k);

  const match = await step('match', summaries.keep(clustering), says.match, (options) =>
    compute.keepIdentities.executeWithOptions(options, [{ run, features, clustering }]),
  );
  const segmented = { run, extract, validation, features, clustering, match, reviewWithin: opened.review };
  const novelShare = clustering.quality.assigned?.novelShare ?? null;
  return publishSegments(segmented, { known, step, told, parted }, ({ verdict }) =>
    askPolicy({ run, verdict, novelShare }, known),
  );
};

/** What a policy says, or that it could not be asked, undoes no publication. */
async function askPolicy(question: RefitQuestion, known: Known): Promise<string[]> {
  try {
    const { due, start, reasons } = await io.decideRefit.executeWithOptions(
      { summary: 'is a refit due?', scheduleToCloseTimeout: '5 minutes' },
      [question],
    );
    known.refit = { due, reasons, started: null };
    if (start) known.refit = await startRefit(question.run, known.refit);
    return [];
  } catch (error) {
    return [`published, but whether a refit is due could not be told: ${wordsOf(error)}`];
  }
}

/** One refit for an as-of date, unless it failed: a run that is reset or repeated finds the one it started. */
async function startRefit(
  { pipeline, asOf, extract }: Run,
  { due, reasons }: RefitAdvice,
): Promise<RefitAdvice> {
  const workflowId = workflowIds.segment(pipeline, asOf!);
  try {
    await startChild(segmentCustomers, {
      workflowId,
      args: [{ pipeline, asOf: asOf!, ...(extract !== null && { extract }) }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
      staticSummary: `segment customers of ${pipeline} as of ${asOf}: a refit was due`,
    });
    return { due, reasons, started: workflowId };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    return {
      due,
      reasons: [...reasons, `there is a refit as of ${asOf} already: no other is started`],
      started: null,
    };
  }
}
