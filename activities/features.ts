import { inTurns } from '../numeric/kernels/turn.ts';
import { columnOf, type Matrix } from '../numeric/matrix.ts';
import type { ArtifactKind, ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { CustomerIds } from '../pipelines/contracts/customers.ts';
import type { Definition, FeatureSettings } from '../pipelines/contracts/definition.ts';
import type { FeaturePart } from '../pipelines/contracts/parts.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Extract, Features, Stages } from '../pipelines/contracts/stages.ts';
import { type CategoryCodes, categoryColumns, codeCategory } from '../pipelines/stages/category-codes.ts';
import { reportFeatures, toldWarnings } from '../pipelines/stages/feature-report.ts';
import {
  type Columns,
  deriveColumnsInTurns,
  type FeatureColumns,
  refuseValueless,
  whenMissingOf,
} from '../pipelines/stages/features.ts';
import { alignLater } from '../pipelines/stages/later-period.ts';
import { featureJoiner } from '../pipelines/stages/parts.ts';
import {
  applyTransformsInTurns,
  type FittedTransforms,
  fitAndApplyInTurns,
} from '../pipelines/stages/transform.ts';
import type { ArtifactStore } from '../store/artifacts/artifact-store.ts';
import { type Column, encodeColumns } from '../store/artifacts/columns-file.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import { aggregatePieces, findPieces } from './aggregate.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { readFeaturePart } from './part-files.ts';
import { readModel } from './previous-model.ts';
import { runStage, type Work } from './stage.ts';
import { parquet, withWarehouse } from './warehouse.ts';

/** Accepted rows -> one row per customer: aggregates, derived features, and the fitted matrix to cluster. */
export function createFeatureActivities(context: ActivityContext): Pick<Stages, 'buildFeatures'> {
  const { artifacts } = context;
  return {
    async buildFeatures({ run, extract, parts, since }) {
      const { customers } = extract;
      const beside = [extract.later, customers?.artifact, run.champion?.model];
      // Not the parts: whether others made them or not, the result is the same.
      const inputs = [extract.artifact, ...beside.filter((ref) => ref != null)];
      return runStage(context, { stage: 'features', run, inputs, since }, async (work) => {
        const { signal } = work;
        const definition = await frozenDefinition(artifacts, run);
        const { features } = definition;
        const onTurn = () => signal.throwIfAborted();
        const made = parts
          ? await readParts(context, { parts, features, onTurn })
          : await makeAtOnce(context, { extract, definition, signal, onTurn });
        const { found, texts } = made;
        const { columns } = found;
        const { transforms, matrix } = run.champion
          ? await applyChampion(artifacts, { model: run.champion.model, columns, onTurn })
          : await fitAndApplyInTurns(columns, features.cluster, onTurn);
        const names = transforms.map(({ feature }) => feature);
        const { offsets, bytes } = texts.customer_id!;
        const rows = offsets.length - 1;
        const write = (kind: ArtifactKind, bytes: Buffer, ending: string) =>
          artifacts.write(kind, bytes, { runId: run.runId, ending, rows });
        const words: CategoryCodes[] = [];
        for (const { name } of features.categories ?? []) words.push(await codeCategory(name, texts[name]!));
        const report = await reportFeatures(found, names, words);
        const warnings = toldWarnings(report);
        const scaled = names.map((name, j): [string, Column] => [name, columnOf(matrix, j)]);
        return {
          customers: await write('customers', encodeColumns({ offsets, bytes }), 'columns'),
          values: await write('features', encodeColumns(columns), 'columns'),
          matrix: await write('matrix', encodeColumns(Object.fromEntries(scaled)), 'columns'),
          columns: names,
          transforms: await write('transforms', encodeJson(transforms), 'json'),
          report: await write('report', encodeJson(report), 'json'),
          ...(words.length > 0 && {
            categories: await write('features', encodeColumns(categoryColumns(words)), 'columns'),
          }),
          ...(warnings.length > 0 && { warnings }),
          ...(await alignedLater(context, { run, extract, customers: { offsets, bytes }, work })),
        };
      });
    },
  };
}

/** Features of all customers before anything is fitted, and their ids and words. */
interface Made {
  found: FeatureColumns;
  texts: Record<string, CustomerIds>;
}

async function makeAtOnce(
  context: ActivityContext,
  making: { extract: Extract; definition: Definition; signal: AbortSignal; onTurn: () => void },
): Promise<Made> {
  const { aggregate, derive } = making.definition.features;
  const { numbers, texts } = await aggregatePieces(context, {
    ...making,
    ...(await findPieces(context, making)),
  });
  const whenMissing = whenMissingOf(aggregate);
  const found = await deriveColumnsInTurns(numbers, derive, { whenMissing, onTurn: making.onTurn });
  return { found, texts };
}

/** The same, from what others made of the parts. */
async function readParts(
  { artifacts }: ActivityContext,
  { parts, features, onTurn }: { parts: FeaturePart[]; features: FeatureSettings; onTurn: () => void },
): Promise<Made> {
  const joiner = featureJoiner(parts.reduce((sum, { part }) => sum + part.rows, 0));
  for (const { part } of parts) await inTurns(joiner.add(await readFeaturePart(artifacts, part)), onTurn);
  const { customers, words, ...found } = joiner.finish();
  refuseValueless(found, features);
  return { found, texts: { ...words, customer_id: customers } };
}

/** The model's transforms as they were fitted, and the matrix that they make of these customers. */
async function applyChampion(
  artifacts: ArtifactStore,
  { model: ref, columns, onTurn }: { model: ArtifactRef; columns: Columns; onTurn: () => void },
): Promise<{ transforms: FittedTransforms; matrix: Matrix }> {
  const { transforms } = await readModel(artifacts, ref);
  return { transforms, matrix: await applyTransformsInTurns(columns, transforms, onTurn) };
}

/** The spend after the as-of date, row for row with the customers; no feature is made of it. */
async function alignedLater(
  context: ActivityContext,
  { run, extract, customers, work }: { run: Run; extract: Extract; customers: CustomerIds; work: Work },
): Promise<Pick<Features, 'later' | 'laterPeriod'>> {
  const { artifacts } = context;
  if (!extract.later || !extract.laterPeriod) return { later: null, laterPeriod: null };
  const from = parquet(await artifacts.path(extract.later));
  const { numbers, texts } = await withWarehouse(context, (warehouse) =>
    warehouse.columns(`SELECT customer_id, spend_cents, orders FROM ${from}`, { signal: work.signal }),
  );
  const { spendCents, orders, returned } = alignLater(customers, {
    customers: texts.customer_id!,
    spendCents: numbers.spend_cents!,
    orders: numbers.orders!,
  });
  const later = await artifacts.write('later', encodeColumns({ spendCents, orders }), {
    runId: run.runId,
    ending: 'columns',
    rows: spendCents.length,
  });
  return { later, laterPeriod: { days: extract.laterPeriod.days, customers: returned } };
}
