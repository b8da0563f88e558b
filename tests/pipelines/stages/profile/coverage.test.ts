import { describe, expect, test } from 'vitest';
import { coverageOf } from '../../../../pipelines/stages/profile/coverage.ts';

const DAY_MS = 86_400_000;

/** Days from the first to the last, but for those that are left out. */
function days(from: string, to: string, without: (day: string, weekday: number) => boolean = () => false) {
  const found = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10);
    // Monday = 0.
    if (without(day, (new Date(at).getUTCDay() + 6) % 7)) continue;
    found.push({ day, rows: 10, accepted: 9, acceptedAmount: 5 });
  }
  return found;
}

describe('coverageOf', () => {
  test('a shop that never trades on Saturdays has a pattern and no gap', () => {
    const coverage = coverageOf(days('2026-01-01', '2026-03-31', (_, weekday) => weekday === 5))!;
    expect(coverage).toMatchObject({
      quietWeekdays: [5],
      gaps: [],
      loneDays: 0,
      unit: 'day',
      cutMonth: null,
    });
    expect(coverage.rowsByWeekday[5]).toBe(0);
  });

  test('a missing week is a gap, over the quiet days in it, and single days are counted', () => {
    const coverage = coverageOf(
      days(
        '2026-01-01',
        '2026-03-31',
        (day, weekday) =>
          weekday === 6 || (day >= '2026-02-03' && day <= '2026-02-10') || day === '2026-03-05',
      ),
    )!;
    expect(coverage.gaps).toEqual([{ from: '2026-02-03', to: '2026-02-10', missing: 7 }]);
    expect(coverage.loneDays).toBe(1);
  });

  test('the last month is cut when trading days are left in it, and not by a weekend at its end', () => {
    expect(coverageOf(days('2026-01-01', '2026-03-09'))!.cutMonth).toEqual({
      month: '2026-03',
      lastDay: '2026-03-09',
      missingDays: 22,
    });
    // 2026-01-31 is a Saturday.
    const weekdays = days('2025-11-01', '2026-01-30', (_, weekday) => weekday >= 5);
    expect(coverageOf(weekdays)!.cutMonth).toBeNull();
  });

  test('a shop with an order a week is told by weeks, one with an order a month by months', () => {
    // Another weekday each week.
    const weekly = days('2026-01-05', '2026-06-28', (day, weekday) => {
      const week = Math.floor((Date.parse(day) - Date.parse('2026-01-05')) / (7 * DAY_MS));
      return weekday !== (week * 3) % 7 || week === 8;
    });
    expect(coverageOf(weekly)).toMatchObject({
      unit: 'week',
      gaps: [{ from: '2026-03-02', to: '2026-03-08', missing: 1 }],
    });
    const monthly = days('2025-01-15', '2026-03-15', (day) => !day.endsWith('-15') || day === '2025-07-15');
    expect(coverageOf(monthly)).toMatchObject({
      unit: 'month',
      gaps: [{ from: '2025-07-01', to: '2025-07-31', missing: 1 }],
    });
  });

  test('without days there is none; a single day is covered', () => {
    expect(coverageOf([])).toBeNull();
    expect(coverageOf(days('2026-01-05', '2026-01-05'))).toMatchObject({
      days: 1,
      daysWithRows: 1,
      gaps: [],
    });
  });
});
