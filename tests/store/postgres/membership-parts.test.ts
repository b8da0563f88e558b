import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../../store/postgres/connect.ts';
import type { MembershipRows } from '../../../store/postgres/copy-binary.ts';
import { createRepositories } from '../../../store/postgres/repositories.ts';
import { memberships, persistRun, publishRun } from './fixture.ts';
import {
  blockedBy,
  cut,
  inByteOrder,
  numbered,
  type PartedDatabase,
  PLAN,
  partedDatabase,
  pidOf,
  SEGMENTS,
} from './part-fixture.ts';

let parted: PartedDatabase;
const many = numbered(20_000);
const manyParts = cut(many, [5_000, 10_000, 15_000]);

beforeAll(async () => {
  parted = await partedDatabase();
}, 60_000);

afterAll(() => parted?.drop());

beforeEach(() => parted.clear());

describe('parts that were attached', () => {
  // In UTF-16 the last would come before the one before it; in a language's order A, a, É, é, z would be neighbours.
  const ids = ['', '?', "O'Brien", 'A', 'Z', 'a', 'z', 'É', 'é', 'ß', '日本', '～', '😀', 'a\tb\\', '?? :x'];
  const sorted = inByteOrder(ids);
  const of = (count: number, causes: MembershipRows['moveCauses'] = null): MembershipRows => ({
    ...memberships(sorted.slice(0, count), SEGMENTS),
    moveCauses: causes,
  });

  test('answer as a load of the whole does', async () => {
    await parted.open('p', 'parted');
    const rows = of(ids.length);
    await parted.repositories.memberships.load('a', rows);
    // A customer for each part: so every id is a bound.
    const parts = cut(
      rows,
      Array.from({ length: ids.length - 1 }, (_, i) => i + 1),
    );
    expect(await parted.loadParts(parts, 'p')).toEqual({ rows: ids.length });
    expect(await parted.repositories.memberships.count('p')).toBe(ids.length);
    expect(await parted.idsOf('p')).toEqual(sorted);
    for (const id of [...ids, 'nobody', 'Ä']) {
      const whole = await parted.repositories.memberships.of('a', id);
      expect(await parted.repositories.memberships.of('p', id)).toEqual(whole && { ...whole, runId: 'p' });
    }
    const read = await parted.knex('memberships').where({ run_id: 'p' }).orderBy('customer_id');
    const whole = await parted.knex('memberships').where({ run_id: 'a' }).orderBy('customer_id');
    expect(read).toEqual(whole.map((row) => ({ ...row, run_id: 'p' })));
  });

  test('are published as a load of the whole is, with the same moves', async () => {
    const words = [null, 'behaviour', 'model', 'border'];
    const causes = { codes: Uint8Array.from(ids, (_, i) => i % 4), words };
    const first = of(ids.length - 3);
    const second = { ...of(ids.length, causes), labels: Uint8Array.from(ids, (_, i) => (i >> 1) % 3) };
    await parted.open('b');
    await parted.open('p', 'parted');
    await parted.open('q', 'parted');
    await parted.repositories.memberships.load('a', first);
    await parted.repositories.memberships.load('b', second);
    await parted.loadParts(cut(first, [4, 9]), 'p');
    await parted.loadParts(cut(second, [2, 11]), 'q');
    for (const [pipeline, before, after] of [
      ['shop', 'a', 'b'],
      ['parted', 'p', 'q'],
    ] as const) {
      const { publicationId } = await publishRun(parted.repositories, before, { pipeline });
      await publishRun(parted.repositories, after, { pipeline, expectedBase: publicationId });
    }
    const seen = async (view: string, pipeline: string, columns: string[]) =>
      parted.knex(view).where({ pipeline }).orderBy(columns).select(columns);
    for (const [view, ...columns] of [
      ['published_memberships', 'customer_id', 'segment_id', 'distance', 'margin'],
      ['published_runs', 'customers'],
      ['segment_moves', 'customer_id', 'from_segment_id', 'to_segment_id', 'cause'],
    ] as const) {
      const whole = await seen(view, 'shop', [...columns]);
      expect(await seen(view, 'parted', [...columns])).toEqual(whole);
      expect(whole.length).toBeGreaterThan(0);
    }
    const moves = async (runId: string) =>
      (
        await parted.knex.raw<{ rows: object[] }>(
          'select * from segment_moves_of(?) order by customer_id, from_segment_id',
          [runId],
        )
      ).rows;
    expect(await moves('q')).toEqual(await moves('b'));
    expect((await moves('q')).length).toBeGreaterThan(3);
  });

  test('are read one at a time, by a look-up of one customer', async () => {
    await parted.loadParts(manyParts);
    await persistRun(parted.repositories, 'b', { pipeline: 'other' });
    await publishRun(parted.repositories, 'a');
    const customer = 'customer_id = $$customer-00007000$$';
    const direct = await parted.explained(`select * from memberships where run_id = 'a' and ${customer}`);
    expect(direct.match(/memberships_\d\w*/g)).toContain('memberships_1_1');
    expect(direct).not.toMatch(/on memberships_(?!1_1)/);
    const view = await parted.explained(
      `select * from published_memberships where pipeline = 'shop' and ${customer}`,
    );
    expect(view).toMatch(/on memberships_1_1 \w+ \(actual rows=1/);
    expect(view).toMatch(/on memberships_2 \w+ \(never executed\)/);
    expect(view).not.toMatch(/on memberships_1_[023]/);
  });

  test('are seen all at once, and none before', async () => {
    for (const part of manyParts) await parted.loadPart(part);
    expect(await parted.repositories.memberships.count('a')).toBe(0);
    // Lets readers through, but no ATTACH.
    const other = await parted.knex.transaction();
    await other.raw('lock table memberships in share update exclusive mode');
    const attaching = parted.repositories.memberships.attachParts('a', {
      of: 4,
      rows: 20_000,
      plan: PLAN.sha256,
    });
    await blockedBy(parted.knex, await pidOf(other));
    expect(await parted.repositories.memberships.count('a')).toBe(0);
    await other.commit();
    await attaching;
    expect(await parted.repositories.memberships.count('a')).toBe(20_000);
  });

  test('were attached without reading their rows', async () => {
    for (const part of cut(of(9), [3, 6])) await parted.loadPart(part);
    const url = new URL(parted.url);
    url.searchParams.set('options', '-c client_min_messages=debug1');
    const telling = connect(url.href, { schema: parted.schema });
    const notices: string[] = [];
    (
      telling.client as {
        pool: { on(event: string, listener: (id: number, client: pg.Client) => void): void };
      }
    ).pool.on('createSuccess', (_, client) =>
      client.on('notice', ({ message }) => notices.push(message ?? '')),
    );
    await createRepositories(telling).memberships.attachParts('a', { of: 3, rows: 9, plan: PLAN.sha256 });
    await telling.destroy();
    const validated = notices.filter((notice) => notice.startsWith('partition constraint for table'));
    expect(validated.length).toBeGreaterThan(0);
    expect(notices.filter((notice) => notice.startsWith('verifying table'))).toEqual([]);
    const implied = (table: string) =>
      validated.filter((notice) => notice.includes(`"${table}" is implied by existing constraints`)).length;
    // Once for the range, once for the run.
    for (const table of ['memberships_1_0', 'memberships_1_1', 'memberships_1_2']) {
      expect(implied(table)).toBe(2);
    }
    const checks = parted.knex('pg_constraint').whereRaw('connamespace = current_schema()::regnamespace');
    expect(await checks.where('conname', 'like', '%of\\_run')).toEqual([]);
  });

  test('of a run id and of bounds that are hostile SQL are only that', async () => {
    const runId = `o?'"; drop table runs; --`;
    await parted.open(runId, 'other');
    const rows = memberships(inByteOrder(["'); drop table runs; --", '$$', '"?"', '\\']), SEGMENTS);
    await parted.loadParts(cut(rows, [1, 2, 3]), runId);
    expect(await parted.repositories.memberships.count(runId)).toBe(4);
    expect(await parted.repositories.memberships.of(runId, "'); drop table runs; --")).not.toBeNull();
  });
});
