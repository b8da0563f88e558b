import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { INTERVALS } from '../../../pipelines/contracts/backfill.ts';
import { asOfDates, dayAfter, refuseOlder } from '../../../pipelines/stages/backfill.ts';

const nothingSaid = { from: undefined, to: undefined, publishedAsOf: null, lastKnown: '2026-07-15' };

const days = fc.integer({ min: 0, max: 20_000 });
const isoDay = (day: number) => new Date(day * 86_400_000).toISOString().slice(0, 10);

describe('as-of dates', () => {
  test('go from the first to the last, both included', () => {
    const range = { ...nothingSaid, from: '2011-04-01', to: '2011-12-01' };
    const months = asOfDates({ ...range, every: 'month' });
    expect([months.length, months[0], months.at(-1)]).toEqual([9, '2011-04-01', '2011-12-01']);
    expect(asOfDates({ ...range, to: '2011-04-16', every: 'week' })).toEqual([
      '2011-04-01',
      '2011-04-08',
      '2011-04-15',
    ]);
    expect(asOfDates({ ...range, to: '2011-04-03', every: 'day' })).toHaveLength(3);
    expect(asOfDates({ ...range, to: '2011-04-01', every: 'day' })).toEqual(['2011-04-01']);
  });

  test('months from the 31st on end with the month, and come back to the 31st', () => {
    const range = { ...nothingSaid, from: '2024-01-31', to: '2024-05-31', every: 'month' as const };
    expect(asOfDates(range)).toEqual(['2024-01-31', '2024-02-29', '2024-03-31', '2024-04-30', '2024-05-31']);
  });

  test('without any said they are the last twelve, months on their first day', () => {
    const months = asOfDates({ ...nothingSaid, every: 'month' });
    expect([months.length, months[0], months.at(-1)]).toEqual([12, '2025-08-01', '2026-07-01']);
    const weeks = asOfDates({ ...nothingSaid, every: 'week' });
    expect([weeks.length, weeks[0], weeks.at(-1)]).toEqual([12, '2026-04-29', '2026-07-15']);
  });

  test('without a first one they go on after what is published, however long ago that is', () => {
    const after = (publishedAsOf: string) => asOfDates({ ...nothingSaid, every: 'month', publishedAsOf });
    expect(after('2026-05-01')).toEqual(['2026-06-01', '2026-07-01']);
    expect(after('2024-06-15')).toHaveLength(25);
    expect(after('2026-07-01')).toEqual([]);
  });

  test('more than a backfill takes are refused with the way out', () => {
    const range = { ...nothingSaid, from: '2020-01-01', every: 'day' as const };
    expect(asOfDates({ ...range, to: '2020-12-31' })).toHaveLength(366);
    expect(() => asOfDates({ ...range, to: '2021-01-01' })).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringContaining('ask for a part (from 2020-01-01 to 2020-12-31)'),
      }),
    );
  });

  test('more than that after what is published are refused too, and none is left out unsaid', () => {
    const after = (publishedAsOf: string) =>
      asOfDates({ ...nothingSaid, every: 'day', publishedAsOf, lastKnown: '2026-11-28' });
    const year = after('2025-11-27');
    expect([year.length, year[0], year.at(-1)]).toEqual([366, '2025-11-28', '2026-11-28']);
    expect(() => after('2024-01-01')).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringContaining('ask for a part (from 2024-01-02 to 2025-01-01)'),
      }),
    );
  });

  test('a first one after the last that the data is known to have is refused, as one after `to` is', () => {
    expect(() => asOfDates({ ...nothingSaid, from: '2026-12-01', every: 'month' })).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(/from is 2026-12-01.*ends on 2026-07-15.*name to/),
      }),
    );
  });

  test('without a first one they are those of the line back from the last that nobody has seen yet', () => {
    fc.assert(
      fc.property(
        days,
        fc.integer({ min: 0, max: 366 }),
        fc.constantFrom(...INTERVALS),
        (start, length, every) => {
          const [publishedAsOf, to] = [isoDay(start), isoDay(start + length)];
          const dates = asOfDates({ ...nothingSaid, to, every, publishedAsOf });
          expect(dates.every((date) => date > publishedAsOf && date <= to)).toBe(true);
          const anchor = every === 'month' ? `${to.slice(0, 8)}01` : to;
          expect(dates.at(-1) ?? anchor).toBe(anchor);
          // One more step back would be one that is published already.
          if (dates.length > 0)
            expect(asOfDates({ ...nothingSaid, from: dates[0]!, to: anchor, every })).toEqual(dates);
          const earlier = { ...nothingSaid, to, every, publishedAsOf: isoDay(start - 31) };
          const all = length <= 330 ? asOfDates(earlier) : dates;
          expect(all.filter((date) => date > publishedAsOf)).toEqual(dates);
        },
      ),
    );
  });

  test('rise, each once, inside of what was asked', () => {
    fc.assert(
      fc.property(
        days,
        fc.integer({ min: 0, max: 300 }),
        fc.constantFrom(...INTERVALS),
        (start, length, every) => {
          const [from, to] = [isoDay(start), isoDay(start + length)];
          const dates = asOfDates({ ...nothingSaid, from, to, every });
          expect(dates).toEqual([...new Set(dates)].sort());
          expect(dates[0]).toBe(from);
          expect(dates.at(-1)! <= to).toBe(true);
        },
      ),
    );
  });

  test('the day after a day is the next one, over the ends of months and years', () => {
    expect([dayAfter('2026-12-31'), dayAfter('2024-02-28'), dayAfter('2026-03-28')]).toEqual([
      '2027-01-01',
      '2024-02-29',
      '2026-03-29',
    ]);
  });
});

describe('dates before what readers see', () => {
  const plan = { pipeline: 'shop', dates: ['2026-05-01', '2026-06-01', '2026-07-01'], done: [] };
  const seen = { publishedAsOf: '2026-06-15', beforePublished: 'refuse' as const };

  test('are refused with how many there are and every way out', () => {
    expect(() => refuseOlder(plan, seen)).toThrow(
      expect.objectContaining({ code: 'AS_OF_BEFORE_PUBLISHED' }),
    );
    expect(() => refuseOlder(plan, seen)).toThrow(
      /2026-06-15.*found 2 before it \(2026-05-01 to 2026-06-01\).*--from 2026-07-01.*name of its own.*aside/,
    );
    expect(() => refuseOlder(plan, { ...seen, publishedAsOf: '2026-08-01' })).toThrow(
      /found 3 before it \(2026-05-01 to 2026-07-01\): build the history/,
    );
  });

  test.each([
    ['nothing is published', { ...seen, publishedAsOf: null }],
    ['all are later', { ...seen, publishedAsOf: '2026-05-01' }],
    ['older runs are kept aside', { ...seen, beforePublished: 'aside' as const }],
  ])('are no matter where %s', (_, known) => {
    expect(() => refuseOlder(plan, known)).not.toThrow();
  });

  test('are no matter where they were published before', () => {
    const done = ['2026-05-01', '2026-06-01'].map((asOf) => ({ asOf, runId: 'run_1' }));
    expect(() => refuseOlder({ ...plan, done }, seen)).not.toThrow();
    expect(() => refuseOlder({ ...plan, done: done.slice(1) }, seen)).toThrow(
      /found 1 before it \(2026-05-01\)/,
    );
  });
});
