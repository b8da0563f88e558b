import { setTimeout } from 'node:timers/promises';
import type { Knex } from 'knex';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { publishRun, summary } from './fixture.ts';
import {
  blockedBy,
  cut,
  numbered,
  type Part,
  type PartedDatabase,
  PLAN,
  partedDatabase,
  pidOf,
} from './part-fixture.ts';

let parted: PartedDatabase;
const rows = numbered(80_000);
const parts = cut(rows, [20_000, 40_000, 60_000]);

beforeAll(async () => {
  parted = await partedDatabase();
}, 60_000);

afterAll(() => parted?.drop());

beforeEach(() => parted.clear());

let holding: Knex.Transaction | null = null;

/** Holds parts up in the middle, where they look their segments up, until `release` or the end of the test. */
async function holdUp() {
  holding = await parted.knex.transaction();
  await holding.raw('lock table segments in access exclusive mode');
  const pid = await pidOf(holding);
  return { heldUp: (sessions: number) => blockedBy(parted.knex, pid, sessions), release };
}

async function release() {
  await holding?.rollback();
  holding = null;
}

afterEach(release);

const close = () =>
  parted.repositories.runs.close('a', {
    outcome: 'cancelled',
    verdict: null,
    summary: summary('a', 'cancelled'),
    manifest: null,
  });

describe('at the same time', () => {
  test('parts of one run load, and stages of it are noted', async () => {
    const { heldUp, release } = await holdUp();
    const loading = parts.map((part) => parted.loadPart(part));
    // None waits for another one.
    await heldUp(4);
    await parted.repositories.stages.record({
      runId: 'a',
      stage: 'persist',
      attempt: 1,
      startedAt: '2026-07-01T00:00:00Z',
      ms: 1,
      rows: 1,
      artifact: null,
    });
    await release();
    await Promise.all(loading);
    await parted.attach(parts);
    expect(await parted.repositories.memberships.count('a')).toBe(80_000);
  });

  test('two attempts at one part load it once', async () => {
    const { heldUp, release } = await holdUp();
    const one = parted.loadPart(parts[1]!);
    const [first] = await heldUp(1);
    const two = parted.loadPart(parts[1]!);
    await blockedBy(parted.knex, first!);
    await release();
    expect(await Promise.all([one, two])).toEqual([{ rows: 20_000 }, { rows: 20_000 }]);
    expect(await parted.tables()).toEqual(['memberships_1_1']);
  });

  test('attaching waits for a part that is being loaded again, and two attempts attach once', async () => {
    for (const part of parts) await parted.loadPart(part);
    const other: Part = { ...parts[1]!, rows: { ...parts[1]!.rows, labels: new Uint8Array(20_000) } };
    const { heldUp, release } = await holdUp();
    const loading = parted.loadPart(other);
    const [pid] = await heldUp(1);
    const attaching = [parted.attach(parts), parted.attach(parts)];
    await blockedBy(parted.knex, pid!, 1);
    await release();
    await loading;
    expect(await Promise.all(attaching)).toEqual([{ rows: 80_000 }, { rows: 80_000 }]);
    const [found] = await parted
      .knex('memberships')
      .where({ run_id: 'a', segment_id: 'seg_x0' })
      .whereBetween('customer_id', ['customer-00020000', 'customer-00039999'])
      .count<{ count: number }[]>();
    expect(found!.count).toBe(20_000);
  });

  test('all parts of an attached run are loaded anew', async () => {
    await parted.loadParts(parts);
    const anew = cut({ ...rows, labels: new Uint8Array(80_000) }, [20_000, 40_000, 60_000]);
    await Promise.all(anew.map((part) => parted.loadPart(part)));
    await parted.attach(anew);
    const segments = await parted.knex('memberships').where({ run_id: 'a' }).distinct().pluck('segment_id');
    expect(segments).toEqual(['seg_x0']);
    expect(await parted.repositories.memberships.count('a')).toBe(80_000);
  });

  test('readers read while parts are loaded anew, and none fails', async () => {
    const sets = [parts, cut(numbered(80_000, 'other'), [20_000, 40_000, 60_000])] as const;
    await parted.loadParts(sets[0]);
    let isOver = false;
    const seen = new Set<number>();
    const read = async () => {
      while (!isOver) {
        const [row] = await parted.knex('memberships').where({ run_id: 'a' }).count({ rows: '*' });
        seen.add(Number(row!.rows));
      }
    };
    const reading = Promise.all([read(), read(), read()]);
    try {
      for (let turn = 1; turn <= 12; turn++) await parted.loadParts(sets[turn % 2]!);
    } finally {
      isOver = true;
    }
    await reading;
    // All of a load, or nothing while the next one is not attached.
    expect([...seen].filter((rows) => rows !== 0)).toEqual([80_000]);
  });

  test('what is loaded anew gives way to a long query, which holds up no other reader', async () => {
    await parted.loadParts(parts);
    const query = await parted.knex.transaction();
    try {
      await query('memberships').where({ run_id: 'a' }).first();
      const [other] = cut(numbered(80_000, 'other'), [20_000, 40_000, 60_000]);
      await expect(parted.loadPart(other!)).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
      expect(await parted.idsOf('a')).toHaveLength(80_000);
    } finally {
      await query.rollback();
    }
  });

  test('runs of two pipelines load and attach', async () => {
    await parted.open('b', 'other');
    await Promise.all(
      ['a', 'b'].map(async (runId) => {
        await Promise.all(parts.map((part) => parted.loadPart(part, runId)));
        await parted.attach(parts, runId);
      }),
    );
    expect(await parted.repositories.memberships.count('a')).toBe(80_000);
    expect(await parted.repositories.memberships.count('b')).toBe(80_000);
  });
});

