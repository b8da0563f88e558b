import { noiseBand } from '../numeric/movement/noise-band.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import type { Clustering, Features, Match } from '../pipelines/contracts/stages.ts';
import { type CustomerJoin, joinCustomers } from '../pipelines/stages/match.ts';
import type { Model } from '../pipelines/stages/model.ts';
import type { Borders, MovementInput } from '../pipelines/stages/movements.ts';
import type { Publication } from '../store/postgres/publications.ts';
import { type Labels, membersOf, readCustomers, readLabels, readValues } from './columns.ts';
import type { ActivityContext } from './context.ts';
import { labelByPrevious, previousModel, readModel } from './previous-model.ts';

/** This run beside the publication it is compared with, customer by customer. */
export interface Beside {
  join: CustomerJoin;
  before: Labels;
  now: Labels;
  /** What this run's model says where some are held back in another segment. */
  modelLabels: Uint8Array | undefined;
  /** What the published model says of this run's customers; null when it cannot read their features. */
  last: Labels | null;
  /** The published model; null as above. */
  model: Model | null;
  previousIds: string[];
  currentIds: string[];
  borders: MovementInput['borders'];
}

export interface ComparedRun {
  features: Pick<Features, 'customers' | 'values'>;
  clustering: Pick<Clustering, 'labels' | 'model'>;
  match: Pick<Match, 'base' | 'segments' | 'relabelled' | 'members' | 'held'>;
  definition: Definition;
  base: Pick<Publication, 'publicationId' | 'artifacts'> & { segments: readonly PublishedId[] };
}

type PublishedId = Pick<Publication['segments'][number], 'cluster' | 'segmentId'>;

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

/** A model that was never refitted on resamples has borders whose width is not known. */
function bordersOf({ margin }: Labels, model: Model | null): Borders | null {
  return model?.confidence ? { margins: margin, noiseBand: noiseBand(model.confidence) } : null;
}

/** The part of a comparison that says who moved; money apart, which only the sums need. */
export function movementsOf(beside: Beside) {
  const { join, before, now, modelLabels, last, previousIds, currentIds, borders } = beside;
  return {
    ...{ join, previousIds, currentIds, borders },
    previousLabels: before.labels,
    labels: now.labels,
    modelLabels,
    relabelled: last?.labels ?? null,
  };
}
