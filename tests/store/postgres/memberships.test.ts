import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRepositories, type Repositories } from '../../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { allRows } from '../../helpers/postgres-rows.ts';
import { assertRepeatable } from '../../helpers/repeatable.ts';
import { memberships, newRun, persistRun, publishRun, segment, segmentation } from './fixture.ts';

let database: TestDatabase;
let repositories: Repositories;
const snapshot = () => allRows(database.knex);
const segmentIds = ['seg_x0', 'seg_x1', 'seg_x2'];
const many = memberships(
  Array.from({ length: 50_000 }, (_, i) => `customer-${String(i).padStart(8, '0')}`),
  segmentIds,
);

beforeAll(async () => {
  database = await testDatabase({ migrated: false });
  repositories = createRepositories(database.knex);
}, 60_000);

afterAll(() => database?.drop());

beforeEach(async () => {
  await database.clear();
  await repositories.runs.open(newRun('a'));
  await repositories.segmentations.save('a', segmentation(segmentIds.map((id) => segment(id))));
});

/** Tables of memberships there are, attached or not; other test files have schemas of their own. */
const partitions = () =>
  database
    .knex('pg_tables')
    .where('tablename', 'like', 'memberships\\_%')
    .whereRaw('schemaname = current_schema()')
    .pluck('tablename');

