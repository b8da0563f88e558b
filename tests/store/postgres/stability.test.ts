import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRepositories, type Repositories } from '../../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { allRows } from '../../helpers/postgres-rows.ts';
import { assertRepeatable } from '../../helpers/repeatable.ts';
import { persistRun } from './fixture.ts';

let database: TestDatabase;
let repositories: Repositories;

beforeAll(async () => {
  database = await testDatabase();
  repositories = createRepositories(database.knex);
  await persistRun(repositories, 'a');
}, 60_000);

afterAll(() => database?.drop());

test('movements and metrics come back as they were saved, and saved twice are there once', async () => {
  const content = {
    movements: [
      { from: 'seg_a_0', to: 'seg_a_1', cause: 'behaviour' as const, customers: 3, spendCents: 100 },
      { from: 'seg_a_0', to: 'seg_a_1', cause: 'border' as const, customers: 5, spendCents: 7 },
      { from: 'seg_a_0', to: 'seg_a_1', cause: 'model' as const, customers: 2, spendCents: 12_345_678_901 },
      { from: 'seg_a_1', to: null, cause: 'behaviour' as const, customers: 1, spendCents: null },
      { from: null, to: 'seg_a_0', cause: 'behaviour' as const, customers: 4, spendCents: 0 },
    ],
    metrics: [
      { metric: 'psi', subject: 'orders', value: 0.31, threshold: 0.25, verdict: 'major' },
      { metric: 'psi', subject: 'recencyDays', value: null, threshold: 0.25, verdict: 'unknown' },
    ],
  };
  await assertRepeatable(
    () => repositories.stability.save('a', content),
    () => allRows(database.knex),
  );
  expect(await repositories.stability.ofRun('a')).toEqual(content);
});

test('what cannot be computed is saved as nothing, cents as whole ones', async () => {
  await repositories.stability.save('a', {
    movements: [{ from: null, to: 'seg_a_0', cause: 'behaviour', customers: 1, spendCents: 10.4 }],
    metrics: [
      {
        metric: 'psi',
        subject: '',
        value: Number.NaN,
        threshold: Number.POSITIVE_INFINITY,
        verdict: 'unknown',
      },
    ],
  });
  const { movements, metrics } = await repositories.stability.ofRun('a');
  expect(movements[0]?.spendCents).toBe(10);
  expect(metrics[0]).toMatchObject({ value: null, threshold: null });
});
