import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Judge } from '../../../store/postgres/names.ts';
import { createRepositories, type Repositories } from '../../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { allRows } from '../../helpers/postgres-rows.ts';
import { nameOf, persistRun, publishRun, segment } from './fixture.ts';

let database: TestDatabase;
let repositories: Repositories;
const snapshot = () => allRows(database.knex);

beforeAll(async () => {
  database = await testDatabase({ migrated: false });
  repositories = createRepositories(database.knex);
}, 60_000);

afterAll(() => database?.drop());

beforeEach(async () => {
  await database.clear();
  const segments = [segment('seg_x0', { name: 'Loyal' }), segment('seg_x1', { name: 'Lapsing' })];
  await persistRun(repositories, 'a', { segments });
  await publishRun(repositories, 'a');
});

const set = (
  name: string,
  change: { segmentId?: string; seen?: number; by?: string; reason?: string } = {},
) => repositories.names.set({ segmentId: 'seg_x0', by: 'ann', reason: 'campaign', seen: 1, ...change, name });

const survived = (segmentId: string, name: string) => segment(segmentId, { name, event: 'survived' });
const holds: Judge = () => 'holds';
const fails: Judge = () => 'questionable';

async function seenByReaders() {
  const rows = await database.knex('published_segments').orderBy('segment_id');
  return rows.map(({ name, name_status, name_author, name_given_by }) =>
    [name, name_status, name_author, name_given_by].join(' | '),
  );
}

describe('a name that a person sets', () => {
  test('is what readers see at once; what it was stays true for its time', async () => {
    const { name, previous, isNew } = await set('Our best');
    expect({ isNew, previous }).toMatchObject({ isNew: true, previous: { name: 'Loyal', version: 1 } });
    expect(name).toMatchObject({
      version: 2,
      author: 'manual',
      givenBy: 'ann',
      reason: 'campaign',
      until: null,
    });
    expect(await seenByReaders()).toEqual(['Our best | holds | manual | ann', 'Lapsing | holds | auto | ']);
    const [first, second] = await database
      .knex('segment_name_history')
      .where({ segment_id: 'seg_x0' })
      .orderBy('version');
    expect(first).toMatchObject({ name: 'Loyal', given_by: null, valid_to: second.valid_from });
    const named = async (at: Date) =>
      database
        .knex('segment_name_history')
        .where({ segment_id: 'seg_x0' })
        .where('valid_from', '<=', at)
        .where((query) => query.whereNull('valid_to').orWhere('valid_to', '>', at))
        .pluck('name');
    expect(await named(new Date(first.valid_from.getTime() + 1))).toEqual(['Loyal']);
    expect(await named(new Date())).toEqual(['Our best']);
    expect(await repositories.names.history('seg_x0')).toHaveLength(2);
  });

  test('said again changes nothing, whoever says it and whatever they saw', async () => {
    await set('Our best');
    const before = await snapshot();
    for (const change of [{}, { seen: 2 }, { by: 'bob', reason: 'other' }]) {
      const again = await set('Our best', change);
      expect(again).toMatchObject({
        isNew: false,
        name: { version: 2, givenBy: 'ann' },
        previous: { version: 1 },
      });
    }
    expect(await snapshot()).toEqual(before);
  });

  test('may be the automatic one, which is then the person’s and no longer judged', async () => {
    await database.knex('segment_snapshots').update({ name_status: 'questionable' });
    expect(await set('Loyal')).toMatchObject({ isNew: true });
    expect(await seenByReaders()).toEqual([
      'Loyal | holds | manual | ann',
      'Lapsing | questionable | auto | ',
    ]);
  });

  test.each(['Lapsing', 'LAPSING', 'lap sing'])(
    'is refused as %s, which another segment has',
    async (name) => {
      const before = await snapshot();
      await expect(set(name)).rejects.toMatchObject({
        code: 'NAME_TAKEN',
        message: expect.stringContaining('seg_x1 is called "Lapsing"') as string,
      });
      expect(await snapshot()).toEqual(before);
    },
  );

  test('may differ from the one it replaces in capitals alone', async () => {
    expect((await set('LOYAL')).name.name).toBe('LOYAL');
  });

  test('is free in another pipeline', async () => {
    await persistRun(repositories, 'y', {
      pipeline: 'other',
      segments: [segment('seg_y0', { name: 'Far' })],
    });
    await publishRun(repositories, 'y', { pipeline: 'other' });
    expect((await set('Far')).isNew).toBe(true);
    await expect(repositories.names.find({ segment: 'far' })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/seg_y0 of other, seg_x0 of shop; give its id/) as string,
    });
    expect(await repositories.names.find({ segment: 'far', pipeline: 'other' })).toMatchObject({
      segmentId: 'seg_y0',
    });
  });
});

