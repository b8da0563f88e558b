import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MembershipPart, PartsPlan } from '../../../store/postgres/membership-leaves.ts';
import { allRows } from '../../helpers/postgres-rows.ts';
import { assertRepeatable } from '../../helpers/repeatable.ts';
import { memberships, publishRun } from './fixture.ts';
import {
  cut,
  numbered,
  type Part,
  type PartedDatabase,
  PLAN,
  partedDatabase,
  SEGMENTS,
} from './part-fixture.ts';

let parted: PartedDatabase;
const rows = numbered(12);
const three = cut(rows, [4, 8]);

beforeAll(async () => {
  parted = await partedDatabase();
}, 60_000);

afterAll(() => parted?.drop());

beforeEach(() => parted.clear());

const changed = (part: (typeof three)[number]) => ({
  ...part,
  rows: { ...part.rows, labels: part.rows.labels.map((label) => (label + 1) % 3) },
});

/** All there is, and which table it is in: one made anew is another one. */
const snapshot = async () => [
  await allRows(parted.knex),
  await parted
    .knex('pg_class')
    .where('relname', 'like', 'memberships%')
    .whereRaw('relnamespace = current_schema()::regnamespace')
    .orderBy('oid')
    .select('oid', 'relname', 'relispartition'),
];

const recordOf = (runId: string) =>
  parted.knex('runs').where({ run_id: runId }).first('membership_rows', 'membership_sha256');

const NONE = { membership_rows: null, membership_sha256: null };

