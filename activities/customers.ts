import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Extract } from '../pipelines/contracts/stages.ts';
import { customersSql } from '../pipelines/stages/customers.ts';
import { mappingOf } from '../pipelines/stages/extract.ts';
import { describeSource, inspectFile, sourceSql, typesOf, whileReading } from '../store/warehouse/sources.ts';
import type { ActivityContext } from './context.ts';
import { withSourceFile } from './source.ts';
import type { Work } from './stage.ts';
import { withWarehouse } from './warehouse.ts';

/** The customers' table, where the source names one -> one Parquet artifact, sorted, a row for each row read. */
export async function freezeCustomers(
  context: ActivityContext,
  { run, definition, work }: { run: Run; definition: Definition; work: Work },
): Promise<Extract['customers']> {
  const { source } = definition;
  if (source.kind === 'generated' || source.customers === undefined) return null;
  const { customer_id, attributes } = source.customers;
  const table = { columns: { customer_id }, attributes };
  const wanted = mappingOf(table);
  const { signal } = work;
  return withSourceFile(
    context,
    { source: source.customers, wanted, work },
    async ({ path, name: given }) => {
      const inspected = await inspectFile(path);
      const name = given ?? inspected.name;
      const file = { ...inspected, name };
      const read = (produced: string) =>
        withWarehouse(
          context,
          (warehouse) =>
            whileReading(file, async () => {
              const types = typesOf(wanted, await describeSource(warehouse, file), name);
              const sql = customersSql({ ...table, from: sourceSql(file), types, name });
              return warehouse.copyToParquet(sql, produced, { signal });
            }),
          path,
        );
      const artifact = await context.artifacts.take('extract', { runId: run.runId, ending: 'parquet' }, read);
      // An empty export is a mistake of the export: every customer would be unknown, without a word.
      if (artifact.rows === 0)
        throw new PipelineError('EXTRACT_EMPTY', `table ${name} of customers has columns and no rows`, {
          file: name,
        });
      return { artifact, rowsRead: artifact.rows };
    },
  );
}
