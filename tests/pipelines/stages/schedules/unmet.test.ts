import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unmetTimes } from '../../../../pipelines/stages/schedules/unmet.ts';

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
