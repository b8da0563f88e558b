import type { Definition } from '../pipelines/contracts/definition.ts';
import type { Clustering, Features, Match } from '../pipelines/contracts/stages.ts';
import { type Beside, bordersOf } from '../pipelines/stages/beside.ts';
import { joinCustomers } from '../pipelines/stages/match.ts';
import type { Model } from '../pipelines/stages/model.ts';
import type { Publication } from '../store/postgres/publications.ts';
import { type Labels, membersOf, readCustomers, readLabels, readValues } from './columns.ts';
import type { ActivityContext } from './context.ts';
import { labelByPrevious, previousModel, readModel } from './previous-model.ts';

export interface ComparedRun {
  features: Pick<Features, 'customers' | 'values'>;
  clustering: Pick<Clustering, 'labels' | 'model'>;
  match: Pick<Match, 'base' | 'segments' | 'relabelled' | 'members' | 'held'>;
  definition: Definition;
  base: Pick<Publication, 'publicationId' | 'artifacts'> & { segments: readonly PublishedId[] };
}

type PublishedId = Pick<Publication['segments'][number], 'cluster' | 'segmentId'>;

/** This run beside the publication it is compared with. */
export async function readBeside(
  context: Pick<ActivityContext, 'artifacts' | 'threads'>,
  { features, clustering, match, definition, base }: ComparedRun,
): Promise<Beside> {
  const { artifacts } = context;
  const join = joinCustomers(
    await readCustomers(artifacts, base.artifacts.customers),
    await readCustomers(artifacts, features.customers),
  );
  const model = await previousModel(artifacts, base.artifacts.model, definition);
  // Of the publication that the run was matched with, and of no other that came since.
  const relabelled = match.base?.publicationId === base.publicationId ? match.relabelled : null;
  const last = model && (await labelsOfLast(context, { model, relabelled, features }));
  const now = await readLabels(artifacts, membersOf(clustering, match));
  return {
    join,
    before: await readLabels(artifacts, base.artifacts.labels),
    now,
    modelLabels: match.members && (await readLabels(artifacts, clustering.labels)).labels,
    last,
    model,
    previousIds: idsByCluster(base.segments),
    currentIds: idsByCluster(match.segments),
    borders: {
      last: last && bordersOf(last, model),
      new: bordersOf(now, await readModel(artifacts, clustering.model)),
    },
  };
}

/** As the match stage kept them; runs that were matched before it did are labelled once more. */
async function labelsOfLast(
  context: Pick<ActivityContext, 'artifacts' | 'threads'>,
  {
    model,
    relabelled,
    features,
  }: { model: Model } & Pick<Match, 'relabelled'> & Pick<ComparedRun, 'features'>,
): Promise<Labels> {
  const { artifacts } = context;
  if (relabelled) return readLabels(artifacts, relabelled);
  return labelByPrevious(context, model, await readValues(artifacts, features.values));
}

export function idsByCluster(segments: readonly { cluster: number; segmentId: string }[]): string[] {
  return segments.toSorted((a, b) => a.cluster - b.cluster).map(({ segmentId }) => segmentId);
}
