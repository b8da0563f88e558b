import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backfillRange, unmetTimes } from '../../../../pipelines/stages/schedules/unmet.ts';

const day = (n: number) => new Date(Date.UTC(2026, 5, n, 2, 30)).toISOString();
const days = (...numbers: number[]) => numbers.map(day);

describe('unmetTimes', () => {
  test.each<[string, number[], number[], [number, number, number][]]>([
    ['nothing due', [], [1, 2], []],
    ['each has its run', [1, 2, 3], [3, 1, 2], []],
    ['none has', [1, 2, 3], [], [[1, 3, 3]]],
    ['one in the middle', [1, 2, 3], [1, 3], [[2, 2, 1]]],
    [
      'two rows',
      [1, 2, 3, 4, 5],
      [3],
      [
        [1, 2, 2],
        [4, 5, 2],
      ],
    ],
    ['runs for other times', [1, 2], [7], [[1, 2, 2]]],
  ])('%s', (_, due, ran, gaps) => {
    expect(unmetTimes(days(...due), days(...ran))).toEqual(
      gaps.map(([first, last, times]) => ({ first: day(first), last: day(last), times })),
    );
  });

  test('a run is known by its moment, however that is written', () => {
    expect(unmetTimes(['2026-06-01T00:30:00Z'], ['2026-06-01T02:30:00.000+02:00'])).toEqual([]);
  });

  test('its gaps hold exactly the due times that have no run', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 30 })).map((some) => some.sort((a, b) => a - b));
    fc.assert(
      fc.property(numbers, numbers, (due, ran) => {
        const gaps = unmetTimes(days(...due), days(...ran));
        const inside = days(...due).filter((time) =>
          gaps.some(({ first, last }) => first <= time && time <= last),
        );
        expect(inside).toEqual(days(...due.filter((one) => !ran.includes(one))));
        expect(gaps.reduce((sum, { times }) => sum + times, 0)).toBe(inside.length);
      }),
    );
  });
});

describe('backfillRange', () => {
  const daily = { due: days(1, 2, 3), timezone: 'Europe/Berlin', isDueOnceADay: true };

  test('is of days where the schedule is due once a day, by its clock', () => {
    expect(backfillRange({ first: day(1), last: day(2) }, daily)).toEqual({
      from: '2026-06-01',
      to: '2026-06-02',
    });
    const late = { first: '2026-06-01T22:30:00.000Z', last: '2026-06-01T22:30:00.000Z' };
    expect(backfillRange(late, daily)).toEqual({ from: '2026-06-02', to: '2026-06-02' });
  });

  test('is of moments where a day has more of its times: they have their runs, or are still to come', () => {
    const hour = { first: '2026-06-01T04:00:00.000Z', last: '2026-06-01T06:00:00.000Z' };
    const moments = { from: '2026-06-01T04:00Z', to: '2026-06-01T06:00Z' };
    expect(backfillRange(hour, { ...daily, due: [hour.first], isDueOnceADay: false })).toEqual(moments);
    // The clock of Berlin shows 02:30 twice on that day.
    const twice = ['2025-10-26T00:30:00.000Z', '2025-10-26T01:30:00.000Z'];
    expect(backfillRange({ first: twice[1]!, last: twice[1]! }, { ...daily, due: twice })).toEqual({
      from: '2025-10-26T01:30Z',
      to: '2025-10-26T01:30Z',
    });
  });
});
