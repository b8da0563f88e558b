import { rm } from 'node:fs/promises';
import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBInstance,
  DuckDBTableFunction,
  type DuckDBType,
  ENUM,
  INTEGER,
} from '@duckdb/node-api';
import { type BatchColumn, type ColumnBatch, MISSING } from '../../pipelines/contracts/batches.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { quoteName, quoteText } from '../../pipelines/contracts/sql-quote.ts';
import { readFault, translateFault } from './duckdb-errors.ts';

// DuckDB pulls: the batches stand in a table function, so rows go from the generator into the Parquet file
// 2,048 at a time. There is no table in between, which for 10M rows took 0.5 GB or a second pass.

export interface WriteBatchesOptions {
  /** @default 2 */
  threads?: number;
  /** For DuckDB's own files; nothing spills as it is. */
  tempFolder?: string;
  /** Aborting it rejects with the signal's reason; nothing is left at `path`. */
  signal?: AbortSignal;
  /** Called after each batch with the rows so far. */
  onProgress?: (rows: number) => void;
}

const CHUNK_ROWS = 2_048;
const MEMORY_LIMIT = '512MB';
const PARQUET =
  'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION v2, WRITE_BLOOM_FILTER false';

/**
 * Writes all batches, in order, as one Parquet file: the same bytes for any number of threads.
 *
 * @param batches at least one, all with the same columns
 * @throws PipelineError WAREHOUSE_FAILED; whatever the batches throw, as it is; then no file is left
 */
export async function writeBatches(
  batches: Iterable<ColumnBatch>,
  path: string,
  { threads = 2, tempFolder, signal, onProgress }: WriteBatchesOptions = {},
): Promise<{ rows: number }> {
  const rows = batches[Symbol.iterator]();
  const first = rows.next();
  if (first.done) {
    throw new PipelineError(
      'WAREHOUSE_FAILED',
      'writing a Parquet file needs at least one batch, found none',
    );
  }
  const feed = createFeed(first.value, rows, { signal, onProgress });
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: MEMORY_LIMIT,
    ...(tempFolder === undefined ? {} : { temp_directory: tempFolder }),
  });
  const connection = await instance.connect();
  try {
    return { rows: await copy(connection, { feed, columns: first.value.columns, path }) };
  } catch (error) {
    await rm(path, { force: true });
    if (feed.failure) throw feed.failure.error;
    throw translateFault(readFault(error));
  } finally {
    rows.return?.();
    connection.closeSync();
    instance.closeSync();
  }
}

async function copy(
  connection: DuckDBConnection,
  { feed, columns, path }: { feed: Feed; columns: readonly BatchColumn[]; path: string },
): Promise<number> {
  const types = columns.map(chunkType);
  connection.registerTableFunction(
    DuckDBTableFunction.create({
      name: 'batches',
      bindFunction: (bind) => {
        columns.forEach(({ name }, i) => {
          bind.addResultColumn(name, types[i]!);
        });
      },
      initFunction: () => undefined,
      mainFunction: (_, chunk) => feed.fill(chunk),
    }),
  );
  const select = columns.map((column) => `${exportSql(column)} AS ${quoteName(column.name)}`).join(', ');
  const target = quoteText(path);
  const reader = await connection.runAndReadAll(
    `COPY (SELECT ${select} FROM batches()) TO ${target} (${PARQUET})`,
  );
  return Number(reader.getRowsJS()[0]?.[0] ?? 0);
}

interface Feed {
  /** Puts the next rows into DuckDB's chunk; none when all are written. */
  fill(chunk: DuckDBDataChunk): void;
  /** What went wrong in here: DuckDB keeps only the message. */
  readonly failure: { error: unknown } | undefined;
}

function createFeed(
  first: ColumnBatch,
  rest: Iterator<ColumnBatch>,
  { signal, onProgress }: Pick<WriteBatchesOptions, 'signal' | 'onProgress'>,
): Feed {
  let batch: ColumnBatch | undefined = first;
  let at = 0;
  let written = 0;
  let failure: Feed['failure'];
  const advance = () => {
    while (batch && at >= batch.rows) {
      written += batch.rows;
      onProgress?.(written);
      const next = rest.next();
      batch = next.done ? undefined : next.value;
      at = 0;
    }
  };
  return {
    get failure() {
      return failure;
    },
    fill(chunk) {
      try {
        signal?.throwIfAborted();
        advance();
        const rows = batch ? Math.min(CHUNK_ROWS, batch.rows - at) : 0;
        chunk.rowCount = rows;
        if (batch && rows > 0) fillChunk(chunk, batch, { from: at, rows });
        at += rows;
      } catch (error) {
        failure = { error };
        throw new Error('the batches failed');
      }
    },
  };
}

function fillChunk(
  chunk: DuckDBDataChunk,
  { columns, values }: ColumnBatch,
  { from, rows }: { from: number; rows: number },
): void {
  columns.forEach((column, i) => {
    const vector = chunk.getColumnVector(i);
    const own = values[i]!;
    const words = column.kind === 'word' ? column.words : undefined;
    for (let row = 0; row < rows; row++) {
      const value = own[from + row]!;
      vector.setItem(row, value === MISSING ? null : words ? words[value]! : value);
    }
    vector.flush();
  });
}

/** Words travel as codes of an ENUM, which DuckDB writes as text with a dictionary. */
function chunkType(column: BatchColumn): DuckDBType {
  return column.kind === 'word' ? ENUM(column.words) : INTEGER;
}

function exportSql(column: BatchColumn): string {
  const name = quoteName(column.name);
  switch (column.kind) {
    case 'cents':
      return `CAST(${name} * 0.01 AS DECIMAL(10,2))`;
    case 'minutes':
      return `make_timestamp(CAST(${name} AS BIGINT) * 60000000)`;
    case 'reference':
      return `CASE WHEN ${name} < 0 THEN ${quoteText(column.negative)} || -${name} ELSE ${quoteText(column.positive)} || ${name} END`;
    default:
      return name;
  }
}
