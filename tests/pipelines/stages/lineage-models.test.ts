import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { traceLineage } from '../../../pipelines/stages/lineage.ts';
import { tableOf, told } from './lineage-fixture.ts';

/** By the people, and by what both models make of today's customers and of those of then. */
function traceAll(
  tables: { members: number[][]; now: number[][]; past: number[][] },
  all: { previousSizes: number[]; sizes: number[] },
) {
  const { members, now, past } = tables;
  return traceLineage({ members: tableOf(members), now: tableOf(now), past: tableOf(past), ...all });
}

describe('traceLineage with both models', () => {
  test('newcomers where nobody was are born, however many they are', () => {
    // The last model has nowhere else to put them than its first cluster; the new one finds nobody of then there.
    const lineage = traceAll(
      {
        members: [
          [95, 0, 0],
          [0, 0, 95],
        ],
        now: [
          [100, 300, 0],
          [0, 0, 100],
        ],
        past: [
          [100, 0, 0],
          [0, 0, 100],
        ],
      },
      { previousSizes: [100, 100], sizes: [100, 300, 100] },
    );
    expect(told(lineage)).toEqual([
      ['survived', 0, [0]],
      ['born', null, []],
      ['survived', 1, [1]],
    ]);
  });

  test('a segment whose people left is retired, and the newcomers elsewhere do not inherit it', () => {
    const lineage = traceAll(
      {
        members: [
          [2, 1],
          [0, 95],
        ],
        // Hardly anybody of one run is within reach of the other run's model there.
        now: [
          [5, 0],
          [0, 100],
        ],
        past: [
          [5, 0],
          [0, 100],
        ],
      },
      { previousSizes: [100, 100], sizes: [100, 100] },
    );
    expect(told(lineage)).toEqual([
      ['born', null, []],
      ['survived', 1, [1]],
    ]);
    expect(lineage.retired).toEqual([{ previous: 0, into: [] }]);
  });

  test('where everybody has left, the next segment that reaches there does not inherit', () => {
    // By the new model the old people are the second cluster's, which reaches far; nobody is where they were.
    const lineage = traceAll(
      {
        members: [
          [5, 5],
          [0, 95],
        ],
        now: [
          [0, 0],
          [0, 100],
        ],
        past: [
          [0, 300],
          [0, 100],
        ],
      },
      { previousSizes: [300, 100], sizes: [300, 100] },
    );
    expect(told(lineage)).toEqual([
      ['born', null, []],
      ['survived', 1, [1]],
    ]);
    expect(lineage.retired).toEqual([{ previous: 0, into: [] }]);
  });

  test('people who go over to another segment together are absorbed, though nobody is where they were', () => {
    const lineage = traceAll(
      { members: [[95], [95]], now: [[200], [0]], past: [[100], [100]] },
      { previousSizes: [100, 100], sizes: [200] },
    );
    expect(told(lineage)).toEqual([['merged', 0, [0, 1]]]);
    expect(lineage.retired).toEqual([{ previous: 1, into: [0] }]);
  });

  test('people who go somewhere new together keep their segment', () => {
    const lineage = traceAll(
      {
        members: [
          [95, 0],
          [0, 95],
        ],
        now: [
          [0, 0],
          [0, 100],
        ],
        past: [
          [0, 0],
          [0, 100],
        ],
      },
      { previousSizes: [100, 100], sizes: [100, 100] },
    );
    expect(told(lineage)).toEqual([
      ['survived', 0, [0]],
      ['survived', 1, [1]],
    ]);
  });

  test('people who leave for a place of their own split off from where they were', () => {
    const off = (stay: number) =>
      traceAll(
        {
          members: [
            [stay, 100 - stay, 0],
            [0, 0, 100],
          ],
          // By the last model their new place is the second segment's.
          now: [
            [stay, 0, 0],
            [0, 100 - stay, 100],
          ],
          past: [
            [100, 0, 0],
            [0, 0, 100],
          ],
        },
        { previousSizes: [100, 100], sizes: [stay, 100 - stay, 100] },
      );
    expect(told(off(75)).slice(0, 2)).toEqual([
      ['survived', 0, [0]],
      ['split', null, [0]],
    ]);
    expect(told(off(60)).slice(0, 2)).toEqual([
      ['split', null, [0]],
      ['split', null, [0]],
    ]);
  });

  test('the part with 70 % of those still seen keeps the identity also when it is the one that leaves', () => {
    const away = (leaving: number) => {
      const staying = 100 - leaving;
      return traceAll(
        {
          members: [
            [staying, leaving, 0],
            [0, 0, 100],
          ],
          // Both models know the few who stayed as the segment; by the last one the others are with the second.
          now: [
            [staying, 0, 0],
            [0, leaving, 100],
          ],
          past: [
            [100, 0, 0],
            [0, 0, 100],
          ],
        },
        { previousSizes: [100, 100], sizes: [staying, leaving, 100] },
      );
    };
    const lineage = away(75);
    expect(told(lineage)).toEqual([
      ['split', null, [0]],
      ['survived', 0, [0]],
      ['survived', 1, [1]],
    ]);
    expect(lineage.retired).toEqual([]);
    expect(lineage.clusters[1]!.overlap).toBeCloseTo(0.75, 12);
    expect(told(away(70))).toEqual(told(lineage));
    expect(told(away(69)).slice(0, 2)).toEqual([
      ['split', null, [0]],
      ['split', null, [0]],
    ]);
  });

  test('where others have taken the place that most have left, the segment is theirs', () => {
    // Of 100, 75 leave and 25 stay, among newcomers or among people of the second segment.
    const left = (others: { newcomers: number; ofSecond: number }) =>
      traceAll(
        {
          members: [
            [25, 75, 0],
            [others.ofSecond, 0, 100 - others.ofSecond],
          ],
          now: [
            [25 + others.newcomers + others.ofSecond, 0, 0],
            [0, 75, 100 - others.ofSecond],
          ],
          past: [
            [100, 0, 0],
            [0, 0, 100],
          ],
        },
        {
          previousSizes: [100, 100],
          sizes: [25 + others.newcomers + others.ofSecond, 75, 100 - others.ofSecond],
        },
      );
    for (const others of [
      { newcomers: 100, ofSecond: 0 },
      { newcomers: 0, ofSecond: 40 },
    ])
      expect(told(left(others)).slice(0, 2)).toEqual([
        ['survived', 0, [0]],
        ['split', null, [0]],
      ]);
  });

  test('no segment is split off with 70 % of the people while fewer of them keep the identity', () => {
    const row = fc.array(fc.nat(100), { minLength: 4, maxLength: 4 });
    const table = fc.array(row, { minLength: 3, maxLength: 3 });
    // The models have the first segment in the first cluster, and most of its people are in another.
    const raised = ([counts, j, by]: [number[][], number, number]) =>
      counts.map((one, i) => one.map((count, at) => (i === 0 && at === j ? count + by : count)));
    const models = fc.tuple(table, fc.constant(0), fc.constant(500)).map(raised);
    const members = fc.tuple(table, fc.integer({ min: 1, max: 3 }), fc.nat(900)).map(raised);
    fc.assert(
      fc.property(members, models, models, (counts, now, past) => {
        const total = (of: number[]) => of.reduce((sum, x) => sum + x, 0);
        const previousSizes = counts.map(total);
        const sizes = [0, 1, 2, 3].map((j) => total(counts.map((one) => one[j]!)));
        const { clusters } = traceAll({ members: counts, now, past }, { previousSizes, sizes });
        for (const { cluster, event, parents, heirOf } of clusters) {
          if (event !== 'split' || heirOf !== null) continue;
          const [parent] = parents as [number];
          const heir = clusters.find((other) => other.heirOf === parent)?.cluster;
          if (heir === undefined || 2 * counts[parent]![heir]! <= sizes[heir]!) continue;
          expect(counts[parent]![cluster]! / previousSizes[parent]!).toBeLessThan(0.7);
        }
      }),
    );
  });

  test('newcomers who grew into regulars do not take their segment along', () => {
    const lineage = traceAll(
      {
        members: [
          [0, 60],
          [0, 40],
        ],
        now: [
          [40, 0],
          [0, 100],
        ],
        past: [
          [60, 0],
          [0, 40],
        ],
      },
      { previousSizes: [60, 40], sizes: [40, 100] },
    );
    expect(told(lineage)).toEqual([
      ['survived', 0, [0]],
      ['survived', 1, [1]],
    ]);
  });

  test('nothing to compare is refused', () => {
    expect(() =>
      traceLineage({ members: null, now: null, past: null, previousSizes: [1], sizes: [1] }),
    ).toThrow(/found neither/);
  });
});
