import type { Knex } from 'knex';
import { checkedCount, type MembershipRows } from './copy-binary.ts';
import { translating } from './database-errors.ts';
import { dropLooseLeaves, type MembershipPart } from './membership-leaves.ts';
import { attachParts, loadPart, type PartsAttached } from './membership-parts.ts';
import {
  abortableTransaction,
  attachPartition,
  checkSegments,
  digestRows,
  dropCheck,
  fillTable,
  givingWay,
  type LoadOptions,
  partitionOf,
} from './membership-table.ts';
import { type LockedRun, lockOpenRun } from './run-lock.ts';

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

    /**
     * Loads one part of a run's memberships as a table of its own, in one transaction. No reader sees it before
     * `attachParts`; parts of one run load at the same time, in any order and by any process. The same rows of
     * the same part a second time change nothing; others take the place of the first, and where the parts were
     * attached already the run has no memberships until they are attached again. Rows of an earlier plan than
     * what is there change nothing, nor does anything change of a published run.
     *
     * A part may have no rows, but bounds that leave room for some. So with fewer customers than parts, those
     * without any are not loaded at all: the others are numbered through, each bounded by the first id of the
     * next one, and `of` is how many they are; one, unbounded, for no customer at all.
     *
     * @returns the rows of the part
     * @throws RangeError when columns or bounds do not fit together, or a segment is not saved
     * @throws PipelineError RUN_UNKNOWN, RUN_ABANDONED, POSTGRES_UNREACHABLE; the signal's reason
     *
     * O(n) of the part. A clean-up of the run waits for the parts being loaded, and those that come later fail.
     */
    loadPart: (
      runId: string,
      part: MembershipPart,
      rows: MembershipRows,
      options: LoadOptions = {},
    ): Promise<{ rows: number }> => loadPart(knex, { runId, part, rows, options }),

    /**
     * Makes the loaded parts the run's memberships, in one transaction: a reader sees none of them or all. What
     * was loaded before, whole or in other parts, goes. A second time nothing is changed.
     *
     * @returns the run's rows
     * @throws RangeError when a part is not loaded by that plan, parts do not adjoin, or have other rows than asked in all
     * @throws PipelineError RUN_UNKNOWN, RUN_ABANDONED, POSTGRES_UNREACHABLE; the signal's reason
     *
     * O(parts): no row is read, but those of parts that were attached before and came apart.
     */
    attachParts: (
      runId: string,
      asked: PartsAttached,
      options: Pick<LoadOptions, 'signal'> = {},
    ): Promise<{ rows: number }> => attachParts(knex, { runId, asked, options }),

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

/** Drops all that was loaded of a run, attached or not; for `load` and for the clean-up. */
export async function removeMemberships(transaction: Knex.Transaction, run: LockedRun): Promise<void> {
  await givingWay(transaction, async () => {
    await transaction.raw('drop table if exists ??', [partitionOf(run)]);
  });
  await dropLooseLeaves(transaction, run);
  await transaction('runs')
    .where({ run_id: run.runId })
    .update({ membership_rows: null, membership_sha256: null });
}

function load(
  knex: Knex,
  { runId, rows, options }: { runId: string; rows: MembershipRows; options: LoadOptions },
): Promise<{ rows: number }> {
  const count = checkedCount(rows);
  const sha256 = digestRows(rows);
  return abortableTransaction(knex, options.signal, async (session) => {
    const { transaction } = session;
    const run = await lockOpenRun(transaction, runId);
    if (run.isPublished) return { rows: run.membershipRows ?? 0 };
    if (run.membershipRows === count && run.membershipSha256 === sha256) {
      await dropLooseLeaves(transaction, run);
      return { rows: count };
    }
    await checkSegments(transaction, rows.segmentIds);
    await removeMemberships(transaction, run);
    const table = partitionOf(run);
    await fillTable(session, { table, runId, rows, options });
    await attachPartition(session, run);
    await dropCheck(transaction, table);
    await transaction('runs')
      .where({ run_id: runId })
      .update({ membership_rows: count, membership_sha256: sha256 });
    return { rows: count };
  });
}
