import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { quoteText } from '../../pipelines/contracts/sql-quote.ts';
import { isInterrupt, isStatementFault, readFault, translateFault } from './duckdb-errors.ts';
import { collectTypedColumns, type TypedColumns } from './typed-columns.ts';

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

/**
 * SQL, and what of a definition it is made of. When it fails, the parts are run one by one to name the
 * one at fault.
 */
export interface Statement {
  sql: string;
  parts: readonly { name: string; sql: string }[];
}

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
  /** Numeric columns as float64, all others as text. Of several queries of the same columns, one after the other. */
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
  // The order matters: folders can only be named before access is closed, nothing after the lock.
  const folders = options.allowedFolders.map((folder) => (folder.endsWith('/') ? folder : `${folder}/`));
  await connection.run(`SET TimeZone = 'UTC'`);
  await connection.run(`SET allowed_directories = [${folders.map(quoteText).join(', ')}]`);
  await connection.run(`SET allowed_paths = [${options.allowedFolders.map(quoteText).join(', ')}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return createWarehouse(connection, () => {
    connection.closeSync();
    instance.closeSync();
  });
}

function createWarehouse(connection: DuckDBConnection, close: () => void): Warehouse {
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
    columns: (query, { signal } = {}) =>
      inTurn(async () => {
        let columns: ReturnType<typeof collectTypedColumns> | undefined;
        const work = async (sql: string) => {
          const kinds = await describe(connection, sql);
          columns ??= collectTypedColumns(kinds);
          await columns.take(
            await connection.stream(`SELECT ${kinds.map(castSql).join(', ')} FROM (${sql})`),
          );
        };
        const queries = [query].flat() as (string | Statement)[];
        for (const one of queries) await run({ connection, query: one, signal, work });
        return columns?.finish() ?? { rows: 0, numbers: {}, texts: {} };
      }),
    interrupt: () => connection.interrupt(),
    close,
  };
}

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(.*\)|FLOAT|DOUBLE|BOOLEAN)$/;

interface ResultColumn {
  name: string;
  kind: 'number' | 'text';
}

async function describe(connection: DuckDBConnection, sql: string): Promise<ResultColumn[]> {
  const described = await connection.runAndReadAll(`DESCRIBE ${sql}`);
  return described.getRowsJS().map(([name, type]) => ({
    name: String(name),
    kind: NUMERIC.test(String(type)) ? 'number' : 'text',
  }));
}

function castSql({ name, kind }: ResultColumn): string {
  const column = `"${name.replaceAll('"', '""')}"`;
  // NaN in place of NULL here, where it costs nothing: a vector with NULLs is slow to read from JavaScript.
  const value =
    kind === 'number' ? `coalesce(CAST(${column} AS DOUBLE), 'NaN')` : `CAST(${column} AS VARCHAR)`;
  return `${value} AS ${column}`;
}

const INTERRUPT_MS = 100;

interface Call<T> {
  connection: DuckDBConnection;
  query: string | Statement;
  signal: AbortSignal | undefined;
  work: (sql: string) => Promise<T>;
}

async function run<T>({ connection, query, signal, work }: Call<T>): Promise<T> {
  signal?.throwIfAborted();
  let again: NodeJS.Timeout | undefined;
  // A call is several statements, and an interrupt before one begins is forgotten.
  const interrupt = () => {
    connection.interrupt();
    again = setInterval(() => connection.interrupt(), INTERRUPT_MS);
  };
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    return await work(typeof query === 'string' ? query : query.sql);
  } catch (error) {
    if (signal?.aborted && isInterrupt(error)) throw signal.reason;
    if (error instanceof PipelineError) throw error;
    const fault = readFault(error);
    throw typeof query !== 'string' && isStatementFault(fault)
      ? await blame(connection, query, signal)
      : translateFault(fault);
  } finally {
    signal?.removeEventListener('abort', interrupt);
    clearInterval(again);
  }
}

async function blame(
  connection: DuckDBConnection,
  { sql, parts }: Statement,
  signal: AbortSignal | undefined,
): Promise<PipelineError> {
  for (const part of parts) {
    const fault = await faultOf(connection, part.sql, signal);
    if (fault && isStatementFault(fault)) return translateFault(fault, part.name);
  }
  return translateFault(
    (await faultOf(connection, sql, signal)) ?? { kind: 'Unknown', message: 'no part fails alone' },
  );
}

async function faultOf(connection: DuckDBConnection, sql: string, signal: AbortSignal | undefined) {
  signal?.throwIfAborted();
  try {
    await connection.run(sql);
    return undefined;
  } catch (error) {
    if (signal?.aborted && isInterrupt(error)) throw signal.reason;
    return readFault(error);
  }
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
