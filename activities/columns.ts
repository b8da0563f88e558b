import { type Matrix, matrixFromColumns } from '../numeric/matrix.ts';
import type { ArtifactKind, ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { CustomerIds } from '../pipelines/contracts/customers.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { LabelPart } from '../pipelines/contracts/parts.ts';
import type { Columns as FeatureColumns } from '../pipelines/stages/features.ts';
import { joinArrays } from '../pipelines/stages/parts.ts';
import type { ArtifactStore } from '../store/artifacts/artifact-store.ts';
import { type Column, type Columns, decodeColumns, encodeColumns } from '../store/artifacts/columns-file.ts';

// What the stages hand on as columns files, with the types they have on the way.

export interface Labels {
  /** Cluster of each customer. */
  labels: Uint8Array;
  /** To the nearest centre, also of those who are held back in another cluster. */
  distance: Float32Array;
  margin: Float32Array;
  /** The cluster that each customer waits for, see hold-members.ts; absent where nobody is held back. */
  waiting?: Uint8Array;
}

/** Who is in which cluster, as readers get it. */
export function membersOf(
  { labels }: { labels: ArtifactRef },
  match: { members?: ArtifactRef },
): ArtifactRef {
  return match.members ?? labels;
}

export async function readCustomers(artifacts: ArtifactStore, ref: ArtifactRef): Promise<CustomerIds> {
  const { offsets, bytes } = decodeColumns(await artifacts.read(ref));
  return { offsets: typed(offsets, Uint32Array, 'offsets'), bytes: typed(bytes, Uint8Array, 'bytes') };
}

export async function readValues(artifacts: ArtifactStore, ref: ArtifactRef): Promise<FeatureColumns> {
  const columns = Object.entries(decodeColumns(await artifacts.read(ref)));
  return Object.fromEntries(columns.map(([name, column]) => [name, typed(column, Float64Array, name)]));
}

export async function readMatrix(artifacts: ArtifactStore, ref: ArtifactRef): Promise<Matrix> {
  const columns = Object.entries(decodeColumns(await artifacts.read(ref)));
  return matrixFromColumns(columns.map(([name, column]) => typed(column, Float32Array, name)));
}

export async function readLabels(artifacts: ArtifactStore, ref: ArtifactRef): Promise<Labels> {
  const { waiting, ...found } = decodeColumns(await artifacts.read(ref));
  return {
    ...labelsIn(found),
    ...(waiting && { waiting: typed(waiting, Uint8Array, 'waiting') }),
  };
}

/** Of an assign run: 1 = unlike any segment; null where the model does not tell. */
export type NovelLabels = Labels & { isNovel: Uint8Array | null };

export async function writeLabels(
  artifacts: ArtifactStore,
  { labels, distance, margin, isNovel }: NovelLabels,
  { kind, runId }: { kind: ArtifactKind; runId: string },
): Promise<ArtifactRef> {
  const bytes = encodeColumns({ labels, distance, margin, ...(isNovel && { isNovel }) });
  return artifacts.write(kind, bytes, { runId, ending: 'columns', rows: labels.length });
}

/** Labels of all parts, one after the other. */
export async function readLabelParts(
  artifacts: ArtifactStore,
  parts: readonly LabelPart[],
): Promise<NovelLabels> {
  const read: NovelLabels[] = [];
  for (const { labels: ref } of parts) {
    const { isNovel, ...found } = decodeColumns(await artifacts.read(ref));
    read.push({
      ...labelsIn(found),
      isNovel: isNovel === undefined ? null : typed(isNovel, Uint8Array, 'isNovel'),
    });
  }
  return {
    labels: joinArrays(
      read.map(({ labels }) => labels),
      Uint8Array,
    ),
    distance: joinArrays(
      read.map(({ distance }) => distance),
      Float32Array,
    ),
    margin: joinArrays(
      read.map(({ margin }) => margin),
      Float32Array,
    ),
    isNovel: read.some((part) => part.isNovel === null)
      ? null
      : joinArrays(
          read.map((part) => part.isNovel!),
          Uint8Array,
        ),
  };
}

export function labelsIn({
  labels,
  distance,
  margin,
}: Columns): Pick<Labels, 'labels' | 'distance' | 'margin'> {
  return {
    labels: typed(labels, Uint8Array, 'labels'),
    distance: typed(distance, Float32Array, 'distance'),
    margin: typed(margin, Float32Array, 'margin'),
  };
}

function typed<C extends Column>(
  column: Column | undefined,
  type: new (...args: never[]) => C,
  name: string,
): C {
  if (column instanceof type) return column;
  throw new PipelineError(
    'ARTIFACT_CORRUPT',
    `column ${name} needs to be a ${type.name}, found ${column?.constructor.name ?? 'none'}`,
  );
}
