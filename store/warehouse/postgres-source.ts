import { createWriteStream } from 'node:fs';
import { connect as openSocket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { quoteName } from '../../pipelines/contracts/sql-quote.ts';
import { sourceFault } from './postgres-source-errors.ts';
import type { SourceColumn } from './sources.ts';

// Rows of somebody's PostgreSQL, as text into a file: COPY is the fastest way out, and what DuckDB reads fastest
// is a file. One transaction that can only read and sees one moment; the worker holds a socket buffer of it,
// never the rows. The address stays in the worker's environment: messages name its variable.

export interface PostgresQuery {
  /** Variable of the worker that holds the address. */
  urlFrom: string;
  /** Its value; undefined when it is not set. */
  url: string | undefined;
  /** One SELECT. */
  query: string;
}

export interface CopiedQuery {
  /** Those that were copied, in the file's order; the types are DuckDB's. */
  columns: SourceColumn[];
  /** As PostgreSQL counted them. */
  rows: number;
  bytes: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const CANCEL_TIMEOUT_MS = 2_000;
const PROTOCOLS = new Set(['postgres:', 'postgresql:']);

/**
 * What a person who types the query sees may depend on none of the server's settings. The statement ends before
 * the activity would; a lock is not waited for behind somebody's migration, and a worker that died holds nothing.
 */
const BEGIN = `BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = '110min'; SET LOCAL lock_timeout = '30s';
SET LOCAL idle_in_transaction_session_timeout = '5min'; SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL extra_float_digits = 1`;

/**
 * Copies the query's rows into a CSV file with a header; NULL is nothing, an empty text is `""`.
 *
 * @param options.choose which of the query's columns are wanted; it may throw when one is missing
 * @throws PipelineError CONFIG_INVALID for the variable, SOURCE_REFUSED when PostgreSQL will not run the query,
 *   SOURCE_UNREACHABLE when it does not answer or was cut off; the signal's reason, within five seconds
 */
export async function copyQuery(
  source: PostgresQuery,
  path: string,
  {
    signal,
    choose = (columns) => columns,
  }: { signal?: AbortSignal; choose?: (columns: SourceColumn[]) => SourceColumn[] } = {},
): Promise<CopiedQuery> {
  signal?.throwIfAborted();
  const client = clientOf(source);
  // Without a listener a connection lost between two statements would end the process.
  client.on('error', () => {});
  const cut = () => socketOf(client).destroy();
  signal?.addEventListener('abort', cut, { once: true });
  try {
    await client.connect();
    await client.query(BEGIN);
    const columns = choose(await describeQuery(client, source));
    const chosen = columns.map(({ name }) => quoteName(name)).join(', ');
    const stream = client.query(
      copyTo(`COPY (SELECT ${chosen} FROM ${relationOf(source)}) TO STDOUT (FORMAT csv, HEADER)`),
    );
    const file = createWriteStream(path);
    await pipeline(stream, file, { signal });
    await client.query('COMMIT');
    return { columns, rows: (stream as unknown as { rowCount: number }).rowCount, bytes: file.bytesWritten };
  } catch (error) {
    if (signal?.aborted) {
      await cancelBackend(client);
      throw signal.reason;
    }
    throw sourceFault(error, source.urlFrom);
  } finally {
    signal?.removeEventListener('abort', cut);
    // A failed copy leaves the rest of its rows on the way.
    cut();
  }
}

function clientOf({ urlFrom, url }: PostgresQuery): pg.Client {
  if (!url) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `the source needs the address of its PostgreSQL in the worker's environment as ${urlFrom}, found nothing`,
      { variable: urlFrom },
    );
  }
  try {
    if (!PROTOCOLS.has(new URL(url).protocol)) throw new RangeError('protocol');
    return new pg.Client({
      connectionString: url,
      application_name: 'strata',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
  } catch {
    // Neither the text nor the error, which quotes it.
    throw new PipelineError(
      'CONFIG_INVALID',
      `${urlFrom} needs the form postgres://user:password@host:port/database (special characters ` +
        'percent-encoded, files it names readable), found something else',
      { variable: urlFrom },
    );
  }
}

/**
 * The columns of the query, which is not run for it. The extended protocol takes a single statement: what passes
 * here closes no bracket of ours and ends in no second statement when it is copied.
 */
async function describeQuery(client: pg.Client, source: PostgresQuery): Promise<SourceColumn[]> {
  const text = `SELECT * FROM ${relationOf(source)} LIMIT 0`;
  const { fields } = await client.query({ text, queryMode: 'extended' } as pg.QueryConfig);
  const names = fields.map(({ name }) => name.toLowerCase());
  const twice = fields.find(({ name }, i) => names.indexOf(name.toLowerCase()) < i);
  if (twice) {
    throw new PipelineError(
      'SOURCE_REFUSED',
      `the query on ${source.urlFrom} needs a name of its own for each column, found ${twice.name} twice; ` +
        'give one another name with AS (case does not count)',
      { variable: source.urlFrom, column: twice.name },
    );
  }
  return fields.map(({ name, dataTypeID, dataTypeModifier }) => ({
    name,
    type: duckDbType(dataTypeID, dataTypeModifier),
  }));
}

/** A semicolon at the end is no second statement; the line break ends a comment. */
function relationOf({ query }: PostgresQuery): string {
  return `(\n${query.replace(/[\s;]+$/, '')}\n) AS source`;
}

/** By PostgreSQL's object identifiers; whatever is not here is read as the text it is printed as. */
const TYPES: Readonly<Record<number, string>> = {
  16: 'BOOLEAN',
  20: 'BIGINT',
  21: 'SMALLINT',
  23: 'INTEGER',
  700: 'FLOAT',
  701: 'DOUBLE',
  1082: 'DATE',
  1114: 'TIMESTAMP',
  1184: 'TIMESTAMP WITH TIME ZONE',
};
const NUMERIC_OID = 1700;
export const WIDEST_DECIMAL = 38;

/** Of a numeric without a precision, which has as many digits as it likes: staging finds out how many. */
export const ANY_DECIMAL = 'DECIMAL';

function duckDbType(oid: number, modifier: number): string {
  if (oid !== NUMERIC_OID) return TYPES[oid] ?? 'VARCHAR';
  const precision = ((modifier - 4) >> 16) & 0xffff;
  // Eleven bits, of which the first is a sign.
  const scale = ((((modifier - 4) & 0x7ff) ^ 1024) - 1024) as number;
  const fits = modifier >= 4 && precision <= WIDEST_DECIMAL && scale >= 0 && scale <= precision;
  return fits ? `DECIMAL(${precision},${scale})` : ANY_DECIMAL;
}

const CANCEL_REQUEST_CODE = 80_877_102;

/**
 * Tells PostgreSQL to stop what the connection runs: a backend that sorts would notice a closed socket only when
 * it sends. A message of its own on a connection of its own, with the key the backend gave ("Canceling Requests
 * in Progress" of the manual); it has no answer, and does no harm when it comes too late.
 */
async function cancelBackend(client: pg.Client): Promise<void> {
  const { host, port } = client;
  const { processID, secretKey } = client as unknown as {
    processID: number | null;
    secretKey: number | null;
  };
  if (processID === null || secretKey === null) return;
  const message = Buffer.alloc(16);
  for (const [i, field] of [16, CANCEL_REQUEST_CODE, processID, secretKey].entries())
    message.writeInt32BE(field, 4 * i);
  await new Promise<void>((resolve) => {
    const socket = host.startsWith('/')
      ? openSocket({ path: `${host}/.s.PGSQL.${port}` })
      : openSocket({ host, port });
    socket.setTimeout(CANCEL_TIMEOUT_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    // PostgreSQL closes the connection once it has passed the message on.
    socket.end(message);
    socket.resume();
  });
}

function socketOf(client: pg.Client): { destroy(): void } {
  return (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream;
}
