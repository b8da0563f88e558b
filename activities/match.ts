import { createHash } from 'node:crypto';
import { noiseBand } from '../numeric/movement/noise-band.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Clustering, Features, Stages } from '../pipelines/contracts/stages.ts';
import { holdMembers } from '../pipelines/stages/hold-members.ts';
import { matchIdentities, matchSummary } from '../pipelines/stages/identity.ts';
import { joinCustomers, nobodyBefore } from '../pipelines/stages/match.ts';
import { encodeColumns } from '../store/artifacts/columns-file.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import type { Publication } from '../store/postgres/publications.ts';
import { type Labels, readCustomers, readLabels } from './columns.ts';
import { compareModels } from './compare-models.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { readModel } from './previous-model.ts';
import { baseOf } from './publication-base.ts';
import { idsByCluster } from './published-run.ts';
import { runStage } from './stage.ts';

/** Clusters of this run -> segments with lasting ids, by what the last publication says of its customers. */
export function createMatchActivities(context: ActivityContext): Pick<Stages, 'matchIdentities'> {
  const { artifacts } = context;
  return {
    async matchIdentities({ run, features, clustering }) {
      const base = await baseOf(context, run);
      const { customers, values } = features;
      const inputs = [customers, values, clustering.labels, clustering.model, base?.publicationId ?? null];
      return runStage(context, { stage: 'match', run, inputs }, async ({ signal }) => {
        const now = await readLabels(artifacts, clustering.labels);
        const { labels } = now;
        const current = { run, features, clustering, labels, signal };
        const compared = base && (await compareModels(context, { base, ...current }));
        const previous = base && (await previousSegments(context, base, current));
        const identities = matchIdentities({
          pipeline: run.pipeline,
          modelDigest: clustering.model.sha256,
          labels,
          sizes: clustering.sizes,
          previous,
          relabelled: compared?.relabelled ?? null,
          previousRelabelled: compared?.previousRelabelled ?? null,
          centers: compared?.centers ?? null,
          forms: compared?.forms ?? null,
          digest: (text) => createHash('sha256').update(text).digest('hex'),
        });
        const { stability } = await frozenDefinition(artifacts, run);
        const settled = stability.hysteresis
          ? holdMembers({
              join: previous?.join ?? nobodyBefore(labels.length),
              previousIds: previous?.segmentIds ?? [],
              currentIds: idsByCluster(identities.segments),
              previousLabels: previous?.labels ?? new Uint8Array(0),
              previousWaiting: previous?.waiting ?? null,
              ...{ labels, margins: now.margin, noiseBand: await bandOf(context, clustering) },
            })
          : null;
        const byLast = compared?.byLast;
        const kept = await artifacts.write('identities', encodeJson(identities), {
          runId: run.runId,
          ending: 'json',
          rows: identities.segments.length,
        });
        const writeLabels = (columns: Labels) =>
          artifacts.write('labels', encodeColumns({ ...columns }), {
            runId: run.runId,
            ending: 'columns',
            rows: labels.length,
          });
        return {
          base: base && { publicationId: base.publicationId, runId: base.runId },
          ...matchSummary(identities),
          identities: kept,
          relabelled: byLast ? await writeLabels(byLast) : null,
          ...(settled && {
            members: await writeLabels({ ...now, labels: settled.labels, waiting: settled.waiting }),
            held: settled.held,
          }),
        };
      });
    },
  };
}

/** Without a measured border nobody is at one. */
async function bandOf({ artifacts }: ActivityContext, { model }: Clustering): Promise<number> {
  const { confidence } = await readModel(artifacts, model);
  return confidence ? noiseBand(confidence) : 0;
}

interface Current {
  run: Run;
  features: Features;
}

async function previousSegments(
  { artifacts, repositories }: ActivityContext,
  base: Publication,
  { run, features }: Current,
) {
  const [previous, current, { labels, waiting }, usedIds] = await Promise.all([
    readCustomers(artifacts, base.artifacts.customers),
    readCustomers(artifacts, features.customers),
    readLabels(artifacts, base.artifacts.labels),
    // After persistRun the ids of this very run are in the table: a repeat has to come to the same ones.
    repositories.segmentations.idsOf(base.pipeline, { exceptBornIn: run.runId }),
  ]);
  const join = joinCustomers(previous, current);
  return { segmentIds: idsByCluster(base.segments), usedIds, labels, waiting: waiting ?? null, join };
}
