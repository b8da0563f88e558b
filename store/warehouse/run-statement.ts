import type { DuckDBConnection } from '@duckdb/node-api';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { isInterrupt, isStatementFault, readFault, translateFault } from './duckdb-errors.ts';

/**
 * SQL, and what of a definition it is made of. When it fails, the parts are run one by one to name the
 * one at fault.
 */
export interface Statement {
  sql: string;
  parts: readonly { name: string; sql: string }[];
}

const INTERRUPT_MS = 100;

interface Call<T> {
  connection: DuckDBConnection;
  query: string | Statement;
  signal: AbortSignal | undefined;
  work: (sql: string) => Promise<T>;
}

/**
 * One call of a connection, which the signal interrupts.
 *
 * @throws PipelineError WAREHOUSE_FAILED, or FEATURE_INVALID naming the part at fault; the signal's reason
 */
export async function run<T>({ connection, query, signal, work }: Call<T>): Promise<T> {
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
