import { type Draw, weighted } from './chance.ts';

// Times are minutes since 1970-01-01 00:00 UTC: they fit int32 for four thousand years.

export const DAY_MINUTES = 24 * 60;
const DAY_MS = DAY_MINUTES * 60_000;
/** 1970-01-01 was a Thursday; weekdays count from Monday = 0. */
const EPOCH_WEEKDAY = 3;
const WORKING_DAYS = 5;

/** When in the week a group shops. */
export type Rhythm = 'any-day' | 'weekend' | 'working-day';

export interface ShopMonth {
  /** 0 for the shop's first month. */
  index: number;
  /** `2026-06`. */
  label: string;
  /** January = 0. */
  calendarMonth: number;
  /** Midnight that begins the month. */
  startMinutes: number;
  /** Days the shop was open: all, but for a last month that ends early. */
  days: number;
  /** Day of the month, from 0, by rhythm. */
  dayOf: Record<Rhythm, Draw>;
}

/** The calendar months up to the one that `until` lies in, which ends with that day. */
export function shopMonths({ months, until }: { months: number; until: string }): ShopMonth[] {
  const [year, month, lastDay] = until.split('-').map(Number) as [number, number, number];
  return Array.from({ length: months }, (_, index) => {
    const sinceYearZero = year * 12 + (month - 1) - (months - 1 - index);
    const [ownYear, calendarMonth] = [Math.floor(sinceYearZero / 12), sinceYearZero % 12];
    const startDay = Date.UTC(ownYear, calendarMonth, 1) / DAY_MS;
    const nextDay = Date.UTC(ownYear, calendarMonth + 1, 1) / DAY_MS;
    const days = index === months - 1 ? lastDay : nextDay - startDay;
    return {
      index,
      label: `${ownYear}-${String(calendarMonth + 1).padStart(2, '0')}`,
      calendarMonth,
      startMinutes: startDay * DAY_MINUTES,
      days,
      dayOf: {
        'any-day': drawDay({ startDay, days, working: 1, weekend: 1.3 }),
        weekend: drawDay({ startDay, days, working: 1, weekend: 16 }),
        'working-day': drawDay({ startDay, days, working: 1, weekend: 0.02 }),
      },
    };
  });
}

/** The midnight that ends the day. */
export function endOfDay(date: string): number {
  return (Date.parse(`${date}T00:00:00Z`) / DAY_MS + 1) * DAY_MINUTES;
}

function drawDay(shape: { startDay: number; days: number; working: number; weekend: number }): Draw {
  const { startDay, days, working, weekend } = shape;
  return weighted(
    Array.from({ length: days }, (_, day) =>
      (startDay + day + EPOCH_WEEKDAY) % 7 < WORKING_DAYS ? working : weekend,
    ),
  );
}
