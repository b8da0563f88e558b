import { createHash } from 'node:crypto';
import {
  type CheckedCompareInput,
  type ComparePlan,
  type CompareStages,
  type OpenedComparison,
  parseCompareInput,
  type WrittenComparison,
} from '../pipelines/contracts/compare.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import { DEFAULT_PIPELINE } from '../pipelines/contracts/same-start.ts';
import { dateIn } from '../pipelines/contracts/shop-date.ts';
import { CANDIDATES, refuseUnknownCandidates } from '../pipelines/stages/compare-candidates.ts';
import { YARDSTICKS } from '../pipelines/stages/compare-ranking.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import { loadDefinition } from '../store/definitions.ts';
import type { ActivityContext } from './context.ts';
import { createExtractActivities } from './extract.ts';
import { createFeatureActivities } from './features.ts';
import { keptStep } from './kept-step.ts';
import { gatherReleases } from './releases.ts';
import { withHeartbeats } from './stage.ts';
import { createValidateActivities } from './validate.ts';
import { writeComparison } from './write-comparison.ts';

/** What frames the candidates: customers as a run sees them before, one report after, nothing left in between. */
export function createCompareActivities(context: ActivityContext): Omit<CompareStages, 'fitCandidate'> {
  const { artifacts } = context;
  const unrecorded = withoutRunLog(context);
  return {
    openComparison: (opening) => openComparison(context, opening),
    extractForComparison: createExtractActivities(unrecorded).extractCustomers,
    validateForComparison: createValidateActivities(unrecorded).validateExtract,
    buildFeaturesForComparison: createFeatureActivities(unrecorded).buildFeatures,
    async writeComparison(given) {
      const refs = given.candidates.flatMap(({ record, labels }) => [record, labels]);
      const inputs = [...refs, given.plan, given.candidates, given.counts];
      return keptStep<WrittenComparison>(context, { name: 'comparison', run: given.run, inputs }, () =>
        writeComparison(context, given),
      );
    },
    closeComparison: ({ run, isKept }) =>
      withHeartbeats('close', async () => {
        await artifacts.release(run.runId, isKept ? ['definition', 'comparison'] : []);
      }),
  };
}

/** The stages of a run without its log: a comparison is no run, and readers of the log would take it for one. */
function withoutRunLog(context: ActivityContext): ActivityContext {
  const { repositories } = context;
  return {
    ...context,
    repositories: {
      ...repositories,
      stages: { ...repositories.stages, record: async () => undefined },
      runs: { ...repositories.runs, describeExtract: async () => ({ version: 1 }) },
    },
  };
}

async function openComparison(
  context: ActivityContext,
  { input: sent, workflow, scheduledAt }: Parameters<CompareStages['openComparison']>[0],
): Promise<OpenedComparison> {
  const { artifacts, definitionFolders } = context;
  const input = parseCompareInput(sent);
  const pipeline = input.pipeline ?? DEFAULT_PIPELINE;
  const { definition } = await loadDefinition(definitionFolders, pipeline);
  const plan = planOf(input, definition);
  // Made of the workflow's, so that a second attempt opens the same comparison.
  const digest = createHash('sha256').update(`${workflow.id}\0${workflow.runId}`).digest('hex');
  const runId = `cmp_${digest.slice(0, 16)}`;
  const frozen = await artifacts.write('definition', encodeJson(definition), {
    runId,
    ending: 'json',
    rows: 1,
  });
  const run: Run = {
    runId,
    kind: 'refit',
    pipeline,
    asOf: input.asOf ?? (scheduledAt && dateIn(scheduledAt, definition.source.timezone)),
    seed: input.seed ?? definition.seed,
    definition: frozen,
    extract: input.extract ?? null,
    review: 'never',
    releases: await gatherReleases(context, { runId, pipeline }),
    workflow,
  };
  return { run, plan };
}

/** @throws PipelineError INPUT_INVALID for a candidate that there is not */
function planOf(input: CheckedCompareInput, { clustering }: Definition): ComparePlan {
  refuseUnknownCandidates(input.candidates);
  const isAsked = (name: string) => YARDSTICKS.includes(name) || (input.candidates?.includes(name) ?? true);
  const { bootstraps, nullDraws, sampleRows, trialRows, budgetSeconds } = input;
  return {
    ks: input.ks ?? clustering.k,
    candidates: CANDIDATES.map(({ name }) => name).filter(isAsked),
    bootstraps,
    nullDraws,
    sampleRows,
    trialRows,
    budgetSeconds,
    smallestShare: clustering.smallestShare,
  };
}
