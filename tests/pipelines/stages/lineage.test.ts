import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { traceLineage } from '../../../pipelines/stages/lineage.ts';
import { tableOf, told } from './lineage-fixture.ts';

/** By members alone. */
function trace(table: number[][], newcomers: number[] = []) {
  const members = tableOf(table);
  const sizes = members.columnTotals.map((size, j) => size + (newcomers[j] ?? 0));
  return traceLineage({ members, previousSizes: members.rowTotals, sizes, now: null, past: null });
}

describe('traceLineage', () => {
  test('renumbered clusters survive', () => {
    const lineage = trace([
      [0, 90, 10],
      [5, 5, 80],
      [70, 0, 0],
    ]);
    expect(told(lineage)).toEqual([
      ['survived', 2, [2]],
      ['survived', 0, [0]],
      ['survived', 1, [1]],
    ]);
    expect(lineage.retired).toEqual([]);
    // Jaccard of previous 0 and current 1: 90 / (100 + 95 - 90).
    expect(lineage.clusters[1]!.overlap).toBeCloseTo(90 / 105, 12);
  });

  test('a split into halves gives both parts a new identity', () => {
    const lineage = trace([
      [50, 45, 5],
      [0, 3, 100],
    ]);
    expect(told(lineage)).toEqual([
      ['split', null, [0]],
      ['split', null, [0]],
      ['survived', 1, [1]],
    ]);
    expect(lineage.retired).toEqual([{ previous: 0, into: [0, 1] }]);
  });

  test('the part with 70 % of the members keeps the identity, the other is split off', () => {
    expect(told(trace([[75, 25]]))).toEqual([
      ['survived', 0, [0]],
      ['split', null, [0]],
    ]);
  });

  test('a part too small for a split is split off all the same, and its parent tells where it went', () => {
    const lineage = trace([
      [20, 45, 35],
      [0, 50, 0],
      [0, 0, 60],
    ]);
    expect(told(lineage)[0]).toEqual(['split', null, [0]]);
    expect(lineage.retired).toEqual([{ previous: 0, into: [0] }]);
  });

  test('a merger keeps the identity of the one it overlaps most and retires the other', () => {
    const lineage = trace([
      [100, 0],
      [40, 0],
      [0, 80],
    ]);
    expect(told(lineage)).toEqual([
      ['merged', 0, [0, 1]],
      ['survived', 2, [2]],
    ]);
    expect(lineage.retired).toEqual([{ previous: 1, into: [0] }]);
  });

  test('members scattered without a half anywhere are nobody’s heirs', () => {
    const lineage = trace([
      [40, 30, 30],
      [30, 40, 30],
      [30, 30, 40],
    ]);
    expect(lineage.clusters.map(({ event }) => event)).toEqual(['born', 'born', 'born']);
    expect(lineage.retired.map(({ previous }) => previous)).toEqual([0, 1, 2]);
  });

  test('a cluster of newcomers is born, though its few old members come from one place', () => {
    expect(told(trace([[90, 10]], [0, 200]))).toEqual([
      ['survived', 0, [0]],
      ['born', null, []],
    ]);
  });

  test('every old cluster is either continued once or retired, and no identity goes on twice', () => {
    const table = fc
      .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
      .chain(([rows, columns]) =>
        fc.array(fc.array(fc.nat(100), { minLength: columns, maxLength: columns }), {
          minLength: rows,
          maxLength: rows,
        }),
      );
    fc.assert(
      fc.property(table, (counts) => {
        const lineage = trace(counts);
        const heirs = lineage.clusters.flatMap(({ heirOf }) => heirOf ?? []);
        expect(new Set(heirs).size).toBe(heirs.length);
        const all = [...heirs, ...lineage.retired.map(({ previous }) => previous)].sort((a, b) => a - b);
        expect(all).toEqual(counts.map((_, i) => i));
        for (const { event, heirOf, parents } of lineage.clusters) {
          expect(heirOf !== null).toBe(event === 'survived' || event === 'merged');
          if (heirOf !== null) expect(parents[0]).toBe(heirOf);
        }
      }),
    );
  });

  test('which cluster has which number does not matter', () => {
    const shape = fc.record({
      counts: fc.uniqueArray(fc.integer({ min: 0, max: 10_000 }), { minLength: 12, maxLength: 12 }),
      rows: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
      columns: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
    });
    fc.assert(
      fc.property(shape, ({ counts, rows, columns }) => {
        const at = (i: number, j: number) => counts[i * 4 + j]!;
        const plain = trace([0, 1, 2].map((i) => [0, 1, 2, 3].map((j) => at(i, j))));
        const mixed = trace(rows.map((i) => columns.map((j) => at(i, j))));
        const named = mixed.clusters.map(({ event, heirOf, parents, cluster }) => ({
          cluster: columns[cluster]!,
          event,
          heirOf: heirOf === null ? null : rows[heirOf]!,
          parents: parents.map((previous) => rows[previous]!).sort(),
        }));
        expect(named.sort((a, b) => a.cluster - b.cluster)).toEqual(
          plain.clusters.map(({ cluster, event, heirOf, parents }) => ({
            ...{ cluster, event, heirOf },
            parents: [...parents].sort(),
          })),
        );
      }),
    );
  });
});
