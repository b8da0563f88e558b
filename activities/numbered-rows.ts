import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { stagedSource, stagingSql, type TableSource } from '../pipelines/stages/extract.ts';
import type { Warehouse } from '../store/warehouse/duckdb.ts';
import { readableSource, UNREADABLE } from '../store/warehouse/readable.ts';
import { parquetSql, type SourceColumn, type SourceFiles } from '../store/warehouse/sources.ts';
import { parquet } from './warehouse.ts';

export interface Reading<S extends TableSource> {
  files: SourceFiles;
  described: readonly SourceColumn[];
  source: Omit<S, 'from'>;
  warehouse: Warehouse;
  scratchFolder: string;
  signal?: AbortSignal;
}

/** What DuckDB says of the rows of Parquet files, unless a column of a file has the name. */
const ROW_NUMBER = ['file_row_number', 'file_index'];

/**
 * The source with a number for each row. Text is parsed once, into a Parquet file that goes afterwards: it is
 * read four times, and its rows have no numbers.
 */
export async function withNumberedRows<S extends TableSource, R>(
  reading: Reading<S>,
  work: (numbered: S) => Promise<R>,
): Promise<R> {
  const { files, source, signal } = reading;
  const folder = await mkdtemp(join(reading.scratchFolder, 'staged-'));
  try {
    const plain = join(folder, 'plain');
    await mkdir(plain);
    const wanted = Object.keys(source.types);
    const readable = await readableSource(files, { folder: plain, wanted, ...(signal ? { signal } : {}) });
    const isParquet = files.kind === 'parquet';
    const isNumbered = isParquet && !reading.described.some(({ name }) => ROW_NUMBER.includes(name));
    if (isNumbered) return await work({ ...source, from: readable.from } as S);
    const raw = {
      ...source,
      from: isParquet ? parquetSql(files.files) : readable.from,
      unreadable: readable.hasUnreadable ? UNREADABLE : undefined,
    } as S;
    const path = join(folder, 'source.parquet');
    const staged = await reading.warehouse.copyToParquet(stagingSql(raw), path, signal ? { signal } : {});
    if (readable.rows !== null) assertAllRead(readable.rows, staged.rows, source.name);
    await rm(plain, { recursive: true, force: true });
    return await work(stagedSource(raw, parquet(path)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Lines are counted before DuckDB reads them: a row that it leaves out is a fault, never a smaller extract. */
function assertAllRead(needed: number, found: number, name: string): void {
  if (needed === found) return;
  throw new PipelineError(
    'EXTRACT_UNREADABLE',
    `extract ${name} has ${needed} lines with rows, DuckDB read ${found}; its quotation marks are of no form that is read reliably, export it as Parquet`,
    { file: name, needed, found },
  );
}