describe('two people who rename at once', () => {
  test('one wins, and the other is told who, when and to what', async () => {
    for (let round = 0; round < 5; round++) {
      const seen = (await repositories.names.history('seg_x0')).at(-1)!.version;
      const names = [`Ann's ${round}`, `Bob's ${round}`];
      const results = await Promise.allSettled([
        set(names[0]!, { by: 'ann', seen }),
        set(names[1]!, { by: 'bob', seen }),
      ]);
      const winner = results.findIndex(({ status }) => status === 'fulfilled');
      const loser = results[1 - winner] as PromiseRejectedResult;
      expect(loser.status).toBe('rejected');
      expect(loser.reason).toMatchObject({ code: 'NAME_CHANGED', details: { seen, version: seen + 1 } });
      expect(loser.reason.message).toContain(
        `("${names[winner]}"), given by ${['ann', 'bob'][winner]} at 20`,
      );
      expect(loser.reason.message).toContain('(campaign)');
      expect((await repositories.names.history('seg_x0')).at(-1)).toMatchObject({ name: names[winner] });
    }
    const history = await repositories.names.history('seg_x0');
    expect(history.filter(({ until }) => until === null)).toHaveLength(1);
  });

  test('and give two segments the same name: one has it', async () => {
    const results = await Promise.allSettled([set('Best'), set('best', { segmentId: 'seg_x1' })]);
    const lost = results.filter((result) => result.status === 'rejected');
    expect(lost).toHaveLength(1);
    expect(lost[0]!.reason).toMatchObject({ code: 'NAME_TAKEN' });
  });

  test('who looked long ago is told, with what was seen', async () => {
    await set('Second');
    await set('Third', { seen: 2, by: 'bob' });
    await expect(set('Fourth')).rejects.toThrow(
      /the name of seg_x0 needs to be the one that was seen, version 1 \("Loyal"\), found version 3 \("Third"\), given by bob/,
    );
    await expect(set('Fourth', { seen: 9 })).rejects.toThrow('version 9, which never was in force');
  });
});

