import pg from 'pg';
import { PipelineError } from '../../pipelines/contracts/errors.ts';

const CONNECT_WITHIN_MS = 5_000;

/** One statement on a connection of its own; for set-up only, the product goes through its pool. */
export async function askPostgres(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    query_timeout: CONNECT_WITHIN_MS,
  });
  // A server that goes away emits an error beside the rejected query; unheard it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Checks a database that is not ours.
 *
 * @throws PipelineError POSTGRES_UNREACHABLE with server, reason and way out; never with the password
 */
export async function requireDatabase(url: string): Promise<void> {
  try {
    await askPostgres(url, 'SELECT 1');
  } catch (error) {
    const { host, pathname } = new URL(url);
    throw new PipelineError(
      'POSTGRES_UNREACHABLE',
      `PostgreSQL at ${host}, database ${pathname.slice(1)}, cannot be used: ${reasonOf(error)}; correct STRATA_DATABASE_URL, or unset it and Strata starts a PostgreSQL of its own`,
      { host },
    );
  }
}

/** Several addresses of one name fail as an AggregateError without a message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
