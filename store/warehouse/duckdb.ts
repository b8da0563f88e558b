import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { quoteText } from '../../pipelines/contracts/sql-quote.ts';
import { readColumns } from './read-columns.ts';
import { run, type Statement } from './run-statement.ts';
import type { TypedColumns } from './typed-columns.ts';

// One DuckDB in memory, locked: it reads and writes in the given folders only, loads no extension, and the
// SQL of a definition cannot change that. Its threads do the work; the event loop only waits.

export interface WarehouseOptions {
  threads: number;
  /** For DuckDB's buffers; the process needs 200 to 400 MB beside them. Beyond it, work spills to disk. */
  memoryLimitMb: number;
  tempFolder: string;
  /** Folders (or single files) that statements may read and write. */
  allowedFolders: readonly string[];
}

export type { Statement } from './run-statement.ts';

export type Row = Record<string, unknown>;

export interface CallOptions {
  signal?: AbortSignal;
}

export interface Warehouse {
  /** For answers of a few rows. BIGINT and DECIMAL come as numbers; cast timestamps to text in the SQL. */
  rows(query: string | Statement, options?: CallOptions & { bindings?: DuckDBValue[] }): Promise<Row[]>;
  /** The rows as a Parquet file: the same bytes for any number of threads when the SQL orders them wholly. */
  copyToParquet(
    query: string | Statement,
    path: string,
    options?: CallOptions & { rowGroupSize?: number; hasLists?: boolean },
  ): Promise<{ rows: number }>;
  /**
   * Numeric columns as float64, all others as text. Of several queries of the same columns, one after the other; these
   * see no temporary table.
   */
  columns(
    query: string | Statement | readonly (string | Statement)[],
    options?: CallOptions,
  ): Promise<TypedColumns>;
  /** Stops the statement that runs now, if one does. */
  interrupt(): void;
  close(): void;
}

const ROW_GROUP_SIZE = 122_880;
/** zstd at level 1 was as fast as snappy on 10M rows and a third smaller; no bloom filters: nobody looks up. */
const PARQUET = 'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, WRITE_BLOOM_FILTER false';
/** DuckDB 1.5.6 fails on lists of two to nine equal texts in version 2 of the format. */
const VERSION_OF_LISTS = 'v1';

/**
 * @throws PipelineError WAREHOUSE_FAILED, or FEATURE_INVALID naming the part of the definition at fault;
 *   an aborted call rejects with the signal's reason
 */
export async function openWarehouse(options: WarehouseOptions): Promise<Warehouse> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(options.threads),
    memory_limit: `${options.memoryLimitMb}MB`,
    temp_directory: options.tempFolder,
    preserve_insertion_order: 'true',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const beside = await instance.connect();
  // The order matters: folders can only be named before access is closed, nothing after the lock.
  const folders = options.allowedFolders.map((folder) => (folder.endsWith('/') ? folder : `${folder}/`));
  for (const one of [connection, beside]) await one.run(`SET TimeZone = 'UTC'`);
  await connection.run(`SET allowed_directories = [${folders.map(quoteText).join(', ')}]`);
  await connection.run(`SET allowed_paths = [${options.allowedFolders.map(quoteText).join(', ')}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return createWarehouse([connection, beside], () => {
    connection.closeSync();
    beside.closeSync();
    instance.closeSync();
  });
}

function createWarehouse(
  connections: readonly [DuckDBConnection, DuckDBConnection],
  close: () => void,
): Warehouse {
  const [connection] = connections;
  const inTurn = takeTurns();
  const call = <T>(query: string | Statement, { signal }: CallOptions, work: (sql: string) => Promise<T>) =>
    inTurn(() => run({ connection, query, signal, work }));
  return {
    rows: (query, options = {}) =>
      call(query, options, async (sql) => {
        const reader = await connection.runAndReadAll(sql, options.bindings);
        return reader.getRowObjectsJS().map(plainRow);
      }),
    copyToParquet: (query, path, options = {}) =>
      call(query, options, async (sql) => {
        const size = options.rowGroupSize ?? ROW_GROUP_SIZE;
        const version = options.hasLists ? VERSION_OF_LISTS : 'v2';
        const copy = `COPY (${sql}) TO ${quoteText(path)} (${PARQUET}, PARQUET_VERSION ${version}, ROW_GROUP_SIZE ${size})`;
        const reader = await connection.runAndReadAll(copy);
        return { rows: Number(reader.getRowsJS()[0]?.[0] ?? 0) };
      }),
    columns: (query, { signal } = {}) => inTurn(() => readColumns(connections, [query].flat(), signal)),
    interrupt() {
      for (const one of connections) one.interrupt();
    },
    close,
  };
}

/** A connection runs one statement at a time; a call waits for those before it, whatever became of them. */
function takeTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

function plainRow(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]));
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint')
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  return value;
}
