// When a schedule is due: for each field of a clock and calendar, the values at which it is. Two ways of writing the same
// times are one value here, so that what a file says can be compared with what a server answers.

const FIELDS = [
  { name: 'minute', least: 0, most: 59, words: [] },
  { name: 'hour', least: 0, most: 23, words: [] },
  { name: 'dayOfMonth', least: 1, most: 31, words: [] },
  {
    name: 'month',
    least: 1,
    most: 12,
    words: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  { name: 'dayOfWeek', least: 0, most: 6, words: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] },
] as const;

type Field = (typeof FIELDS)[number];
type FieldName = Field['name'];

/** Values that match, rising; a moment matches when all fields do. Days of the week from 0, a Sunday. */
export type CalendarTimes = Readonly<Record<FieldName, readonly number[]>>;

export interface Span {
  start: number;
  end: number;
  step: number;
}

/** What cannot be read of a cron expression: what was needed. */
export class CronFault extends Error {}

const WRITTEN: Record<FieldName, string> = {
  minute: 'minute',
  hour: 'hour',
  dayOfMonth: 'day of month',
  month: 'month',
  dayOfWeek: 'day of week',
};

/**
 * Five fields: minute, hour, day of month, month, day of week. Each is `*`, a value, `from-to`, any of them with
 * `/step`, or several with commas; months and days of the week may be English words of three letters, and 7 is a
 * Sunday, too.
 *
 * @throws CronFault
 */
export function parseCron(text: string): CalendarTimes {
  const written = text.trim().split(/\s+/);
  if (written.length !== FIELDS.length || text.trim().startsWith('@')) {
    throw new CronFault(
      'needs five fields (minute, hour, day of month, month, day of week) such as "30 2 * * *"',
    );
  }
  const times = Object.fromEntries(
    FIELDS.map((field, i) => [field.name, valuesOf(field, written[i]!)]),
  ) as unknown as CalendarTimes;
  if (!isEvery('dayOfMonth', times.dayOfMonth) && !isEvery('dayOfWeek', times.dayOfWeek)) {
    throw new CronFault(
      'needs * as its day of month or as its day of week: with both, cron means either and Temporal means both; write two expressions',
    );
  }
  return times;
}

function valuesOf(field: Field, text: string): number[] {
  const values = text.split(',').flatMap((part) => {
    const [, whole, from, to, step] = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part) ?? [];
    if (whole === undefined && from === undefined) throw new CronFault(need(field));
    // `5/15` goes on to the end of the field, as Temporal and most crons have it.
    const isOpen = whole !== undefined || (to === undefined && step !== undefined);
    const start = whole === undefined ? readValue(field, from!) : field.least;
    const end = isOpen ? field.most : readValue(field, to ?? from!);
    const by = step === undefined ? 1 : Number(step);
    if (by < 1 || by > field.most) throw new CronFault(`needs a step from 1 to ${field.most}`);
    if (start > end) throw new CronFault(`needs ranges that rise, ${WRITTEN[field.name]} has ${part}`);
    return count(start, end, by);
  });
  // After the ranges: Friday to Sunday is 5-7.
  return [...new Set(values.map((value) => (field.name === 'dayOfWeek' ? value % 7 : value)))].sort(
    (a, b) => a - b,
  );
}

function readValue(field: Field, text: string): number {
  const word = (field.words as readonly string[]).indexOf(text.toUpperCase());
  const value = word >= 0 ? word + field.least : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  const most = field.name === 'dayOfWeek' ? 7 : field.most;
  if (value >= field.least && value <= most) return value;
  throw new CronFault(need(field));
}

function need({ name, least, most, words }: Field): string {
  const or = words.length > 0 ? ` or ${words[0]} to ${words.at(-1)}` : '';
  return `needs *, or values from ${least} to ${most}${or} as its ${WRITTEN[name]}`;
}

function count(start: number, end: number, step: number): number[] {
  return Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, i) => start + i * step);
}

export function isEvery(name: FieldName, values: readonly number[]): boolean {
  const { least, most } = FIELDS.find((field) => field.name === name)!;
  return values.length === most - least + 1;
}

/** Every value of a field: what `*` means. */
export function everyOf(name: FieldName): number[] {
  const { least, most } = FIELDS.find((field) => field.name === name)!;
  return count(least, most, 1);
}

/** The same times, written in the one way that all which mean the same share. */
export function formatCron(times: CalendarTimes): string {
  return FIELDS.map(({ name, most }) => {
    const values = times[name];
    if (isEvery(name, values)) return '*';
    return spansOf(values)
      .map(({ start, end, step }) => {
        if (start === end) return `${start}`;
        if (step === 1) return `${start}-${end}`;
        const isOpen = end + step > most;
        return isOpen && start === everyOf(name)[0] ? `*/${step}` : `${start}-${end}/${step}`;
      })
      .join(',');
  }).join(' ');
}

/** Values as ranges: one with a step where all lie in it, else runs of neighbours. */
export function spansOf(values: readonly number[]): Span[] {
  const [first, second] = values;
  if (first === undefined) return [];
  const last = values.at(-1)!;
  const step = (second ?? first) - first;
  if (values.length > 2 && values.every((value, i) => value === first + i * step))
    return [{ start: first, end: last, step }];
  const spans: Span[] = [];
  for (const value of values) {
    const open = spans.at(-1);
    if (open && value === open.end + 1) open.end = value;
    else spans.push({ start: value, end: value, step: 1 });
  }
  return spans;
}

/** The values of ranges, as a server answers them; a range that ends before it starts is its start alone. */
export function valuesOfSpans(spans: readonly Span[]): number[] {
  const values = spans.flatMap(({ start, end, step }) =>
    count(start, Math.max(start, end), Math.max(1, step)),
  );
  return [...new Set(values)].sort((a, b) => a - b);
}
