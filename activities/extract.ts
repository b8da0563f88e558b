import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Extract, Stages } from '../pipelines/contracts/stages.ts';
import { generateTransactions } from '../pipelines/generator/transactions.ts';
import {
  type ExtractSource,
  readWatermark,
  resolveAsOf,
  type Watermark,
  watermarkSql,
} from '../pipelines/stages/extract.ts';
import { extractSql } from '../pipelines/stages/extract-sql.ts';
import {
  LATER_PERIOD_DAYS,
  laterDaysSql,
  laterSpendSql,
  readLaterDays,
} from '../pipelines/stages/later-period.ts';
import type { Warehouse } from '../store/warehouse/duckdb.ts';
import { typesOf } from '../store/warehouse/source-columns.ts';
import { describeSource, inspectFiles, type SourceFiles, whileReading } from '../store/warehouse/sources.ts';
import { writeBatches } from '../store/warehouse/write-batches.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { withNumberedRows } from './numbered-rows.ts';
import { runStage, type Work } from './stage.ts';
import { parquet, withWarehouse } from './warehouse.ts';

/** The source's rows before the as-of date -> one Parquet artifact, sorted, which the run reads from then on. */
export function createExtractActivities(context: ActivityContext): Pick<Stages, 'extractCustomers'> {
  return {
    async extractCustomers({ run }) {
      return runStage(context, { stage: 'extract', run, inputs: [] }, async (work) => {
        const definition = await frozenDefinition(context.artifacts, run.definition);
        return withSourceFile(context, { run, definition, work }, async (paths) => {
          const files = await inspectFiles(paths, definition.source.format);
          const extract = await withWarehouse(
            context,
            (warehouse) => freeze(context, { run, definition, files, warehouse, work }),
            files.folders,
          );
          await context.repositories.runs.describeExtract(run.runId, extract);
          return extract;
        });
      });
    },
  };
}

/** The files of the input, of the definition, or one that is made for the run and goes with it. */
async function withSourceFile<R>(
  { scratchFolder, threads }: ActivityContext,
  { run, definition, work }: Pick<Freezing, 'run' | 'definition' | 'work'>,
  use: (paths: string | string[]) => Promise<R>,
): Promise<R> {
  const { source } = definition;
  const given = run.extract ?? (source.kind === 'file' ? source.path : undefined);
  if (given !== undefined) return use(given);
  if (source.kind !== 'generated') {
    throw new PipelineError(
      'EXTRACT_NOT_FOUND',
      `pipeline ${run.pipeline} needs a file: name it with --extract, as "extract" in the run's input, or as source.path in pipeline.yaml`,
    );
  }
  const folder = await mkdtemp(join(scratchFolder, 'generated-'));
  try {
    const path = join(folder, 'transactions.parquet');
    const { signal } = work;
    await writeBatches(generateTransactions(source), path, { tempFolder: folder, threads, signal });
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Freezing {
  run: Run;
  definition: Definition;
  files: SourceFiles;
  warehouse: Warehouse;
  work: Work;
}

async function freeze(context: ActivityContext, freezing: Freezing): Promise<Omit<Extract, 'ms'>> {
  const { run, definition, files, warehouse } = freezing;
  const isGiven = run.extract !== null || definition.source.kind === 'file';
  const { signal } = freezing.work;
  const { columns, format, timezone } = definition.source;
  return whileReading(files, async () => {
    const described = await describeSource(warehouse, files);
    const types = typesOf(columns, described, files.name);
    const { name } = files;
    const source = { columns, types, name, format, timezone, currency: definition.currency };
    const { scratchFolder } = context;
    const reading = { files, described, source, warehouse, scratchFolder, signal };
    return withNumberedRows(reading, async (numbered) => {
      const [row] = await warehouse.rows(watermarkSql(numbered), { signal });
      const watermark = readWatermark(row!);
      const asOf = resolveAsOf(watermark, numbered, run.asOf);
      if (run.asOf === null && isGiven) refuseFuture(asOf, numbered);
      const sql = extractSql({ source: numbered, contract: definition.contract, asOf });
      const artifact = await context.artifacts.take(
        'extract',
        { runId: run.runId, ending: 'parquet' },
        (path) => warehouse.copyToParquet(sql, path, { signal }),
      );
      return {
        artifact,
        asOf,
        watermark: watermark.newest ?? asOf,
        rowsRead: artifact.rows,
        rowsAfterAsOf: watermark.rows - artifact.rows,
        ...(await keepLater(context, { source: numbered, watermark, asOf, freezing })),
      };
    });
  });
}

/** What customers spent after the as-of date, where the source tells enough of it; of the rest only a count is left. */
async function keepLater(
  { artifacts }: ActivityContext,
  period: { source: ExtractSource; watermark: Watermark; asOf: string; freezing: Freezing },
): Promise<Pick<Extract, 'later' | 'laterPeriod'>> {
  const { source, asOf, freezing } = period;
  const { run, definition, warehouse } = freezing;
  const { signal } = freezing.work;
  const { nextDay } = period.watermark;
  const none = { later: null, laterPeriod: null };
  // ISO texts compare as the dates do.
  if (nextDay === null || nextDay <= asOf) return none;
  const horizonDays = definition.clustering.laterPeriodDays ?? LATER_PERIOD_DAYS;
  const [row] = await warehouse.rows(laterDaysSql({ source, asOf, nextDay, horizonDays }), { signal });
  const told = readLaterDays(row!, horizonDays);
  if (told === null) return none;
  const sql = laterSpendSql({ source, contract: definition.contract, asOf, until: told.until });
  const later = await artifacts.take('later', { runId: run.runId, ending: 'parquet' }, (path) =>
    warehouse.copyToParquet(sql, path, { signal }),
  );
  const from = parquet(await artifacts.path(later));
  const [counted] = await warehouse.rows(`SELECT coalesce(sum(rows), 0) AS rows FROM ${from}`, { signal });
  return { later, laterPeriod: { days: told.days, customers: later.rows, rows: Number(counted!.rows) } };
}

const DAY_MS = 86_400_000;
const DATE_LENGTH = 'YYYY-MM-DD'.length;

/** One mistyped year would make every customer look lapsed: the newest row may not be of a day to come. */
function refuseFuture(asOf: string, source: ExtractSource): void {
  // Somewhere on earth it is tomorrow already, and the as-of date is the day after the newest row.
  const latest = new Date(Date.now() + 2 * DAY_MS).toISOString().slice(0, DATE_LENGTH);
  if (asOf <= latest) return;
  throw new PipelineError(
    'AS_OF_IN_FUTURE',
    `the newest row of ${source.name} makes the as-of date ${asOf}, which is to come; mend that row, or name the date with --as-of`,
    { asOf },
  );
}
