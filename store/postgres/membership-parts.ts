// Memberships of a run that come in parts, each a range of customer ids loaded by a session of its own. A part is a table
// of its own until all are there; then the run's partition is one that is partitioned in turn, by customer.

import { createHash } from 'node:crypto';
import type { Knex } from 'knex';
import { quoteText } from '../../pipelines/contracts/sql-quote.ts';
import { checkedCount, type MembershipRows } from './copy-binary.ts';
import {
  describeLeaf,
  dropLooseLeaves,
  dropPartition,
  type Leaf,
  type LeafContent,
  type LoadedLeaf,
  leavesOf,
  type MembershipPart,
} from './membership-leaves.ts';
import {
  abortableTransaction,
  attachPartition,
  checkSegments,
  digestRows,
  dropCheck,
  fillTable,
  type LoadOptions,
  partitionOf,
  type Session,
} from './membership-table.ts';
import { type LockedRun, lockOpenRun } from './run-lock.ts';

export interface PartsAttached {
  /** Parts there have to be. */
  of: number;
  /** Rows they have to have in all. */
  rows: number;
  /** `sha256` of the plan that cut them. */
  plan: string;
}

export async function loadPart(
  knex: Knex,
  task: { runId: string; part: MembershipPart; rows: MembershipRows; options: LoadOptions },
): Promise<{ rows: number }> {
  const { runId, part, rows, options } = task;
  const { of, first, end, plan } = checkedPart(part);
  const content: LeafContent = { of, first, end, plan, rows: checkedCount(rows), sha256: digestRows(rows) };
  const loaded = await abortableTransaction(knex, options.signal, async (session) => {
    const { transaction } = session;
    const run = await lockOpenRun(transaction, runId, 'shared');
    const table = `${partitionOf(run)}_${part.number}`;
    await lockPart(transaction, table);
    const leaf = (await leavesOf(transaction, run)).find(({ number }) => number === part.number);
    if (run.isPublished) return { rows: leaf?.content?.rows ?? 0 };
    // A late attempt at what was planned anew since: its rows are not wanted any more.
    if (leaf?.content && leaf.content.plan.since > plan.since) return { rows: content.rows };
    if (isSame(leaf?.content, content)) {
      await describeLeaf(session, table, content);
      return { rows: content.rows };
    }
    if (leaf?.isAttached) return null;
    await checkSegments(transaction, rows.segmentIds);
    await transaction.raw('drop table if exists ??', [table]);
    await fillTable(session, { table, runId, rows, options, condition: conditionOf(part) });
    await describeLeaf(session, table, content);
    return { rows: content.rows };
  });
  if (loaded) return loaded;
  await detachAll(knex, { runId, options });
  return loadPart(knex, task);
}

export function attachParts(
  knex: Knex,
  task: { runId: string; asked: PartsAttached; options: Pick<LoadOptions, 'signal'> },
): Promise<{ rows: number }> {
  const { runId, asked, options } = task;
  return abortableTransaction(knex, options.signal, async (session) => {
    const { transaction } = session;
    const run = await lockOpenRun(transaction, runId);
    if (run.isPublished) return { rows: run.membershipRows ?? 0 };
    const leaves = checkedLeaves(runId, await leavesOf(transaction, run), asked);
    const sha256 = digestLeaves(leaves);
    const isThere = leaves.every(({ isAttached }) => isAttached);
    const isDone = isThere && run.membershipRows === asked.rows && run.membershipSha256 === sha256;
    if (!isDone) {
      await dropPartition(transaction, run);
      await attachLeaves(session, run, leaves);
      await transaction('runs')
        .where({ run_id: runId })
        .update({ membership_rows: asked.rows, membership_sha256: sha256 });
    }
    await dropLooseLeaves(transaction, run);
    return { rows: asked.rows };
  });
}

/** Of two attempts at one part the second waits, and then finds what the first one left. */
async function lockPart(transaction: Knex.Transaction, table: string): Promise<void> {
  await transaction.raw(`select pg_advisory_xact_lock(hashtextextended(current_schema() || '.' || ?, 0))`, [
    table,
  ]);
}

/** Whoever planned it. */
function isSame(found: LeafContent | null | undefined, asked: LeafContent): boolean {
  return (['of', 'first', 'end', 'rows', 'sha256'] as const).every((key) => found?.[key] === asked[key]);
}

