import { type CalendarTimes, isEvery } from '../../contracts/cron.ts';

// A schedule is due when the clock of its zone shows a time, to the letter: on the day when that clock is put forward
// the time may not come. One that comes twice, when it is put back, is due once or twice, as of the same date.

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MONTHS = 12;

export interface MissingTime {
  /** ISO date by that clock. */
  date: string;
  /** HH:MM, the first that is due in what the clock leaves out. */
  time: string;
}

/**
 * Days on which a due time does not come.
 *
 * @param from ISO date on which to begin
 */
export function missingTimes(
  times: readonly CalendarTimes[],
  timezone: string,
  { from, days }: { from: string; days: number },
): MissingTime[] {
  const offsetAt = offsets(timezone);
  const begin = Date.parse(from);
  // One that is due in every hour loses nothing by an hour.
  const hourly = times.filter(({ hour }) => !isEvery('hour', hour));
  return Array.from({ length: days }, (_, day) => begin + day * DAY_MS).flatMap((start) => {
    const [before, after] = [offsetAt(start), offsetAt(start + DAY_MS)];
    if (after <= before) return [];
    const moment = changeWithin(start, start + DAY_MS, offsetAt);
    for (let local = moment + before; local < moment + after; local += MINUTE_MS) {
      if (!hourly.some((one) => isDue(one, local))) continue;
      const text = new Date(local).toISOString();
      return [{ date: text.slice(0, 10), time: text.slice(11, 16) }];
    }
    return [];
  });
}

/** The first minute with the later offset. */
function changeWithin(start: number, end: number, offsetAt: (moment: number) => number): number {
  const before = offsetAt(start);
  let [low, high] = [start, end];
  while (high - low > MINUTE_MS) {
    const middle = low + Math.floor((high - low) / 2 / MINUTE_MS) * MINUTE_MS;
    if (offsetAt(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** @param local what the clock shows, as if it were UTC */
function isDue({ minute, hour, dayOfMonth, month, dayOfWeek }: CalendarTimes, local: number): boolean {
  const shown = new Date(local);
  return (
    minute.includes(shown.getUTCMinutes()) &&
    hour.includes(shown.getUTCHours()) &&
    dayOfMonth.includes(shown.getUTCDate()) &&
    month.includes(shown.getUTCMonth() + 1) &&
    dayOfWeek.includes(shown.getUTCDay())
  );
}

/**
 * Whether some run would be as of a date that the shop's clock has not come to: the day before it, which the run
 * counts, would not be over.
 *
 * @returns the first such time of day, HH:MM; null for none
 */
export function dueBeforeMidnight(
  times: readonly CalendarTimes[],
  { timezone, shop, from }: { timezone: string; shop: string; from: string },
): string | null {
  const [ours, theirs] = [offsets(timezone), offsets(shop)];
  // A month apart: summer time of both halves of the world is among them.
  const moments = Array.from({ length: MONTHS }, (_, i) => Date.parse(from) + i * 30 * DAY_MS);
  const ahead = Math.max(...moments.map((moment) => ours(moment) - theirs(moment))) / MINUTE_MS;
  const due = times.flatMap(({ hour, minute }) => hour.flatMap((h) => minute.map((m) => h * 60 + m)));
  const first = Math.min(...due);
  return first < ahead
    ? `${String(Math.floor(first / 60)).padStart(2, '0')}:${String(first % 60).padStart(2, '0')}`
    : null;
}

/**
 * The moment when a day begins by a zone's clock: its first minute, where it has no midnight.
 *
 * @param date ISO date
 * @returns milliseconds since 1970
 */
export function dayBegins(date: string, timezone: string): number {
  const offsetAt = offsets(timezone);
  const midnight = Date.parse(date);
  let [low, high] = [midnight - DAY_MS, midnight + DAY_MS];
  while (high - low > MINUTE_MS) {
    const middle = low + Math.floor((high - low) / 2 / MINUTE_MS) * MINUTE_MS;
    if (middle + offsetAt(middle) < midnight) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Due times without their jitter. What the server answers is later by some of it, never so much that the next time is
 * due, too; what it started says for which time.
 *
 * @param due ISO times
 * @returns ISO times; one that the times do not explain as it is
 */
export function nominalTimes(
  due: readonly string[],
  { times, timezone, jitterMs }: { times: readonly CalendarTimes[]; timezone: string; jitterMs: number },
): string[] {
  const offsetAt = offsets(timezone);
  return due.map((time) => {
    const moment = Date.parse(time);
    const latest = Math.floor(moment / MINUTE_MS) * MINUTE_MS;
    for (let minute = latest; minute >= moment - jitterMs; minute -= MINUTE_MS) {
      const local = minute + offsetAt(minute);
      if (times.some((one) => isDue(one, local))) return new Date(minute).toISOString();
    }
    return time;
  });
}

/** How far a zone's clock is ahead of UTC at a moment, in milliseconds. */
function offsets(timezone: string): (moment: number) => number {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (moment) => {
    const parts = format.formatToParts(new Date(moment));
    const part = (wanted: string) => Number(parts.find(({ type }) => type === wanted)!.value);
    const day = Date.UTC(part('year'), part('month') - 1, part('day'));
    const shown = day + ((part('hour') * 60 + part('minute')) * 60 + part('second')) * 1000;
    return shown - Math.floor(moment / 1000) * 1000;
  };
}
