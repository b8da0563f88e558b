import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { quoteName } from '../../pipelines/contracts/sql-quote.ts';
import { run, type Statement } from './run-statement.ts';
import { collectTypedColumns, type TypedColumns } from './typed-columns.ts';

/**
 * The rows of queries of the same columns, one after the other: numeric columns as float64, all others as text. Each
 * query begins while the rows of the one before are copied, which DuckDB's threads would else wait for.
 *
 * @param connections take the queries in turns; a single one goes to the first
 */
export async function readColumns(
  connections: readonly [DuckDBConnection, DuckDBConnection],
  queries: readonly (string | Statement)[],
  signal: AbortSignal | undefined,
): Promise<TypedColumns> {
  const failed = new AbortController();
  const given = { signal: signal ? AbortSignal.any([signal, failed.signal]) : failed.signal };
  const start = (i: number) => {
    const connection = connections[i % 2]!;
    const opened = run({ ...given, connection, query: queries[i]!, work: (sql) => open(connection, sql) });
    // Told when its turn comes, or never, if one before it fails.
    opened.catch(() => undefined);
    return opened;
  };
  let columns: ReturnType<typeof collectTypedColumns> | undefined;
  let next = queries.length > 0 ? start(0) : undefined;
  try {
    for (const [i, query] of queries.entries()) {
      const { kinds, result } = await next!;
      next = i + 1 < queries.length ? start(i + 1) : undefined;
      columns ??= collectTypedColumns(kinds);
      const { take } = columns;
      await run({ ...given, connection: connections[i % 2]!, query, work: () => take(result) });
    }
    return columns?.finish() ?? { rows: 0, numbers: {}, texts: {} };
  } catch (error) {
    failed.abort();
    await next?.catch(() => undefined);
    throw error;
  }
}

async function open(
  connection: DuckDBConnection,
  sql: string,
): Promise<{ kinds: ResultColumn[]; result: DuckDBResult }> {
  const kinds = await describe(connection, sql);
  const result = await connection.stream(`SELECT ${kinds.map(castSql).join(', ')} FROM (${sql})`);
  return { kinds, result };
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
  const column = quoteName(name);
  // No NULL from here, where it costs nothing: a vector with NULLs is slow to read from JavaScript.
  const value =
    kind === 'number'
      ? `coalesce(CAST(${column} AS DOUBLE), 'NaN')`
      : `coalesce(CAST(${column} AS VARCHAR), '')`;
  return `${value} AS ${column}`;
}
