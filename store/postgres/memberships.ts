import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Knex } from 'knex';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { quoteText } from '../../pipelines/contracts/sql-quote.ts';
import { checkedCount, columnsOf, encodeMemberships, type MembershipRows } from './copy-binary.ts';
import { translating } from './database-errors.ts';
import { type LockedRun, lockOpenRun } from './run-lock.ts';

const CHUNK_ROWS = 8_000;

export interface LoadOptions {
  /** Called after each chunk was handed over, with rows done and rows in all. */
  onProgress?: (done: number, of: number) => void;
  /** Stops at once, also while PostgreSQL builds the key; nothing of the load stays. */
  signal?: AbortSignal;
}

export interface Membership {
  runId: string;
  customerId: string;
  segmentId: string;
  distance: number;
  margin: number;
}

export type MembershipsRepository = ReturnType<typeof createMembershipsRepository>;

/** Which customer is in which segment, by run. */
export const createMembershipsRepository = (knex: Knex) =>
  translating({
    /**
     * Loads all memberships of a run as a partition of its own, in one transaction: a reader sees none of them
     * or all. The same rows a second time change nothing; others take the place of the first, unless the run
     * is published.
     *
     * @throws RangeError when columns do not fit together, or a segment is not saved
     * @throws PipelineError RUN_UNKNOWN, RUN_ABANDONED, POSTGRES_UNREACHABLE; the signal's reason
     *
     * O(n); a million rows take about 1.5 s on two cores.
     */
    load: (runId: string, rows: MembershipRows, options: LoadOptions = {}): Promise<{ rows: number }> =>
      load(knex, { runId, rows, options }),

    /** The customer's segment in a run; null when the customer was not in it. */
    async of(runId: string, customerId: string): Promise<Membership | null> {
      const row = await knex<MembershipRow>('memberships')
        .where({ run_id: runId, customer_id: customerId })
        .first();
      return row
        ? {
            runId: row.run_id,
            customerId: row.customer_id,
            segmentId: row.segment_id,
            distance: row.distance,
            margin: row.margin,
          }
        : null;
    },

    /** Rows in the table, counted. */
    async count(runId: string): Promise<number> {
      const [row] = await knex('memberships').where({ run_id: runId }).count({ rows: '*' });
      return Number(row?.rows ?? 0);
    },
  });

interface MembershipRow {
  run_id: string;
  customer_id: string;
  segment_id: string;
  distance: number;
  margin: number;
}

/** Drops a run's partition when there is one; for `load` and for the clean-up. */
export async function removeMemberships(transaction: Knex.Transaction, run: LockedRun): Promise<void> {
  await transaction.raw('drop table if exists ??', [partitionOf(run)]);
  await transaction('runs')
    .where({ run_id: run.runId })
    .update({ membership_rows: null, membership_sha256: null });
}

/** The run's sequence, not its id: always a short and plain name. */
function partitionOf(run: LockedRun): string {
  return `memberships_${run.sequence}`;
}

async function load(
  knex: Knex,
  { runId, rows, options }: { runId: string; rows: MembershipRows; options: LoadOptions },
): Promise<{ rows: number }> {
  const count = checkedCount(rows);
  const sha256 = digestRows(rows);
  const { signal } = options;
  signal?.throwIfAborted();
  try {
    return await knex.transaction(async (transaction) => {
      const connection = (await transaction.client.acquireConnection()) as pg.Client;
      // Cut, not cancelled: at once in whatever state, and PostgreSQL rolls back what it has.
      const cut = () => socketOf(connection).destroy();
      signal?.addEventListener('abort', cut, { once: true });
      try {
        signal?.throwIfAborted();
        const run = await lockOpenRun(transaction, runId);
        if (run.isPublished) return { rows: run.membershipRows ?? 0 };
        if (run.membershipRows === count && run.membershipSha256 === sha256) return { rows: count };
        await checkSegments(transaction, rows.segmentIds);
        await fillPartition({ transaction, connection, run, rows, options });
        await transaction('runs')
          .where({ run_id: runId })
          .update({ membership_rows: count, membership_sha256: sha256 });
        return { rows: count };
      } finally {
        signal?.removeEventListener('abort', cut);
      }
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

async function fillPartition(task: {
  transaction: Knex.Transaction;
  connection: pg.Client;
  run: LockedRun;
  rows: MembershipRows;
  options: LoadOptions;
}): Promise<void> {
  const { transaction, connection, run, rows, options } = task;
  const table = partitionOf(run);
  await removeMemberships(transaction, run);
  await transaction.raw('create table ?? (like memberships including defaults including constraints)', [
    table,
  ]);
  // Lets ATTACH trust the rows instead of reading them all again.
  const check = `${table}_of_run`;
  await transaction.raw(`alter table ?? add constraint ?? check (run_id = ${quoteText(run.runId)})`, [
    table,
    check,
  ]);
  await copyRows(connection, { table, runId: run.runId, rows, onProgress: options.onProgress });
  await transaction.raw('alter table ?? add primary key (run_id, customer_id)', [table]);
  await transaction.raw(
    `alter table memberships attach partition ?? for values in (${quoteText(run.runId)})`,
    [table],
  );
  await transaction.raw('alter table ?? drop constraint ??', [table, check]);
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

/** In place of a foreign key, which would look up every row for a handful of segments. */
async function checkSegments(transaction: Knex.Transaction, segmentIds: readonly string[]): Promise<void> {
  const found = await transaction<{ segment_id: string }>('segments').whereIn('segment_id', segmentIds);
  const known = new Set(found.map((row) => row.segment_id));
  const missing = segmentIds.filter((segmentId) => !known.has(segmentId));
  if (missing.length > 0) {
    throw new RangeError(`memberships need their segments saved first, not found: ${missing.join(', ')}`);
  }
}

function digestRows(rows: MembershipRows): string {
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
