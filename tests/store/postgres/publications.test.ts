import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRepositories, type Repositories } from '../../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { allRows } from '../../helpers/postgres-rows.ts';
import { assertRepeatable } from '../../helpers/repeatable.ts';
import { memberships, nameOf, newRun, persistRun, publishRun, segment, segmentation } from './fixture.ts';

let database: TestDatabase;
let repositories: Repositories;
const snapshot = () => allRows(database.knex);
const published = (view: string) => database.knex(view).where({ pipeline: 'shop' });

beforeAll(async () => {
  database = await testDatabase({ migrated: false });
  repositories = createRepositories(database.knex);
}, 60_000);

afterAll(() => database?.drop());

beforeEach(() => database.clear());

describe('publishing', () => {
  test('readers see a run only when it is published, and then all of it', async () => {
    await persistRun(repositories, 'a');
    expect(await repositories.publications.current('shop')).toBeNull();
    expect(await repositories.publications.ofRun('a')).toBeNull();
    for (const view of ['published_runs', 'published_segments', 'published_memberships']) {
      expect(await published(view)).toEqual([]);
    }
    const publication = await publishRun(repositories, 'a');
    expect(publication).toMatchObject({ pipeline: 'shop', runId: 'a', replaced: null, review: null });
    expect(await repositories.publications.ofRun('a')).toEqual(publication);
    expect(await published('published_runs')).toMatchObject([{ run_id: 'a', customers: 4 }]);
    expect(await published('published_segments')).toHaveLength(2);
    expect(await published('published_memberships')).toHaveLength(4);
  });

  test('a publication says which run fitted its model', async () => {
    await persistRun(repositories, 'a');
    const { publicationId } = await publishRun(repositories, 'a');
    expect(await repositories.publications.current('shop')).toMatchObject({ runId: 'a', fittedIn: 'a' });
    await repositories.runs.open({ ...newRun('b'), kind: 'assign' });
    const segments = [segment('seg_a_0', { event: 'survived' }), segment('seg_a_1', { event: 'survived' })];
    const saved = segmentation(segments);
    await repositories.segmentations.save('b', { ...saved, fittedIn: 'a' });
    await repositories.memberships.load('b', memberships(['1001', '1002'], ['seg_a_0', 'seg_a_1']));
    await publishRun(repositories, 'b', { expectedBase: publicationId });
    expect(await repositories.publications.current('shop')).toMatchObject({ runId: 'b', fittedIn: 'a' });
    expect(await repositories.segmentations.artifactsOf('a')).toEqual(saved.artifacts);
    expect(await repositories.segmentations.artifactsOf('c')).toBeNull();
  });

  test('the current publication tells what the next run needs', async () => {
    const segments = [segment('seg_b_1'), segment('seg_a_0')];
    await persistRun(repositories, 'a', { segments });
    await publishRun(repositories, 'a');
    const current = await repositories.publications.current('shop');
    const { artifacts } = segmentation([]);
    expect(current).toMatchObject({ pipeline: 'shop', runId: 'a', asOf: null, artifacts });
    expect(current?.segments).toEqual(
      segments.toReversed().map(({ parents: _, ...rest }) => ({
        ...rest,
        author: 'auto',
        condition: { feature: 'orders', atLeast: 5 },
        isNameInForce: true,
      })),
    );
  });

  test('a second publish of the same run changes nothing', async () => {
    await persistRun(repositories, 'a');
    await assertRepeatable(() => publishRun(repositories, 'a'), snapshot);
    await persistRun(repositories, 'b');
    await publishRun(repositories, 'b', { expectedBase: 1 });
    // Also when another was published since: a late retry must not move the pointer back.
    const before = await snapshot();
    expect((await publishRun(repositories, 'a')).runId).toBe('a');
    expect(await snapshot()).toEqual(before);
  });

  test('of many publishes of one run at once there is one publication', async () => {
    await persistRun(repositories, 'a');
    const all = await Promise.all(Array.from({ length: 6 }, () => publishRun(repositories, 'a')));
    expect(new Set(all.map(({ publicationId }) => publicationId)).size).toBe(1);
    expect(await database.knex('publications')).toHaveLength(1);
    expect(await database.knex('outbox')).toHaveLength(1);
  });

  test('of two runs published at once one wins, and the other is told who', async () => {
    await persistRun(repositories, 'a');
    await persistRun(repositories, 'b');
    const results = await Promise.allSettled([publishRun(repositories, 'a'), publishRun(repositories, 'b')]);
    const [lost] = results.filter((result) => result.status === 'rejected');
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(lost?.reason).toMatchObject({
      code: 'PUBLICATION_STALE',
      message: expect.stringMatching(
        /compared with none of shop, readers see publication \d by now/,
      ) as string,
    });
    expect(await published('published_memberships')).toHaveLength(4);
  });

  test('a run compared with an older publication is refused and leaves nothing', async () => {
    await persistRun(repositories, 'a');
    await publishRun(repositories, 'a');
    await persistRun(repositories, 'b');
    const before = await snapshot();
    await expect(publishRun(repositories, 'b', { expectedBase: null })).rejects.toMatchObject({
      code: 'PUBLICATION_STALE',
      details: { runId: 'b', expectedBase: null, published: 1 },
    });
    expect(await snapshot()).toEqual(before);
  });

  test('pipelines do not see each other', async () => {
    await persistRun(repositories, 'a');
    await persistRun(repositories, 'x', { pipeline: 'other' });
    await publishRun(repositories, 'a');
    await publishRun(repositories, 'x', { pipeline: 'other' });
    expect((await repositories.publications.current('shop'))?.runId).toBe('a');
    expect((await repositories.publications.current('other'))?.runId).toBe('x');
    expect(await published('published_memberships')).toHaveLength(4);
    await expect(publishRun(repositories, 'b')).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
  });

  test('a run without memberships, of another pipeline, or unknown is refused', async () => {
    await repositories.runs.open(newRun('a'));
    await repositories.runs.open(newRun('x', 'other'));
    await expect(publishRun(repositories, 'a')).rejects.toThrow('needs its memberships');
    await expect(publishRun(repositories, 'x')).rejects.toThrow('one of other');
    await expect(publishRun(repositories, 'a', { pipeline: 'none' })).rejects.toMatchObject({
      code: 'RUN_UNKNOWN',
    });
    expect(await database.knex('publications')).toEqual([]);
  });

  test('a fault in the last statement takes all others back', async () => {
    await persistRun(repositories, 'a');
    const before = await snapshot();
    const message = { event: 'run.published', channel: 'log', payload: {} };
    const request = { pipeline: 'shop', runId: 'a', expectedBase: null, review: null };
    const publishing = repositories.publications.publish({ ...request, messages: [message, message] });
    await expect(publishing).rejects.toThrow('outbox');
    expect(await snapshot()).toEqual(before);
  });
});

