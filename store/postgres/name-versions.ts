import type { Knex } from 'knex';

/** A name that is or was in force. */
export interface NameVersion {
  segmentId: string;
  version: number;
  name: string;
  description: string;
  author: 'auto' | 'manual';
  /** The person who put it in force; null for a run's. */
  givenBy: string | null;
  reason: string;
  runId: string | null;
  condition: unknown;
  /** ISO with time. */
  since: string;
  /** Null while it is in force. */
  until: string | null;
}

interface NameRow {
  segment_id: string;
  version: number;
  run_id: string | null;
  name: string;
  description: string;
  author: NameVersion['author'];
  given_by: string | null;
  reason: string;
  condition: unknown;
  valid_from: Date;
  valid_to: Date | null;
}

export function versionOf(row: NameRow): NameVersion {
  return {
    segmentId: row.segment_id,
    version: row.version,
    name: row.name,
    description: row.description,
    author: row.author,
    givenBy: row.given_by,
    reason: row.reason,
    runId: row.run_id,
    condition: row.condition,
    since: row.valid_from.toISOString(),
    until: row.valid_to?.toISOString() ?? null,
  };
}

/** Every version that was ever in force, oldest first; what a run only proposed is none. */
export async function historyOf(knex: Knex, segmentId: string): Promise<NameVersion[]> {
  const rows = await knex<NameRow>('segment_names')
    .where({ segment_id: segmentId })
    .whereNotNull('valid_from')
    .orderBy('version');
  return rows.map(versionOf);
}

/**
 * The pipeline's row, locked: publishing and renaming change names, and each has to see what the other left.
 *
 * @returns false for a pipeline that there is not
 */
export async function lockNames(transaction: Knex.Transaction, pipeline: string): Promise<boolean> {
  // Not FOR UPDATE: foreign keys of a clean-up that this one then waits for would wait for it in turn.
  const row = await transaction('pipelines').where({ name: pipeline }).forNoKeyUpdate().first();
  return row !== undefined;
}

/**
 * The moment at which names change hands, as PostgreSQL writes it: to the microsecond. It is asked for behind the
 * lock, since a transaction that waited there began before what it waited for.
 */
export async function momentOf(transaction: Knex.Transaction): Promise<string> {
  const { rows } = await transaction.raw<{ rows: { at: string }[] }>('select clock_timestamp()::text as at');
  return rows[0]!.at;
}