describe('a run that ends while a part is loaded', () => {
  test('is cleaned up after the part, with it, and takes no other', async () => {
    const { heldUp, release } = await holdUp();
    const loading = parted.loadPart(parts[0]!);
    await heldUp(1);
    // It gives way after a while, and is tried again.
    await expect(parted.repositories.cleanUp('a')).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    await release();
    await loading;
    expect(await parted.tables()).toEqual(['memberships_1_0']);
    expect(await parted.repositories.cleanUp('a')).toBe(true);
    expect(await parted.tables()).toEqual([]);
    await expect(parted.loadPart(parts[1]!)).rejects.toMatchObject({ code: 'RUN_ABANDONED' });
    expect(await parted.tables()).toEqual([]);
  });

  test('is closed after the part, and takes no other', async () => {
    const { heldUp, release } = await holdUp();
    const loading = parted.loadPart(parts[0]!);
    const [pid] = await heldUp(1);
    const closing = close();
    await blockedBy(parted.knex, pid!);
    await release();
    await loading;
    expect(await closing).toBe('cancelled');
    await expect(parted.loadPart(parts[1]!)).rejects.toMatchObject({ code: 'RUN_ABANDONED' });
    expect(await parted.tables()).toEqual(['memberships_1_0']);
    expect(await parted.repositories.cleanUp('a')).toBe(true);
    expect(await parted.tables()).toEqual([]);
  });

  test('makes the part fail that waits for its clean-up, and leaves no table', async () => {
    const cleaning = await parted.knex.transaction();
    await cleaning('runs').where({ run_id: 'a' }).update({ cleaned_at: cleaning.fn.now() });
    const loading = parted.loadPart(parts[0]!);
    const refused = expect(loading).rejects.toMatchObject({ code: 'RUN_ABANDONED' });
    await blockedBy(parted.knex, await pidOf(cleaning));
    await cleaning.commit();
    await refused;
    expect(await parted.tables()).toEqual([]);
  });

  test('leaves no table, whatever comes first of many parts and a clean-up', async () => {
    for (let round = 0; round < 5; round++) {
      await parted.clear();
      const small = cut(numbered(40), [10, 20, 30]);
      const ended = await Promise.allSettled([
        ...small.slice(0, 2).map((part) => parted.loadPart(part)),
        parted.repositories.cleanUp('a'),
        ...small.slice(2).map((part) => setTimeout(round * 10).then(() => parted.loadPart(part))),
      ]);
      for (const end of ended) {
        if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'RUN_ABANDONED' });
      }
      expect(ended[2]).toEqual({ status: 'fulfilled', value: true });
      expect(await parted.tables()).toEqual([]);
    }
  });
});

describe('a part that ends early leaves nothing, and the others as they are', () => {
  // The second is more than the buffers on the way hold, so that a kill comes before the end.
  const uneven = cut(numbered(420_000), [5_000, 410_000, 415_000]);
  const part = uneven[1]!;

  beforeEach(async () => {
    for (const other of uneven) if (other !== part) await parted.loadPart(other);
  });

  const goesOn = async () => {
    expect(await parted.tables()).toEqual(['memberships_1_0', 'memberships_1_2', 'memberships_1_3']);
    await parted.loadPart(part);
    expect(await parted.attach(uneven)).toEqual({ rows: 420_000 });
    await publishRun(parted.repositories, 'a');
    expect(await parted.knex('published_memberships').count()).toEqual([{ count: 420_000 }]);
  };

  test('with an aborted signal, at any point', async () => {
    for (const after of [0, 8_000, 405_000]) {
      const abort = new AbortController();
      const loading = parted.loadPart(part, 'a', {
        signal: abort.signal,
        onProgress: (done) => done >= after && abort.abort(new Error('the run was cancelled')),
      });
      await expect(loading).rejects.toThrow('the run was cancelled');
    }
    const aborted = parted.loadPart(part, 'a', { signal: AbortSignal.abort(new Error('before')) });
    await expect(aborted).rejects.toThrow('before');
    await goesOn();
  });

  test('with an aborted signal while it waits, and attaching too', async () => {
    const { heldUp, release } = await holdUp();
    const abort = new AbortController();
    const loading = parted.loadPart(part, 'a', { signal: abort.signal });
    await heldUp(1);
    const attaching = parted.repositories.memberships.attachParts(
      'a',
      { of: 4, rows: 420_000, plan: PLAN.sha256 },
      { signal: AbortSignal.timeout(200) },
    );
    await expect(attaching).rejects.toThrow('timeout');
    abort.abort(new Error('the run was cancelled'));
    await expect(loading).rejects.toThrow('the run was cancelled');
    await release();
    await goesOn();
  });

  test('with its session killed in the middle of the COPY', async () => {
    // Ready before, so that the COPY is not over when it comes.
    const killer = await parted.knex.transaction();
    let killed: Promise<unknown> | undefined;
    const loading = parted.loadPart(part, 'a', {
      onProgress: (done) => {
        if (done < 16_000) return;
        killed ??= Promise.resolve(
          killer.raw(
            `select pg_terminate_backend(pid) from pg_stat_activity
             where query like '%"memberships_1_1"%' and datname = current_database() and pid <> pg_backend_pid()`,
          ),
        );
      },
    });
    await expect(loading).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    await killed;
    await killer.rollback();
    await goesOn();
  });
});
