import { quoteName } from '../../contracts/sql-quote.ts';
import type { DayCount } from './coverage.ts';
import type { Questions } from './judged.ts';
import type { Column, Reader, Relation } from './relation.ts';
import { type MonthProfile, roundCents, type TimeProfile } from './report.ts';
import { SAMPLE } from './samples.ts';

const MOST_MONTHS = 60;
const ANCIENT = 1990;

/** One entry for every month up to the last, empty ones too: a gap in the data must be seen. */
export function monthsOf(days: readonly DayCount[]): { months: MonthProfile[]; rowsBefore: number } {
  const byMonth = new Map<number, MonthProfile>();
  let rowsBefore = 0;
  const last = days.length === 0 ? 0 : monthNumber(days.at(-1)!.day);
  for (const { day, rows, accepted, acceptedAmount } of days) {
    const number = monthNumber(day);
    if (number <= last - MOST_MONTHS) {
      rowsBefore += rows;
      continue;
    }
    const month = byMonth.get(number) ?? emptyMonth(number);
    month.rows += rows;
    month.accepted += accepted;
    month.acceptedAmount = roundCents(month.acceptedAmount + acceptedAmount);
    byMonth.set(number, month);
  }
  const first = Math.min(...byMonth.keys());
  const count = byMonth.size === 0 ? 0 : last - first + 1;
  const months = Array.from({ length: count }, (_, i) => byMonth.get(first + i) ?? emptyMonth(first + i));
  return { months, rowsBefore };
}

/** Months since year 0. */
function monthNumber(day: string): number {
  const [year, month] = day.split('-').map(Number) as [number, number];
  return year * 12 + month - 1;
}

function emptyMonth(number: number): MonthProfile {
  const month = `${String(Math.floor(number / 12)).padStart(4, '0')}-${String((number % 12) + 1).padStart(2, '0')}`;
  return { month, rows: 0, accepted: 0, acceptedAmount: 0 };
}

const HOUR_US = 3_600_000_000;
/** 1970-01-01 was a Thursday; weekdays count from Monday = 0. */
const EPOCH_WEEKDAY = 3;
const WEEK_HOURS = 7 * 24;
/** So many weeks are added, so that hours before 1970 are counted from below too. */
const WEEKS_AHEAD = 200_000;

// Grouped by position: an attribute may have the name of any alias, and GROUP BY would mean that column.

/** Rows by weekday and hour. Whole hours since 1970 are grouped, which is quicker than two parts of a date. */
export async function measureWeek(reader: Reader, { from }: Relation): Promise<number[][]> {
  const ahead = BigInt(WEEKS_AHEAD) * BigInt(WEEK_HOURS) * BigInt(HOUR_US);
  const hours = await reader.rows(
    `SELECT ((epoch_us(ordered_at) + ${ahead}) // ${HOUR_US}) % ${WEEK_HOURS} AS hour, count(*) AS rows
FROM ${from} WHERE ordered_at IS NOT NULL GROUP BY 1 ORDER BY 1`,
  );
  const week = Array.from({ length: 7 }, () => new Array<number>(24).fill(0));
  for (const { hour, rows } of hours) {
    const sinceMonday = (((Number(hour) + EPOCH_WEEKDAY * 24) % WEEK_HOURS) + WEEK_HOURS) % WEEK_HOURS;
    week[Math.floor(sinceMonday / 24)]![sinceMonday % 24]! += Number(rows);
  }
  return week;
}

export async function measureTime(
  reader: Reader,
  { from, asOf }: Relation,
  { column, questions }: { column: Column; questions: Questions },
): Promise<Omit<TimeProfile, 'missing' | 'missingAccepted'>> {
  const name = quoteName(column.name);
  const text = (moment: string) => `strftime(${moment}, '%Y-%m-%dT%H:%M:%S')`;
  const future = `${name} >= TIMESTAMP '${asOf} 00:00:00'`;
  const ancient = `${name} < TIMESTAMP '${ANCIENT}-01-01 00:00:00'`;
  const [found] = await reader.rows(
    `SELECT ${text('least')} AS first, ${text('most')} AS last, ${future.replace(name, 'most')} AS has_future, ${ancient.replace(name, 'least')} AS has_ancient
FROM (SELECT CAST(min(${name}) AS TIMESTAMP) AS least, CAST(max(${name}) AS TIMESTAMP) AS most FROM ${from})`,
  );
  const countOf = async (predicate: string, has: unknown) => {
    if (has !== true) return 0;
    const [counted] = await reader.rows(`SELECT count(*) AS rows FROM ${from} WHERE ${predicate}`);
    return Number(counted!.rows);
  };
  if (found!.has_future === true) questions.ask(`future ${column.name}`, future);
  if (found!.has_ancient === true) questions.ask(`ancient ${column.name}`, ancient);
  return {
    ...{ kind: 'time', name: column.name, type: column.type },
    first: typeof found!.first === 'string' ? found!.first : null,
    last: typeof found!.last === 'string' ? found!.last : null,
    future: await countOf(future, found!.has_future),
    ancient: await countOf(ancient, found!.has_ancient),
    ...{ futureAccepted: null, ancientAccepted: null },
    midnightShare: await midnightShare(reader, name),
    // Those of the orders are told more fully elsewhere.
    months: column.name === 'ordered_at' ? [] : await monthsOfColumn(reader, { from, name }),
  };
}

/** In the sample: dates without a time are all at midnight. */
async function midnightShare(reader: Reader, name: string): Promise<number | null> {
  const [found] = await reader.rows(
    `SELECT count(*) AS rows, count(*) FILTER (WHERE ${name} = date_trunc('day', ${name})) AS midnight FROM ${SAMPLE} WHERE ${name} IS NOT NULL`,
  );
  const rows = Number(found!.rows);
  return rows === 0 ? null : Number((Number(found!.midnight) / rows).toFixed(4));
}

async function monthsOfColumn(
  reader: Reader,
  { from, name }: { from: string; name: string },
): Promise<TimeProfile['months']> {
  const months = await reader.rows(`SELECT * FROM (SELECT strftime(day, '%Y-%m') AS month, sum(rows) AS rows
  FROM (SELECT CAST(${name} AS DATE) AS day, count(*) AS rows FROM ${from} WHERE ${name} IS NOT NULL GROUP BY 1)
  GROUP BY month ORDER BY month DESC LIMIT ${MOST_MONTHS}) ORDER BY month`);
  return months.map(({ month, rows }) => ({ month: String(month), rows: Number(rows) }));
}
