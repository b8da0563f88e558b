import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { SourceFormat } from '../../pipelines/contracts/source.ts';
import { quoteText } from '../../pipelines/contracts/sql-quote.ts';
import type { Warehouse } from './duckdb.ts';
import { type CsvDialect, readContent } from './file-content.ts';
import { type FoundFile, findFiles, statusOf } from './source-files.ts';
import type { Compression } from './text-stream.ts';

// Files are judged before DuckDB opens them, so that a person reads what is wrong with them in words, and
// again after reading, so that a file that was replaced meanwhile never becomes an extract.

export interface SourceFile extends FoundFile {
  bytes: number;
  fingerprint: string;
  compression: Compression;
  /** Of a text file; null for Parquet, which says so itself. */
  dialect: CsvDialect | null;
}

export interface SourceFiles {
  /** For messages: the file's name, or how many there are. */
  name: string;
  kind: 'text' | 'parquet';
  /** In the order of their paths. */
  files: SourceFile[];
  /** Absolute: what DuckDB may look into. */
  folders: string[];
  /** Paths and patterns as they were given. */
  paths: string[];
}

export interface SourceColumn {
  name: string;
  /** As DuckDB calls it; VARCHAR for every column of a text file. */
  type: string;
  /** Name of the first file that has no such column. */
  lackedBy?: string;
  /** Name of the first file whose header has the name several times. */
  repeatedIn?: string;
  /** Names of a file whose times have a zone and of one whose times have none, where both are. */
  mixedZones?: { zonedIn: string; naiveIn: string };
}

const TEXT_ENDING = /\.((?:csv|tsv|txt)(?:\.(gz|zst))?)$/i;
const ENDINGS = '.csv, .tsv or .txt (also with .gz or .zst behind it), or .parquet';

/**
 * What the files are, from their endings, their status and their first and last bytes. The content is not read.
 *
 * @param paths files, or patterns such as `exports/2026-*.parquet`
 * @throws PipelineError EXTRACT_NOT_FOUND, EXTRACT_EMPTY, EXTRACT_UNREADABLE (saying what it looks like)
 */
export async function inspectFiles(
  paths: string | readonly string[],
  format: SourceFormat = {},
): Promise<SourceFiles> {
  const given = typeof paths === 'string' ? [paths] : [...paths];
  const found = await findFiles(given);
  const files: SourceFile[] = [];
  for (const file of found.files) files.push(await inspectFile(file, format));
  const [first] = files;
  const other = files.find(({ dialect }) => (dialect === null) !== (first!.dialect === null));
  if (other) {
    throw new PipelineError(
      'EXTRACT_UNREADABLE',
      `the files of one source need to be all text or all Parquet, found ${first!.name} and ${other.name}`,
      { file: other.name },
    );
  }
  return {
    name: files.length === 1 ? first!.name : `of ${files.length} files (${first!.name}, …)`,
    kind: first!.dialect === null ? 'parquet' : 'text',
    files,
    folders: found.folders,
    paths: given,
  };
}

async function inspectFile(found: FoundFile, format: SourceFormat): Promise<SourceFile> {
  const { path, name } = found;
  const { bytes, fingerprint } = await statusOf(found);
  const [, text, packed] = TEXT_ENDING.exec(name) ?? [];
  const ending = text?.toLowerCase() ?? (/\.parquet$/i.test(name) ? 'parquet' : undefined);
  if (ending === undefined) {
    throw new PipelineError('EXTRACT_UNREADABLE', `extract ${name} needs an ending of ${ENDINGS}`, {
      file: name,
    });
  }
  if (bytes === 0) throw new PipelineError('EXTRACT_EMPTY', `extract ${name} has no content`, { file: name });
  const compression = packed === undefined ? null : packed.toLowerCase() === 'gz' ? 'gzip' : 'zstd';
  const dialect = await readContent({ path, name, ending, compression, bytes }, format);
  return { path, name, bytes, fingerprint, compression, dialect };
}

/**
 * The columns that the files have together, in the order in which they come up.
 *
 * @throws PipelineError EXTRACT_UNREADABLE when DuckDB cannot make sense of a file
 */
export async function describeSource(warehouse: Warehouse, source: SourceFiles): Promise<SourceColumn[]> {
  const ofFiles: DescribedFile[] = [];
  for (const file of source.files) ofFiles.push({ file, columns: await columnsOf(warehouse, file) });
  const columns = new Map<string, SourceColumn>();
  for (const column of ofFiles.flatMap((described) => described.columns)) {
    const key = column.name.toLowerCase();
    columns.set(key, { ...column, ...columns.get(key) });
  }
  if (ofFiles.length === 1) return [...columns.values()];
  for (const { file, columns: there } of ofFiles) {
    const names = new Set(there.map(({ name }) => name.toLowerCase()));
    for (const [key, column] of columns) if (!names.has(key)) column.lackedBy ??= file.name;
  }
  if (source.kind === 'text') return [...columns.values()];
  // One type for all: what a number is in one file and a text in another is a text.
  for (const { name, type } of await describe(warehouse, source.files, parquetSql(source.files)))
    columns.get(name.toLowerCase())!.type = type;
  for (const column of columns.values()) if (column.type === ZONED) markMixedZones(column, ofFiles);
  return [...columns.values()];
}

