import { createHash } from 'node:crypto';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Features, Stages } from '../pipelines/contracts/stages.ts';
import { matchIdentities, matchSummary } from '../pipelines/stages/identity.ts';
import { joinCustomers } from '../pipelines/stages/match.ts';
import { encodeColumns } from '../store/artifacts/columns-file.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import type { Publication } from '../store/postgres/publications.ts';
import { readCustomers, readLabels, readValues } from './columns.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { labelByPrevious, previousModel } from './previous-model.ts';
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
      return runStage(context, { stage: 'match', run, inputs }, async () => {
        const { labels } = await readLabels(artifacts, clustering.labels);
        const byLast = base && (await relabel(context, base, { run, features }));
        const identities = matchIdentities({
          pipeline: run.pipeline,
          modelDigest: clustering.model.sha256,
          labels,
          sizes: clustering.sizes,
          previous: base && (await previousSegments(context, base, { run, features })),
          relabelled: byLast?.labels ?? null,
          digest: (text) => createHash('sha256').update(text).digest('hex'),
        });
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

/** What the published model says of each customer of this run; null when it cannot read their features. */
async function relabel(context: ActivityContext, base: Publication, { run, features }: Current) {
  const { artifacts } = context;
  const definition = await frozenDefinition(artifacts, run);
  const model = await previousModel(artifacts, base.artifacts.model, definition);
  return model && labelByPrevious(context, model, await readValues(artifacts, features.values));
}
