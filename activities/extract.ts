import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Extract, Stages } from '../pipelines/contracts/stages.ts';
import { generateTransactions } from '../pipelines/generator/transactions.ts';
import {
  type ExtractSource,
  extractSql,
  readWatermark,
  resolveAsOf,
  watermarkSql,
} from '../pipelines/stages/extract.ts';
import type { Warehouse } from '../store/warehouse/duckdb.ts';
import {
  describeSource,
  inspectFile,
  type SourceFile,
  sourceSql,
  typesOf,
  whileReading,
} from '../store/warehouse/sources.ts';
import { writeBatches } from '../store/warehouse/write-batches.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { runStage, type Work } from './stage.ts';
import { withWarehouse } from './warehouse.ts';

/** The source's rows before the as-of date -> one Parquet artifact, sorted, which the run reads from then on. */
export function createExtractActivities(context: ActivityContext): Pick<Stages, 'extractCustomers'> {
  return {
    async extractCustomers({ run }) {
      return runStage(context, { stage: 'extract', run, inputs: [] }, async (work) => {
        const definition = await frozenDefinition(context.artifacts, run.definition);
        return withSourceFile(context, run, definition, async (path) => {
          const file = await inspectFile(path);
          return withWarehouse(
            context,
            (warehouse) => freeze(context, { run, definition, file, warehouse, work }),
            path,
          );
        });
      });
    },
  };
}

/** The file of the input, of the definition, or one that is made for the run and goes with it. */
async function withSourceFile<R>(
  { scratchFolder }: ActivityContext,
  run: Run,
  { source }: Definition,
  work: (path: string) => Promise<R>,
): Promise<R> {
  const given = run.extract ?? (source.kind === 'file' ? source.path : undefined);
  if (given !== undefined) return work(given);
  if (source.kind === 'file') {
    throw new PipelineError(
      'EXTRACT_NOT_FOUND',
      `pipeline ${run.pipeline} needs a file: name it with --extract, as "extract" in the run's input, or as source.path in pipeline.yaml`,
    );
  }
  const folder = await mkdtemp(join(scratchFolder, 'generated-'));
  try {
    const path = join(folder, 'transactions.parquet');
    await writeBatches(generateTransactions(source), path, { tempFolder: folder });
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Freezing {
  run: Run;
  definition: Definition;
  file: SourceFile;
  warehouse: Warehouse;
  work: Work;
}

async function freeze({ artifacts }: ActivityContext, freezing: Freezing): Promise<Omit<Extract, 'ms'>> {
  const { run, definition, file, warehouse } = freezing;
  const { signal } = freezing.work;
  const { columns } = definition.source;
  return whileReading(file, async () => {
    const types = typesOf(columns, await describeSource(warehouse, file), file.name);
    const source: ExtractSource = { from: sourceSql(file), columns, types, name: file.name };
    const [row] = await warehouse.rows(watermarkSql(source), { signal });
    const watermark = readWatermark(row!);
    const asOf = resolveAsOf(watermark, source, run.asOf);
    const sql = extractSql({ source, contract: definition.contract, asOf });
    const artifact = await artifacts.take('extract', { runId: run.runId, ending: 'parquet' }, (path) =>
      warehouse.copyToParquet(sql, path, { signal }),
    );
    return {
      artifact,
      asOf,
      watermark: watermark.newest ?? asOf,
      rowsRead: artifact.rows,
      rowsAfterAsOf: watermark.rows - artifact.rows,
    };
  });
}
