import { createHash } from 'node:crypto';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Features, Stages } from '../pipelines/contracts/stages.ts';
import { matchIdentities, matchSummary } from '../pipelines/stages/identity.ts';
import { joinCustomers } from '../pipelines/stages/match.ts';
import { encodeColumns } from '../store/artifacts/columns-file.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import type { Publication } from '../store/postgres/publications.ts';
import { type Labels, readCustomers, readLabels } from './columns.ts';
import { compareModels } from './compare-models.ts';
import type { ActivityContext } from './context.ts';
import { baseOf } from './publication-base.ts';
import { idsByCluster } from './published-run.ts';
import { settleMembers } from './settle-members.ts';
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
          ...(await settleMembers(context, {
            ...{ run, clustering, now, previous },
            currentIds: idsByCluster(identities.segments),
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
  const [previous, current, { labels, waiting }, usedIds] = await Promise.all([
    readCustomers(artifacts, base.artifacts.customers),
    readCustomers(artifacts, features.customers),
    readLabels(artifacts, base.artifacts.labels),
    // After persistRun the ids of this very run are in the table: a repeat has to come to the same ones.
    repositories.segmentations.idsOf(base.pipeline, { exceptBornIn: run.runId }),
  ]);
  const join = joinCustomers(previous, current);
  const segmentIds = idsByCluster(base.segments);
  return { segmentIds, usedIds, labels, waiting: waiting ?? null, asOf: base.asOf, join };
}
