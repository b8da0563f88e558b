import { columnOf, type Matrix } from '../numeric/matrix.ts';
import type { ArtifactKind, ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { CustomerIds } from '../pipelines/contracts/customers.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Extract, Features, Stages } from '../pipelines/contracts/stages.ts';
import { type CategoryCodes, categoryColumns, codeCategory } from '../pipelines/stages/category-codes.ts';
import { attributesOf, withCustomersSql } from '../pipelines/stages/customers.ts';
import { reportFeatures, toldWarnings } from '../pipelines/stages/feature-report.ts';
import { type Columns, deriveColumnsInTurns, whenMissingOf } from '../pipelines/stages/features.ts';
import { featuresSql, partsSql, readParts } from '../pipelines/stages/features-sql.ts';
import { fewWordsSql, readFewWords } from '../pipelines/stages/few-words.ts';
import { alignLater } from '../pipelines/stages/later-period.ts';
import {
  applyTransformsInTurns,
  type FittedTransforms,
  fitAndApplyInTurns,
} from '../pipelines/stages/transform.ts';
import type { ArtifactStore } from '../store/artifacts/artifact-store.ts';
import { type Column, encodeColumns } from '../store/artifacts/columns-file.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { readModel } from './previous-model.ts';
import { runStage, type Work } from './stage.ts';
import { parquet, withWarehouse } from './warehouse.ts';

/** Accepted rows -> one row per customer: aggregates, derived features, and the fitted matrix to cluster. */
export function createFeatureActivities(context: ActivityContext): Pick<Stages, 'buildFeatures'> {
  const { artifacts } = context;
  return {
    async buildFeatures({ run, extract }) {
      const { customers } = extract;
      const beside = [extract.later, customers?.artifact, run.champion?.model];
      const inputs = [extract.artifact, ...beside.filter((ref) => ref != null)];
      return runStage(context, { stage: 'features', run, inputs }, async (work) => {
        const { signal } = work;
        const definition = await frozenDefinition(artifacts, run);
        const { contract, features, source } = definition;
        const from = parquet(await artifacts.path(extract.artifact));
        const rowsFrom = customers
          ? withCustomersSql({
              from,
              customers: parquet(await artifacts.path(customers.artifact)),
              definition,
            })
          : from;
        const { numbers, texts, rows } = await withWarehouse(context, async (warehouse) => {
          const cuts = partsSql({ from, rows: extract.artifact.rows });
          const parts = readParts(
            cuts === null ? [] : await warehouse.rows(cuts, { signal }),
            extract.artifact.rows,
          );
          const { aggregate, categories } = features;
          const counted = fewWordsSql(from, aggregate);
          const [words] = counted === null ? [] : await warehouse.rows(counted, { signal });
          const made = {
            from: rowsFrom,
            contract,
            aggregate,
            categories,
            words: readFewWords(words ?? {}),
            asOf: extract.asOf,
            attributes: attributesOf(source),
          };
          return warehouse.columns(
            parts.map((range) => featuresSql({ ...made, range })),
            { signal },
          );
        });
        const onTurn = () => signal.throwIfAborted();
        const whenMissing = whenMissingOf(features.aggregate);
        const found = await deriveColumnsInTurns(numbers, features.derive, { whenMissing, onTurn });
        const { columns } = found;
        const { transforms, matrix } = run.champion
          ? await applyChampion(artifacts, { model: run.champion.model, columns, onTurn })
          : await fitAndApplyInTurns(columns, features.cluster, onTurn);
        const names = transforms.map(({ feature }) => feature);
        const write = (kind: ArtifactKind, bytes: Buffer, ending: string) =>
          artifacts.write(kind, bytes, { runId: run.runId, ending, rows });
        const words: CategoryCodes[] = [];
        for (const { name } of features.categories ?? []) words.push(await codeCategory(name, texts[name]!));
        const report = await reportFeatures(found, names, words);
        const warnings = toldWarnings(report);
        const { offsets, bytes } = texts.customer_id!;
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