describe('names and lives of segments', () => {
  const names = (segmentId: string) =>
    database.knex('segment_names').where({ segment_id: segmentId }).orderBy('version');

  async function publishFirst(): Promise<void> {
    const segments = [segment('seg_x0', { name: 'Loyal' }), segment('seg_x1', { name: 'Lapsing' })];
    await persistRun(repositories, 'a', { segments });
    await publishRun(repositories, 'a');
  }

  /** A name that rests on another condition than the one `nameOf` saves. */
  const renewed = (segmentId: string, name: string) => ({
    ...nameOf(segmentId, name),
    reason: 'renewed',
    condition: { feature: 'orders', atLeast: 4 },
  });

  const rename = (segmentId: string, name: string) =>
    repositories.names.set({ segmentId, name, by: 'ann', reason: 'campaign', seen: 1 });

  test('a name is valid from its publication, and its renewed condition from the next one’s', async () => {
    const segments = [segment('seg_x0', { name: 'Loyal' })];
    await persistRun(repositories, 'a', { segments });
    expect(await names('seg_x0')).toMatchObject([{ version: 1, valid_from: null, valid_to: null }]);
    await publishRun(repositories, 'a');
    const survived = segment('seg_x0', { name: 'Loyal', event: 'survived' });
    await persistRun(repositories, 'b', { segments: [survived], names: [renewed('seg_x0', 'Loyal')] });
    const condition = async () =>
      (await repositories.publications.current('shop'))?.segments.map((found) => found.condition);
    expect(await condition()).toEqual([{ feature: 'orders', atLeast: 5 }]);
    await publishRun(repositories, 'b', { expectedBase: 1 });
    const [first, second] = await names('seg_x0');
    expect(first).toMatchObject({ name: 'Loyal', valid_to: second.valid_from });
    expect(second).toMatchObject({ version: 2, name: 'Loyal', reason: 'renewed', valid_to: null });
    expect(await condition()).toEqual([{ feature: 'orders', atLeast: 4 }]);
  });

  test('a name that stays, with its condition, gets no new version', async () => {
    await publishFirst();
    const survived = segment('seg_x0', { name: 'Loyal', event: 'survived' });
    // The same condition, however its keys are ordered.
    const condition = { atLeast: 5, feature: 'orders' };
    const name = { ...nameOf('seg_x0', 'Loyal'), condition };
    await persistRun(repositories, 'b', { segments: [survived], names: [name] });
    await publishRun(repositories, 'b', { expectedBase: 1 });
    expect(await names('seg_x0')).toMatchObject([{ version: 1, name: 'Loyal', valid_to: null }]);
  });

  test('no run changes a name in force, whatever it would call the segment', async () => {
    await publishFirst();
    const survived = segment('seg_x0', { name: 'Very loyal', event: 'survived' });
    await persistRun(repositories, 'b', { segments: [survived], names: [renewed('seg_x0', 'Very loyal')] });
    await publishRun(repositories, 'b', { expectedBase: 1 });
    expect(await names('seg_x0')).toMatchObject([{ version: 1, name: 'Loyal', valid_to: null }]);
    expect(await published('published_segments')).toMatchObject([{ name: 'Loyal' }]);
  });

  test.each(['before', 'after'] as const)(
    'a name a person gave %s the run was saved stays, with its author',
    async (when) => {
      await publishFirst();
      const survived = segment('seg_x0', { name: 'Loyal', event: 'survived' });
      if (when === 'before') await rename('seg_x0', 'Our best');
      await persistRun(repositories, 'b', { segments: [survived], names: [renewed('seg_x0', 'Loyal')] });
      if (when === 'after') await rename('seg_x0', 'Our best');
      await publishRun(repositories, 'b', { expectedBase: 1 });
      const current = await repositories.publications.current('shop');
      expect(current?.segments).toMatchObject([
        { name: 'Our best', author: 'manual', condition: { words: [] } },
      ]);
      expect(await published('published_segments')).toMatchObject([{ name: 'Our best' }]);
    },
  );

  test('a segment that the next publication lacks retires, and its id is never used again', async () => {
    await publishFirst();
    await persistRun(repositories, 'b', {
      segments: [segment('seg_x0', { event: 'survived' }), segment('seg_y1', { parents: ['seg_x1'] })],
    });
    expect(await database.knex('segments').whereNotNull('retired_in_run')).toEqual([]);
    await publishRun(repositories, 'b', { expectedBase: 1 });
    expect(await database.knex('segments').whereNotNull('retired_in_run')).toMatchObject([
      { segment_id: 'seg_x1', retired_in_run: 'b' },
    ]);
    expect(await repositories.segmentations.idsOf('shop')).toEqual(['seg_x0', 'seg_x1', 'seg_y1']);
    const again = { segments: [segment('seg_x1', { event: 'survived' })] };
    await expect(persistRun(repositories, 'c', again)).rejects.toThrow('retired in run b');
  });

  test('a run that gives out its ids again finds free those it gave before, and no others', async () => {
    await publishFirst();
    const segments = [segment('seg_x0', { event: 'survived' }), segment('seg_y1')];
    await persistRun(repositories, 'b', { segments });
    const { idsOf } = repositories.segmentations;
    expect(await idsOf('shop')).toEqual(['seg_x0', 'seg_x1', 'seg_y1']);
    // seg_x0 goes on in this run and was born in another: it stays taken.
    expect(await idsOf('shop', { exceptBornIn: 'b' })).toEqual(['seg_x0', 'seg_x1']);
    expect(await idsOf('shop', { exceptBornIn: 'none' })).toHaveLength(3);
  });

  test('a born segment needs a new id, and every segment its own pipeline', async () => {
    await publishFirst();
    await expect(persistRun(repositories, 'b', { segments: [segment('seg_x0')] })).rejects.toThrow(
      'born segment seg_x0 needs a new id',
    );
    const borrowed = { pipeline: 'other', segments: [segment('seg_x0', { event: 'survived' })] };
    await expect(persistRun(repositories, 'x', borrowed)).rejects.toThrow('needs to be one of other');
  });
});

