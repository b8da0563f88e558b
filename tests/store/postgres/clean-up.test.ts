import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRepositories, type Repositories } from '../../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { allRows } from '../../helpers/postgres-rows.ts';
import { assertRepeatable } from '../../helpers/repeatable.ts';
import {
  artifactRef,
  memberships,
  newRun,
  persistRun,
  publishRun,
  segment,
  segmentation,
} from './fixture.ts';

let database: TestDatabase;
let repositories: Repositories;
const snapshot = () => allRows(database.knex);

beforeAll(async () => {
  database = await testDatabase({ migrated: false });
  repositories = createRepositories(database.knex);
}, 60_000);

afterAll(() => database?.drop());

beforeEach(() => database.clear());

describe('clean-up', () => {
  test('leaves no row and no table of the run but its record and its log', async () => {
    await repositories.runs.open(newRun('a'));
    await repositories.stages.record({
      runId: 'a',
      stage: 'extract',
      attempt: 1,
      startedAt: '2026-07-01T00:00:00Z',
      ms: 1,
      rows: 1,
      artifact: artifactRef('extract'),
    });
    const before = await snapshot();
    await persistRun(repositories, 'a');
    expect(Object.keys(await snapshot())).not.toEqual(Object.keys(before));
    expect(await assertRepeatable(() => repositories.cleanUp('a'), snapshot)).toBe(true);
    const { runs: recordsAfter, ...after } = await snapshot();
    const { runs: recordsBefore, ...untouched } = before;
    expect(after).toEqual(untouched);
    expect(recordsAfter).toHaveLength(recordsBefore!.length);
  });

  test('of one run leaves the others as they are', async () => {
    await persistRun(repositories, 'a');
    await publishRun(repositories, 'a');
    const ids = ['seg_a_0', 'seg_a_1'];
    const segments = [...ids.map((id) => segment(id, { event: 'survived' as const })), segment('seg_b_2')];
    const current = await repositories.publications.current('shop');
    await persistRun(repositories, 'b', { segments });
    await repositories.cleanUp('b');
    expect(await repositories.publications.current('shop')).toEqual(current);
    expect(await database.knex('published_memberships')).toHaveLength(4);
    expect(await repositories.segmentations.idsOf('shop')).toEqual(ids);
  });

  test('of a published run is refused and touches nothing', async () => {
    await persistRun(repositories, 'a');
    await publishRun(repositories, 'a');
    const before = await snapshot();
    expect(await repositories.cleanUp('a')).toBe(false);
    expect(await snapshot()).toEqual(before);
  });

  test('of a run that is not there says so', async () => {
    await expect(repositories.cleanUp('nobody')).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
  });

  test('an attempt that wakes after it brings nothing back', async () => {
    await persistRun(repositories, 'a');
    await repositories.cleanUp('a');
    const before = await snapshot();
    const abandoned = expect.objectContaining({ code: 'RUN_ABANDONED' }) as Error;
    await expect(repositories.segmentations.save('a', segmentation([segment('seg_x0')]))).rejects.toThrow(
      abandoned,
    );
    await expect(repositories.memberships.load('a', memberships(['1'], ['seg_x0']))).rejects.toThrow(
      abandoned,
    );
    await expect(repositories.stability.save('a', { movements: [], metrics: [] })).rejects.toThrow(abandoned);
    await expect(publishRun(repositories, 'a')).rejects.toThrow(abandoned);
    expect(await snapshot()).toEqual(before);
  });

  test('and a publish at the same time end in one or the other, never in half', async () => {
    for (let round = 0; round < 10; round++) {
      await database.clear();
      await persistRun(repositories, 'a');
      const [cleaned, published] = await Promise.allSettled([
        repositories.cleanUp('a'),
        publishRun(repositories, 'a'),
      ]);
      const isPublished = published.status === 'fulfilled';
      expect(cleaned).toEqual({ status: 'fulfilled', value: !isPublished });
      expect(await repositories.memberships.count('a')).toBe(isPublished ? 4 : 0);
      expect(await database.knex('published_memberships')).toHaveLength(isPublished ? 4 : 0);
    }
  });

  test('gives way to a reader, and tells that it can be tried again', async () => {
    await persistRun(repositories, 'a');
    const reader = await database.knex.transaction();
    await reader('memberships').first();
    await expect(repositories.cleanUp('a')).rejects.toMatchObject({
      code: 'POSTGRES_UNREACHABLE',
      message:
        'PostgreSQL needs to answer, found: canceling statement due to lock timeout; it is tried again',
    });
    await reader.commit();
    expect(await repositories.cleanUp('a')).toBe(true);
  });

  test('that failed after a run was abandoned is made good by the next attempt', async () => {
    await persistRun(repositories, 'a');
    const abandon = async () => {
      const isLeft = await repositories.runs.abandon('a', 'its workflow is gone');
      if (isLeft) await repositories.cleanUp('a');
      return isLeft;
    };
    const reader = await database.knex.transaction();
    await reader('memberships').first();
    await expect(abandon()).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    await reader.commit();
    expect((await repositories.runs.get('a')).outcome).toBe('failed');
    expect(await repositories.memberships.count('a')).toBe(4);
    expect(await abandon()).toBe(true);
    expect(await repositories.memberships.count('a')).toBe(0);
    expect(await repositories.segmentations.idsOf('shop')).toEqual([]);
    expect(await abandon()).toBe(false);
  });
});
