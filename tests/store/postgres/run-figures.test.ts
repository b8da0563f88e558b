import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Quality, RunSummary } from '../../../pipelines/contracts/run.ts';
import { createRepositories, type Repositories } from '../../../store/postgres/repositories.ts';
import {
  createRunFiguresRepository,
  type RunFiguresRepository,
} from '../../../store/postgres/run-figures.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { newRun, persistRun, publishRun, summary } from './fixture.ts';

let database: TestDatabase;
let repositories: Repositories;
let figures: RunFiguresRepository;

beforeAll(async () => {
  database = await testDatabase();
  repositories = createRepositories(database.knex);
  figures = createRunFiguresRepository(database.knex);
}, 60_000);

afterAll(() => database?.drop());

const LIMIT = { limit: 10, withinMs: 10_000 };
const counts = { rowsRead: 200, rowsAccepted: 190, rowsQuarantined: 10, quarantinedBy: [], customers: 90 };

async function publish(runId: string, pipeline: string, told: Partial<RunSummary>, expectedBase?: number) {
  await persistRun(repositories, runId, { pipeline });
  const { publicationId } = await publishRun(repositories, runId, {
    ...{ pipeline, expectedBase: expectedBase ?? null },
  });
  const closed = { ...summary(runId, 'published'), ...told };
  await repositories.runs.close(runId, {
    ...{ outcome: 'published', verdict: 'stable', manifest: null, summary: closed },
  });
  return publicationId;
}

test('figures are of what readers see of each pipeline, open runs of what has not ended', async () => {
  expect(await figures.published(LIMIT)).toEqual([]);
  expect(await figures.open(LIMIT)).toEqual([]);

  const base = await publish('a', 'shop', { counts: { ...counts, customers: 1 } });
  const quality = { silhouette: 0.25, minJaccard: 0.75, adjustedRand: 0.5, movedShare: 0.125 } as Quality;
  await publish('b', 'shop', { counts, k: 5, quality }, base);
  // Refused as a whole, or of an older summary: what it does not know is absent, and nothing is divided by nothing.
  await publish('c', 'other', { k: null });
  for (const runId of ['d', 'e', 'f']) await repositories.runs.open(newRun(runId));
  await repositories.runs.hold('f', summary('f', 'held'));

  const [other, shop] = await figures.published(LIMIT);
  expect(shop).toEqual({
    ...{ pipeline: 'shop', publishedAt: expect.any(String), asOf: null, customers: 90, segments: 5 },
    ...{ silhouette: 0.25, minJaccard: 0.75, adjustedRand: 0.5, movedShare: 0.125, quarantinedShare: 0.05 },
  });
  expect(Math.abs(Date.parse(shop!.publishedAt) - Date.now())).toBeLessThan(60_000);
  expect(other).toMatchObject({
    ...{ pipeline: 'other', customers: 0, segments: null, silhouette: null, quarantinedShare: null },
  });
  expect(await figures.open(LIMIT)).toEqual([
    { pipeline: 'shop', state: 'running', runs: 2 },
    { pipeline: 'shop', state: 'held', runs: 1 },
  ]);
  expect(await figures.published({ ...LIMIT, limit: 1 })).toEqual([other]);
  expect(await figures.open({ ...LIMIT, limit: 1 })).toHaveLength(1);
});

test('open runs are counted without a look at those that have ended', async () => {
  const { knex } = database;
  await knex.raw(`insert into pipelines (name, definition_sha256) values ('old', repeat('a', 64));
    insert into runs (run_id, kind, pipeline, seed, definition, input, workflow_id, workflow_run_id, outcome, closed_at)
      select 'old_' || i, 'refit', 'old', 1, '{}', '{}', 'w', 'w' || i, 'failed', now()
      from generate_series(1, 20000) i`);
  await knex.raw('analyze runs');
  const asked: { sql: string; bindings: unknown[] }[] = [];
  const hear = (query: (typeof asked)[number]) => asked.push(query);
  knex.on('query', hear);
  const open = await figures.open(LIMIT);
  knex.removeListener('query', hear);
  expect(open.map(({ pipeline }) => pipeline)).not.toContain('old');
  const [{ sql, bindings }] = asked as [(typeof asked)[number]];
  const explain = `explain ${sql.replace(/\$\d+/g, '?')}`;
  const { rows } = await knex.raw<{ rows: { 'QUERY PLAN': string }[] }>(explain, bindings as string[]);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toContain('runs_open');
  expect(plan).not.toContain('Seq Scan');
});
