import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { Warehouse } from './duckdb.ts';
import { type CsvDialect, type FileKind, readContent } from './file-content.ts';

// A file is judged before DuckDB opens it, so that a person reads what is wrong with it in words, and again
// after reading, so that a file that was replaced meanwhile never becomes an extract.

export interface SourceFile {
  /** Absolute. */
  path: string;
  /** Base name, for messages. */
  name: string;
  kind: FileKind;
  bytes: number;
  /** Of a CSV file; null for Parquet, which says so itself. */
  dialect: CsvDialect | null;
  /** Changes whenever the file does: size, inode, times of content and of status, in nanoseconds. */
  fingerprint: string;
}

export interface SourceColumn {
  name: string;
  /** As DuckDB calls it; VARCHAR for every column of a CSV file. */
  type: string;
}

const ENDINGS: readonly [string, FileKind][] = [
  ['.csv', 'csv'],
  ['.csv.gz', 'csv.gz'],
  ['.parquet', 'parquet'],
];

/**
 * What a file is, from its ending, its status and its first and last bytes. O(1): the content is not read.
 *
 * @throws PipelineError EXTRACT_NOT_FOUND, EXTRACT_EMPTY, EXTRACT_UNREADABLE (saying what it looks like)
 */
export async function inspectFile(path: string): Promise<SourceFile> {
  const absolute = resolve(path);
  const name = basename(absolute);
  const { bytes, fingerprint } = await statusOf(absolute);
  const kind = ENDINGS.find(([ending]) => name.toLowerCase().endsWith(ending))?.[1];
  if (!kind) {
    throw new PipelineError(
      'EXTRACT_UNREADABLE',
      `extract ${name} needs an ending of ${ENDINGS.map(([ending]) => ending).join(', ')}`,
      { file: name },
    );
  }
  if (bytes === 0) throw new PipelineError('EXTRACT_EMPTY', `extract ${name} has no content`, { file: name });
  const dialect = await readContent({ path: absolute, name, kind, bytes });
  return { path: absolute, name, kind, bytes, dialect, fingerprint };
}

/** The file as a relation to stand behind FROM. Every column of a CSV file is text: the contract judges it. */
export function sourceSql({ path, dialect }: SourceFile): string {
  const file = quote(withoutGlobs(path));
  if (dialect === null) return `read_parquet(${file})`;
  // All is said, so that DuckDB detects nothing: a guess from the first lines would be another dialect tomorrow.
  const columns = dialect.columns.map((name) => `${quote(name)}: 'VARCHAR'`);
  return `read_csv(${file}, auto_detect = false, columns = {${columns.join(', ')}}, header = true,
    skip = ${dialect.blankLines}, delim = ${quote(dialect.delimiter)}, quote = '"', escape = '"')`;
}

/** @throws PipelineError EXTRACT_UNREADABLE when DuckDB cannot make sense of the file */
export async function describeSource(warehouse: Warehouse, file: SourceFile): Promise<SourceColumn[]> {
  const rows = await whileReading(file, () => warehouse.rows(`DESCRIBE FROM ${sourceSql(file)}`));
  return rows.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }));
}

/**
 * Type of each source column that a definition maps, by its name in the definition. Names match as SQL's do,
 * in any case.
 *
 * @param mapping canonical column -> column of the source
 * @throws PipelineError EXTRACT_COLUMN_MISSING naming each missing column, its role, and the columns there are
 */
export function typesOf(
  mapping: Readonly<Record<string, string | undefined>>,
  columns: readonly SourceColumn[],
  fileName: string,
): Record<string, string> {
  const types: Record<string, string> = {};
  const missing: string[] = [];
  for (const [role, wanted] of Object.entries(mapping)) {
    if (wanted === undefined) continue;
    const column = columns.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
    if (column) types[wanted] = column.type;
    else missing.push(`${wanted} (as ${role})`);
  }
  if (missing.length > 0) {
    const there = columns.map(({ name }) => name).join(', ');
    throw new PipelineError(
      'EXTRACT_COLUMN_MISSING',
      `extract ${fileName} needs ${missing.length === 1 ? 'column' : 'columns'} ${missing.join(', ')}, ` +
        `found ${there}; add it, or name the right one under source.columns in pipeline.yaml`,
      { file: fileName, missing: missing.join(', ') },
    );
  }
  return types;
}

/**
 * Runs what reads the file, and looks at the file again afterwards.
 *
 * @throws PipelineError EXTRACT_CHANGED when it is not the file that was inspected, EXTRACT_UNREADABLE when
 *   its content broke the reading, EXTRACT_NOT_FOUND when it went away
 */
export async function whileReading<T>(file: SourceFile, read: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await read();
  } catch (error) {
    await assertUnchanged(file);
    throw asSourceFault(error, file);
  }
  await assertUnchanged(file);
  return result;
}

async function assertUnchanged(file: SourceFile): Promise<void> {
  const { fingerprint } = await statusOf(file.path);
  if (fingerprint === file.fingerprint) return;
  throw new PipelineError(
    'EXTRACT_CHANGED',
    `extract ${file.name} changed while it was read; it is read again, best once its writer has finished`,
    { file: file.name },
  );
}

/** DuckDB reports a broken file as any of these; a fault of the disk is not among them. */
const CONTENT_FAULTS = new Set(['CSV', 'Invalid Input', 'Conversion', 'Serialization', 'TransactionContext']);

function asSourceFault(error: unknown, file: SourceFile): unknown {
  if (!(error instanceof PipelineError) || error.code !== 'WAREHOUSE_FAILED') return error;
  const { kind } = error.details;
  const broken = kind === 'IO' && /parquet|snappy|zstd|gzip|decompress|codec/i.test(error.message);
  if (!broken && !CONTENT_FAULTS.has(String(kind))) return error;
  const text = error.message.replace(/^.*? error: /, '');
  return new PipelineError('EXTRACT_UNREADABLE', `extract ${file.name} cannot be read: ${text}`, {
    file: file.name,
  });
}

async function statusOf(path: string): Promise<{ bytes: number; fingerprint: string }> {
  const name = basename(path);
  const status = await stat(path, { bigint: true }).catch((cause: NodeJS.ErrnoException) => {
    const denied = cause.code === 'EACCES' || cause.code === 'EPERM';
    throw denied
      ? new PipelineError('EXTRACT_UNREADABLE', `extract ${path} may not be read by this user`, {
          file: name,
        })
      : new PipelineError('EXTRACT_NOT_FOUND', `extract ${path} is not there, as the worker sees it`, {
          file: name,
        });
  });
  if (!status.isFile()) {
    throw new PipelineError(
      'EXTRACT_UNREADABLE',
      `extract ${path} needs to be a file, found a folder or device`,
      {
        file: name,
      },
    );
  }
  const fingerprint = [status.size, status.ino, status.mtimeNs, status.ctimeNs].join('-');
  return { bytes: Number(status.size), fingerprint };
}

/** DuckDB takes `*`, `?` and `[` in a path for a pattern; in brackets each stands for itself. */
function withoutGlobs(path: string): string {
  return path.replace(/[*?[]/g, '[$&]');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
