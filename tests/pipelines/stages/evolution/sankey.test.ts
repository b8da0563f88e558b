import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  LOST,
  layOutSankey,
  NEW,
  orderByValue,
  sankeyPlot,
  spread,
} from '../../../../pipelines/stages/evolution/sankey.ts';
import { madeEvolution } from './made-evolution.ts';

describe('layOutSankey', () => {
  test.each([
    [2, 3],
    [5, 6],
    [24, 12],
  ])(
    'law: over %d runs of %d segments the ribbons of each band fill it, without a gap and without an overlap',
    (runs, k) => {
      const report = madeEvolution({ runs, k });
      const { columns, ribbons, most } = layOutSankey(report, orderByValue(report));
      expect(columns).toHaveLength(runs);
      const filled = (spans: { at: number; customers: number }[], band: { from: number; to: number }) => {
        let next = band.from;
        for (const { at, customers } of spans.toSorted((left, right) => left.at - right.at)) {
          expect(at).toBe(next);
          next = at + customers;
        }
        expect(next).toBe(band.to);
      };
      columns.forEach((bands, column) => {
        expect(bands[0]!.from).toBe(0);
        expect(bands.at(-1)!.to).toBeLessThanOrEqual(most);
        for (const band of bands) {
          const leaving = (ribbons[column] ?? []).filter(({ flow }) => (flow.from ?? NEW) === band.key);
          const coming = (ribbons[column - 1] ?? []).filter(({ flow }) => (flow.to ?? LOST) === band.key);
          if (band.key !== LOST && column < runs - 1)
            filled(
              leaving.map(({ flow, fromAt }) => ({ at: fromAt, customers: flow.customers })),
              band,
            );
          if (band.key !== NEW && column > 0)
            filled(
              coming.map(({ flow, toAt }) => ({ at: toAt, customers: flow.customers })),
              band,
            );
        }
      });
    },
  );

  test('those who were lost and those who will be new stand below the segments', () => {
    const { columns } = layOutSankey(madeEvolution({ runs: 3, k: 3 }), ['seg_2', 'seg_0', 'seg_1']);
    expect(columns.map((bands) => bands.map(({ key }) => key))).toEqual([
      ['seg_0', 'seg_1', NEW],
      ['seg_2', 'seg_0', 'seg_1', LOST, NEW],
      ['seg_2', 'seg_0', 'seg_1', LOST],
    ]);
  });
});

/** What `main` leaves of its 1180 pixels beside its padding. */
const PAGE = 1132;

describe('sankeyPlot', () => {
  test.each([2, 4, 5, 8])('of %d runs is no wider than the page, however long the names are', (runs) => {
    const report = madeEvolution({ runs, k: 4, title: 'Lapsing high-value bulk buyers of garden goods' });
    const [, width] = /<svg[^>]* width="(\d+)"/.exec(sankeyPlot(report, orderByValue(report)))!;
    expect(Number(width)).toBeLessThanOrEqual(PAGE);
  });
});

describe('orderByValue', () => {
  test('puts the dearest customers on top', () => {
    expect(orderByValue(madeEvolution({ runs: 2, k: 4 }))).toEqual(['seg_3', 'seg_2', 'seg_1', 'seg_0']);
  });
});

describe('spread', () => {
  test('moves labels apart as little as possible', () => {
    expect(spread([10, 12, 60], 14)).toEqual([4, 18, 60]);
    expect(spread([0, 20], 14)).toEqual([0, 20]);
  });

  test('law: in their order, at least so far apart, and their middle stays', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 14 }), (places) => {
        const sorted = places.toSorted((left, right) => left - right);
        const found = spread(sorted, 14);
        for (let i = 1; i < found.length; i++) expect(found[i]! - found[i - 1]!).toBeGreaterThan(14 - 1e-9);
        const mean = (of: readonly number[]) => of.reduce((sum, x) => sum + x, 0) / of.length;
        expect(mean(found)).toBeCloseTo(mean(sorted), 6);
      }),
    );
  });
});
