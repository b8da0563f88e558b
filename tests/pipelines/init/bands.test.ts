import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  humaneAbove,
  humaneAmount,
  humaneBelow,
  humaneDays,
  stageBorders,
  valueBorders,
} from '../../../pipelines/init/bands.ts';

describe('numbers a person would have chosen', () => {
  test.each([
    [674, 500],
    [2058, 2000],
    [0.034, 0.05],
    [0, 1],
    [8142.75, 10_000],
  ])('%d -> %d', (seen, humane) => {
    expect(humaneAmount(seen)).toBe(humane);
  });

  test.each([
    [28, 30],
    [70, 60],
    [155, 150],
    [0.2, 1],
    [9_999, 3_650],
  ])('%d days -> %d', (seen, humane) => {
    expect(humaneDays(seen)).toBe(humane);
  });

  test('below and above are on their side, and no farther than the next step', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), (amount) => {
        expect(humaneBelow(amount)).toBeLessThanOrEqual(amount);
        expect(humaneBelow(amount)).toBeGreaterThanOrEqual(amount / 2.6);
        expect(humaneAbove(amount)).toBeGreaterThanOrEqual(amount);
        expect(humaneAbove(amount)).toBeLessThanOrEqual(amount * 2.6);
      }),
    );
  });
});

describe('borders of names', () => {
  const recency = { quarter: 20, half: 60, threeQuarters: 200 };

  test('stages part at the gaps between orders', () => {
    const gaps = { count: 12_425, median: 28, upper: 70, long: 155 };
    expect(stageBorders({ gaps, recency })).toEqual([30, 60, 150]);
  });

  test('where everybody orders like clockwork, nobody is lapsing before one and a half gaps', () => {
    const gaps = { count: 9_000, median: 36, upper: 37, long: 40 };
    expect(stageBorders({ gaps, recency })).toEqual([30, 60, 90]);
  });

  test('where nearly nobody came twice, at the quarters of the recency', () => {
    expect(stageBorders({ gaps: { count: 3, median: 1, upper: 1, long: 1 }, recency })).toEqual([
      21, 60, 180,
    ]);
  });

  test('whatever was seen, each border is above the one before', () => {
    const days = fc.double({ min: 0, max: 2_000, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(days, days, days), fc.nat(100), ([a, b, c], count) => {
        const [low, middle, high] = stageBorders({
          gaps: { count, median: a, upper: b, long: c },
          recency: { quarter: a, half: b, threeQuarters: c },
        });
        expect(low).toBeLessThan(middle);
        expect(middle).toBeLessThan(high);
      }),
    );
  });

  test('values part at half and at four fifths of the customers, and never at one amount', () => {
    expect(valueBorders({ half: 674, fourFifths: 2058 })).toEqual([500, 2000]);
    const [low, high] = valueBorders({ half: 10, fourFifths: 11 });
    expect(high).toBeGreaterThan(low);
    expect(valueBorders({ half: -5, fourFifths: 0 })[1]).toBeGreaterThan(
      valueBorders({ half: -5, fourFifths: 0 })[0],
    );
  });
});
