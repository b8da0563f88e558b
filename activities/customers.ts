import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Extract } from '../pipelines/contracts/stages.ts';
import { customersSql } from '../pipelines/stages/customers.ts';
import { mappingOf } from '../pipelines/stages/extract.ts';
import { typesOf } from '../store/warehouse/source-columns.ts';
import { describeSource, inspectFiles, whileReading } from '../store/warehouse/sources.ts';
import type { ActivityContext } from './context.ts';
import { withNumberedRows } from './numbered-rows.ts';
import { withSourceFiles } from './source.ts';
import type { Work } from './stage.ts';
import { withWarehouse } from './warehouse.ts';

/** The customers' table, where the source names one -> one Parquet artifact, sorted, a row for each row read. */
export async function freezeCustomers(
  context: ActivityContext,
  { run, definition, work }: { run: Run; definition: Definition; work: Work },
): Promise<Extract['customers']> {
  const { source } = definition;
  if (source.kind === 'generated' || source.customers === undefined) return null;
  const { customer_id, attributes, format } = source.customers;
  const table = { columns: { customer_id }, attributes, format, timezone: source.timezone };
  const wanted = mappingOf(table);
  const rules = definition.contract.customers?.rules ?? [];
  const { signal } = work;
  const { scratchFolder } = context;
  return withSourceFiles(context, { source: source.customers, wanted, work }, async (local) => {
    const inspected = await inspectFiles(local.paths, format);
    const files = { ...inspected, name: local.name ?? inspected.name };
    const { name } = files;
    const freeze = (path: string) =>
      withWarehouse(
        context,
        (warehouse) =>
          whileReading(files, async () => {
            const described = await describeSource(warehouse, files);
            const types = typesOf(wanted, described, name);
            const reading = {
              files,
              described,
              source: { ...table, types, name },
              warehouse,
              scratchFolder,
              signal,
            };
            return withNumberedRows(reading, (numbered) =>
              warehouse.copyToParquet(customersSql(numbered, rules), path, { signal }),
            );
          }),
        files.folders,
      );
    const artifact = await context.artifacts.take('extract', { runId: run.runId, ending: 'parquet' }, freeze);
    // An empty export is a mistake of the export: every customer would be unknown, without a word.
    if (artifact.rows === 0)
      throw new PipelineError('EXTRACT_EMPTY', `table ${name} of customers has columns and no rows`, {
        file: name,
      });
    return { artifact, rowsRead: artifact.rows };
  });
}
