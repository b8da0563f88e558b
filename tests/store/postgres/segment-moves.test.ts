import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createRepositories, type Repositories } from '../../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { memberships, newRun, publishRun, segment, segmentation } from './fixture.ts';

let database: TestDatabase;
let repositories: Repositories;

beforeAll(async () => {
  database = await testDatabase({ migrated: false });
  repositories = createRepositories(database.knex);
}, 60_000);

afterAll(() => database?.drop());

beforeEach(() => database.clear());

const SEGMENTS = ['seg_0', 'seg_1'];
const words = [null, 'behaviour', 'model', 'border'];
const publications: number[] = [];

/** @param found customers with their segment, and the code of why they are there */
async function publish(runId: string, found: Record<string, readonly [segment: number, cause?: number]>) {
  const ids = Object.keys(found);
  const rows = memberships(ids, SEGMENTS);
  await repositories.runs.open(newRun(runId));
  const event = publications.length > 0 ? ('survived' as const) : ('born' as const);
  await repositories.segmentations.save(runId, segmentation(SEGMENTS.map((id) => segment(id, { event }))));
  const codes = Uint8Array.from(ids, (id) => found[id]![1] ?? 0);
  const labels = Uint8Array.from(ids, (id) => found[id]![0]);
  const moveCauses = publications.length > 0 ? { moveCauses: { codes, words } } : {};
  await repositories.memberships.load(runId, { ...rows, labels, ...moveCauses });
  const expectedBase = publications.at(-1) ?? null;
  const { publicationId } = await publishRun(repositories, runId, { expectedBase });
  publications.push(publicationId);
}

const moves = (where: object) =>
  database
    .knex('segment_moves')
    .where(where)
    .orderBy(['publication_id', 'customer_id'])
    .select('run_id', 'customer_id', 'from_segment_id', 'to_segment_id', 'cause');

test('tells of every publication who moved, came and left, and why', async () => {
  publications.length = 0;
  await publish('a', { ann: [0], bob: [0], cas: [1], dan: [1] });
  await publish('b', { ann: [0], bob: [1, 1], cas: [0, 3], eve: [0, 1] });
  await publish('c', { ann: [1, 2], bob: [1], cas: [0], dan: [0, 1], eve: [0] });
  expect(await moves({ pipeline: 'shop', run_id: 'b' })).toEqual(
    [
      ['bob', 'seg_0', 'seg_1', 'behaviour'],
      ['cas', 'seg_1', 'seg_0', 'border'],
      ['dan', 'seg_1', null, 'behaviour'],
      ['eve', null, 'seg_0', 'behaviour'],
    ].map(([customer_id, from_segment_id, to_segment_id, cause]) => ({
      ...{ run_id: 'b', customer_id, from_segment_id, to_segment_id, cause },
    })),
  );
  // A customer's path; the first publication had nothing to come from.
  expect(await moves({ pipeline: 'shop', customer_id: 'dan' })).toEqual([
    { run_id: 'b', customer_id: 'dan', from_segment_id: 'seg_1', to_segment_id: null, cause: 'behaviour' },
    { run_id: 'c', customer_id: 'dan', from_segment_id: null, to_segment_id: 'seg_0', cause: 'behaviour' },
  ]);
  expect(await moves({ run_id: 'a' })).toEqual([]);
  for (const run_id of ['a', 'b', 'c']) {
    const { rows } = await database.knex.raw<{ rows: object[] }>(
      'select * from segment_moves_of(?) order by customer_id',
      [run_id],
    );
    expect(rows.map((move) => ({ run_id, ...move }))).toEqual(await moves({ run_id }));
  }
  const seen = await database.knex.raw<{ rows: object[] }>(
    `select * from segment_moves_of((select run_id from published_runs where pipeline = 'shop'))`,
  );
  expect(seen.rows).toHaveLength((await moves({ run_id: 'c' })).length);
});

test('the moves of a run are read from it and the one before, whatever else there is', async () => {
  publications.length = 0;
  for (const runId of ['a', 'b', 'c', 'd']) await publish(runId, { ann: [0], bob: [1] });
  const plan = await database.knex.transaction(async (transaction) => {
    // As with many customers, where joining is cheaper than looking each one up.
    await transaction.raw('set local enable_nestloop = off');
    return transaction.raw<{ rows: Record<string, string>[] }>(
      `explain (analyze, costs off, timing off, summary off) select * from segment_moves_of('c')`,
    );
  });
  const lines = plan.rows.map((row) => row['QUERY PLAN']!).join('\n');
  const read = Array.from(
    lines.matchAll(/on (memberships_\d)(?! \w* ?\(never executed)/g),
    ([, table]) => table,
  );
  expect(lines).toContain('memberships_3');
  expect([...new Set(read)].sort()).toEqual(['memberships_2', 'memberships_3']);
});

test('only the words of causes are taken, and memberships come back as they were loaded', async () => {
  publications.length = 0;
  await publish('a', { ann: [0] });
  const rows = memberships(['ann'], SEGMENTS);
  await repositories.runs.open(newRun('b'));
  const load = (word: string) =>
    repositories.memberships.load('b', { ...rows, moveCauses: { codes: Uint8Array.of(0), words: [word] } });
  await expect(load('whim')).rejects.toThrow('memberships_move_cause_check');
  await load('border');
  expect(await database.knex('memberships').where({ run_id: 'b' }).pluck('move_cause')).toEqual(['border']);
  // Other causes are other rows: they take the place of the first.
  await load('model');
  expect(await database.knex('memberships').where({ run_id: 'b' }).pluck('move_cause')).toEqual(['model']);
});
