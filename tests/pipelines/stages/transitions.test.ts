import { describe, expect, test } from 'vitest';
import { contingencyOf } from '../../../numeric/compare/contingency.ts';
import { atOnce } from '../../../numeric/kernels/turn.ts';
import { matrixFromRows } from '../../../numeric/matrix.ts';
import { formsOf, traceSegments } from '../../../pipelines/stages/transitions.ts';

const members = contingencyOf(Float64Array.from([80, 20, 0, 0, 3, 0, 0, 50, 50]), 3, 3);
const evidence = {
  ...{ members, now: null, past: null },
  previousSizes: [120, 4, 110],
  sizes: [80, 90, 60],
};
const ids = { previous: ['a', 'b', 'c'], current: ['a', 'd', 'c'] };

describe('traceSegments', () => {
  test('tells every segment in the words of MONIC, with shares of those compared', () => {
    expect(traceSegments(evidence, ids, null)).toEqual({
      of: 'members',
      previous: [
        {
          ...{ segmentId: 'a', kind: 'survives', customers: 120, compared: 100 },
          into: [
            { segmentId: 'a', share: 0.8 },
            { segmentId: 'd', share: 0.2 },
          ],
        },
        {
          ...{ segmentId: 'b', kind: 'survives', customers: 4, compared: 3 },
          into: [{ segmentId: 'd', share: 1 }],
        },
        {
          ...{ segmentId: 'c', kind: 'split', customers: 110, compared: 100 },
          into: [
            { segmentId: 'd', share: 0.5 },
            { segmentId: 'c', share: 0.5 },
          ],
        },
      ],
      emerged: [],
      internal: [],
    });
  });

  test('says how those that go on have changed by themselves', () => {
    const forms = {
      before: { centers: Float64Array.of(0, 0, 5, 5, 9, 9), radii: Float64Array.of(1, 1, 1) },
      after: { centers: Float64Array.of(0.6, 0.8, 5, 5, 9, 9), radii: Float64Array.of(1, 1, 1.4) },
    };
    const { internal } = traceSegments(evidence, ids, forms)!;
    expect(
      internal.map(({ segmentId, size, compactness, location }) => [segmentId, size, compactness, location]),
    ).toEqual([
      ['a', 'shrinks', 'same', 'shifts'],
      ['c', 'shrinks', 'looser', 'same'],
    ]);
    expect(internal[0]!.distance).toBeCloseTo(1, 12);
    expect(internal[0]!.share.after).toBeCloseTo(80 / 230, 12);
  });

  test('nothing to compare is told as nothing', () => {
    expect(traceSegments({ ...evidence, members: null }, ids, null)).toBeNull();
  });
});

test('formsOf gives the mean and the root mean square distance to it', () => {
  const matrix = matrixFromRows([
    [0, 0],
    [2, 0],
    [5, 7],
  ]);
  const { centers, radii } = atOnce(formsOf(matrix, Uint8Array.of(0, 0, 1), 2));
  expect([...centers]).toEqual([1, 0, 5, 7]);
  expect([...radii]).toEqual([1, 0]);
});
