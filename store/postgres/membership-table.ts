// What a load of memberships is made of, whether a run's rows come as one partition or in parts: a table filled by
// COPY in the transaction that makes it, with its key, ready to be attached.

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Knex } from 'knex';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { quoteText } from '../../pipelines/contracts/sql-quote.ts';
import { columnsOf, encodeMemberships, type MembershipRows } from './copy-binary.ts';
import type { LockedRun } from './run-lock.ts';

const CHUNK_ROWS = 8_000;

export interface LoadOptions {
  /** Called after each chunk was handed over, with rows done and rows in all. */
  onProgress?: (done: number, of: number) => void;
  /** Stops at once, also while PostgreSQL builds the key; nothing of the load stays. */
  signal?: AbortSignal;
}

/** A transaction, and its connection for what knex cannot say. */
export interface Session {
  transaction: Knex.Transaction;
  connection: pg.Client;
}

/**
 * A machine that is lost in the middle of COPY says nothing: PostgreSQL would keep what the transaction has locked for
 * hours, and the next attempt waiting. So it hears of it in half a minute.
 */
const NOTICE_LOST_CLIENT = `set local tcp_keepalives_idle = 10; set local tcp_keepalives_interval = 5;
  set local tcp_keepalives_count = 3`;

/** What waits for a lock longer is tried again by Temporal. */
export const LOCK_TIMEOUT = '3s';

/**
 * Dropping a partition locks `memberships` for all. Behind one long query of a reader every later reader would wait too: so
 * this gives way after a while.
 */
export async function givingWay(transaction: Knex.Transaction, work: () => Promise<void>): Promise<void> {
  await transaction.raw(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
  await work();
  await transaction.raw('set local lock_timeout to default');
}

/** The run's sequence, not its id: always a short and plain name. */
export function partitionOf(run: LockedRun): string {
  return `memberships_${run.sequence}`;
}

/**
 * A transaction that the signal ends at once, in whatever state it is.
 *
 * @throws the signal's reason, whatever else the cut made fail
 */
export async function abortableTransaction<T>(
  knex: Knex,
  signal: AbortSignal | undefined,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await knex.transaction(async (transaction) => {
      const connection = (await transaction.client.acquireConnection()) as pg.Client;
      // Cut, not cancelled: at once in whatever state, and PostgreSQL rolls back what it has.
      const cut = () => socketOf(connection).destroy();
      signal?.addEventListener('abort', cut, { once: true });
      try {
        signal?.throwIfAborted();
        await transaction.raw(NOTICE_LOST_CLIENT);
        return await work({ transaction, connection });
      } finally {
        signal?.removeEventListener('abort', cut);
      }
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/**
 * Makes a table beside `memberships` and fills it with rows of one run.
 *
 * @param filling.condition what all rows satisfy, as SQL: held as the constraint {@link checkOf} until it is dropped,
 *   so that ATTACH trusts the rows instead of reading them all again
 */
export async function fillTable(
  { transaction, connection }: Session,
  filling: { table: string; runId: string; rows: MembershipRows; options: LoadOptions; condition?: string },
): Promise<void> {
  const { table, runId, rows, options, condition } = filling;
  await transaction.raw('create table ?? (like memberships including defaults including constraints)', [
    table,
  ]);
  const conditions = [`run_id = ${quoteText(runId)}`, ...(condition ? [condition] : [])];
  // Past knex: it puts a failed statement in front of the error, where a condition would tell customer ids, and takes
  // a question mark in a text for a binding.
  await connection.query(
    `alter table "${table}" add constraint "${checkOf(table)}" check (${conditions.join(' and ')})`,
  );
  await copyRows(connection, { table, runId, rows, onProgress: options.onProgress });
  await transaction.raw('alter table ?? add primary key (run_id, customer_id)', [table]);
}

/** Makes a filled table the partition of its run: a reader sees all of its rows from the commit on. */
export async function attachPartition({ connection }: Session, run: LockedRun): Promise<void> {
  await connection.query(
    `alter table memberships attach partition "${partitionOf(run)}" for values in (${quoteText(run.runId)})`,
  );
}

export async function dropCheck(transaction: Knex.Transaction, table: string): Promise<void> {
  await transaction.raw('alter table ?? drop constraint if exists ??', [table, checkOf(table)]);
}

function checkOf(table: string): string {
  return `${table}_of_run`;
}

async function copyRows(
  connection: pg.Client,
  copy: { table: string; runId: string; rows: MembershipRows; onProgress?: LoadOptions['onProgress'] },
): Promise<void> {
  const { table, runId, rows, onProgress } = copy;
  // FREEZE: the table is of this transaction, so its rows need no second writing by vacuum.
  const target = connection.query(
    copyFrom(`copy "${table}" (${columnsOf(rows).join(', ')}) from stdin (format binary, freeze)`),
  );
  const of = rows.labels.length;
  let chunks = 0;
  function* chunksTold(): Generator<Buffer> {
    for (const chunk of encodeMemberships(runId, rows, CHUNK_ROWS)) {
      yield chunk;
      // The first piece is the signature and holds no rows.
      onProgress?.(Math.min(chunks++ * CHUNK_ROWS, of), of);
    }
  }
  await pipeline(Readable.from(chunksTold(), { objectMode: true, highWaterMark: 2 }), target);
}

/**
 * In place of a foreign key, which would look up every row for a handful of segments.
 *
 * @throws RangeError naming the segments that are not saved
 */
export async function checkSegments(
  transaction: Knex.Transaction,
  segmentIds: readonly string[],
): Promise<void> {
  const found = await transaction<{ segment_id: string }>('segments').whereIn('segment_id', segmentIds);
  const known = new Set(found.map((row) => row.segment_id));
  const missing = segmentIds.filter((segmentId) => !known.has(segmentId));
  if (missing.length > 0) {
    throw new RangeError(`memberships need their segments saved first, not found: ${missing.join(', ')}`);
  }
}

/** The same rows have the same digest: SHA-256 in hex. */
export function digestRows(rows: MembershipRows): string {
  const { customers, labels, segmentIds, distance, margin, moveCauses } = rows;
  const words = moveCauses ? [moveCauses.words] : [];
  const hash = createHash('sha256').update(JSON.stringify([labels.length, segmentIds, ...words]));
  for (const column of [customers.offsets, customers.bytes, labels, distance, margin]) hash.update(column);
  if (moveCauses) hash.update(moveCauses.codes);
  return hash.digest('hex');
}

function socketOf(connection: pg.Client): { destroy(): void } {
  return (connection as unknown as { connection: { stream: { destroy(): void } } }).connection.stream;
}
