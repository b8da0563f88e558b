import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { NewRelease } from '../../../store/postgres/releases.ts';
import { createRepositories, type Repositories } from '../../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { allRows } from '../../helpers/postgres-rows.ts';
import { assertRepeatable } from '../../helpers/repeatable.ts';
import { artifactRef, newRun } from './fixture.ts';

let database: TestDatabase;
let repositories: Repositories;

beforeAll(async () => {
  database = await testDatabase();
  repositories = createRepositories(database.knex);
}, 60_000);

beforeEach(async () => {
  await database.clear();
  await repositories.runs.open(newRun('a'));
  await repositories.runs.open(newRun('b', 'other'));
});

afterAll(() => database?.drop());

const rows = (digit: string) => {
  const sha256 = digit.repeat(64);
  return { ...artifactRef('release'), sha256, uri: `release/${digit}${digit}/${sha256}.parquet`, rows: 3 };
};

const given = (changes: Partial<NewRelease> = {}): NewRelease => ({
  pipeline: 'shop',
  runId: 'a',
  rules: ['without-price', 'return'],
  where: "customer_id = '7'",
  note: 'samples are free',
  author: 'ada',
  artifact: rows('1'),
  ...changes,
});

test('a release comes back as it was made, in force', async () => {
  const { release, isNew } = await repositories.releases.release(given());
  expect(isNew).toBe(true);
  expect(release).toMatchObject({ ...given(), rows: 3, revokedAt: null, revokedBy: null });
  expect(Date.parse(release.releasedAt)).toBeGreaterThan(Date.now() - 60_000);
  expect(await repositories.releases.active('shop')).toEqual([release]);
});

test('the same rows released twice are one release, by whomever and however they were chosen', async () => {
  const first = await repositories.releases.release(given());
  await assertRepeatable(
    () => repositories.releases.release(given({ author: 'bob', rules: ['return'], where: null })),
    () => allRows(database.knex),
  );
  const again = await repositories.releases.release(given({ author: 'bob' }));
  expect(again).toEqual({ release: first.release, isNew: false });
});

test('the same rows released by many at once are one release', async () => {
  const saved = await Promise.all(
    Array.from({ length: 6 }, (_, i) => repositories.releases.release(given({ author: `person ${i}` }))),
  );
  expect(saved.filter(({ isNew }) => isNew)).toHaveLength(1);
  expect(await repositories.releases.list()).toHaveLength(1);
});

test('each pipeline has its own, listed newest first', async () => {
  const shop = await repositories.releases.release(given());
  const other = await repositories.releases.release(given({ pipeline: 'other', runId: 'b' }));
  const second = await repositories.releases.release(given({ artifact: rows('2') }));
  expect(await repositories.releases.active('shop')).toEqual([shop.release, second.release]);
  expect(await repositories.releases.list({ pipeline: 'other' })).toEqual([other.release]);
  const ids = (await repositories.releases.list()).map(({ releaseId }) => releaseId);
  expect(ids).toEqual([second, other, shop].map(({ release }) => release.releaseId));
});

test('a revoked release stays on record, out of force; who revoked it first stands', async () => {
  const { release } = await repositories.releases.release(given());
  const revoked = await repositories.releases.revoke(release.releaseId, 'bob');
  const { revokedAt } = revoked.release;
  expect(revokedAt).not.toBeNull();
  expect(revoked).toEqual({ isNew: true, release: { ...release, revokedAt, revokedBy: 'bob' } });
  expect(await repositories.releases.active('shop')).toEqual([]);
  await assertRepeatable(
    () => repositories.releases.revoke(release.releaseId, 'eve'),
    () => allRows(database.knex),
  );
  expect(await repositories.releases.list()).toEqual([revoked.release]);
});

test('rows that were revoked may be released again, as another release', async () => {
  const first = await repositories.releases.release(given());
  await repositories.releases.revoke(first.release.releaseId, 'bob');
  const second = await repositories.releases.release(given());
  expect(second.isNew).toBe(true);
  expect(second.release.releaseId).not.toBe(first.release.releaseId);
});

test('a release that there is not cannot be revoked', async () => {
  await expect(repositories.releases.revoke(7, 'bob')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});

test('the clean-up of the run whose rows they were leaves a release alone', async () => {
  await repositories.releases.release(given());
  await repositories.cleanUp('a');
  expect(await repositories.releases.active('shop')).toHaveLength(1);
});
