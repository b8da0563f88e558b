import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { CustomerIds } from '../pipelines/contracts/customers.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { PartOfFeatures } from '../pipelines/stages/parts.ts';
import type { ArtifactStore } from '../store/artifacts/artifact-store.ts';
import { type Columns, decodeColumns, encodeColumns } from '../store/artifacts/columns-file.ts';
import { decodeJson, encodeJson } from '../store/artifacts/json.ts';

// What a part's worker leaves for the one that joins: one columns file. A feature may have any name, so that the other
// columns' names are none that a feature can have.

const IDS = 'customers:';
const WORDS = 'words:';
const REPLACED = 'replaced:';

export function encodeFeaturePart({ customers, columns, words, replaced }: PartOfFeatures): Buffer {
  return encodeColumns({
    [REPLACED]: encodeJson(replaced),
    ...textColumns(IDS, customers),
    ...Object.assign(
      {},
      ...Object.entries(words).map(([name, texts]) => textColumns(`${WORDS}${name}:`, texts)),
    ),
    ...columns,
  });
}

export async function readFeaturePart(artifacts: ArtifactStore, ref: ArtifactRef): Promise<PartOfFeatures> {
  const found = decodeColumns(await artifacts.read(ref));
  const { [REPLACED]: replaced } = found;
  const part: PartOfFeatures = {
    ...{ customers: textsOf(found, IDS), columns: {}, words: {} },
    replaced: decodeJson(replaced as Uint8Array) as PartOfFeatures['replaced'],
  };
  for (const [name, column] of Object.entries(found)) {
    if (column instanceof Float64Array) part.columns[name] = column;
    const [, category] = /^words:(.+):offsets$/.exec(name) ?? [];
    if (category !== undefined) part.words[category] = textsOf(found, `${WORDS}${category}:`);
  }
  return part;
}

export function textColumns(prefix: string, { offsets, bytes }: CustomerIds): Columns {
  return { [`${prefix}offsets`]: offsets, [`${prefix}bytes`]: bytes };
}

export function textsOf(columns: Columns, prefix: string): CustomerIds {
  const { [`${prefix}offsets`]: offsets, [`${prefix}bytes`]: bytes } = columns;
  if (offsets instanceof Uint32Array && bytes instanceof Uint8Array) return { offsets, bytes };
  throw new PipelineError(
    'ARTIFACT_CORRUPT',
    `a part needs columns ${prefix}offsets and ${prefix}bytes, found none`,
  );
}
