import { assignNearest } from '../numeric/cluster/assign.ts';
import { createKernelPool } from '../numeric/kernels/pool.ts';
import type { Matrix } from '../numeric/matrix.ts';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import type { Columns } from '../pipelines/stages/features.ts';
import { canRead, centersOf, type Model, parseModel } from '../pipelines/stages/model.ts';
import { applyTransformsInTurns } from '../pipelines/stages/transform.ts';
import type { ArtifactStore } from '../store/artifacts/artifact-store.ts';
import { decodeJson } from '../store/artifacts/json.ts';
import type { Labels } from './columns.ts';
import type { ActivityContext } from './context.ts';
import { withKernelCodes } from './kernel-errors.ts';

export async function readModel(artifacts: ArtifactStore, ref: ArtifactRef): Promise<Model> {
  return parseModel(decodeJson(await artifacts.read(ref)));
}

/** The published model, when it can read the features that the definition makes today; null otherwise. */
export async function previousModel(
  artifacts: ArtifactStore,
  ref: ArtifactRef,
  definition: Definition,
): Promise<Model | null> {
  const model = await readModel(artifacts, ref);
  return canRead(model, definition) ? model : null;
}

/** A model's label of each customer of another run: its own transforms and centres, nothing refitted. */
export async function labelByPrevious(
  context: Pick<ActivityContext, 'threads'>,
  model: Model,
  columns: Columns,
): Promise<Labels> {
  return labelMatrix(context, model, await applyTransformsInTurns(columns, model.transforms));
}

/** @param matrix the customers on the model's own scale */
export async function labelMatrix(
  context: Pick<ActivityContext, 'threads'>,
  model: Model,
  matrix: Matrix,
): Promise<Labels> {
  const pool = createKernelPool({ threads: context.threads });
  try {
    const { labels, distance, margin } = await withKernelCodes(matrix, () =>
      assignNearest(pool, matrix, centersOf(model)),
    );
    return { labels, distance, margin };
  } finally {
    await pool.close();
  }
}
