import type { Definition } from '../pipelines/contracts/definition.ts';
import { attributesOf, withCustomersSql } from '../pipelines/stages/customers.ts';
import {
  featuresSql,
  PART_ROWS,
  partsSql,
  type RowRange,
  readParts,
} from '../pipelines/stages/features-sql.ts';
import { type FewWords, fewWordsSql, readFewWords } from '../pipelines/stages/few-words.ts';
import { type PartedExtract, piecesOf } from '../pipelines/stages/parts.ts';
import type { TypedColumns } from '../store/warehouse/typed-columns.ts';
import type { ActivityContext } from './context.ts';
import { parquet, withWarehouse } from './warehouse.ts';

interface Aggregating {
  extract: PartedExtract;
  definition: Definition;
  signal: AbortSignal;
}

/** What has to be known of the whole extract before any of it is aggregated. */
export interface Pieces {
  ranges: RowRange[];
  words: FewWords;
}

/** Where the extract can be parted between customers, and the few words that it counts by bits. */
export async function findPieces(
  context: ActivityContext,
  { extract, definition, signal, parts = 1 }: Aggregating & { parts?: number },
): Promise<Pieces> {
  const from = parquet(await context.artifacts.path(extract.artifact));
  const { rows } = extract.artifact;
  const partRows = Math.max(1, Math.ceil(rows / piecesOf({ rows, parts, most: PART_ROWS })));
  const cuts = partsSql({ from, rows, partRows });
  const counted = fewWordsSql(from, definition.features.aggregate);
  return withWarehouse(context, async (warehouse) => {
    const ranges = readParts(cuts === null ? [] : await warehouse.rows(cuts, { signal }), rows);
    const [words] = counted === null ? [] : await warehouse.rows(counted, { signal });
    return { ranges, words: readFewWords(words ?? {}) };
  });
}

/** Accepted rows of these pieces -> aggregates and words of each customer, in the byte order of their ids. */
export async function aggregatePieces(
  context: ActivityContext,
  { extract, definition, signal, ranges, words }: Aggregating & Pieces,
): Promise<TypedColumns> {
  const { artifacts } = context;
  const { contract, features, source } = definition;
  const lines = parquet(await artifacts.path(extract.artifact));
  const from = extract.customers
    ? withCustomersSql({
        from: lines,
        customers: parquet(await artifacts.path(extract.customers.artifact)),
        definition,
      })
    : lines;
  const { aggregate, categories } = features;
  const made = { from, contract, aggregate, categories, words, asOf: extract.asOf };
  const attributes = attributesOf(source);
  return withWarehouse(context, (warehouse) =>
    warehouse.columns(
      ranges.map((range) => featuresSql({ ...made, attributes, range })),
      { signal },
    ),
  );
}