describe('a name and the runs', () => {
  const publishNext = async (runId: string, expectedBase: number) =>
    publishRun(repositories, runId, { expectedBase });

  test('a rename at any moment of a run is what readers see after it', async () => {
    await persistRun(repositories, 'b', {
      segments: [survived('seg_x0', 'Loyal'), survived('seg_x1', 'Lapsing')],
    });
    await set('Our best');
    await publishNext('b', 1);
    expect(await seenByReaders()).toEqual(['Our best | holds | manual | ann', 'Lapsing | holds | auto | ']);
    await persistRun(repositories, 'c', {
      segments: [survived('seg_x0', 'Our best'), survived('seg_x1', 'Lapsing')],
    });
    await publishNext('c', 2);
    expect(await repositories.names.history('seg_x0')).toHaveLength(2);
    expect((await repositories.publications.current('shop'))?.segments).toMatchObject([
      { name: 'Our best', nameStatus: 'holds', author: 'manual', condition: { words: [] } },
      { name: 'Lapsing', author: 'auto' },
    ]);
  });

  test('a rename and a publication at once both succeed, and the name stays', async () => {
    for (const [base, runId] of ['b', 'c', 'd', 'e'].entries()) {
      const { name: present } = await repositories.names.revert({
        ...{ segmentId: 'seg_x0', by: 'ann', reason: 'anew', version: 1, judge: holds },
        seen: (await repositories.names.history('seg_x0')).at(-1)!.version,
      });
      await persistRun(repositories, runId, {
        segments: [survived('seg_x0', 'Loyal'), survived('seg_x1', 'Lapsing')],
        names: [{ ...nameOf('seg_x0', 'Loyal'), condition: { run: runId } }],
      });
      const all = await Promise.allSettled([
        publishNext(runId, base + 1),
        set(`For ${runId}`, { seen: present.version }),
      ]);
      // Also where the publication comes first and renews the condition of the name that the person saw.
      expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
      expect((await seenByReaders())[0]).toBe(`For ${runId} | holds | manual | ann`);
      const history = await repositories.names.history('seg_x0');
      expect(history.filter(({ until }) => until === null)).toHaveLength(1);
      for (const [i, version] of history.slice(1).entries()) expect(version.since).toBe(history[i]!.until);
    }
  });

  test('a run that has another condition for a person’s name leaves it as it is', async () => {
    await set('Our best');
    const renewed = { ...nameOf('seg_x0', 'Our best'), author: 'manual' as const };
    await persistRun(repositories, 'b', { segments: [survived('seg_x0', 'Our best')], names: [renewed] });
    await publishNext('b', 1);
    expect(await repositories.names.history('seg_x0')).toHaveLength(2);
  });

  test('a name that a run under way gives to a new segment is taken; after its end it is not', async () => {
    const segments = [survived('seg_x0', 'Loyal'), segment('seg_b1', { name: 'Newcomers' })];
    await persistRun(repositories, 'b', { segments, names: [nameOf('seg_b1', 'Newcomers')] });
    await expect(set('newcomers')).rejects.toMatchObject({
      code: 'NAME_TAKEN',
      message: expect.stringContaining(
        'run b, which is not published yet, gives it to its segment seg_b1',
      ) as string,
    });
    await repositories.cleanUp('b');
    expect((await set('newcomers')).isNew).toBe(true);
  });

  test('a name that a run under way renews is free once a person has given its segment another', async () => {
    const segments = [survived('seg_x0', 'Loyal'), survived('seg_x1', 'Lapsing')];
    const renewed = { ...nameOf('seg_x0', 'Loyal'), condition: { feature: 'orders', atLeast: 6 } };
    await persistRun(repositories, 'b', { segments, names: [renewed] });
    await expect(set('Loyal', { segmentId: 'seg_x1' })).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    await set('Our best');
    expect((await set('Loyal', { segmentId: 'seg_x1' })).isNew).toBe(true);
    await publishNext('b', 1);
    expect(await seenByReaders()).toEqual([
      'Our best | holds | manual | ann',
      'Loyal | holds | manual | ann',
    ]);
  });

  test('a name given before a run proposes the same for a new segment stays, and the new one is told apart', async () => {
    await set('Newcomers');
    const segments = [survived('seg_x0', 'Loyal'), segment('seg_b1', { name: 'Newcomers' })];
    await persistRun(repositories, 'b', { segments, names: [nameOf('seg_b1', 'Newcomers')] });
    await publishNext('b', 1);
    expect(await seenByReaders()).toEqual([
      'Newcomers (seg_b1) | holds | auto | ',
      'Newcomers | holds | manual | ann',
    ]);
    const [version] = await repositories.names.history('seg_b1');
    expect(version!.reason).toContain('seg_x0 was given the same name before this run was published');
  });

  test('a segment that retires gives its name back, and is not named again', async () => {
    await set('Our best', { segmentId: 'seg_x1' });
    await persistRun(repositories, 'b', { segments: [survived('seg_x0', 'Loyal')] });
    await publishNext('b', 1);
    expect((await repositories.names.history('seg_x1')).every(({ until }) => until !== null)).toBe(true);
    await expect(set('Gone', { segmentId: 'seg_x1', seen: 2 })).rejects.toMatchObject({
      code: 'SEGMENT_UNKNOWN',
      message: expect.stringContaining('it has retired with run b') as string,
    });
    expect((await set('Our best')).isNew).toBe(true);
  });

  test('a segment that is not published yet has no name to change', async () => {
    const segments = [survived('seg_x0', 'Loyal'), segment('seg_b1', { name: 'Newcomers' })];
    await persistRun(repositories, 'b', { segments, names: [nameOf('seg_b1', 'Newcomers')] });
    const refusal = {
      code: 'SEGMENT_UNKNOWN',
      message: expect.stringContaining('born in run b, which readers do not see') as string,
    };
    await expect(set('Mine', { segmentId: 'seg_b1' })).rejects.toMatchObject(refusal);
    await expect(repositories.names.find({ segment: 'seg_b1' })).rejects.toMatchObject(refusal);
    for (const segment of ['seg_no', 'Newcomers', ''])
      await expect(repositories.names.find({ segment })).rejects.toMatchObject({ code: 'SEGMENT_UNKNOWN' });
  });

  test('what outsiders are told at the publication has the name of that moment', async () => {
    await persistRun(repositories, 'b', { segments: [survived('seg_x0', 'Loyal')] });
    await set('Our best');
    await repositories.publications.publish({
      ...{ pipeline: 'shop', runId: 'b', expectedBase: 1, review: null },
      messages: (names) => [{ event: 'run.published', channel: 'log', payload: Object.fromEntries(names) }],
    });
    const [message] = await database.knex('outbox').where({ run_id: 'b' });
    expect(message.payload).toEqual({ seg_x0: 'Our best' });
  });
});

