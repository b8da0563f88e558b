import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contingencyOf } from '../../../numeric/compare/contingency.ts';
import { traceLineage } from '../../../pipelines/stages/lineage.ts';

/** Rows: previous clusters; columns: current ones. */
function trace(table: number[][], newcomers: number[] = []) {
  const overlaps = contingencyOf(Float64Array.from(table.flat()), table.length, table[0]!.length);
  return traceLineage(
    overlaps,
    overlaps.columnTotals.map((size, j) => size + (newcomers[j] ?? 0)),
  );
}

const told = (lineage: ReturnType<typeof trace>) =>
  lineage.clusters.map(({ event, heirOf, parents }) => [event, heirOf, parents]);

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
});
