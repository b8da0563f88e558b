import { createHash } from 'node:crypto';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Features, Stages } from '../pipelines/contracts/stages.ts';
import { matchIdentities, matchSummary } from '../pipelines/stages/identity.ts';
import { joinCustomers } from '../pipelines/stages/match.ts';
import { encodeColumns } from '../store/artifacts/columns-file.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import type { Publication } from '../store/postgres/publications.ts';
import { readCustomers, readLabels } from './columns.ts';
import { compareModels } from './compare-models.ts';
import type { ActivityContext } from './context.ts';
import { idsByCluster } from './published-run.ts';
import { runStage } from './stage.ts';

/** Clusters of this run -> segments with lasting ids, by what the last publication says of its customers. */
export function createMatchActivities(context: ActivityContext): Pick<Stages, 'matchIdentities'> {
  const { artifacts, repositories } = context;
  return {
    async matchIdentities({ run, features, clustering }) {
      const base = await repositories.publications.current(run.pipeline);
      const { customers, values } = features;
      const inputs = [customers, values, clustering.labels, clustering.model, base?.publicationId ?? null];
      return runStage(context, { stage: 'match', run, inputs }, async ({ signal }) => {
        const { labels } = await readLabels(artifacts, clustering.labels);
        const compared =
          base && (await compareModels(context, { base, run, features, clustering, labels, signal }));
        const identities = matchIdentities({
          pipeline: run.pipeline,
          modelDigest: clustering.model.sha256,
          labels,
          sizes: clustering.sizes,
          previous: base && (await previousSegments(context, base, { run, features })),
          relabelled: compared?.relabelled ?? null,
          previousRelabelled: compared?.previousRelabelled ?? null,
          centers: compared?.centers ?? null,
          forms: compared?.forms ?? null,
          digest: (text) => createHash('sha256').update(text).digest('hex'),
        });
        const byLast = compared?.byLast ?? null;
        const kept = await artifacts.write('identities', encodeJson(identities), {
          runId: run.runId,
          ending: 'json',
          rows: identities.segments.length,
        });
        return {
          base: base && { publicationId: base.publicationId, runId: base.runId },
          ...matchSummary(identities),
          identities: kept,
          relabelled:
            byLast &&
            (await artifacts.write('labels', encodeColumns({ ...byLast }), {
              runId: run.runId,
              ending: 'columns',
              rows: labels.length,
            })),
        };
      });
    },
  };
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
  const [previous, current, { labels }, usedIds] = await Promise.all([
    readCustomers(artifacts, base.artifacts.customers),
    readCustomers(artifacts, features.customers),
    readLabels(artifacts, base.artifacts.labels),
    // After persistRun the ids of this very run are in the table: a repeat has to come to the same ones.
    repositories.segmentations.idsOf(base.pipeline, { exceptBornIn: run.runId }),
  ]);
  return { segmentIds: idsByCluster(base.segments), usedIds, labels, join: joinCustomers(previous, current) };
}
