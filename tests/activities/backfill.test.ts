import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BackfillInput } from '../../pipelines/contracts/backfill.ts';
import type { StartInput } from '../../pipelines/contracts/run.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { closingOf, publishWalked, type Walked, walkToStability } from '../helpers/activity-walk.ts';
import { assertRepeatable } from '../helpers/repeatable.ts';

// The small shop's books go to 2026-06-30 and begin six months before.

let shop: ActivityShop;
const STARTED_AT = '2026-11-28T10:00:00.000Z';

const plan = (input: BackfillInput) => shop.perform('planBackfill', { input, startedAt: STARTED_AT });
const published = async () => (await shop.context.repositories.publications.current('shop'))!;

async function publish(input: StartInput): Promise<Walked> {
  const walked = await walkToStability(shop, input);
  await publishWalked(shop, walked);
  return walked;
}

beforeAll(async () => {
  shop = await openActivityShop();
}, 60_000);

afterAll(() => shop?.close());

describe('planning a backfill', () => {
  beforeAll(() => shop.database.clear());

  test('without any input lays down twelve months up to where the books end, and twice the same', async () => {
    const planned = await assertRepeatable(() => plan({}), shop.snapshot);
    expect(planned).toMatchObject({
      pipeline: 'shop',
      every: 'month',
      done: [],
      stopOn: 'never',
      reasons: [],
    });
    expect(planned.given).toEqual({ review: 'never', beforePublished: 'refuse' });
    expect([planned.dates.length, planned.dates[0], planned.dates.at(-1)]).toEqual([
      12,
      '2025-08-01',
      '2026-07-01',
    ]);
  });

  test('of an extract that no run has read needs to be told where it ends', async () => {
    const extract = '/data/of-2011.csv';
    const range = { extract, from: '2011-04-01' };
    await expect(plan(range)).rejects.toMatchObject({
      type: 'INPUT_INVALID',
      message: expect.stringMatching(/an extract that no run of shop has read.*name to/),
    });
    expect((await plan({ ...range, to: '2011-12-01' })).dates).toHaveLength(9);
    // What was seen in the definition's own source says nothing of a file.
    const { execution: workflow } = await shop.openWorkflow();
    const see = async (input: StartInput, watermark: string) => {
      const run = { runId: `run_${watermark}`, kind: 'refit' as const, pipeline: 'shop', seed: 1, input };
      const definition = { uri: 'd', sha256: '0'.repeat(64), bytes: 1, rows: 1, kind: 'definition' as const };
      await shop.context.repositories.runs.open({ ...run, definition, workflow });
      const asOf = '2011-11-01';
      await shop.context.repositories.runs.describeExtract(run.runId, { asOf, watermark, rowsRead: 1 });
      await shop.context.repositories.runs.abandon(run.runId, 'seen');
    };
    await see({}, '2026-06-30');
    await expect(plan(range)).rejects.toMatchObject({ type: 'INPUT_INVALID' });
    await see({ extract }, '2011-12-09');
    expect((await plan(range)).dates.at(-1)).toBe('2011-12-01');
    await shop.database.clear();
  });

  test('refuses an input it does not understand, and a pipeline there is not', async () => {
    await expect(plan({ form: '2026-01-01' } as BackfillInput)).rejects.toMatchObject({
      type: 'INPUT_INVALID',
      message: expect.stringContaining('fields: pipeline, from, to'),
    });
    await expect(plan({ pipeline: 'shoop' })).rejects.toMatchObject({ type: 'PIPELINE_UNKNOWN' });
  });
});