describe('loading', () => {
  test('every row arrives as it was given', async () => {
    const ids = ['', '1', 'O’Brien', '日本', 'quote\'"', 'x'.repeat(300), 'a\tb\nc\\'];
    const rows = memberships(ids, segmentIds);
    expect(await repositories.memberships.load('a', rows)).toEqual({ rows: ids.length });
    for (const [i, customerId] of ids.entries()) {
      expect(await repositories.memberships.of('a', customerId)).toEqual({
        runId: 'a',
        customerId,
        segmentId: segmentIds[i % 3],
        distance: i + 0.5,
        margin: expect.closeTo(1 / (i + 1), 6) as number,
      });
    }
    expect(await repositories.memberships.of('a', 'nobody')).toBeNull();
    expect(await repositories.memberships.of('b', '1')).toBeNull();
  });

  test('a run id that is hostile SQL is only a run id', async () => {
    const runId = `o'"; drop table runs; --`;
    await repositories.runs.open(newRun(runId));
    await repositories.segmentations.save(runId, segmentation([segment('seg_y0')]));
    await repositories.memberships.load(runId, memberships(['1'], ['seg_y0']));
    expect((await repositories.memberships.of(runId, '1'))?.runId).toBe(runId);
  });

  test('twice leaves the same', async () => {
    const tables = () => database.knex('pg_class').where({ relname: 'memberships_1' }).pluck('oid');
    const loaded = await assertRepeatable(
      () => repositories.memberships.load('a', many),
      async () => [await snapshot(), await tables()],
    );
    expect(loaded).toEqual({ rows: 50_000 });
    expect(await repositories.memberships.count('a')).toBe(50_000);
  });

  test('other rows take the place of the first', async () => {
    await repositories.memberships.load('a', memberships(['1', '2'], segmentIds));
    await repositories.memberships.load('a', memberships(['1', '3'], segmentIds));
    expect(await repositories.memberships.count('a')).toBe(2);
    expect(await repositories.memberships.of('a', '2')).toBeNull();
  });

  test('of a published run changes nothing', async () => {
    await persistRun(repositories, 'p');
    await publishRun(repositories, 'p');
    const before = await snapshot();
    await repositories.memberships.load('p', memberships(['9'], ['seg_p_0']));
    expect(await snapshot()).toEqual(before);
  });

  test('two attempts at once end with one partition', async () => {
    await Promise.all([repositories.memberships.load('a', many), repositories.memberships.load('a', many)]);
    expect(await repositories.memberships.count('a')).toBe(50_000);
    expect(await partitions()).toEqual(['memberships_1']);
  });

  test('two pipelines load at the same time', async () => {
    await repositories.runs.open(newRun('b', 'other'));
    await repositories.segmentations.save('b', segmentation([segment('seg_y0')]));
    await Promise.all([
      repositories.memberships.load('a', many),
      repositories.memberships.load('b', { ...many, labels: new Uint8Array(50_000), segmentIds: ['seg_y0'] }),
    ]);
    expect(await repositories.memberships.count('a')).toBe(50_000);
    expect(await repositories.memberships.count('b')).toBe(50_000);
  });

  test('tells how far it is, up to the last row', async () => {
    const told: number[] = [];
    await repositories.memberships.load('a', many, { onProgress: (done, of) => told.push(done, of) });
    expect(told.slice(0, 4)).toEqual([0, 50_000, 8_000, 50_000]);
    expect(told.at(-2)).toBe(50_000);
    expect(Math.max(...told)).toBe(50_000);
  });

  test('reads of a published run touch no other partition', async () => {
    await repositories.memberships.load('a', many);
    await repositories.publications.publish({
      pipeline: 'shop',
      runId: 'a',
      expectedBase: null,
      review: null,
      messages: [],
    });
    await persistRun(repositories, 'b');
    const plan = await database.knex.raw<{ rows: Record<string, string>[] }>(
      `explain (analyze, costs off, timing off, summary off)
       select * from published_memberships where pipeline = 'shop' and customer_id = 'customer-00000007'`,
    );
    const lines = plan.rows.map((row) => row['QUERY PLAN']!).join('\n');
    expect(lines).toMatch(/on memberships_1 \w+ \(actual rows=1/);
    expect(lines).toMatch(/on memberships_2 \w+ \(never executed\)/);
  });
});

describe('a load that ends early leaves nothing', () => {
  const nothing = async () => {
    expect(await partitions()).toEqual([]);
    expect(await repositories.memberships.count('a')).toBe(0);
    const row = await database.knex('runs').where({ run_id: 'a' }).first();
    expect(row).toMatchObject({ membership_rows: null, membership_sha256: null });
  };

  test('with two rows of one customer, whose id is told nowhere', async () => {
    const loading = repositories.memberships.load('a', memberships(['secret-17', 'secret-17'], segmentIds));
    const error: unknown = await loading.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(JSON.stringify({ ...(error as Error), text: String(error) })).not.toContain('secret-17');
    await nothing();
  });

  test('with a segment that was not saved', async () => {
    const loading = repositories.memberships.load('a', memberships(['1'], ['seg_unknown']));
    await expect(loading).rejects.toThrow('not found: seg_unknown');
    await nothing();
  });

  test('with an aborted signal, at any point, and the next load succeeds', async () => {
    for (const after of [0, 8_000, 48_000]) {
      const abort = new AbortController();
      const loading = repositories.memberships.load('a', many, {
        signal: abort.signal,
        onProgress: (done) => done >= after && abort.abort(new Error('the run was cancelled')),
      });
      await expect(loading).rejects.toThrow('the run was cancelled');
      await nothing();
    }
    const aborted = repositories.memberships.load('a', many, {
      signal: AbortSignal.abort(new Error('before')),
    });
    await expect(aborted).rejects.toThrow('before');
    expect(await repositories.memberships.load('a', many)).toEqual({ rows: 50_000 });
  });

  test('while it waits for another attempt', async () => {
    const other = await database.knex.transaction();
    await other('runs').where({ run_id: 'a' }).forUpdate();
    const signal = AbortSignal.timeout(200);
    await expect(repositories.memberships.load('a', many, { signal })).rejects.toThrow('timeout');
    await other.rollback();
    await nothing();
  });

  test('with its connection killed in the middle of the COPY, and a retry succeeds', async () => {
    // More than the buffers on the way hold, so that the kill comes before the end.
    const rows = memberships(
      Array.from({ length: 500_000 }, (_, i) => `customer-${String(i).padStart(8, '0')}`),
      segmentIds,
    );
    let killed: Promise<unknown> | undefined;
    const loading = repositories.memberships.load('a', rows, {
      onProgress: (done) => {
        if (done < 16_000) return;
        killed ??= Promise.resolve(
          database.knex.raw(
            `select pg_terminate_backend(pid) from pg_stat_activity
             where query like 'copy "memberships_1"%' and pid <> pg_backend_pid()`,
          ),
        );
      },
    });
    await expect(loading).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    await killed;
    await nothing();
    expect(await repositories.memberships.load('a', many)).toEqual({ rows: 50_000 });
  });
});
