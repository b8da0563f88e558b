import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRepositories, type Repositories } from '../../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { nameOf, persistRun, publishRun, segment, summary } from './fixture.ts';

let database: TestDatabase;
let repositories: Repositories;
const publications: number[] = [];

async function publish(runId: string, asOf: string, segments: Parameters<typeof segment>[]) {
  await persistRun(repositories, runId, {
    segments: segments.map((given) => segment(...given)),
    names: segments.filter(([, changes]) => !changes).map(([id]) => nameOf(id, `Name of ${id}`)),
  });
  await repositories.runs.describeExtract(runId, { asOf, watermark: asOf, rowsRead: 4 });
  const expectedBase = publications.at(-1) ?? null;
  const { publicationId } = await publishRun(repositories, runId, { expectedBase });
  publications.push(publicationId);
  await repositories.runs.close(runId, {
    ...{ outcome: 'published' as const, verdict: 'stable' as const, manifest: null },
    summary: summary(runId, 'published', ['so it is']),
  });
}

beforeAll(async () => {
  database = await testDatabase();
  repositories = createRepositories(database.knex);
  await publish('a', '2026-05-01', [['seg_0'], ['seg_1']]);
  await publish('b', '2026-06-01', [['seg_0', { event: 'survived', nameStatus: 'questionable' }], ['seg_2']]);
  // Never published: no part of the line.
  await persistRun(repositories, 'c', { segments: [segment('seg_0', { event: 'survived' })], names: [] });
}, 60_000);

afterAll(() => database?.drop());

test('tells of the publications in their order, with their segments, movements, artifacts and verdicts', async () => {
  const line = await repositories.evolution.publications('shop');
  expect(line.map(({ runId, asOf, replaced }) => [runId, asOf, replaced])).toEqual([
    ['a', '2026-05-01', null],
    ['b', '2026-06-01', publications[0]],
  ]);
  expect(line[1]).toMatchObject({
    ...{
      pipeline: 'shop',
      kind: 'refit',
      version: 1,
      verdict: 'stable',
      reasons: ['so it is'],
      review: null,
    },
    artifacts: { labels: { kind: 'labels' }, identities: { kind: 'identities' } },
    movements: [{ from: null, to: 'seg_0', cause: 'behaviour', customers: 4, spendCents: 1250 }],
  });
  expect(
    line[1]!.segments.map(({ segmentId, cluster, nameStatus }) => [segmentId, cluster, nameStatus]),
  ).toEqual([
    ['seg_0', 0, 'questionable'],
    ['seg_2', 2, 'holds'],
  ]);
});

test('a pipeline that has published nothing has no line, and is not among those that have', async () => {
  expect(await repositories.evolution.publications('other')).toEqual([]);
  expect(await repositories.evolution.pipelines()).toEqual(['shop']);
});

test('every name that was ever in force is told, those that were only proposed are not', async () => {
  const names = await repositories.evolution.names('shop');
  expect(names.map(({ segmentId, name, author, validTo }) => [segmentId, name, author, validTo])).toEqual([
    ['seg_0', 'Name of seg_0', 'auto', null],
    // It retired, and its name with it.
    ['seg_1', 'Name of seg_1', 'auto', expect.any(String)],
    ['seg_2', 'Name of seg_2', 'auto', null],
  ]);
});
