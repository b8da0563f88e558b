// How the times of a column are written, from some of its values: candidates in strptime's words. Which of two that
// read the same texts differently is meant (03/04/2026) is decided on all rows, by days above 12, or by a person.

interface Form {
  pattern: RegExp;
  /** Formats of the date, the likelier first. */
  dates: readonly string[];
}

const D = '\\d{1,2}';
const FORMS: readonly Form[] = [
  { pattern: /^\d{4}-\d{1,2}-\d{1,2}/, dates: ['%Y-%m-%d'] },
  { pattern: /^\d{4}\/\d{1,2}\/\d{1,2}/, dates: ['%Y/%m/%d'] },
  { pattern: /^\d{4}\.\d{1,2}\.\d{1,2}/, dates: ['%Y.%m.%d'] },
  { pattern: new RegExp(`^${D}\\.${D}\\.\\d{4}`), dates: ['%d.%m.%Y', '%m.%d.%Y'] },
  { pattern: new RegExp(`^${D}/${D}/\\d{4}`), dates: ['%d/%m/%Y', '%m/%d/%Y'] },
  { pattern: new RegExp(`^${D}-${D}-\\d{4}`), dates: ['%d-%m-%Y', '%m-%d-%Y'] },
  { pattern: new RegExp(`^${D}\\.${D}\\.\\d{2}(?!\\d)`), dates: ['%d.%m.%y', '%m.%d.%y'] },
  { pattern: new RegExp(`^${D}/${D}/\\d{2}(?!\\d)`), dates: ['%d/%m/%y', '%m/%d/%y'] },
  { pattern: new RegExp(`^${D}-${D}-\\d{2}(?!\\d)`), dates: ['%d-%m-%y', '%m-%d-%y'] },
  { pattern: new RegExp(`^${D}-[A-Za-z]{3}-\\d{4}`), dates: ['%d-%b-%Y'] },
  { pattern: new RegExp(`^${D}-[A-Za-z]{3}-\\d{2}(?!\\d)`), dates: ['%d-%b-%y'] },
  { pattern: new RegExp(`^${D} [A-Za-z]{3} \\d{4}`), dates: ['%d %b %Y'] },
  { pattern: new RegExp(`^${D} [A-Za-z]{4,9} \\d{4}`), dates: ['%d %B %Y'] },
  { pattern: /^[A-Za-z]{3} \d{1,2}, \d{4}/, dates: ['%b %d, %Y'] },
  { pattern: /^[A-Za-z]{4,9} \d{1,2}, \d{4}/, dates: ['%B %d, %Y'] },
  { pattern: /^(19|20)\d{6}(?!\d)/, dates: ['%Y%m%d'] },
];

const CLOCKS: readonly [RegExp, string][] = [
  [/^$/, ''],
  [/^ \d{1,2}:\d{2}$/, ' %H:%M'],
  [/^ \d{1,2}:\d{2}:\d{2}$/, ' %H:%M:%S'],
  [/^ \d{1,2}:\d{2}:\d{2}\.\d{1,3}$/, ' %H:%M:%S.%g'],
  [/^T\d{1,2}:\d{2}$/, 'T%H:%M'],
  [/^T\d{1,2}:\d{2}:\d{2}$/, 'T%H:%M:%S'],
  [/^ \d{1,2}:\d{2} [AaPp][Mm]$/, ' %I:%M %p'],
  [/^ \d{1,2}:\d{2}:\d{2} [AaPp][Mm]$/, ' %I:%M:%S %p'],
  [/^, \d{1,2}:\d{2}$/, ', %H:%M'],
  [/^ - \d{1,2}:\d{2}$/, ' - %H:%M'],
];

/** ISO 8601 as a run reads it without being told: these need no format. */
const ISO = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?$/i;

export interface FormatCandidates {
  /** Of the values, those that read as ISO 8601. */
  isoShare: number;
  /** Formats with the share of values of their form, the commonest first. Those of one form have the same share. */
  formats: readonly { format: string; share: number }[];
}

/** @param values different texts of a column */
export function formatsOf(values: readonly string[]): FormatCandidates {
  const counts = new Map<string, number>();
  let iso = 0;
  for (const value of values.map((text) => text.trim())) {
    if (ISO.test(value)) iso++;
    else for (const format of formatsOfOne(value)) counts.set(format, (counts.get(format) ?? 0) + 1);
  }
  const share = (count: number) => (values.length === 0 ? 0 : count / values.length);
  return {
    isoShare: share(iso),
    formats: [...counts]
      .map(([format, count]) => ({ format, share: share(count) }))
      .sort((left, right) => right.share - left.share || (left.format < right.format ? -1 : 1)),
  };
}

function formatsOfOne(value: string): string[] {
  for (const { pattern, dates } of FORMS) {
    const date = pattern.exec(value)?.[0];
    if (date === undefined) continue;
    const clock = CLOCKS.find(([form]) => form.test(value.slice(date.length)))?.[1];
    return clock === undefined ? [] : dates.map((format) => `${format}${clock}`);
  }
  return [];
}

/** The same format with day and month in each other's place; null where there is none. */
export function rivalOf(format: string): string | null {
  const [, first, gap, second, rest] = /^%([dm])([./-])%([dm])(.*)$/.exec(format) ?? [];
  return first === undefined ? null : `%${second}${gap}%${first}${rest}`;
}

/**
 * Formats that are needed, from how many rows each reads.
 *
 * @param reads format -> rows that it reads
 * @returns `rivals`: formats that read as many rows as the first, with other days
 */
export function chooseFormats(
  reads: ReadonlyMap<string, number>,
  filled: number,
): { formats: string[]; rivals: string[] } {
  const left = new Map([...reads].filter(([, rows]) => rows > 0));
  const formats: string[] = [];
  const rivals: string[] = [];
  for (const [format, rows] of [...left].sort(
    ([a, rowsA], [b, rowsB]) => rowsB - rowsA || (a < b ? -1 : 1),
  )) {
    const rival = rivalOf(format);
    if (rival !== null && formats.includes(rival)) {
      if (rows === left.get(rival)) rivals.push(format);
      continue;
    }
    // Few rows of another form are faults of single rows, which the contract tells.
    if (rows >= 0.01 * filled) formats.push(format);
  }
  return { formats, rivals };
}
