import { expect, test } from 'vitest';
import { emptyClusters, measureAssigned } from '../../../pipelines/stages/assigned-quality.ts';
import { keepIdentities } from '../../../pipelines/stages/kept-identities.ts';

const found = {
  labels: Uint8Array.of(0, 0, 1, 1),
  distance: Float32Array.of(1, 3, 1, 1),
  margin: Float32Array.of(0.5, 0.125, 0.75, 0.5),
  isNovel: Uint8Array.of(0, 1, 0, 0),
};
const model = (assignment: { abstainBelowMargin: number; abstainBelowConfidence: number }) => ({
  assignment: { noveltyQuantile: 0.999, ...assignment },
  confidence: { margins: [0, 1], shares: [0.5, 1] },
});
const everyone = model({ abstainBelowMargin: 0, abstainBelowConfidence: 0 });

// By hand: the simplified silhouette of nearest segments is the mean margin; sqrt((1 + 9 + 1 + 1) / 4).
test('says how the model fits these customers, beside those it was fitted on', () => {
  const fitted = { ...found, distance: Float32Array.of(1, 1, 1, 1) };
  expect(measureAssigned(everyone, found, fitted)).toEqual({
    ...{ customers: 4, simplifiedSilhouette: 0.46875, distance: Math.sqrt(3) },
    whenFitted: { customers: 4, simplifiedSilhouette: 0.46875, distance: 1 },
    ...{ novelShare: 0.25, abstainedShare: 0 },
  });
});

test('what was not learnt or is not kept is null, not 0', () => {
  const measured = measureAssigned(everyone, { ...found, isNovel: null }, null);
  expect(measured).toMatchObject({ novelShare: null, whenFitted: null });
});

// Confidence runs from 0.5 at the border to 1: margins below 0.5 have less than 0.75.
test.each([
  [{ abstainBelowMargin: 0.2, abstainBelowConfidence: 0 }, 0.25],
  [{ abstainBelowMargin: 0, abstainBelowConfidence: 0.75 }, 0.25],
  [{ abstainBelowMargin: 0.6, abstainBelowConfidence: 0.75 }, 0.75],
])('with %o a share of %s is too near to a border', (settings, share) => {
  expect(measureAssigned(model(settings), found, null).abstainedShare).toBe(share);
});

test('a segment without customers is found', () => {
  expect(emptyClusters(found.labels, 2)).toEqual([]);
  expect(emptyClusters(found.labels, 4)).toEqual([2, 3]);
});

test('the identities of the same model are the same, and no id is forgotten', () => {
  const given = { segmentIds: ['seg_b', 'seg_a'], usedIds: ['seg_c', 'seg_a'], commonCustomers: 7 };
  const kept = keepIdentities(given);
  expect(kept.segments.map(({ cluster, segmentId, event }) => [cluster, segmentId, event])).toEqual([
    [0, 'seg_b', 'survived'],
    [1, 'seg_a', 'survived'],
  ]);
  expect(kept).toMatchObject({ retired: [], usedIds: ['seg_a', 'seg_b', 'seg_c'], commonCustomers: 7 });
});
