import { describe, expect, test } from 'vitest';
import {
  type ChangeWords,
  changesOfAll,
  changesOfSegment,
  tellChanges,
} from '../../../../pipelines/stages/evolution/profile-changes.ts';
import { type Profiles, profileSegments } from '../../../../pipelines/stages/segment-profile.ts';

const UNITS = new Map([
  ['recencyDays', 'days'],
  ['orders', 'orders'],
  ['spendCents', 'cents'],
  ['spend', 'EUR'],
  ['weekendShare', 'share'],
  ['items', 'items'],
]);
const WORDS: ChangeWords = {
  format: { units: UNITS, currency: 'EUR' },
  ...{ spend: 'spendCents', silence: 'recencyDays', clustered: ['recencyDays', 'orders'] },
};

/** 200 customers in two segments, the figure of each 1 to 10 times `factor` in turn, half as much in the second. */
function profiled(figures: Record<string, number>, rows = 200): Profiles {
  const labels = Uint8Array.from({ length: rows }, (_, row) => row % 2);
  const columns = Object.fromEntries(
    Object.entries(figures).map(([name, factor]) => [
      name,
      Float64Array.from(
        { length: rows },
        (_, row) => (factor * (1 + (Math.floor(row / 2) % 10))) / (1 + labels[row]!),
      ),
    ]),
  );
  return profileSegments({ columns, labels, k: 2 });
}

const told = (before: Record<string, number>, after: Record<string, number>) =>
  changesOfSegment([profiled(before), 0], [profiled(after), 0], WORDS).map(({ words }) => words);

describe('a change in words', () => {
  // Medians of 1 to 10 times the factor: 5.5 times it.
  test.each([
    [{ orders: 1 }, { orders: 0.8 }, 'have 20 % fewer orders (5.5 -> 4.4)'],
    [{ orders: 1 }, { orders: 3 }, 'have 3 times as many orders (5.5 -> 16.5)'],
    [{ recencyDays: 10 }, { recencyDays: 13 }, 'have been silent 30 % longer (55 days -> 72 days)'],
    [{ spendCents: 1000 }, { spendCents: 1500 }, 'have spent 50 % more (€55 -> €82.50)'],
    [{ items: 10 }, { items: 5 }, 'have 50 % fewer items (55 -> 27.5)'],
    [
      { weekendShare: 0.05 },
      { weekendShare: 0.08 },
      'have a weekend share 16.5 points higher (28 % -> 44 %)',
    ],
  ] as [Record<string, number>, Record<string, number>, string][])('%o -> %o', (before, after, words) => {
    expect(told(before, after)).toEqual([words]);
  });

  test('is told of a mean where the median stood still', () => {
    const of = (last: number) =>
      profileSegments({
        columns: { orders: Float64Array.from({ length: 200 }, (_, row) => (row < 150 ? 2 : last)) },
        labels: new Uint8Array(200),
        k: 1,
      });
    const [change] = changesOfAll(of(4), of(8), WORDS);
    expect(change).toMatchObject({ statistic: 'mean', before: 2.5, after: 3.5 });
    expect(change!.words).toBe('have 40 % more orders (2.5 -> 3.5 on average)');
  });
});

describe('what is told', () => {
  test('what segments are made of comes first, then the strongest; spend and spendCents are one', () => {
    const before = { items: 1, spend: 1, spendCents: 100, orders: 1 };
    const after = { items: 3, spend: 2, spendCents: 200, orders: 1.5 };
    expect(told(before, after).map((words) => words.split(' (')[0])).toEqual([
      'have 50 % more orders',
      'have 3 times as many items',
      'have spent 2 times as much',
    ]);
  });

  test('a change that so few customers give by chance is not', () => {
    const change = (rows: number) =>
      changesOfAll(profiled({ orders: 1 }, rows), profiled({ orders: 1.2 }, rows), WORDS);
    expect(change(2000)).toHaveLength(1);
    expect(change(20)).toEqual([]);
  });

  test('nor one below a twentieth of the figure, nor no change at all, nor a feature that was not there', () => {
    expect(told({ orders: 1 }, { orders: 1.04 })).toEqual([]);
    expect(told({ orders: 1 }, { orders: 1 })).toEqual([]);
    expect(told({ items: 1 }, { orders: 1 })).toEqual([]);
  });

  test('a shift is in standard deviations of all customers before', () => {
    const [change] = changesOfAll(profiled({ orders: 1 }), profiled({ orders: 2 }), WORDS);
    const { all } = profiled({ orders: 1 });
    expect(change!.shift).toBeCloseTo(all.orders!.mean / all.orders!.deviation, 12);
    expect(change!.relative).toBeCloseTo(1, 12);
  });

  test('tellChanges takes the first few', () => {
    const changes = changesOfAll(profiled({ orders: 1, items: 1 }), profiled({ orders: 2, items: 4 }), WORDS);
    expect(tellChanges(changes, 1)).toMatch(/^have 2 times as many orders \([^;]+\)$/);
    expect(tellChanges(changes).split('; ')).toHaveLength(2);
  });
});