/** @throws RangeError; the text tells no bound, since those are customer ids */
function checkedPart(part: MembershipPart): MembershipPart {
  const { number, of, first, end } = part;
  if (!Number.isSafeInteger(of) || !Number.isSafeInteger(number) || number < 0 || number >= of) {
    throw new RangeError(
      `a part of memberships needs a number from 0 to below the parts there are, found ${number} of ${of}`,
    );
  }
  if ((first === null) !== (number === 0) || (end === null) !== (number === of - 1)) {
    throw new RangeError(
      `part ${number} of ${of} needs a first id unless it is the first, and an end unless it is the last`,
    );
  }
  if (first !== null && end !== null && Buffer.compare(Buffer.from(first), Buffer.from(end)) >= 0) {
    throw new RangeError(`part ${number} of ${of} needs its first id before its end, in byte order`);
  }
  return part;
}

/** The column has collation "C", so PostgreSQL compares bytes as well. */
function conditionOf({ first, end }: MembershipPart): string | undefined {
  const bounds = [
    ...(first === null ? [] : [`customer_id >= ${quoteText(first)}`]),
    ...(end === null ? [] : [`customer_id < ${quoteText(end)}`]),
  ];
  return bounds.length > 0 ? bounds.join(' and ') : undefined;
}

/** Those asked for, by number. @throws RangeError when they are not all there, or are not one whole */
function checkedLeaves(runId: string, found: Leaf[], { of, rows, plan }: PartsAttached): LoadedLeaf[] {
  const byNumber = new Map(found.map((leaf) => [leaf.number, leaf]));
  const leaves = Array.from({ length: of }, (_, number) => byNumber.get(number)).filter(
    (leaf): leaf is LoadedLeaf => leaf?.content?.of === of && leaf.content.plan.sha256 === plan,
  );
  if (of < 1 || leaves.length !== of) {
    throw new RangeError(`run ${runId} needs ${of} parts of its memberships loaded, found ${leaves.length}`);
  }
  const apart = leaves.findIndex(({ content }, i) => content.end !== (leaves[i + 1]?.content.first ?? null));
  if (apart >= 0) {
    throw new RangeError(
      `run ${runId} needs parts of memberships that adjoin, parts ${apart} and ${apart + 1} do not`,
    );
  }
  const loaded = leaves.reduce((sum, { content }) => sum + content.rows, 0);
  if (loaded !== rows) {
    throw new RangeError(`run ${runId} needs ${rows} memberships in its ${of} parts, found ${loaded}`);
  }
  return leaves;
}

function digestLeaves(leaves: LoadedLeaf[]): string {
  const digests = leaves.map(({ content }) => content.sha256);
  return createHash('sha256').update(JSON.stringify(digests)).digest('hex');
}

async function attachLeaves(session: Session, run: LockedRun, leaves: LoadedLeaf[]): Promise<void> {
  const { transaction, connection } = session;
  const partition = partitionOf(run);
  await transaction.raw(
    `create table ?? (like memberships including defaults including constraints,
       primary key (run_id, customer_id)) partition by range (customer_id)`,
    [partition],
  );
  for (const { table, content } of leaves) {
    const from = content.first === null ? 'minvalue' : quoteText(content.first);
    const to = content.end === null ? 'maxvalue' : quoteText(content.end);
    // Past knex, as the bounds are customer ids.
    await connection.query(
      `alter table "${partition}" attach partition "${table}" for values from (${from}) to (${to})`,
    );
  }
  await attachPartition(session, run);
  for (const { table } of leaves) await dropCheck(transaction, table);
}

/** So that a part can be loaded anew: dropping it from under the others would need them to stand still. */
async function detachAll(
  knex: Knex,
  { runId, options }: { runId: string; options: Pick<LoadOptions, 'signal'> },
): Promise<void> {
  await abortableTransaction(knex, options.signal, async ({ transaction }) => {
    const run = await lockOpenRun(transaction, runId);
    const leaves = await leavesOf(transaction, run);
    // Another may have been faster, and what is attached by now be a load of the whole.
    if (run.isPublished || !leaves.some(({ isAttached }) => isAttached)) return;
    await dropPartition(transaction, run);
    await transaction('runs')
      .where({ run_id: runId })
      .update({ membership_rows: null, membership_sha256: null });
  });
}
