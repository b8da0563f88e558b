// The tables that parts of a run's memberships are loaded into. What a table holds is told by the comment on it, which
// comes and goes with the table, in the same transaction.

import type { Knex } from 'knex';
import { quoteText } from '../../pipelines/contracts/sql-quote.ts';
import { givingWay, partitionOf, type Session } from './membership-table.ts';
import type { LockedRun } from './run-lock.ts';

/** A range of customer ids in byte order; those of all parts adjoin. */
export interface MembershipPart {
  /** From 0, in the order of the ranges. */
  number: number;
  /** How many parts there are. */
  of: number;
  /** Lowest id, inclusive; null for the first part, which begins with whatever comes first. */
  first: string | null;
  /** Exclusive, and so the `first` of the next part; null for the last one. */
  end: string | null;
  plan: PartsPlan;
}

/** What cut the parts. */
export interface PartsPlan {
  /** Digest of what tells the rows of all parts. */
  sha256: string;
  /** ISO time: of two plans of one run the later one counts. */
  since: string;
}

export interface Leaf {
  table: string;
  number: number;
  isAttached: boolean;
  /** Null where the comment is not ours. */
  content: LeafContent | null;
}

export interface LeafContent extends Omit<MembershipPart, 'number'> {
  rows: number;
  sha256: string;
}

export type LoadedLeaf = Leaf & { content: LeafContent };

/** In no order. */
export async function leavesOf(transaction: Knex.Transaction, run: LockedRun): Promise<Leaf[]> {
  const start = `${partitionOf(run)}_`;
  const found = await transaction('pg_class')
    .whereRaw("relnamespace = current_schema()::regnamespace and relkind = 'r'")
    .whereRaw('relname ~ ?', [`^${start}[0-9]+$`])
    .select<{ relname: string; relispartition: boolean; comment: string | null }[]>(
      'relname',
      'relispartition',
      transaction.raw(`obj_description(oid, 'pg_class') as comment`),
    );
  return found.map(({ relname, relispartition, comment }) => ({
    table: relname,
    number: Number(relname.slice(start.length)),
    isAttached: relispartition,
    content: contentOf(comment),
  }));
}

function contentOf(comment: string | null): LeafContent | null {
  try {
    return JSON.parse(comment ?? 'null') as LeafContent | null;
  } catch {
    return null;
  }
}

/** Drops the parts of a run that are not attached. */
export async function dropLooseLeaves(transaction: Knex.Transaction, run: LockedRun): Promise<void> {
  const leaves = await leavesOf(transaction, run);
  for (const { table } of leaves.filter(({ isAttached }) => !isAttached)) {
    await transaction.raw('drop table ??', [table]);
  }
}

export async function describeLeaf(
  { connection }: Session,
  table: string,
  content: LeafContent,
): Promise<void> {
  await connection.query(`comment on table "${table}" is ${quoteText(JSON.stringify(content))}`);
}

/**
 * The run's partition goes; the parts that were attached to it stay, loose.
 *
 * @throws PipelineError POSTGRES_UNREACHABLE while a reader is in the way
 */
export async function dropPartition(transaction: Knex.Transaction, run: LockedRun): Promise<void> {
  const partition = partitionOf(run);
  const attached = (await leavesOf(transaction, run)).filter(({ isAttached }) => isAttached);
  await givingWay(transaction, async () => {
    // In the order of the readers, who else would be in each other's way: all memberships before those of the run.
    if (attached.length > 0) await transaction.raw('lock table memberships in access exclusive mode');
    for (const { table } of attached)
      await transaction.raw('alter table ?? detach partition ??', [partition, table]);
    await transaction.raw('drop table if exists ??', [partition]);
  });
}
