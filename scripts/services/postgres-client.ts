import pg from 'pg';

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
