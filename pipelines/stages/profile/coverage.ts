// Which days an extract covers. A weekday on which a shop never trades is a pattern; a day, week or month on
// which it would have traded and no row is there is a gap.

export interface DayCount {
  /** ISO date. */
  day: string;
  rows: number;
  accepted: number;
  acceptedAmount: number;
}

export interface Coverage {
  from: string;
  to: string;
  daysWithRows: number;
  days: number;
  /** Weekdays (0 = Monday) that have rows in fewer than a tenth as many weeks as the busiest one. */
  quietWeekdays: number[];
  /** What is looked at: the smallest unit of which most have rows. */
  unit: 'day' | 'week' | 'month';
  /** Stretches without rows, longest first. */
  gaps: Gap[];
  /** Single days without rows where one would expect some. */
  loneDays: number;
  /** The last month, when the rows end before its last trading day. */
  cutMonth: { month: string; lastDay: string; missingDays: number } | null;
  /** Mean rows of a day with rows, by weekday from Monday. */
  rowsByWeekday: number[];
}

export interface Gap {
  /** First and last day without rows. */
  from: string;
  to: string;
  /** Days, weeks or months in which rows were to be expected. */
  missing: number;
}

const DAY_MS = 86_400_000;
const WEEK = [0, 1, 2, 3, 4, 5, 6];
/** 1970-01-01 was a Thursday; weekdays count from Monday = 0. */
const EPOCH_WEEKDAY = 3;
const QUIET_SHARE = 0.1;
const COVERED_SHARE = 0.6;
/** Weeks of which a weekday has to have been before it can be called quiet. */
const LEAST_WEEKS = 4;
const SHORTEST_GAP = 3;
const MOST_GAPS = 20;

/** @param days with rows, ascending; null when there are none */
export function coverageOf(days: readonly DayCount[]): Coverage | null {
  if (days.length === 0) return null;
  const numbers = days.map(({ day }) => dayNumber(day));
  const [first, last] = [numbers[0]!, numbers.at(-1)!];
  const withRows = new Set(numbers);
  const span = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const quiet = quietWeekdays(span, withRows);
  const expected = span.filter((day) => !quiet.includes(weekdayOf(day)));
  const shareOf = (units: readonly number[], unitOf: (day: number) => number) =>
    new Set(numbers.map(unitOf)).size / new Set(units.map(unitOf)).size;
  const unit =
    shareOf(expected, (day) => day) >= COVERED_SHARE
      ? 'day'
      : shareOf(span, weekOf) >= COVERED_SHARE
        ? 'week'
        : 'month';
  const found =
    unit === 'day'
      ? dayGaps(expected, withRows)
      : unitGaps(span, withRows, unit === 'week' ? weekOf : monthOf);
  const long = unit === 'day' ? found.filter(({ missing }) => missing >= SHORTEST_GAP) : found;
  return {
    from: days[0]!.day,
    to: days.at(-1)!.day,
    daysWithRows: days.length,
    days: span.length,
    quietWeekdays: quiet,
    unit,
    gaps: long.toSorted((a, b) => b.missing - a.missing || (a.from < b.from ? -1 : 1)).slice(0, MOST_GAPS),
    loneDays: found.filter((gap) => !long.includes(gap)).reduce((sum, { missing }) => sum + missing, 0),
    cutMonth: unit === 'day' ? cutMonthOf(last, quiet) : null,
    rowsByWeekday: rowsByWeekday(days),
  };
}

function quietWeekdays(span: readonly number[], withRows: ReadonlySet<number>): number[] {
  const shares = WEEK.map((weekday) => {
    const own = span.filter((day) => weekdayOf(day) === weekday);
    return own.length < LEAST_WEEKS ? 1 : own.filter((day) => withRows.has(day)).length / own.length;
  });
  // Beside the busiest weekday: where there are few rows at all, none of them is quieter than the others.
  const most = Math.max(...shares);
  return WEEK.filter((weekday) => shares[weekday]! < QUIET_SHARE * most);
}

/** Runs of expected days without rows; quiet weekdays between them do not end a run. */
function dayGaps(expected: readonly number[], withRows: ReadonlySet<number>): Gap[] {
  const gaps: Gap[] = [];
  let open: number[] = [];
  for (const day of expected) {
    if (!withRows.has(day)) open.push(day);
    else {
      if (open.length > 0) gaps.push(gapOf(open));
      open = [];
    }
  }
  return gaps;
}

function gapOf(days: readonly number[]): Gap {
  return { from: isoDay(days[0]!), to: isoDay(days.at(-1)!), missing: days.length };
}

/** Runs of weeks or months without rows, from their first to their last day. */
function unitGaps(
  span: readonly number[],
  withRows: ReadonlySet<number>,
  unitOf: (day: number) => number,
): Gap[] {
  const covered = new Set([...withRows].map(unitOf));
  const gaps: Gap[] = [];
  let open: number[] = [];
  const close = () => {
    if (open.length > 0) gaps.push({ ...gapOf(open), missing: new Set(open.map(unitOf)).size });
    open = [];
  };
  for (const day of span) {
    if (covered.has(unitOf(day))) close();
    else open.push(day);
  }
  return gaps;
}

function cutMonthOf(last: number, quiet: readonly number[]): Coverage['cutMonth'] {
  const date = new Date(last * DAY_MS);
  const end = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0) / DAY_MS;
  const missing = Array.from({ length: end - last }, (_, i) => last + 1 + i).filter(
    (day) => !quiet.includes(weekdayOf(day)),
  );
  // The last days of a month may be holidays.
  if (missing.length < SHORTEST_GAP) return null;
  return { month: isoDay(last).slice(0, 7), lastDay: isoDay(last), missingDays: missing.length };
}

function rowsByWeekday(days: readonly DayCount[]): number[] {
  return WEEK.map((weekday) => {
    const own = days.filter(({ day }) => weekdayOf(dayNumber(day)) === weekday);
    return own.length === 0
      ? 0
      : Number((own.reduce((sum, { rows }) => sum + rows, 0) / own.length).toFixed(1));
  });
}

function dayNumber(day: string): number {
  return Math.round(Date.parse(`${day}T00:00:00Z`) / DAY_MS);
}

function isoDay(number: number): string {
  return new Date(number * DAY_MS).toISOString().slice(0, 'YYYY-MM-DD'.length);
}

function weekdayOf(day: number): number {
  return (((day + EPOCH_WEEKDAY) % 7) + 7) % 7;
}

/** Weeks begin on Monday. */
function weekOf(day: number): number {
  return Math.floor((day + EPOCH_WEEKDAY) / 7);
}

function monthOf(day: number): number {
  const date = new Date(day * DAY_MS);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}
