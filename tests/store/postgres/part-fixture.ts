import type { Knex } from 'knex';
import { expect } from 'vitest';
import type { MembershipRows } from '../../../store/postgres/copy-binary.ts';
import type { MembershipPart } from '../../../store/postgres/membership-leaves.ts';
import type { LoadOptions } from '../../../store/postgres/membership-table.ts';
import { createRepositories } from '../../../store/postgres/repositories.ts';
import { testDatabase } from '../../helpers/postgres.ts';
import { memberships, newRun, segment, segmentation } from './fixture.ts';

export const PLAN = { sha256: 'a'.repeat(64), since: '2026-07-01T00:00:00.000Z' };
export const SEGMENTS = ['seg_x0', 'seg_x1', 'seg_x2'];

export type PartedDatabase = Awaited<ReturnType<typeof partedDatabase>>;

/** A database whose run `a` is ready for its memberships, and what tests of parts do with it. */
export async function partedDatabase() {
  const database = await testDatabase({ migrated: false });
  const { knex } = database;
  const repositories = createRepositories(knex);
  const loadPart = ({ part, rows }: Part, runId = 'a', options: LoadOptions = {}) =>
    repositories.memberships.loadPart(runId, part, rows, options);
  const attach = (parts: readonly Part[], runId = 'a') =>
    repositories.memberships.attachParts(runId, {
      of: parts.length,
      rows: parts.reduce((sum, { rows }) => sum + rows.labels.length, 0),
      plan: parts[0]!.part.plan.sha256,
    });
  return {
    ...database,
    repositories,
    loadPart,
    attach,
    open: (runId: string, pipeline?: string) => repositories.runs.open(newRun(runId, pipeline)),
    async loadParts(parts: readonly Part[], runId = 'a') {
      for (const part of parts) await loadPart(part, runId);
      return attach(parts, runId);
    },
    async clear() {
      await database.clear();
      await repositories.runs.open(newRun('a'));
      await repositories.segmentations.save('a', segmentation(SEGMENTS.map((id) => segment(id))));
    },
    /** Those of memberships, attached or not. */
    tables: () =>
      knex('pg_class')
        .where('relname', 'like', 'memberships\\_%')
        .whereRaw("relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')")
        .orderBy('relname')
        .pluck<string[]>('relname'),
    idsOf: (runId: string) =>
      knex('memberships').where({ run_id: runId }).orderBy('customer_id').pluck<string[]>('customer_id'),
    async explained(query: string): Promise<string> {
      const { rows } = await knex.raw<{ rows: Record<string, string>[] }>(
        `explain (analyze, costs off, timing off, summary off) ${query}`,
      );
      return rows.map((row) => row['QUERY PLAN']!).join('\n');
    },
  };
}

export async function pidOf(transaction: Knex.Transaction): Promise<number> {
  const { rows } = await transaction.raw<{ rows: { pid: number }[] }>('select pg_backend_pid() as pid');
  return rows[0]!.pid;
}

/** The sessions that wait for this one, once they are so many. */
export async function blockedBy(knex: Knex, pid: number, sessions = 1): Promise<number[]> {
  const blocked = () =>
    knex('pg_stat_activity').whereRaw('? = any(pg_blocking_pids(pid))', [pid]).pluck<number[]>('pid');
  await expect.poll(blocked, { timeout: 10_000 }).toHaveLength(sessions);
  return blocked();
}

export const numbered = (count: number, word = 'customer') =>
  memberships(
    Array.from({ length: count }, (_, i) => `${word}-${String(i).padStart(8, '0')}`),
    SEGMENTS,
  );

export interface Part {
  part: MembershipPart;
  rows: MembershipRows;
}

export const inByteOrder = (ids: readonly string[]) =>
  [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

/**
 * The same rows in parts.
 *
 * @param rows customers in byte order
 * @param starts row that each part but the first begins with
 */
export function cut(rows: MembershipRows, starts: readonly number[]): Part[] {
  const edges = [0, ...starts, rows.labels.length];
  const of = starts.length + 1;
  return Array.from({ length: of }, (_, number) => ({
    part: {
      number,
      of,
      first: number === 0 ? null : idOf(rows, edges[number]!),
      end: number === of - 1 ? null : idOf(rows, edges[number + 1]!),
      plan: PLAN,
    },
    rows: sliceOf(rows, edges[number]!, edges[number + 1]!),
  }));
}

function idOf({ customers: { bytes, offsets } }: MembershipRows, row: number): string {
  return Buffer.from(bytes.subarray(offsets[row], offsets[row + 1])).toString();
}

function sliceOf(rows: MembershipRows, from: number, to: number): MembershipRows {
  const { customers, labels, distance, margin, moveCauses } = rows;
  const start = customers.offsets[from]!;
  return {
    ...rows,
    customers: {
      offsets: customers.offsets.slice(from, to + 1).map((offset) => offset - start),
      bytes: customers.bytes.subarray(start, customers.offsets[to]),
    },
    labels: labels.subarray(from, to),
    distance: distance.subarray(from, to),
    margin: margin.subarray(from, to),
    moveCauses: moveCauses && { ...moveCauses, codes: moveCauses.codes.subarray(from, to) },
  };
}