describe('a segmentation', () => {
  test('saved twice is there once', async () => {
    await repositories.runs.open(newRun('a'));
    const content = segmentation([segment('seg_x0')], [nameOf('seg_x0', 'Loyal')]);
    await assertRepeatable(() => repositories.segmentations.save('a', content), snapshot);
    const movement = {
      from: null,
      to: 'seg_x0',
      cause: 'behaviour' as const,
      customers: 5,
      spendCents: null,
    };
    await repositories.stability.save('a', { movements: [movement], metrics: [] });
    await assertRepeatable(() => repositories.segmentations.save('a', content), snapshot);
    expect((await repositories.stability.ofRun('a')).movements).toEqual([movement]);
    // With other segments, as other code makes them, its movements speak of none that is there.
    await repositories.segmentations.save(
      'a',
      segmentation([segment('seg_x1')], [nameOf('seg_x1', 'Loyal')]),
    );
    expect((await repositories.stability.ofRun('a')).movements).toEqual([]);
    expect(await repositories.segmentations.idsOf('shop')).toEqual(['seg_x1']);
  });

  test('saved with other content takes the first one’s place', async () => {
    await repositories.runs.open(newRun('a'));
    await repositories.segmentations.save(
      'a',
      segmentation([segment('seg_x0')], [nameOf('seg_x0', 'Loyal')]),
    );
    await repositories.segmentations.save('a', segmentation([segment('seg_y0')], [nameOf('seg_y0', 'New')]));
    expect(await repositories.segmentations.idsOf('shop')).toEqual(['seg_y0']);
    expect(await database.knex('segment_names')).toMatchObject([{ segment_id: 'seg_y0', version: 1 }]);
  });

  test('of a published run is not changed any more', async () => {
    await persistRun(repositories, 'a');
    await publishRun(repositories, 'a');
    const before = await snapshot();
    await repositories.segmentations.save('a', segmentation([segment('seg_z0')]));
    await repositories.stability.save('a', { movements: [], metrics: [] });
    expect(await snapshot()).toEqual(before);
  });

  test('two segments of one name are refused', async () => {
    await repositories.runs.open(newRun('a'));
    const twins = [segment('seg_x0', { name: 'Loyal' }), segment('seg_x1', { name: 'Loyal' })];
    await expect(repositories.segmentations.save('a', segmentation(twins))).rejects.toThrow('unique');
  });
});

