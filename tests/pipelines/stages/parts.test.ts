import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toCustomerIds } from '../../../pipelines/contracts/customers.ts';
import {
  inParts,
  joinFeatureParts,
  joinReplaced,
  joinTexts,
  piecesOf,
  rowsOfParts,
  textsBetween,
} from '../../../pipelines/stages/parts.ts';

const counts = fc.integer({ min: 1, max: 40 });

describe('parts', () => {
  test('hold every piece once, in order, none of them empty, and as evenly as can be', () => {
    fc.assert(
      fc.property(counts, counts, (pieces, parts) => {
        const list = Array.from({ length: pieces }, (_, i) => i);
        const parted = inParts(list, parts);
        expect(parted.flat()).toEqual(list);
        expect(parted).toHaveLength(Math.min(pieces, parts));
        const sizes = parted.map(({ length }) => length);
        expect(Math.min(...sizes)).toBeGreaterThan(0);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('of rows are ranges that follow each other to the last row', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), counts, (rows, parts) => {
        const ranges = rowsOfParts(rows, parts);
        expect(ranges).toHaveLength(Math.min(rows, parts));
        expect([0, ...ranges.map(({ end }) => end)]).toEqual([...ranges.map(({ first }) => first), rows]);
        for (const { first, end } of ranges) expect(end).toBeGreaterThan(first);
      }),
    );
  });

  test('are read in pieces of which none is larger than wanted, as many to each part', () => {
    expect(piecesOf({ rows: 100_000_000, parts: 8, most: 1_250_000 })).toBe(80);
    expect(piecesOf({ rows: 10, parts: 8, most: 1_250_000 })).toBe(8);
    expect(piecesOf({ rows: 1_250_001, parts: 1, most: 1_250_000 })).toBe(2);
    expect(piecesOf({ rows: 0, parts: 1, most: 1_250_000 })).toBe(1);
  });
});

describe('what was parted and joined again', () => {
  const someTexts = fc.array(fc.string({ unit: 'grapheme', maxLength: 6 }), { maxLength: 30 });

  test('is the same texts, byte for byte', () => {
    fc.assert(
      fc.property(someTexts, counts, (texts, parts) => {
        const ids = toCustomerIds(texts);
        const ranges = rowsOfParts(ids.offsets.length - 1, parts);
        expect(joinTexts(ranges.map(({ first, end }) => textsBetween(ids, first, end)))).toEqual(ids);
      }),
    );
  });

  test('is the same features, those of a part without customers among them', () => {
    const customers = toCustomerIds(['a', 'b', 'ü']);
    const whole = {
      customers,
      columns: { orders: Float64Array.of(1, 2, 3), spend: Float64Array.of(0.5, Number.NaN, -0) },
      words: { country: toCustomerIds(['DE', 'FR', 'GB']) },
    };
    const between = (first: number, end: number) => ({
      customers: textsBetween(customers, first, end),
      columns: {
        orders: whole.columns.orders.slice(first, end),
        spend: whole.columns.spend.slice(first, end),
      },
      words: { country: textsBetween(whole.words.country, first, end) },
    });
    expect(joinFeatureParts([between(0, 1), between(1, 1), between(1, 3)])).toEqual(whole);
  });

  test('is refused when parts have other columns, as of another definition', () => {
    const part = (name: string) => ({
      customers: toCustomerIds(['a']),
      columns: { [name]: Float64Array.of(1) },
      words: {},
    });
    expect(() => joinFeatureParts([part('orders'), part('spend')])).toThrow(
      'parts of features need the same columns, found others',
    );
  });

  test('counts the customers whose value was replaced in all parts, in the order of the features', () => {
    const one = { feature: 'spend', customers: 2, by: 0 };
    const parts = [[one], [], [{ feature: 'days', customers: 1, by: 365 }, one]];
    expect(joinReplaced(parts, ['days', 'orders', 'spend'])).toEqual([
      { feature: 'days', customers: 1, by: 365 },
      { feature: 'spend', customers: 4, by: 0 },
    ]);
  });
});
