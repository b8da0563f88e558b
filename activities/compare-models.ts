import { inTurns } from '../numeric/kernels/turn.ts';
import { rmsRadii } from '../numeric/movement/centroid-drift.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Clustering, Features } from '../pipelines/contracts/stages.ts';
import { isOnLikeScales } from '../pipelines/stages/centers-apart.ts';
import type { IdentityInput } from '../pipelines/stages/identity.ts';
import { withinReach } from '../pipelines/stages/match.ts';
import { canRead, centersOf, type Model } from '../pipelines/stages/model.ts';
import { applyTransformsInTurns } from '../pipelines/stages/transform.ts';
import { formsOf } from '../pipelines/stages/transitions.ts';
import type { Publication } from '../store/postgres/publications.ts';
import { type Labels, readLabels, readValues } from './columns.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { labelByPrevious, labelMatrix, readModel } from './previous-model.ts';

interface Compared {
  base: Publication;
  run: Run;
  features: Features;
  clustering: Clustering;
  /** Of the new model, one per customer of this run. */
  labels: Uint8Array;
  signal: AbortSignal;
}

type OfModels = Pick<IdentityInput, 'relabelled' | 'previousRelabelled' | 'centers' | 'forms'>;

/** What the published model and the new one make of each other's customers. */
export async function compareModels(
  context: ActivityContext,
  compared: Compared,
): Promise<OfModels & { byLast: Labels | null }> {
  const { artifacts } = context;
  const { base, run, clustering } = compared;
  const [last, model] = [
    await readModel(artifacts, base.artifacts.model),
    await readModel(artifacts, clustering.model),
  ];
  const centers = isOnLikeScales(last, model) ? { previous: last.centers, current: model.centers } : null;
  if (!canRead(last, await frozenDefinition(artifacts, run)))
    return { byLast: null, relabelled: null, previousRelabelled: null, centers, forms: null };
  const { byLast, forms } = await onTheLastScale(context, last, compared);
  return {
    ...{ byLast, forms, centers },
    relabelled: withinReach(byLast, last.reaches),
    previousRelabelled: canRead(model, last) ? await onTheNewScale(context, model, base) : null,
  };
}

async function onTheLastScale(
  context: ActivityContext,
  last: Model,
  { base, features, labels, clustering, signal }: Compared,
) {
  const { artifacts } = context;
  const onTurn = () => signal.throwIfAborted();
  const values = await readValues(artifacts, features.values);
  const matrix = await applyTransformsInTurns(values, last.transforms, onTurn);
  const byLast = await labelMatrix(context, last, matrix);
  const before = await readLabels(artifacts, base.artifacts.labels);
  const forms = {
    before: { centers: centersOf(last), radii: rmsRadii(before, last.centers.length) },
    after: await inTurns(formsOf(matrix, labels, clustering.sizes.length), onTurn),
  };
  return { byLast, forms };
}

async function onTheNewScale(context: ActivityContext, model: Model, base: Publication): Promise<Uint8Array> {
  const values = await readValues(context.artifacts, base.artifacts.values);
  return withinReach(await labelByPrevious(context, model, values), model.reaches);
}