test('a run kept aside goes on with a segment that has retired since, under the name it had last', async () => {
  const publishAsOf = async (
    runId: string,
    {
      asOf,
      segments,
      ...options
    }: { asOf: string; segments: ReturnType<typeof segment>[]; isAside?: boolean },
    expectedBase: number | null,
  ) => {
    await repositories.runs.open(newRun(runId));
    await repositories.runs.describeExtract(runId, { asOf, watermark: `${asOf}T00:00:00Z`, rowsRead: 4 });
    await persistRun(repositories, runId, { segments });
    const { publicationId } = await repositories.publications.publish({
      ...{ pipeline: 'shop', runId, expectedBase, review: null, messages: [], ...options },
    });
    return publicationId;
  };
  const both = [segment('seg_0'), segment('seg_1')];
  const lived = both.map((one) => ({ ...one, event: 'survived' as const }));
  const january = await publishAsOf('jan', { asOf: '2026-01-01', segments: both }, null);
  await publishAsOf('mar', { asOf: '2026-03-01', segments: [{ ...lived[0]!, cluster: 0 }] }, january);
  const base = await repositories.publications.before({ pipeline: 'shop', runId: 'feb', asOf: '2026-02-01' });
  expect(base?.segments.map(({ name, author, condition }) => [name, author, condition])).toEqual(
    both.map(({ name }) => [name, 'auto', nameOf('', name).condition]),
  );
  // Once its segment had retired the name was free: the other may have it by now.
  await repositories.names.set({
    ...{ segmentId: 'seg_0', name: both[1]!.name, by: 'ann', reason: 'it is free', seen: 1 },
  });
  const later = await repositories.publications.before({
    pipeline: 'shop',
    runId: 'feb',
    asOf: '2026-02-01',
  });
  expect(later?.segments.map(({ name, isNameInForce }) => [name, isNameInForce])).toEqual([
    [both[1]!.name, true],
    [both[1]!.name, false],
  ]);
  await publishAsOf('feb', { asOf: '2026-02-01', segments: lived, isAside: true }, january);
  expect((await repositories.publications.current('shop'))?.runId).toBe('mar');
  const line = await repositories.evolution.publications('shop');
  expect(line.map(({ runId, isAside }) => [runId, isAside])).toEqual([
    ['jan', false],
    ['feb', true],
    ['mar', false],
  ]);
});
