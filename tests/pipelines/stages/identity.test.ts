import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { toCustomerIds } from '../../../pipelines/contracts/customers.ts';
import { type IdentityInput, matchIdentities, matchSummary } from '../../../pipelines/stages/identity.ts';
import { joinCustomers } from '../../../pipelines/stages/match.ts';

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `c${1000 + from + i}`);

const first: IdentityInput = {
  pipeline: 'shop',
  modelDigest: 'm1',
  labels: Uint8Array.from({ length: 100 }, (_, row) => (row < 60 ? 0 : 1)),
  sizes: [60, 40],
  previous: null,
  relabelled: null,
  digest,
};

function next(change: Partial<IdentityInput>, customers = names(0, 100)): IdentityInput {
  const before = matchIdentities(first);
  return {
    ...first,
    modelDigest: 'm2',
    previous: {
      segmentIds: before.segments.map(({ segmentId }) => segmentId),
      usedIds: before.usedIds,
      labels: first.labels,
      join: joinCustomers(toCustomerIds(names(0, 100)), toCustomerIds(customers)),
    },
    ...change,
  };
}

describe('matchIdentities', () => {
  test('a first run bears all its segments, with lasting ids', () => {
    const { method, segments, retired, usedIds } = matchIdentities(first);
    expect(method).toBe('none');
    expect(segments.map(({ event }) => event)).toEqual(['born', 'born']);
    for (const { segmentId } of segments) expect(segmentId).toMatch(/^seg_[0-9a-v]{12}$/);
    expect(new Set(usedIds).size).toBe(2);
    expect(retired).toEqual([]);
  });

  test('the same run gives the same ids', () => {
    expect(matchIdentities(first)).toEqual(matchIdentities({ ...first, labels: first.labels.slice() }));
  });

  test('ids differ between clusters, models and pipelines', () => {
    const ids = [first, { ...first, modelDigest: 'm9' }, { ...first, pipeline: 'other' }].flatMap((input) =>
      matchIdentities(input).segments.map(({ segmentId }) => segmentId),
    );
    expect(new Set(ids).size).toBe(6);
  });

  test('renumbered clusters keep their ids', () => {
    const before = matchIdentities(first);
    const after = matchIdentities(next({ labels: first.labels.map((label) => 1 - label), sizes: [40, 60] }));
    expect(after.method).toBe('members');
    expect(after.segments.map(({ segmentId }) => segmentId)).toEqual(
      before.segments.map(({ segmentId }) => segmentId).reverse(),
    );
    expect(after.segments.map(({ event, overlap }) => [event, overlap])).toEqual([
      ['survived', 1],
      ['survived', 1],
    ]);
    expect(after.usedIds).toEqual(before.usedIds);
  });

  test('an identity stays with what the segment means when its people move on', () => {
    // Everybody left the first segment for the second and newcomers took their place: by the last model's own
    // labels of today's customers the clusters are where they were.
    const customers = [...names(0, 60), ...names(200, 240)];
    const labels = Uint8Array.from(customers, (_, row) => (row < 60 ? 1 : 0));
    const sizes = [40, 60];
    const [before, byModel, byMembers] = [
      matchIdentities(first),
      matchIdentities(next({ labels, sizes, relabelled: labels }, customers)),
      matchIdentities(next({ labels, sizes }, customers)),
    ].map(({ segments }) => segments.map(({ segmentId }) => segmentId));
    expect(byModel).toEqual(before);
    expect(byMembers![1]).toBe(before![0]);
  });

  test('by the last model no common customer is needed', () => {
    const { method, segments } = matchIdentities(next({ relabelled: first.labels }, names(500, 600)));
    expect(method).toBe('model');
    expect(segments.map(({ event, overlap }) => [event, overlap])).toEqual([
      ['survived', 1],
      ['survived', 1],
    ]);
  });

  test('a split tells its parent, and the parent where it went', () => {
    const labels = first.labels.map((label, row) => (label === 0 ? (row < 30 ? 0 : 2) : 1));
    const { segments, retired, usedIds } = matchIdentities(next({ labels, sizes: [30, 40, 30] }));
    const [parent] = matchIdentities(first).segments;
    expect(segments.map(({ event }) => event)).toEqual(['split', 'survived', 'split']);
    expect(segments[0]!.parents).toEqual([parent!.segmentId]);
    expect(retired).toEqual([
      { segmentId: parent!.segmentId, into: [segments[0]!.segmentId, segments[2]!.segmentId] },
    ]);
    expect(usedIds).toContain(parent!.segmentId);
    expect(usedIds).toHaveLength(4);
  });

  test('an id that was ever used is never given again', () => {
    const ids = matchIdentities(first).usedIds;
    // The first model again, after its segments were retired by a publication in between.
    const again = matchIdentities(
      next({
        modelDigest: 'm1',
        previous: { ...next({}, names(500, 600)).previous!, segmentIds: ['seg_x', 'seg_y'], usedIds: ids },
      }),
    );
    expect(again.segments.map(({ event }) => event)).toEqual(['born', 'born']);
    for (const { segmentId } of again.segments) expect(ids).not.toContain(segmentId);
    expect(again.usedIds).toEqual(expect.arrayContaining([...ids, 'seg_x', 'seg_y']));
  });

  test.each([
    ['three in ten common customers', 70, 'members'],
    ['fewer', 71, 'none'],
  ] as const)('without a readable model, %s: %i new of 100 are matched by %s', (_, from, method) => {
    const found = matchIdentities(next({}, names(from, from + 100)));
    expect(found.method).toBe(method);
    expect(found.commonCustomers).toBe(100 - from);
  });

  test('with nothing to compare all are born and all are retired', () => {
    const { segments, retired } = matchIdentities(next({}, names(500, 600)));
    const before = matchIdentities(first).segments.map(({ segmentId }) => segmentId);
    expect(segments.map(({ event }) => event)).toEqual(['born', 'born']);
    for (const { segmentId } of segments) expect(before).not.toContain(segmentId);
    expect(retired).toEqual(before.map((segmentId) => ({ segmentId, into: [] })));
  });

  test('a digest that is always the same is refused, not tried for ever', () => {
    expect(() => matchIdentities({ ...first, digest: () => '0'.repeat(64) })).toThrow(/digest that differs/);
  });

  test('the summary holds no more than the contract says', () => {
    const identities = matchIdentities(next({}));
    expect(Object.keys(matchSummary(identities).segments[0]!)).toEqual([
      'cluster',
      'segmentId',
      'event',
      'overlap',
    ]);
  });
});
