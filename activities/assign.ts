import { createKernelPool } from '../numeric/kernels/pool.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Champion, Quality, Run } from '../pipelines/contracts/run.ts';
import type { AssignStages, Clustering, NoClustering } from '../pipelines/contracts/stages.ts';
import { assignCustomers } from '../pipelines/stages/assign.ts';
import {
  emptyClusters,
  measureAssigned,
  type NearestSegments,
} from '../pipelines/stages/assigned-quality.ts';
import type { Columns } from '../pipelines/stages/features.ts';
import { matchSummary } from '../pipelines/stages/identity.ts';
import { keepIdentities } from '../pipelines/stages/kept-identities.ts';
import { joinCustomers } from '../pipelines/stages/match.ts';
import { type Model, parseModel } from '../pipelines/stages/model.ts';
import { countLabels } from '../pipelines/stages/stability-drift.ts';
import { decodeJson, encodeJson } from '../store/artifacts/json.ts';
import type { Publication } from '../store/postgres/publications.ts';
import {
  type NovelLabels,
  readCustomers,
  readLabelParts,
  readLabels,
  readValues,
  writeLabels,
} from './columns.ts';
import type { ActivityContext } from './context.ts';
import { idsByCluster } from './published-run.ts';
import { settleMembers } from './settle-members.ts';
import { runStage } from './stage.ts';

/** Features of new customers -> the published model's segments, as a fit and a match would have given them. */
export function createAssignActivities(
  context: ActivityContext,
): Pick<AssignStages, 'assignSegments' | 'keepIdentities'> {
  const { artifacts, repositories } = context;
  return {
    async assignSegments({ run, features, parts, since }) {
      const champion = run.champion!;
      // Not the parts: whether others made them or not, the result is the same.
      const inputs = [features.values, champion.model, champion.labels];
      const call = { stage: 'assign' as const, run, inputs, since };
      return runStage<Clustering | NoClustering>(context, call, async (work) => {
        const bytes = await artifacts.read(champion.model);
        const model = parseModel(decodeJson(bytes));
        const found = parts
          ? await readLabelParts(artifacts, parts)
          : await nearestSegments(context, {
              ...{ columns: await readValues(artifacts, features.values), model, signal: work.signal },
            });
        const k = model.centers.length;
        const empty = emptyClusters(found.labels, k);
        if (empty.length > 0) return { verdict: 'none', reasons: await emptyReasons(context, run, empty) };
        const fit = await qualityOfFit(context, champion);
        const assigned = measureAssigned(model, found, await labelsOfFit(context, champion));
        const { labels } = found;
        const record = { fittedAsOf: champion.asOf, model: champion.model.sha256, assigned };
        return {
          ...{ verdict: fit.verdict, reasons: [], k },
          sizes: [...countLabels(labels, k)],
          quality: { ...fit, adjustedRand: null, movedShare: null, assigned },
          labels: await writeLabels(artifacts, found, { kind: 'labels', runId: run.runId }),
          candidates: await artifacts.write('clustering', encodeJson(record), {
            ...{ runId: run.runId, ending: 'json', rows: k },
          }),
          // The same bytes: the model is this run's, too, and stays as long as either of them.
          model: await artifacts.write('model', bytes, { runId: run.runId, ending: 'json', rows: k }),
        };
      });
    },

    async keepIdentities({ run, features, clustering }) {
      const base = await repositories.publications.current(run.pipeline);
      requireChampion(run, base);
      const inputs = [features.customers, clustering.labels, clustering.model, base.publicationId];
      return runStage(context, { stage: 'match', run, inputs }, async () => {
        const join = joinCustomers(
          await readCustomers(artifacts, base.artifacts.customers),
          await readCustomers(artifacts, features.customers),
        );
        const segmentIds = idsByCluster(base.segments);
        const identities = keepIdentities({
          segmentIds,
          usedIds: await repositories.segmentations.idsOf(base.pipeline),
          commonCustomers: join.common,
        });
        const { labels, waiting = null } = await readLabels(artifacts, base.artifacts.labels);
        const settled = await settleMembers(context, {
          ...{ run, clustering, now: await readLabels(artifacts, clustering.labels) },
          ...{ currentIds: segmentIds, previous: { join, segmentIds, labels, waiting, asOf: base.asOf } },
        });
        const kept = await artifacts.write('identities', encodeJson(identities), {
          ...{ runId: run.runId, ending: 'json', rows: identities.segments.length },
        });
        return {
          base: { publicationId: base.publicationId, runId: base.runId },
          ...matchSummary(identities),
          identities: kept,
          // What the last model says of these customers is what this run says.
          relabelled: clustering.labels,
          ...settled,
        };
      });
    },
  };
}

/** The nearest segment of everybody, whatever `assignment` says of those at a border: as a refit finds them. */
export async function nearestSegments(
  { threads }: Pick<ActivityContext, 'threads'>,
  { columns, model, signal }: { columns: Columns; model: Model; signal: AbortSignal },
): Promise<NovelLabels> {
  const pool = createKernelPool({ threads });
  try {
    const { clusters, distance, margin, isNovel } = await assignCustomers(pool, model, columns, {
      ...{ signal, abstainBelowMargin: 0, abstainBelowConfidence: 0 },
    });
    return { labels: clusters, distance, margin, isNovel };
  } finally {
    await pool.close();
  }
}

async function emptyReasons(
  { repositories }: ActivityContext,
  run: Run,
  empty: readonly number[],
): Promise<string[]> {
  const published = await repositories.publications.current(run.pipeline);
  const names = empty.map(
    (cluster) => published?.segments.find((s) => s.cluster === cluster)?.name ?? cluster,
  );
  return [
    `no customer of this extract is in ${names.map((name) => `"${name}"`).join(', ')}: either the extract is not whole, ` +
      `or the model has outlived its customers; check the extract, or fit a new model: npm start -- --pipeline ${run.pipeline}`,
  ];
}

/** As it was measured when the model was fitted. */
async function qualityOfFit({ repositories }: ActivityContext, { runId }: Champion): Promise<Quality> {
  const { summary, pipeline } = await repositories.runs.get(runId);
  if (summary?.quality) return summary.quality;
  throw new PipelineError(
    'CHAMPION_MISSING',
    `assigning needs what was measured of the published model, run ${runId} ended without telling; fit a new one: npm start -- --pipeline ${pipeline}`,
    { runId },
  );
}

/** Only told, so that labels that were cleared away keep no run from its customers. */
async function labelsOfFit(
  { artifacts }: ActivityContext,
  { labels }: Champion,
): Promise<NearestSegments | null> {
  try {
    return await readLabels(artifacts, labels);
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'ARTIFACT_MISSING') return null;
    throw error;
  }
}

function requireChampion({ runId, champion }: Run, base: Publication | null): asserts base is Publication {
  if (base?.artifacts.model.sha256 === champion!.model.sha256) return;
  throw new PipelineError(
    'PUBLICATION_STALE',
    `run ${runId} assigned by the model of ${champion!.runId}, readers see another by now; start a new run, which uses that one`,
    { runId },
  );
}
