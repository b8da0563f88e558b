import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atOnce } from '../../../numeric/kernels/turn.ts';
import { toCustomerIds } from '../../../pipelines/contracts/customers.ts';
import {
  featureJoiner,
  inParts,
  joinReplaced,
  type PartOfFeatures,
  piecesOf,
  rowsOfParts,
  textJoiner,
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
        const joiner = textJoiner(ids.offsets.length - 1);
        for (const { first, end } of ranges) joiner.add(textsBetween(ids, first, end));
        expect(joiner.finish()).toEqual(ids);
      }),
    );
  });

  const customers = toCustomerIds(['a', 'b', '\uFEFFü']);
  const whole: PartOfFeatures = {
    customers,
    columns: { orders: Float64Array.of(1, 2, 3), spend: Float64Array.of(0.5, Number.NaN, -0) },
    words: { country: toCustomerIds(['DE', 'FR', 'GB']) },
    replaced: [{ feature: 'orders', customers: 2, by: 1 }],
  };
  const between = (
    first: number,
    end: number,
    replaced: PartOfFeatures['replaced'] = [],
  ): PartOfFeatures => ({
    customers: textsBetween(customers, first, end),
    columns: {
      orders: whole.columns.orders!.slice(first, end),
      spend: whole.columns.spend!.slice(first, end),
    },
    words: { country: textsBetween(whole.words.country!, first, end) },
    replaced,
  });
  const join = (parts: readonly PartOfFeatures[], rows = customers.offsets.length - 1) => {
    const joiner = featureJoiner(rows);
    for (const part of parts) atOnce(joiner.add(part));
    return joiner.finish();
  };

  test('is the same features, those of a part without customers among them', () => {
    const [one] = whole.replaced;
    const parts = [
      between(0, 1, [{ ...one!, customers: 1 }]),
      between(1, 1),
      between(1, 3, [{ ...one!, customers: 1 }]),
    ];
    expect(join(parts)).toEqual(whole);
  });

  test('has a turn of the event loop for each column of each part', () => {
    expect([...featureJoiner(3).add(between(0, 3))]).toHaveLength(1 + 2 + 1);
  });

  test('is refused with other columns, as of another definition, and with other customers than wanted', () => {
    const other = { ...between(1, 3), columns: { days: Float64Array.of(1, 2) } };
    for (const [parts, rows] of [
      [[between(0, 1), other], 3],
      [[between(0, 1)], 3],
      [[between(0, 3)], 2],
    ] as const)
      expect(() => join(parts, rows)).toThrow('parts of features need');
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
