import { columnOf } from '../../numeric/matrix.ts';
import { createRandom } from '../../numeric/random/random.ts';
import type { ArtifactKind, ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type { Definition } from '../../pipelines/contracts/definition.ts';
import type { Run } from '../../pipelines/contracts/run.ts';
import type { Features } from '../../pipelines/contracts/stages.ts';
import { applyTransforms, fitTransforms } from '../../pipelines/stages/transform.ts';
import type { ArtifactStore } from '../../store/artifacts/artifact-store.ts';
import { type Column, encodeColumns } from '../../store/artifacts/columns-file.ts';
import { decodeJson, encodeJson } from '../../store/artifacts/json.ts';

const GROUPS = 4;

/** What the features stage would leave of so many customers in four plain groups: enough of them that fitting takes a while. */
export async function writeFeatures(artifacts: ArtifactStore, run: Run, rows: number): Promise<Features> {
  const { features } = decodeJson(await artifacts.read(run.definition)) as Definition;
  const random = createRandom(1);
  const columns = Object.fromEntries(
    features.cluster.map(({ feature }) => [
      feature,
      Float64Array.from({ length: rows }, (_, i) => Math.exp((i % GROUPS) + random.normal() / 2)),
    ]),
  );
  const transforms = fitTransforms(columns, features.cluster);
  const matrix = applyTransforms(columns, transforms);
  const names = transforms.map(({ feature }) => feature);
  const write = (kind: ArtifactKind, bytes: Buffer): Promise<ArtifactRef> =>
    artifacts.write(kind, bytes, { runId: run.runId, ending: 'x', rows });
  return {
    customers: await write('customers', encodeColumns({ offsets: new Uint32Array(1) })),
    values: await write('features', encodeColumns(columns)),
    matrix: await write(
      'matrix',
      encodeColumns(
        Object.fromEntries(names.map((name, j): [string, Column] => [name, columnOf(matrix, j)])),
      ),
    ),
    columns: names,
    transforms: await write('transforms', encodeJson(transforms)),
    ms: 0,
  };
}