const ZONED = 'TIMESTAMP WITH TIME ZONE';

interface DescribedFile {
  file: SourceFile;
  columns: SourceColumn[];
}

/** United with times that have a zone, those without one would be taken for UTC whatever the shop's clock is. */
function markMixedZones(column: SourceColumn, files: readonly DescribedFile[]): void {
  const key = column.name.toLowerCase();
  const there = files.flatMap(({ file, columns }) =>
    columns.filter(({ name }) => name.toLowerCase() === key).map(({ type }) => ({ type, file: file.name })),
  );
  const zoned = there.find(({ type }) => type === ZONED);
  const naive = there.find(({ type }) => type !== ZONED);
  if (zoned && naive) column.mixedZones = { zonedIn: zoned.file, naiveIn: naive.file };
}

async function columnsOf(warehouse: Warehouse, file: SourceFile): Promise<SourceColumn[]> {
  if (file.dialect === null) return describe(warehouse, [file], parquetSql([file]));
  const { columns, header } = file.dialect;
  const seen = new Map<string, number>();
  for (const name of header) seen.set(name.toLowerCase(), (seen.get(name.toLowerCase()) ?? 0) + 1);
  return columns.map((name) => ({
    name,
    type: 'VARCHAR',
    ...((seen.get(name.toLowerCase()) ?? 0) > 1 ? { repeatedIn: file.name } : {}),
  }));
}

async function describe(warehouse: Warehouse, files: readonly SourceFile[], from: string) {
  try {
    const rows = await warehouse.rows(`DESCRIBE FROM ${from}`);
    return rows.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }));
  } catch (error) {
    throw asSourceFault(error, files.length === 1 ? files[0]!.name : `of ${files.length} files`);
  }
}

/** Parquet files as a relation to stand behind FROM, with their own types. */
export function parquetSql(files: readonly Pick<SourceFile, 'path'>[]): string {
  const [first] = files;
  if (files.length === 1) return `read_parquet(${quoteText(withoutGlobs(first!.path))})`;
  const paths = files.map(({ path }) => quoteText(withoutGlobs(path)));
  return `read_parquet([${paths.join(', ')}], union_by_name = true)`;
}

/**
 * Runs what reads the files, and looks at them again afterwards.
 *
 * @throws PipelineError EXTRACT_CHANGED when they are not the files that were inspected, EXTRACT_UNREADABLE
 *   when their content broke the reading, EXTRACT_NOT_FOUND when one went away
 */
export async function whileReading<T>(source: SourceFiles, read: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await read();
  } catch (error) {
    await assertUnchanged(source);
    throw asSourceFault(error, source.name);
  }
  await assertUnchanged(source);
  return result;
}

async function assertUnchanged({ files, paths }: SourceFiles): Promise<void> {
  for (const file of files) {
    const { fingerprint } = await statusOf(file);
    if (fingerprint !== file.fingerprint) throw changed(file.name, 'changed while it was read');
  }
  const now = new Set((await findFiles(paths)).files.map(({ path }) => path));
  const gone = files.find(({ path }) => !now.delete(path));
  if (gone) throw changed(gone.name, 'is no longer one of the files that source.path names');
  const [added] = now;
  if (added !== undefined) throw changed(added, 'was added while the others were read');
}

function changed(name: string, what: string): PipelineError {
  return new PipelineError(
    'EXTRACT_CHANGED',
    `extract ${name} ${what}; all of it is read again, best once its writer has finished`,
    { file: name },
  );
}

/** DuckDB reports a broken file as any of these; a fault of the disk is not among them. */
const CONTENT_FAULTS = new Set(['CSV', 'Invalid Input', 'Conversion', 'Serialization', 'TransactionContext']);

function asSourceFault(error: unknown, name: string): unknown {
  if (!(error instanceof PipelineError) || error.code !== 'WAREHOUSE_FAILED') return error;
  const { kind } = error.details;
  const broken = kind === 'IO' && /parquet|snappy|zstd|gzip|decompress|codec/i.test(error.message);
  if (!broken && !CONTENT_FAULTS.has(String(kind))) return error;
  const text = error.message.replace(/^.*? error: /, '');
  return new PipelineError('EXTRACT_UNREADABLE', `extract ${name} cannot be read: ${text}`, { file: name });
}

/** DuckDB takes `*`, `?` and `[` in a path for a pattern; in brackets each stands for itself. */
export function withoutGlobs(path: string): string {
  return path.replace(/[*?[]/g, '[$&]');
}
