import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stage } from '../../../pipelines/contracts/run.ts';
import { describedRun, findNamedRun, findRun, lookUpRun, shortId } from '../../../scripts/find-run.ts';
import { createRepositories, type Repositories } from '../../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { newRun, persistRun, publishRun, summary } from './fixture.ts';

let database: TestDatabase;
let repositories: Repositories;

const A = 'run_aaaa000000000001';
const B = 'run_aaaa000000000002';
const OTHER = 'run_bbbb000000000003';

/** Published, with stages of these times. */
async function published(
  runId: string,
  {
    pipeline,
    base,
    stages,
  }: { pipeline: string; base: number | null; stages: Partial<Record<Stage, number>> },
) {
  await persistRun(repositories, runId, { pipeline });
  for (const [stage, ms] of Object.entries(stages)) {
    const row = { runId, stage: stage as Stage, attempt: 1, startedAt: '2026-06-30T10:00:00Z', rows: null };
    await repositories.stages.record({ ...row, ms, artifact: null });
  }
  const { publicationId } = await publishRun(repositories, runId, { pipeline, expectedBase: base });
  const closing = { outcome: 'published' as const, verdict: 'stable' as const, manifest: null };
  await repositories.runs.close(runId, { ...closing, summary: summary(runId, 'published') });
  return publicationId;
}

beforeAll(async () => {
  database = await testDatabase();
  repositories = createRepositories(database.knex);
  const first = await published(A, {
    pipeline: 'shop',
    base: null,
    stages: { extract: 100, cluster: 1_000 },
  });
  const second = await published(B, {
    pipeline: 'shop',
    base: first,
    stages: { extract: 300, cluster: 3_000 },
  });
  await published(OTHER, { pipeline: 'shop', base: second, stages: { extract: 200 } });
  await repositories.runs.open(newRun('run_cccc000000000004', 'other'));
}, 60_000);

afterAll(() => database?.drop());

const idOf = async (run: string, pipeline?: string) =>
  (await lookUpRun(repositories, { run, ...(pipeline && { pipeline }) }))?.runId ?? null;

describe('a run is found', () => {
  test.each([
    ['by its id', A, A],
    ['by the beginning of it', 'run_bbbb', OTHER],
    ['without run_ in front', 'bbbb0', OTHER],
    ['by its short form', shortId(OTHER), OTHER],
    ['by its workflow: the newest run of it', 'segment/shop/latest', OTHER],
    ['by an execution of it', `workflow-${A}`, A],
    ['as the latest of all', 'latest', 'run_cccc000000000004'],
    ['not by what none begins with', 'dddd', null],
    ['not by what is inside of its id', '0000000001', null],
    ['not by a pattern', '%', null],
    ['not by nothing', ' ', null],
  ])('%s', async (_, text, id) => {
    expect(await idOf(text)).toBe(id);
  });

  test('as the latest of its pipeline', async () => {
    expect(await idOf('latest', 'shop')).toBe(OTHER);
    expect(await idOf('latest', 'elsewhere')).toBeNull();
  });

  test('a beginning that several have is refused with all of them', async () => {
    await expect(idOf('aaaa')).rejects.toThrow(
      `several runs begin with aaaa: ${B} (shop, published), ${A} (shop, published); type more of the id`,
    );
  });

  test('a run of another pipeline is refused, and one that is not there told with the latest', async () => {
    await expect(idOf(A, 'other')).rejects.toThrow(`${A} is a run of pipeline shop, --pipeline says other`);
    await expect(findRun(repositories, { run: 'dddd' })).rejects.toThrow(
      `there is no run dddd; the latest are run_cccc000000000004 (other, running), ${OTHER} (shop, published)`,
    );
  });

  test('for what changes it by four digits of its beginning at least, or by an id', async () => {
    const named = async (run: string) => (await findNamedRun(repositories, run)).runId;
    for (const short of ['bbb', 'run_bbb', 'run_b', 'b'])
      await expect(named(short)).rejects.toThrow(`at least 4 digits of its beginning, found ${short}`);
    for (const enough of ['bbbb', 'run_bbbb', OTHER, 'segment/shop/latest'])
      expect(await named(enough)).toBe(OTHER);
    await expect(named('segment/shop/new')).rejects.toThrow(
      /the latest are .*no worker has begun has no record yet/,
    );
    await repositories.runs.open(newRun('run_7', 'third'));
    expect(await named('run_7')).toBe('run_7');
    await database.knex('runs').where({ run_id: 'run_7' }).delete();
  });

  test('every short form is taken, whatever the id looks like', () => {
    expect([A, 'run_1', 'x'].map(shortId)).toEqual(['aaaa0000', 'run_1', 'x']);
    expect(describedRun({ runId: 'x', pipeline: 'shop', asOf: '2026-07-01', outcome: null })).toBe(
      'x (shop as of 2026-07-01, running)',
    );
  });
});

test('runs that have ended, and those that have not, are listed apart', async () => {
  const ids = async (isEnded?: boolean) =>
    (await repositories.runs.list({ limit: 9, ...(isEnded !== undefined && { isEnded }) })).map(
      ({ runId }) => runId,
    );
  expect(await ids(true)).toEqual([OTHER, B, A]);
  expect(await ids(false)).toEqual(['run_cccc000000000004']);
  expect(await ids()).toHaveLength(4);
});

test('how long stages usually take is the median of the last published runs, the asked one left out', async () => {
  const usual = async (except: string | null, runs = 10) => {
    const rows = await repositories.runs.usualStages({ pipeline: 'shop', kind: 'refit', except, runs });
    return Object.fromEntries(rows.map(({ stage, ms, runs: count }) => [stage, [ms, count]]));
  };
  expect(await usual(null)).toEqual({ extract: [200, 3], cluster: [2_000, 2] });
  expect(await usual(B)).toEqual({ extract: [150, 2], cluster: [1_000, 1] });
  expect(await usual(null, 1)).toEqual({ extract: [200, 1] });
  expect(
    await repositories.runs.usualStages({ pipeline: 'shop', kind: 'assign', except: null, runs: 5 }),
  ).toEqual([]);
});