describe('a second time', () => {
  test('a part leaves the same, loose and attached', async () => {
    expect(await assertRepeatable(() => parted.loadPart(three[1]!), snapshot)).toEqual({ rows: 4 });
    await parted.loadParts(three);
    expect(await assertRepeatable(() => parted.loadPart(three[1]!), snapshot)).toEqual({ rows: 4 });
    expect(await parted.idsOf('a')).toHaveLength(12);
  });

  test('attaching leaves the same', async () => {
    for (const part of three) await parted.loadPart(part);
    expect(await assertRepeatable(() => parted.attach(three), snapshot)).toEqual({ rows: 12 });
    expect(await recordOf('a')).toEqual({
      membership_rows: 12,
      membership_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(await parted.tables()).toEqual([
      'memberships_1',
      'memberships_1_0',
      'memberships_1_1',
      'memberships_1_2',
    ]);
  });

  test('other rows of a part take the place of the first', async () => {
    await parted.loadPart(changed(three[1]!));
    await parted.loadParts(three);
    const { segmentId } = (await parted.repositories.memberships.of('a', 'customer-00000005'))!;
    expect(segmentId).toBe(SEGMENTS[5 % 3]);
  });

  test('other rows of an attached part leave the run without memberships until it is attached again', async () => {
    await parted.loadParts(three);
    const before = await recordOf('a');
    await parted.loadPart(changed(three[1]!));
    expect(await recordOf('a')).toEqual(NONE);
    expect(await parted.repositories.memberships.count('a')).toBe(0);
    await expect(publishRun(parted.repositories, 'a')).rejects.toThrow('needs its memberships loaded');
    expect(await parted.attach(three)).toEqual({ rows: 12 });
    const { segmentId } = (await parted.repositories.memberships.of('a', 'customer-00000005'))!;
    expect(segmentId).toBe(SEGMENTS[(5 + 1) % 3]);
    expect(await recordOf('a')).not.toEqual(before);
    await parted.loadParts(three);
    expect(await recordOf('a')).toEqual(before);
  });

  test('of a published run nothing changes', async () => {
    await parted.loadParts(three);
    await publishRun(parted.repositories, 'a');
    const before = await snapshot();
    expect(await parted.loadPart(changed(three[1]!))).toEqual({ rows: 4 });
    expect(
      await parted.loadPart({ part: { ...three[2]!.part, number: 3, of: 4 }, rows: three[2]!.rows }),
    ).toEqual({
      rows: 0,
    });
    expect(await parted.attach(cut(rows, [6]))).toEqual({ rows: 12 });
    expect(await snapshot()).toEqual(before);
  });
});

describe('what was loaded before goes', () => {
  test('with a load of the whole: parts, attached or not', async () => {
    await parted.loadPart(three[0]!);
    await parted.loadPart(three[2]!);
    await parted.repositories.memberships.load('a', rows);
    expect(await parted.tables()).toEqual(['memberships_1']);
    await parted.loadPart(three[0]!);
    // The same whole again changes no row, but tidies up.
    await parted.repositories.memberships.load('a', rows);
    expect(await parted.tables()).toEqual(['memberships_1']);
    await parted.loadParts(three);
    await parted.repositories.memberships.load('a', rows);
    expect(await parted.tables()).toEqual(['memberships_1']);
    expect(await parted.repositories.memberships.count('a')).toBe(12);
  });

  test('with the attaching of parts, and not before: a whole', async () => {
    await parted.repositories.memberships.load('a', memberships(['old'], SEGMENTS));
    for (const part of three) await parted.loadPart(part);
    expect(await parted.idsOf('a')).toEqual(['old']);
    await parted.attach(three);
    expect(await parted.idsOf('a')).toHaveLength(12);
    expect(await parted.idsOf('a')).not.toContain('old');
  });

  test('with the attaching of fewer or more parts: the parts of the other cut', async () => {
    const two = cut(rows, [6]);
    const four = cut(rows, [3, 6, 9]);
    for (const part of four.slice(1)) await parted.loadPart(part);
    for (const parts of [three, two, four, two]) {
      expect(await parted.loadParts(parts)).toEqual({ rows: 12 });
      expect(await parted.tables()).toHaveLength(parts.length + 1);
      expect(await parted.idsOf('a')).toHaveLength(12);
    }
  });

  test('with the clean-up: parts, attached or not, however many', async () => {
    const before = await allRows(parted.knex);
    await parted.loadParts(three);
    await parted.repositories.cleanUp('a');
    expect(await parted.tables()).toEqual([]);
    await parted.clear();
    const many = cut(
      numbered(24),
      Array.from({ length: 23 }, (_, i) => i + 1),
    );
    for (const part of many) await parted.loadPart(part);
    await parted.open('b', 'other');
    await parted.loadPart(three[0]!, 'b');
    expect(await assertRepeatable(() => parted.repositories.cleanUp('a'), snapshot)).toBe(true);
    expect(await parted.tables()).toEqual(['memberships_2_0']);
    expect(Object.keys(await allRows(parted.knex))).toEqual(
      [...Object.keys(before), 'memberships_2_0'].sort(),
    );
    await expect(parted.loadPart(three[0]!)).rejects.toMatchObject({ code: 'RUN_ABANDONED' });
    await expect(parted.attach(three)).rejects.toMatchObject({ code: 'RUN_ABANDONED' });
    expect(await parted.tables()).toEqual(['memberships_2_0']);
  });
});

describe('a plan made anew', () => {
  const later = { sha256: 'b'.repeat(64), since: '2026-07-02T00:00:00.000Z' };
  const plannedBy = (parts: readonly Part[], plan: PartsPlan) =>
    parts.map(({ part, rows }) => ({ part: { ...part, plan }, rows }));

  test('counts from then on: a late attempt at the one before changes nothing, before and after it is attached', async () => {
    const late = plannedBy(
      three.map(({ part, rows }) => ({ part, rows: { ...rows, margin: rows.margin.map(() => 0.5) } })),
      PLAN,
    );
    const wanted = plannedBy(three, later);
    for (const part of wanted) await parted.loadPart(part);
    await parted.loadPart(late[1]!);
    await parted.attach(wanted);
    const before = await snapshot();
    await parted.loadPart(late[1]!);
    expect(await snapshot()).toEqual(before);
  });

  test('takes over the parts that are the same, and needs all of them', async () => {
    await parted.loadParts(three);
    const wanted = plannedBy(three, later);
    await parted.loadPart(wanted[0]!);
    await expect(parted.attach(wanted)).rejects.toThrow('needs 3 parts of its memberships loaded, found 1');
    const before = await parted.idsOf('a');
    expect(await parted.loadParts(wanted)).toEqual({ rows: before.length });
    expect(await parted.idsOf('a')).toEqual(before);
  });
});

describe('parts without rows', () => {
  test('are parts like others while their bounds leave room', async () => {
    const parts = [
      { part: { number: 0, of: 3, first: null, end: 'b', plan: PLAN }, rows: memberships([], SEGMENTS) },
      {
        part: { number: 1, of: 3, first: 'b', end: 'c', plan: PLAN },
        rows: memberships(['b', 'bb'], SEGMENTS),
      },
      { part: { number: 2, of: 3, first: 'c', end: null, plan: PLAN }, rows: memberships([], SEGMENTS) },
    ];
    expect(await parted.loadParts(parts)).toEqual({ rows: 2 });
    expect(await parted.idsOf('a')).toEqual(['b', 'bb']);
    expect(await parted.repositories.memberships.of('a', 'a')).toBeNull();
  });

  test('are one for no customer at all', async () => {
    const whole = cut(memberships([], SEGMENTS), []);
    expect(await parted.loadParts(whole)).toEqual({ rows: 0 });
    expect(await parted.repositories.memberships.count('a')).toBe(0);
    expect(await recordOf('a')).toMatchObject({ membership_rows: 0 });
  });
});

describe('refused', () => {
  const refusedPart = async (part: Partial<MembershipPart>, text: string) =>
    expect(
      parted.loadPart({
        part: { number: 1, of: 3, first: 'secret-a', end: 'secret-b', plan: PLAN, ...part },
        rows: three[1]!.rows,
      }),
    ).rejects.toThrow(text);

  test('is a part whose number or bounds are none', async () => {
    for (const number of [-1, 3, 0.5, Number.NaN]) await refusedPart({ number }, 'needs a number from 0');
    await refusedPart({ of: Number.NaN }, 'needs a number from 0');
    await refusedPart({ first: null }, 'part 1 of 3 needs a first id');
    await refusedPart({ end: null }, 'an end unless it is the last');
    await refusedPart({ number: 0 }, 'part 0 of 3 needs a first id');
    await refusedPart({ number: 2 }, 'part 2 of 3 needs a first id');
    // The first of each pair comes later in bytes; in UTF-16 or in a language's order it is the other way round.
    for (const [bound, end] of [
      ['x', 'x'],
      ['😀', '～'],
      ['a', 'Z'],
    ]) {
      await refusedPart({ first: bound, end }, 'needs its first id before its end, in byte order');
    }
    await expect(
      parted.loadPart({ ...three[1]!, part: { ...three[1]!.part, first: 'a\0' } }),
    ).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
    expect(await parted.tables()).toEqual([]);
  });

  test('is a row outside of its part, a second one, and one of a segment that is not saved', async () => {
    const part = { number: 1, of: 3, first: 'secret-a', end: 'secret-d', plan: PLAN };
    for (const [ids, segmentIds, text] of [
      [['secret-b', 'secret-d'], SEGMENTS, 'violates check constraint'],
      [['secret'], SEGMENTS, 'violates check constraint'],
      [['secret-b', 'secret-b'], SEGMENTS, 'could not create unique index'],
      [['secret-b'], ['seg_unknown'], 'not found: seg_unknown'],
    ] as const) {
      const loading = parted.loadPart({ part, rows: memberships([...ids], [...segmentIds]) });
      const error: unknown = await loading.catch((reason: unknown) => reason);
      expect(String(error)).toContain(text);
      expect(JSON.stringify({ ...(error as Error), text: String(error) })).not.toContain('secret');
      expect(await parted.tables()).toEqual([]);
    }
  });

  test('is to attach what is not the whole, and everything stays as it was', async () => {
    await parted.repositories.memberships.load('a', memberships(['old'], SEGMENTS));
    const refused = async (asked: { of: number; rows: number }, text: string) => {
      const before = await snapshot();
      const error: unknown = await parted.repositories.memberships
        .attachParts('a', { ...asked, plan: PLAN.sha256 })
        .catch((e: unknown) => e);
      expect(error).toBeInstanceOf(RangeError);
      expect(String(error)).toContain(text);
      expect(String(error)).not.toContain('customer-');
      expect(await snapshot()).toEqual(before);
    };
    await refused({ of: 3, rows: 12 }, 'run a needs 3 parts of its memberships loaded, found 0');
    for (const of of [0, -1, 0.5, Number.NaN]) await refused({ of, rows: 0 }, `run a needs ${of} parts`);
    await parted.loadPart(three[0]!);
    await parted.loadPart(three[2]!);
    await refused({ of: 3, rows: 8 }, 'needs 3 parts of its memberships loaded, found 2');
    await parted.loadPart(cut(rows, [4, 7])[1]!);
    await refused({ of: 3, rows: 11 }, 'parts 1 and 2 do not');
    await parted.loadPart(cut(rows, [3, 6, 9])[1]!);
    await refused({ of: 3, rows: 11 }, 'needs 3 parts of its memberships loaded, found 2');
    await parted.loadPart(three[1]!);
    await refused({ of: 3, rows: 11 }, 'needs 11 memberships in its 3 parts, found 12');
    await refused({ of: 2, rows: 12 }, 'needs 2 parts of its memberships loaded, found 0');
    expect(await parted.idsOf('a')).toEqual(['old']);
    await parted.attach(three);
    await expect(parted.attach(three, 'nobody')).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
    await expect(parted.loadPart(three[0]!, 'nobody')).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
  });
});
