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
