import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Extract, Stages } from '../pipelines/contracts/stages.ts';
import {
  type ExtractSource,
  mappingOf,
  readWatermark,
  requireRows,
  resolveAsOf,
  type Watermark,
  watermarkSql,
} from '../pipelines/stages/extract.ts';
import { extractSql } from '../pipelines/stages/extract-sql.ts';
import { laterDaysSql, laterSpendSql, readLaterDays } from '../pipelines/stages/later-period.ts';
import type { Warehouse } from '../store/warehouse/duckdb.ts';
import { typesOf } from '../store/warehouse/source-columns.ts';
import { describeSource, inspectFiles, type SourceFiles, whileReading } from '../store/warehouse/sources.ts';
import { type ActivityContext, sourceDefinition } from './context.ts';
import { freezeCustomers } from './customers.ts';
import { withNumberedRows } from './numbered-rows.ts';
import { refusalOfRun } from './publication-base.ts';
import { takeExtract } from './releases.ts';
import { withSourceFiles } from './source.ts';
import { runStage, type Work } from './stage.ts';
import { parquet, withWarehouse } from './warehouse.ts';

/** The source's rows before the as-of date -> one Parquet artifact, sorted, which the run reads from then on. */
export function createExtractActivities(context: ActivityContext): Pick<Stages, 'extractCustomers'> {
  return {
    async extractCustomers({ run }) {
      return runStage(context, { stage: 'extract', run, inputs: [] }, async (work) => {
        const definition = await sourceDefinition(context.artifacts, run);
        const { source } = definition;
        const given = run.extract === null ? source : ({ kind: 'file', path: run.extract } as const);
        const wanted = mappingOf(source);
        return withSourceFiles(context, { source: given, wanted, work }, async ({ paths, name }) => {
          const inspected = await inspectFiles(paths, source.format);
          const files = { ...inspected, name: name ?? inspected.name };
          // After the transactions were copied: a customer who came meanwhile is one too many, not one too few.
          const customers = await freezeCustomers(context, { run, definition, work });
          const extract = await withWarehouse(
            context,
            (warehouse) => freeze(context, { run, definition, files, customers, warehouse, work }),
            files.folders,
          );
          await context.repositories.runs.describeExtract(run.runId, extract);
          const refused = run.asOf === null && (await refusalOfRun(context, { ...run, asOf: extract.asOf }));
          return { ...extract, ...(customers && { customers }), ...(refused && { refused }) };
        });
      });
    },
  };
}

interface Freezing {
  run: Run;
  definition: Definition;
  files: SourceFiles;
  customers: Extract['customers'];
  warehouse: Warehouse;
  work: Work;
}

async function freeze(context: ActivityContext, freezing: Freezing): Promise<Omit<Extract, 'ms'>> {
  const { run, definition, files, warehouse } = freezing;
  const isGiven = run.extract !== null || definition.source.kind !== 'generated';
  const { signal } = freezing.work;
  const { columns, attributes, format, timezone } = definition.source;
  const known = freezing.customers && parquet(await context.artifacts.path(freezing.customers.artifact));
  return whileReading(files, async () => {
    const described = await describeSource(warehouse, files);
    const { name } = files;
    const source = {
      ...{ columns, attributes, name, format, timezone, currency: definition.currency },
      types: typesOf(mappingOf({ columns, attributes }), described, name),
      customers: known ?? undefined,
    };
    const reading = { files, described, source, warehouse, scratchFolder: context.scratchFolder, signal };
    return withNumberedRows(reading, async (numbered: ExtractSource) => {
      const [row] = await warehouse.rows(watermarkSql(numbered, run.asOf), { signal });
      const watermark = readWatermark(row!);
      const asOf = resolveAsOf(watermark, numbered, run.asOf);
      if (run.asOf === null && isGiven) refuseFuture(asOf, numbered);
      const { contract } = definition;
      const sql = extractSql({ source: numbered, contract, asOf });
      const taken = await takeExtract(
        context,
        { run, contract, asOf, known: source.customers, warehouse, signal },
        (path) => warehouse.copyToParquet(sql, path, { signal }),
      );
      requireRows(taken.artifact.rows, numbered, asOf);
      return {
        artifact: taken.artifact,
        asOf,
        watermark: watermark.newest ?? asOf,
        rowsRead: taken.artifact.rows,
        rowsAfterAsOf: watermark.rows - taken.rowsOfSource,
        ...(taken.rowsReleased !== null && { rowsReleased: taken.rowsReleased }),
        ...(await keepLater(context, { source: numbered, watermark, asOf, freezing })),
      };
    });
  });
}

/**
 * What customers spent after the as-of date, where the definition asks for it and the source tells enough; of the rest
 * only a count is left.
 */
async function keepLater(
  { artifacts }: ActivityContext,
  period: { source: ExtractSource; watermark: Watermark; asOf: string; freezing: Freezing },
): Promise<Pick<Extract, 'later' | 'laterPeriod'>> {
  const { source, asOf, freezing } = period;
  const { run, definition, warehouse } = freezing;
  const { signal } = freezing.work;
  const { nextDay } = period.watermark;
  const horizonDays = definition.clustering.laterPeriodDays;
  const none = { later: null, laterPeriod: null };
  // ISO texts compare as the dates do.
  if (horizonDays === undefined || nextDay === null || nextDay <= asOf) return none;
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
