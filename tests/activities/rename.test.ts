import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NamesFile } from '../../activities/name.ts';
import { decodeJson } from '../../store/artifacts/json.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { publishWalked, type Walked, walkToStability } from '../helpers/activity-walk.ts';

let shop: ActivityShop;
let first: Walked;

beforeAll(async () => {
  shop = await openActivityShop();
  first = await walkToStability(shop, { asOf: '2026-06-01' });
  await publishWalked(shop, first);
}, 120_000);

afterAll(() => shop?.close());

const wish = (segment: string, name: string, by = 'ann') => ({
  ...{ segment, name, by, because: 'the spring campaign' },
});

/** As a run does it. */
const rename = async ({ run }: Pick<Walked, 'run'>, segment: string, name: string) =>
  shop.perform('renameSegment', {
    run,
    rename: await shop.perform('findRenamed', { run, rename: wish(segment, name) }),
  });

const namesSeen = async (): Promise<Map<string, string>> => {
  const rows = await shop.database.knex('published_segments').where({ pipeline: 'shop' });
  return new Map(rows.map(({ segment_id, name }) => [segment_id as string, name as string]));
};

describe('a refit after a rename', () => {
  test('keeps the name, and so it does with one given after the refit was named', async () => {
    const [early, late] = first.naming.segments.map(({ segmentId }) => segmentId) as [string, string];
    await rename(first, early, 'Our best');
    const walked = await walkToStability(shop);
    const { naming } = walked;
    const file = decodeJson(await shop.context.artifacts.read(naming.names)) as NamesFile;
    const kept = file.names.find(({ segmentId }) => segmentId === early);
    expect(kept).toMatchObject({ name: 'Our best', author: 'manual', status: 'holds', proposal: null });

    const wasCalled = naming.segments.find(({ segmentId }) => segmentId === late)!.name;
    await rename(walked, wasCalled, 'Second best');
    const summary = await publishWalked(shop, walked);

    const seen = await namesSeen();
    expect([seen.get(early), seen.get(late)]).toEqual(['Our best', 'Second best']);
    // What the run prints, and what it tells others, is what readers see.
    const told = new Map(summary.segments.map(({ segmentId, name }) => [segmentId, name]));
    expect(told).toEqual(seen);
    const messages = await shop.database.knex('outbox').where({ run_id: walked.run.runId });
    expect(messages.length).toBeGreaterThan(0);
    for (const { payload } of messages)
      expect(
        new Map(payload.segments.map((s: { segmentId: string; name: string }) => [s.segmentId, s.name])),
      ).toEqual(seen);
    for (const segmentId of [early, late])
      expect(await shop.context.repositories.names.history(segmentId)).toHaveLength(2);
  }, 120_000);

  test('done again after a lost answer tells that it is done, and takes no name that came after it', async () => {
    const { run } = first;
    const segmentId = first.naming.segments[0]!.segmentId;
    const before = (await namesSeen()).get(segmentId)!;
    // By the name that is no more once it is done.
    const anns = await shop.perform('findRenamed', { run, rename: wish(before, 'Of spring') });
    const done = await shop.perform('renameSegment', { run, rename: anns });
    expect(await shop.perform('renameSegment', { run, rename: anns })).toEqual(done);

    const bobs = await shop.perform('findRenamed', { run, rename: wish(segmentId, 'Of summer', 'bob') });
    await shop.perform('renameSegment', { run, rename: bobs });
    await expect(shop.perform('renameSegment', { run, rename: anns })).rejects.toMatchObject({
      type: 'NAME_CHANGED',
      message: expect.stringContaining('given by bob'),
    });
    expect((await namesSeen()).get(segmentId)).toBe('Of summer');
    await rename(first, segmentId, before);
  }, 120_000);

  test('of a segment that is another pipeline’s, or of none, is refused', async () => {
    await expect(
      rename({ run: { ...first.run, pipeline: 'other' } }, 'Our best', 'Mine'),
    ).rejects.toMatchObject({
      type: 'SEGMENT_UNKNOWN',
      nonRetryable: true,
    });
    await expect(rename(first, 'Our best', 'second  BEST')).rejects.toMatchObject({ type: 'NAME_TAKEN' });
    await expect(rename(first, 'Our best', '=1+1')).rejects.toMatchObject({ type: 'NAME_REFUSED' });
  });
});