describe('going back, and accepting', () => {
  const decision = { segmentId: 'seg_x0', by: 'bob', reason: 'it was right' };

  test('a revert brings author and condition back, with who did it and whether it holds', async () => {
    await set('Our best');
    const { name } = await repositories.names.revert({ ...decision, seen: 2, version: 1, judge: fails });
    expect(name).toMatchObject({
      ...{ version: 3, name: 'Loyal', author: 'auto', givenBy: 'bob' },
      condition: { feature: 'orders', atLeast: 5 },
    });
    expect(await seenByReaders()).toEqual(['Loyal | questionable | auto | bob', 'Lapsing | holds | auto | ']);
    expect(await repositories.names.revert({ ...decision, seen: 3, version: 1, judge: holds })).toMatchObject(
      {
        isNew: false,
      },
    );
    await repositories.names.revert({ ...decision, seen: 3, version: 2, judge: holds });
    expect((await seenByReaders())[0]).toBe('Our best | holds | manual | bob');
  });

  test('is judged by the figures that readers see', async () => {
    await set('Our best');
    const asked: unknown[] = [];
    const judge: Judge = (condition, profile) => {
      asked.push(condition, profile);
      return 'holds';
    };
    await repositories.names.revert({ ...decision, seen: 2, version: 1, judge });
    expect(asked).toEqual([{ feature: 'orders', atLeast: 5 }, { orders: { median: 10 } }]);
  });

  test('the next run’s own verdict counts from its publication on', async () => {
    await set('Our best');
    await repositories.names.revert({ ...decision, seen: 2, version: 1, judge: fails });
    await persistRun(repositories, 'b', { segments: [survived('seg_x0', 'Loyal')] });
    await publishRun(repositories, 'b', { expectedBase: 1 });
    expect(await seenByReaders()).toEqual(['Loyal | holds | auto | bob']);
  });

  test('an accepted proposal is automatic: its condition is judged in every run to come', async () => {
    const condition = { words: [{ word: 'Big', role: 'value', bounds: [] }] };
    const proposal = { name: 'Big spenders', condition };
    const { name } = await repositories.names.accept({ ...decision, seen: 1, proposal });
    expect(name).toMatchObject({ name: 'Big spenders', author: 'auto', givenBy: 'bob', condition });
    expect((await repositories.publications.current('shop'))?.segments[0]).toMatchObject({
      ...{ name: 'Big spenders', nameStatus: 'holds', author: 'auto', condition },
    });
  });

  test('is refused where another segment has the name by now, or the version never was in force', async () => {
    await set('Our best');
    await set('Loyal', { segmentId: 'seg_x1' });
    await expect(
      repositories.names.revert({ ...decision, seen: 2, version: 1, judge: holds }),
    ).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    await expect(
      repositories.names.revert({ ...decision, seen: 2, version: 7, judge: holds }),
    ).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('there are 1, 2') as string,
    });
  });
});

test('the list has published segments, the largest first', async () => {
  await database.knex('segment_snapshots').where({ segment_id: 'seg_x1' }).update({ customers: 9 });
  await set('Our best');
  expect(await repositories.names.list({ pipeline: 'shop' })).toMatchObject([
    {
      segmentId: 'seg_x1',
      name: 'Lapsing',
      version: 1,
      author: 'auto',
      givenBy: null,
      status: 'holds',
      customers: 9,
    },
    { segmentId: 'seg_x0', name: 'Our best', version: 2, author: 'manual', givenBy: 'ann', runId: 'a' },
  ]);
  expect(await repositories.names.list({ pipeline: 'none' })).toEqual([]);
  expect(await repositories.names.find({ segment: 'our  BEST' })).toMatchObject({ segmentId: 'seg_x0' });
  await expect(repositories.names.find({ segment: 'loyal' })).rejects.toMatchObject({
    code: 'SEGMENT_UNKNOWN',
    message: expect.stringMatching(/seg_x0 was called so until 20.*: give its id/) as string,
  });
});
