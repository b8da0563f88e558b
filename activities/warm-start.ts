import { inTurns } from '../numeric/kernels/turn.ts';
import type { Matrix } from '../numeric/matrix.ts';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { formsOf } from '../pipelines/stages/transitions.ts';
import type { Publication } from '../store/postgres/publications.ts';
import { readValues } from './columns.ts';
import type { ActivityContext } from './context.ts';
import { labelByPrevious, previousModel } from './previous-model.ts';

/**
 * Where the published segments lie among this run's customers, on this run's own scale: the means of those whom the
 * published model puts into each. Undefined when it cannot read their figures or leaves a segment empty.
 */
export async function publishedCenters(
  context: Pick<ActivityContext, 'artifacts' | 'threads'>,
  base: Publication,
  { definition, matrix, values }: { definition: Definition; matrix: Matrix; values: ArtifactRef },
): Promise<Float64Array | undefined> {
  const { artifacts } = context;
  const model = await previousModel(artifacts, base.artifacts.model, definition);
  if (!model) return undefined;
  const { labels } = await labelByPrevious(context, model, await readValues(artifacts, values));
  const { centers } = await inTurns(formsOf(matrix, labels, model.centers.length));
  return centers.every(Number.isFinite) ? centers : undefined;
}
