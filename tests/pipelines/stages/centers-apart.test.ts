import { describe, expect, test } from 'vitest';
import { isOnLikeScales, traceByCenters } from '../../../pipelines/stages/centers-apart.ts';

describe('traceByCenters', () => {
  test('a centre goes on where it cannot be taken for another, and the rest is born or retired', () => {
    const previous = [
      [0, 0],
      [4, 0],
      [0, 4],
    ];
    const current = [
      [4.5, 0.5],
      [0.2, -0.3],
      [9, 9],
    ];
    const { clusters, retired } = traceByCenters(previous, current);
    expect(clusters.map(({ event, heirOf }) => [event, heirOf])).toEqual([
      ['survived', 1],
      ['survived', 0],
      ['born', null],
    ]);
    expect(retired).toEqual([{ previous: 2, into: [] }]);
  });

  test('half-way between two, it is neither', () => {
    const { clusters } = traceByCenters(
      [
        [0, 0],
        [4, 0],
      ],
      [
        [2, 0],
        [10, 0],
      ],
    );
    expect(clusters.map(({ heirOf }) => heirOf)).toEqual([null, null]);
  });

  test.each([
    [2, 3],
    [3, 2],
  ])('%i centres and then %i', (before, now) => {
    const line = (count: number) => Array.from({ length: count }, (_, i) => [3 * i]);
    const { clusters, retired } = traceByCenters(line(before), line(now));
    expect(clusters.filter(({ heirOf }) => heirOf !== null)).toHaveLength(2);
    expect(retired).toHaveLength(before - 2);
  });
});

describe('isOnLikeScales', () => {
  const placed = (feature: string, kinds: ('log1p' | 'standard')[]) => ({
    centers: [[0]],
    transforms: [
      {
        feature,
        steps: kinds.map((kind) => (kind === 'standard' ? { kind, center: 0, scale: 1 } : { kind })) as (
          | { kind: 'log1p' }
          | { kind: 'standard'; center: number; scale: number }
        )[],
      },
    ],
  });

  test.each([
    ['the same features by the same steps', placed('spend', ['log1p', 'standard']), true],
    ['another feature', placed('orders', ['log1p', 'standard']), false],
    ['another scale', placed('spend', ['standard']), false],
  ])('%s: %o', (_, other, expected) => {
    expect(isOnLikeScales(placed('spend', ['log1p', 'standard']), other)).toBe(expected);
  });

  test('without a scale of deviations, distances mean nothing', () => {
    expect(isOnLikeScales(placed('spend', ['log1p']), placed('spend', ['log1p']))).toBe(false);
  });
});
