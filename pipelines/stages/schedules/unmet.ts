import { dateIn } from '../../contracts/shop-date.ts';

/** Due times in a row that have no run. ISO times. */
export interface Gap {
  first: string;
  last: string;
  times: number;
}

/**
 * Due times without a run, those that follow one another together.
 *
 * @param due ISO times, rising
 * @param ran scheduled times of runs, in any order
 */
export function unmetTimes(due: readonly string[], ran: readonly string[]): Gap[] {
  const moments = new Set(ran.map((time) => Date.parse(time)));
  const gaps: Gap[] = [];
  let isOpen = false;
  for (const time of due) {
    const isMet = moments.has(Date.parse(time));
    const open = isOpen ? gaps.at(-1) : undefined;
    if (!isMet && open) Object.assign(open, { last: time, times: open.times + 1 });
    else if (!isMet) gaps.push({ first: time, last: time, times: 1 });
    isOpen = !isMet;
  }
  return gaps;
}

/** What `schedules backfill` is given: days by the schedule's clock, or moments in UTC, as YYYY-MM-DDTHH:MMZ. */
export interface BackfillRange {
  from: string;
  to: string;
}

/**
 * The range of a backfill that starts runs for these due times and for no others: of days, where the schedule is due once
 * a day; else of moments, since its other times on those days may have their runs, or not have come.
 *
 * @param due all due times that are known
 */
export function backfillRange(
  { first, last }: Pick<Gap, 'first' | 'last'>,
  { due, timezone, isDueOnceADay }: { due: readonly string[]; timezone: string; isDueOnceADay: boolean },
): BackfillRange {
  const dates = due.map((time) => dateIn(time, timezone));
  const isOfDays = isDueOnceADay && new Set(dates).size === dates.length;
  const told = (time: string) => (isOfDays ? dateIn(time, timezone) : momentOf(time));
  return { from: told(first), to: told(last) };
}

function momentOf(time: string): string {
  return `${new Date(time).toISOString().slice(0, 'YYYY-MM-DDTHH:MM'.length)}Z`;
}
