import knexModule, { type Knex } from 'knex';
import pg from 'pg';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { reasonOf } from './database-errors.ts';

/** All of Strata's tables lie in a schema of their own, so that it may share a database with others. */
const DEFAULT_SCHEMA = 'strata';

const CONNECT_TIMEOUT_MS = 10_000;
const PROTOCOLS = new Set(['postgres:', 'postgresql:']);
const INT8_OID = 20;
const DATE_OID = 1082;

/** Counts as numbers, since none comes near 2^53; dates as the text they are, since `Date` would shift them. */
const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8_OID) return Number;
    if (oid === DATE_OID) return String;
    return pg.types.getTypeParser(oid, format as 'text');
  },
};

/**
 * A pool of connections; none is opened before the first query, and those that died while idle (PostgreSQL
 * restarted) are replaced unseen.
 *
 * @param databaseUrl `postgres://user:password@host:port/database`
 * @param options.schema where the tables lie, default `strata`; made by `migrate`
 * @param options.pool most connections at once, default 10
 * @throws PipelineError CONFIG_INVALID when it is not an address; whether it answers, `ping` tells
 */
export function connect(databaseUrl: string, options: { schema?: string; pool?: number } = {}): Knex {
  return knexModule({
    client: 'pg',
    connection: {
      connectionString: parsedUrl(databaseUrl).href,
      application_name: 'strata',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      types,
    } as Knex.PgConnectionConfig,
    searchPath: [options.schema ?? DEFAULT_SCHEMA],
    pool: { min: 0, max: options.pool ?? 10 },
    acquireConnectionTimeout: 3 * CONNECT_TIMEOUT_MS,
    // Bindings hold customer ids: a failed statement is told with its placeholders.
    compileSqlOnError: false,
    // What fails is thrown as well: it is told once, by whoever catches it.
    log: { warn() {} },
  });
}

/**
 * Whether PostgreSQL answers at this address, and which version it is (`18.4`).
 *
 * @throws PipelineError POSTGRES_UNREACHABLE naming host, port, database and user, never the password
 */
export async function ping(databaseUrl: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<string> {
  const client = new pg.Client({
    connectionString: parsedUrl(databaseUrl).href,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  // Without a listener a connection lost while closing would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    const answer = await client.query<{ server_version: string }>('show server_version');
    return answer.rows[0]!.server_version.split(' ', 1)[0]!;
  } catch (cause) {
    const reason = cause instanceof Error ? reasonOf(cause) : String(cause);
    throw new PipelineError(
      'POSTGRES_UNREACHABLE',
      `PostgreSQL needs to answer at ${withoutPassword(databaseUrl)}, found: ${reason}; ` +
        'start it there, or set STRATA_DATABASE_URL to another, or unset it to have one started',
      {},
      { cause },
    );
  } finally {
    await client.end().catch(() => {});
  }
}

/** `user@host:port/database`, for messages. */
function withoutPassword(databaseUrl: string): string {
  const url = parsedUrl(databaseUrl);
  const user = url.username === '' ? '' : `${url.username}@`;
  return `${user}${url.host || 'localhost'}${url.pathname}`;
}

function parsedUrl(databaseUrl: string): URL {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : null;
  if (url && PROTOCOLS.has(url.protocol)) return url;
  // The text itself is not shown: a password in it may be what makes it unreadable.
  throw new PipelineError(
    'CONFIG_INVALID',
    'STRATA_DATABASE_URL needs the form postgres://user:password@host:port/database ' +
      '(special characters percent-encoded), found something else',
  );
}