describe('once runs are published', () => {
  let march: Walked;
  let june: Walked;
  const range = { from: '2026-03-01', to: '2026-07-01' };

  beforeAll(async () => {
    await shop.database.clear();
    march = await publish({ asOf: '2026-03-01' });
    june = await publish({ asOf: '2026-06-01' });
  }, 120_000);

  test('a backfill goes on after what readers see, and leaves out what is done', async () => {
    expect((await plan({})).dates).toEqual(['2026-07-01']);
    const quarterly = await plan({ from: '2026-06-01', to: '2026-07-01' });
    expect(quarterly.done).toEqual([{ asOf: '2026-06-01', runId: june.run.runId }]);
    expect((await plan({ from: '2026-06-01', again: true })).done).toEqual([]);
  });

  test.each([{ k: 4 }, { seed: 9 }, { extract: '/data/x.csv' }])(
    'what was done otherwise is not done: %j',
    async (otherwise) => {
      expect((await plan({ from: '2026-06-01', to: '2026-07-01', ...otherwise })).done).toEqual([]);
    },
  );

  test('one that would run before what readers see is refused with the way out', async () => {
    await expect(plan(range)).rejects.toMatchObject({
      type: 'AS_OF_BEFORE_PUBLISHED',
      message: expect.stringMatching(/found 2 before it \(2026-04-01 to 2026-05-01\).*--from 2026-06-01/),
    });
  });

  test('one that has nothing to do says so', async () => {
    const nothing = await plan({ to: '2026-06-20' });
    expect(nothing.dates).toEqual([]);
    expect(nothing.reasons.join()).toMatch(/nothing to do up to 2026-06-20: readers see 2026-06-01/);
  });

  test('an older run that is to be refused is told so when its turn has come, before anything is read', async () => {
    const { execution: workflow } = await shop.openWorkflow();
    const input = { asOf: '2026-05-01', beforePublished: 'refuse' as const };
    const { run } = await shop.perform('openRun', { input, workflow, scheduledAt: null });
    const turn = await shop.perform('takeTurn', { run });
    expect(turn).toMatchObject({ granted: true, refused: [expect.stringMatching(/2026-05-01.*2026-06-01/)] });
    expect(await shop.perform('awaitTurn', { run })).toEqual(turn);
    const later = { ...run, asOf: '2026-07-01' };
    expect(await shop.perform('takeTurn', { run: later })).toEqual({ granted: true, waitsFor: null });
    const { runId, kind, pipeline, asOf } = run;
    const counts = { rowsRead: 0, rowsAccepted: 0, rowsQuarantined: 0, quarantinedBy: [], customers: 0 };
    const nothing = { counts, k: null, segments: [], quality: null, stages: [], verdict: null };
    await shop.perform('closeRun', {
      run,
      closing: { ...{ runId, kind, pipeline, asOf, workflow }, ...nothing, outcome: 'rejected', reasons: [] },
    });
  });

  test('one that is kept aside joins the history between its neighbours, and readers see what they saw', async () => {
    const before = await published();
    const namesBefore = await shop.database
      .knex('segment_names')
      .whereNotNull('valid_from')
      .orderBy(['segment_id', 'version']);
    const outboxBefore = await shop.database.knex('outbox').count();
    const may = await walkToStability(shop, { asOf: '2026-05-01', beforePublished: 'aside' });
    expect(may.match.base?.runId).toBe(march.run.runId);
    expect(may.stability.decision).toBe('publish');
    expect(may.stability.reasons[0]).toContain('kept aside');
    await assertRepeatable(
      () => shop.perform('publishRun', { run: may.run, match: may.match, naming: may.naming, review: null }),
      shop.snapshot,
    );
    await shop.perform('closeRun', { run: may.run, closing: closingOf(may, 'published') });

    expect(await published()).toEqual(before);
    expect(await shop.database.knex('outbox').count()).toEqual(outboxBefore);
    const { runs, publications } = shop.context.repositories;
    expect((await runs.get(may.run.runId)).outcome).toBe('published');
    const record = (await publications.ofRun(may.run.runId))!;
    expect(record.review).toBe('kept aside; readers went on seeing 2026-06-01');
    expect(record.replaced).toBe((await publications.ofRun(march.run.runId))!.publicationId);
    // What it names are its own newborns; a name that is in force stays.
    for (const name of namesBefore)
      expect(
        await shop.database
          .knex('segment_names')
          .where({ segment_id: name.segment_id, version: name.version })
          .first(),
      ).toEqual(name);
    // And nobody who lives in what readers see is buried.
    const alive = before.segments.map(({ segmentId }) => segmentId);
    const buried = await shop.database
      .knex('segments')
      .whereIn('segment_id', alive)
      .whereNotNull('retired_in_run');
    expect(buried).toEqual([]);

    const [figures] = await shop.context.repositories.backfills.figuresOf([may.run.runId]);
    const { behaviour, model, border } = figures!.moved;
    const moves = await shop.database
      .knex('segment_moves')
      .where({ run_id: may.run.runId })
      .whereNotNull('from_segment_id')
      .whereNotNull('to_segment_id');
    expect(behaviour + model + border).toBe(moves.length);
    expect(figures!.survived + figures!.born).toBe(may.clustering.k);

    // The next one finds it: history goes on from date to date beside what readers see.
    const later = { ...may.run, runId: 'run_x', asOf: '2026-05-15' };
    expect((await publications.before(later as never))?.runId).toBe(may.run.runId);
    expect((await publications.before({ ...later, asOf: '2026-04-30' } as never))?.runId).toBe(
      march.run.runId,
    );
    expect(await publications.before({ ...later, asOf: '2026-02-28' } as never)).toBeNull();
  }, 120_000);
});
