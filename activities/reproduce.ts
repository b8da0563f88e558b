import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { type ArtifactRef, artifactsIn } from '../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import {
  type Difference,
  type OpenedReproduction,
  parseReproduceInput,
  REPRODUCED_STAGES,
  type ReproducedStage,
  type ReproduceStages,
  type Reproduction,
} from '../pipelines/contracts/reproduce.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import { DEFAULT_PIPELINE } from '../pipelines/contracts/same-start.ts';
import type { Extract, Match } from '../pipelines/contracts/stages.ts';
import { buildManifest } from '../pipelines/stages/manifest.ts';
import { compareManifests } from '../pipelines/stages/reproduction.ts';
import type { RunRecord } from '../store/postgres/run-records.ts';
import type { ActivityContext } from './context.ts';
import { readHistory } from './read-history.ts';
import { readManifest, reproduceStage } from './reproduce-stage.ts';
import { type Work, withHeartbeats } from './stage.ts';
import { type ToldStage, toldStages } from './told-history.ts';

/** A run computed again: what it takes is looked for, each stage is made and compared, and nothing of it stays. */
export function createReproduceActivities(context: ActivityContext): ReproduceStages {
  const { artifacts } = context;
  return {
    openReproduction: ({ input, workflow }) =>
      withHeartbeats('reproduce', (work) => openReproduction(context, { input, workflow, work })),
    reproduceStage: (asked) => reproduceStage(context, asked),
    compareManifests: (asked) => withHeartbeats('reproduce', () => compareWithManifest(context, asked)),
    closeReproduction: ({ workflow }) =>
      withHeartbeats('reproduce', async () => {
        await artifacts.release(reproductionIdOf(workflow));
      }),
  };
}

async function compareWithManifest(
  { artifacts, codeVersion }: ActivityContext,
  {
    reproduction: { run, extract, manifest },
    made,
    digests,
  }: Parameters<ReproduceStages['compareManifests']>[0],
): ReturnType<ReproduceStages['compareManifests']> {
  const then = await readManifest(artifacts, manifest);
  const { validation, clustering, naming, stability } = made;
  const again = new Map(digests.map((one) => [one.stage, one]));
  const now = buildManifest({
    run,
    codeVersion,
    closing: {
      asOf: extract.asOf,
      counts: validation?.counts ?? then.counts,
      // What reads the source or writes rows is not done again: it is as it was.
      stages: then.stages.map((one) => again.get(one.stage) ?? one),
      outcome: then.verdicts.outcome,
      verdict: stability?.verdict ?? null,
      quality: clustering && clustering.verdict !== 'none' ? clustering.quality : null,
      k: clustering && clustering.verdict !== 'none' ? clustering.k : null,
      segments: naming?.segments ?? [],
    },
  });
  return { differences: compareManifests(then, now) };
}

/** Made of the workflow's, so that a second attempt goes on with the same one. */
function reproductionIdOf(workflow: Run['workflow']): string {
  const digest = createHash('sha256').update(`${workflow.id}\0${workflow.runId}`).digest('hex');
  return `rep_${digest.slice(0, 16)}`;
}

