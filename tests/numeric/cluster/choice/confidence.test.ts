import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { confidenceByMargin } from '../../../../numeric/cluster/choice/confidence.ts';

const row = fc.record({
  margin: fc.double({ min: 0, max: 1, noNaN: true }),
  drawn: fc.nat({ max: 100 }),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
});

const tallyOf = (rows: readonly { margin: number; drawn: number; share: number }[]) => ({
  margins: rows.map(({ margin }) => margin),
  tally: {
    drawn: rows.map(({ drawn }) => drawn),
    agreed: rows.map(({ drawn, share }) => Math.round(drawn * share)),
  },
});

describe('confidenceByMargin', () => {
  test('is the share of resamples that agree, in bands of equal size by margin', () => {
    // 40 rows in 20 bands of two: the row of margin i / 40 agreed in i of 39 resamples
    const margins = Array.from({ length: 40 }, (_, i) => ((i * 7) % 40) / 40);
    const agreed = margins.map((margin) => Math.round(margin * 40));
    const found = confidenceByMargin(margins, { agreed, drawn: new Array(40).fill(39) });
    expect(found.margins.length).toBe(20);
    for (const [band, margin] of found.margins.entries()) {
      expect(margin).toBeCloseTo((2 * band + 0.5) / 40, 12);
      expect(found.shares[band]).toBeCloseTo((2 * band + 0.5) / 39, 12);
    }
  });

  test('a narrow border is seen within the lowest band', () => {
    // The 25 rows next to the border agree in half of the resamples, all others always.
    const margins = Array.from({ length: 4000 }, (_, i) => i / 4000);
    const agreed = margins.map((_, i) => (i < 25 ? 5 : 10));
    const found = confidenceByMargin(margins, { agreed, drawn: new Array(4000).fill(10) });
    // Bands of 25, 25, 50 and 100 rows in the lowest of 200.
    expect(found.margins.length).toBe(23);
    expect(found.shares.slice(0, 3)).toEqual([0.5, 1, 1]);
    expect(found.margins[0]).toBeCloseTo(12 / 4000, 12);
  });

  test('a row counts as often as it was drawn, and not at all when it never was', () => {
    // One band each; the third was never in a resample
    const found = confidenceByMargin([0.1, 0.6, 0.3], { agreed: [1, 9, 0], drawn: [4, 10, 0] });
    expect(found).toEqual({ margins: [0.1, 0.6], shares: [0.25, 0.9] });
  });

  test('a share that falls with the margin is levelled, weighted by the resamples', () => {
    const found = confidenceByMargin([0.1, 0.2, 0.3], { agreed: [8, 6, 10], drawn: [10, 30, 10] });
    // 14 of 40 for the first two together
    expect(found.margins).toEqual([0.1, 0.2, 0.3]);
    expect(found.shares.map((share) => share.toFixed(12))).toEqual(
      [0.35, 0.35, 1].map((share) => share.toFixed(12)),
    );
  });

  test('equal margins are one point with the share of them all', () => {
    const margins = Array.from({ length: 100 }, (_, i) => (i < 90 ? 0.1 : 0.5));
    const agreed = Array.from({ length: 100 }, (_, i) => (i < 90 ? i % 2 : 1));
    const found = confidenceByMargin(margins, { agreed, drawn: new Array(100).fill(1) });
    expect(found).toEqual({ margins: [0.1, 0.5], shares: [0.5, 1] });
  });

  test.each([41, 63, 130])(
    '%i rows of one margin are one point, whatever rounding does to their mean',
    (rows) => {
      const found = confidenceByMargin(new Array(rows).fill(0.1), {
        agreed: new Array(rows).fill(1),
        drawn: new Array(rows).fill(2),
      });
      expect(found).toEqual({ margins: [0.1], shares: [0.5] });
    },
  );

  test('a single row is one band, and rows that were never drawn are none', () => {
    expect(confidenceByMargin([0.4], { agreed: [3], drawn: [4] })).toEqual({
      margins: [0.4],
      shares: [0.75],
    });
    expect(confidenceByMargin([0.4], { agreed: [0], drawn: [0] })).toEqual({ margins: [], shares: [] });
  });

  test('for any rows margins ascend strictly, and shares never fall', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            row,
            row.map((some) => ({ ...some, margin: 0.5 })),
          ),
          { maxLength: 90 },
        ),
        (rows) => {
          const { margins, tally } = tallyOf(rows);
          const found = confidenceByMargin(margins, tally);
          expect(found.shares.length).toBe(found.margins.length);
          expect(found.margins.length).toBeLessThanOrEqual(20);
          expect(found.margins.length > 0).toBe(tally.drawn.some((count) => count > 0));
          for (const [i, margin] of found.margins.entries()) {
            expect(margin).toBeGreaterThan(found.margins[i - 1] ?? -1);
            expect(found.shares[i]).toBeGreaterThanOrEqual(found.shares[i - 1] ?? 0);
            expect(found.shares[i]).toBeLessThanOrEqual(1 + 1e-12);
          }
        },
      ),
    );
  });

  test('the order of the rows does not matter', () => {
    fc.assert(
      fc.property(fc.uniqueArray(row, { selector: ({ margin }) => margin, maxLength: 60 }), (rows) => {
        const forth = tallyOf(rows);
        const back = tallyOf(rows.toReversed());
        expect(confidenceByMargin(back.margins, back.tally)).toEqual(
          confidenceByMargin(forth.margins, forth.tally),
        );
      }),
    );
  });
});