async function openReproduction(
  context: ActivityContext,
  { input, workflow, work }: Parameters<ReproduceStages['openReproduction']>[0] & { work: Work },
): Promise<OpenedReproduction> {
  const { artifacts } = context;
  const record = await findRun(context, parseReproduceInput(input));
  const { runId, kind, pipeline, asOf } = record;
  const reproductionId = reproductionIdOf(workflow);
  const about = { reproductionId, runId, kind, pipeline, asOf };
  const cannot = (...reasons: string[]) => ({
    ...{ ...about, reproduction: null, reasons, damaged: [], notes: [] },
  });
  if (record.closedAt === null)
    return cannot(`run ${runId} is ${record.outcome ?? 'still going on'}: it has no manifest before it ends`);
  if (record.outcome !== 'published')
    return cannot(`run ${runId} ended as ${record.outcome}: its extract was let go of with it`);
  const { manifest } = record;
  if (manifest === null) return cannot(`run ${runId} has no manifest`);
  const history = await historyOf(context, record, reproductionId);
  if (history === null)
    return cannot(`the history of run ${runId} is neither among the artifacts nor in Temporal any more`);
  try {
    const then = await readManifest(artifacts, manifest);
    const told = await toldStages((await artifacts.read(history)).toString());
    const extract = told.find(({ stage }) => stage === 'extract')?.result as Extract | undefined;
    const run = told.at(-1)?.input.run;
    if (extract === undefined || run === undefined || told.length < 2)
      return cannot(`the history of run ${runId} does not tell of its stages`);
    await requireKept(context, { run, extract, work });
    const stages = then.stages.map(({ stage }) => stage).filter(isReproduced);
    const match = told.find(({ stage }) => stage === 'match')?.result as Match | undefined;
    const named = (await context.repositories.stages.forRun(runId)).find(({ stage }) => stage === 'name');
    const reproduction: Reproduction = {
      ...{ reproductionId, run, extract, history, manifest, stages },
      basePublicationId: match?.base?.publicationId ?? null,
      namedAt: named?.startedAt ?? record.closedAt,
      code: { before: then.codeVersion, now: context.codeVersion },
    };
    return { ...about, reproduction, reasons: [], ...(await checkKept(context, { told, work })) };
  } catch (error) {
    // What is kept is not what it takes: that is a finding about the run.
    if (error instanceof PipelineError && ['ARTIFACT_MISSING', 'ARTIFACT_CORRUPT'].includes(error.code))
      return cannot(`${error.message} (${error.code})`);
    throw error;
  }
}

function isReproduced(stage: string): stage is ReproducedStage {
  return (REPRODUCED_STAGES as readonly string[]).includes(stage);
}

async function findRun(
  { repositories }: ActivityContext,
  { run, pipeline = DEFAULT_PIPELINE }: ReturnType<typeof parseReproduceInput>,
): Promise<RunRecord> {
  if (run !== undefined) return repositories.runs.get(run);
  const published = await repositories.publications.current(pipeline);
  if (published !== null) return repositories.runs.get(published.runId);
  throw new PipelineError(
    'RUN_UNKNOWN',
    `a reproduction needs a run, nothing of pipeline ${pipeline} is published; name a run, or a pipeline that has published`,
    { pipeline },
  );
}

/** As it is kept; of a run that has ended just now, from Temporal. Null when it is in neither. */
async function historyOf(
  { artifacts }: ActivityContext,
  { history, workflow }: RunRecord,
  reproductionId: string,
): Promise<ArtifactRef | null> {
  if (history !== null) return history;
  const read = await readHistory(Context.current().client, workflow);
  if (read === null) return null;
  return artifacts.write('history', Buffer.from(`${historyToJSON(read)}\n`), {
    ...{ runId: reproductionId, ending: 'json', rows: 0 },
  });
}

/** What everything is computed from. */
async function requireKept(
  { artifacts }: ActivityContext,
  { run, extract, work }: { run: Run; extract: Extract; work: Work },
): Promise<void> {
  const { champion } = run;
  for (const ref of [run.definition, ...artifactsIn(extract).map(([, ref]) => ref)]) {
    work.signal.throwIfAborted();
    await artifacts.verify(ref);
  }
  if (champion) await artifacts.verify(champion.model);
}

/** Before anything is computed: writing puts a file that is gone or cut short back to what it was. */
async function checkKept(
  { artifacts }: ActivityContext,
  { told, work }: { told: readonly ToldStage[]; work: Work },
): Promise<Pick<OpenedReproduction, 'damaged' | 'notes'>> {
  const damaged: Difference[] = [];
  const notes: string[] = [];
  const products = told.flatMap(({ stage, result }) =>
    artifactsIn(result).map(([product, ref]) => ({ stage, product, ref })),
  );
  for (const [i, { stage, product, ref }] of products.entries()) {
    work.signal.throwIfAborted();
    work.onProgress(i, products.length);
    try {
      await artifacts.verify(ref);
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      if (error.code === 'ARTIFACT_MISSING') notes.push(`${product} of ${stage} is not kept any more`);
      else
        damaged.push({
          ...{ stage, product, before: ref.sha256, now: null, where: [] },
          why: `the kept file is damaged: ${error.message}; remove it, and a second reproduction puts it back`,
        });
    }
  }
  return { damaged, notes };
}
