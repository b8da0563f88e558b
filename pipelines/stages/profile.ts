import type { Contract, Rule } from '../contracts/contract.ts';
import { FIGURES, profiledColumns, QUANTILES, TIMES, WORDS } from './profile-queries.ts';

export { profileQueries } from './profile-queries.ts';

/** Answers of the queries by their names. */
export type ProfileResults = Readonly<Record<string, readonly Row[]>>;
type Row = Readonly<Record<string, unknown>>;

export interface ProfileAbout {
  title: string;
  /** ISO 4217. */
  currency: string;
  /** ISO date. */
  asOf: string;
  rows: number;
  /** Newest moment in the source, ISO with time. */
  watermark: string;
  contract: Contract;
}

/** What an extract looks like before anything is made of it. Plain JSON of bounded size, without any customer. */
export interface ProfileReport extends Omit<ProfileAbout, 'contract'> {
  accepted: number;
  acceptedAmount: number;
  /** Days of the first and the last order that can be read. */
  from: string | null;
  to: string | null;
  /** Different ids, of refused rows too. */
  customers: number;
  orders: number;
  /** Ascending, without gaps; the last {@link MOST_MONTHS} of them. */
  months: MonthProfile[];
  /** Rows ordered before those months. */
  rowsBefore: number;
  /** Rows by weekday (0 = Monday) and hour. */
  week: number[][];
  rules: RuleFinding[];
  columns: ColumnProfile[];
  unreadable: { column: string; rows: number }[];
  /** How the figures were made. */
  notes: string[];
}

export interface MonthProfile {
  /** `2026-06`. */
  month: string;
  rows: number;
  accepted: number;
  acceptedAmount: number;
}

/** Rows that break a rule, whatever other rules they break. */
export interface RuleFinding extends Pick<Rule, 'name' | 'severity' | 'reason'> {
  rows: number;
}

interface ColumnBase {
  name: string;
  missing: number;
}

export interface IdentifierProfile extends ColumnBase {
  kind: 'identifier';
  /** Null where it was not counted. */
  distinct: number | null;
}

export interface TimeProfile extends ColumnBase {
  kind: 'time';
  first: string | null;
  last: string | null;
}

export interface FigureProfile extends ColumnBase {
  kind: 'figure';
  distinct: number;
  least: number;
  most: number;
  mean: number;
  negative: number;
  zero: number;
  quantiles: { percent: number; value: number }[];
  bins: Bin[];
}

/** Rows with a value from `from` to below that of the next bin. */
export interface Bin {
  from: number;
  rows: number;
}

export interface WordProfile extends ColumnBase {
  kind: 'word';
  distinct: number;
  /** The most frequent ones. */
  words: { word: string; rows: number }[];
  otherRows: number;
}

export type ColumnProfile = IdentifierProfile | TimeProfile | FigureProfile | WordProfile;

const MOST_MONTHS = 60;
/** A word is free text of the source: nothing guarantees that it is short. */
const MOST_CHARACTERS = 60;

const NOTES = [
  'All rows of the extract are profiled, refused ones too, unless a figure says accepted.',
  'All figures are of all these rows, none of a sample. Counts, extremes, means and quantiles are exact; a quantile is a value of the extract. Orders are told apart by 64-bit hashes.',
  'A row that breaks several rules counts under each of them here; validation counts it once.',
];

/** @param results answers of all of `profileQueries` */
export function buildProfile(results: ProfileResults, { contract, ...about }: ProfileAbout): ProfileReport {
  const days = results.days ?? [];
  const dated = days.filter(({ day }) => day !== null);
  const distinct = results.distinct?.[0] ?? {};
  const sum = (name: string) => total(days, name);
  return {
    ...about,
    accepted: sum('accepted'),
    acceptedAmount: roundCents(sum('accepted_amount')),
    from: textOf(dated[0]?.day),
    to: textOf(dated.at(-1)?.day),
    customers: Number(distinct.customer_id ?? 0),
    orders: Number(distinct.order_id ?? 0),
    ...monthsOf(dated),
    week: weekOf(results.hours ?? []),
    rules: contract.rules.map(({ name, severity, reason }, i) => ({
      ...{ name, severity, reason },
      rows: sum(`broken_${i}`),
    })),
    columns: columnsOf(results),
    unreadable: (results.unreadable ?? []).map(({ column, rows }) => ({
      column: String(column),
      rows: Number(rows),
    })),
    notes: NOTES,
  };
}

/**
 * One entry for every month up to the last, empty ones too: a gap in the data must be seen. A single wild
 * date, centuries off, must not make thousands of them.
 */
function monthsOf(days: readonly Row[]): { months: MonthProfile[]; rowsBefore: number } {
  const byMonth = new Map<number, MonthProfile>();
  let rowsBefore = 0;
  const last = days.length === 0 ? 0 : monthNumber(days.at(-1)!);
  for (const day of days) {
    const number = monthNumber(day);
    if (number <= last - MOST_MONTHS) {
      rowsBefore += Number(day.rows);
      continue;
    }
    const month = byMonth.get(number) ?? emptyMonth(number);
    month.rows += Number(day.rows);
    month.accepted += Number(day.accepted);
    month.acceptedAmount = roundCents(month.acceptedAmount + Number(day.accepted_amount));
    byMonth.set(number, month);
  }
  const first = Math.min(...byMonth.keys());
  const count = byMonth.size === 0 ? 0 : last - first + 1;
  const months = Array.from({ length: count }, (_, i) => byMonth.get(first + i) ?? emptyMonth(first + i));
  return { months, rowsBefore };
}

/** Months since year 0. */
function monthNumber({ day }: Row): number {
  const [year, month] = String(day).split('-').map(Number) as [number, number];
  return year * 12 + month - 1;
}

function emptyMonth(number: number): MonthProfile {
  const month = `${Math.floor(number / 12)}-${String((number % 12) + 1).padStart(2, '0')}`;
  return { month, rows: 0, accepted: 0, acceptedAmount: 0 };
}

function weekOf(hours: readonly Row[]): number[][] {
  const week = Array.from({ length: 7 }, () => new Array<number>(24).fill(0));
  for (const { weekday, hour, rows } of hours) week[Number(weekday) - 1]![Number(hour)] = Number(rows);
  return week;
}

function columnsOf(results: ProfileResults): ColumnProfile[] {
  const days = results.days ?? [];
  // Days tell which columns there were: each has its count of missing values.
  const names = Object.keys(days[0] ?? {}).flatMap((name) => /^missing_(.+)$/.exec(name)?.[1] ?? []);
  return profiledColumns(names).map((name): ColumnProfile => {
    const base = { name, missing: total(days, `missing_${name}`) };
    if (isAmong(FIGURES, name)) return figureProfile(base, results);
    if (isAmong(WORDS, name)) return wordProfile(base, results.words ?? []);
    if (isAmong(TIMES, name)) {
      const firsts = days.flatMap((day) => textOf(day[`first_${name}`]) ?? []).sort();
      const lasts = days.flatMap((day) => textOf(day[`last_${name}`]) ?? []).sort();
      return { ...base, kind: 'time', first: firsts[0] ?? null, last: lasts.at(-1) ?? null };
    }
    const distinct = results.distinct?.[0]?.[name];
    return { ...base, kind: 'identifier', distinct: distinct === undefined ? null : Number(distinct) };
  });
}

function figureProfile(base: ColumnBase, results: ProfileResults): FigureProfile {
  const row = (results.figures ?? []).find(({ figure }) => figure === base.name) ?? {};
  const number = (name: string) => Number(row[name] ?? 0);
  const bins = (results.bins ?? []).filter(({ figure }) => figure === base.name);
  return {
    ...base,
    kind: 'figure',
    distinct: number('distinct_values'),
    least: number('least'),
    most: number('most'),
    mean: number('rows') === 0 ? 0 : Number((number('total') / number('rows')).toFixed(4)),
    negative: number('negative'),
    zero: number('zero'),
    quantiles: QUANTILES.map((percent) => ({ percent, value: number(`q${percent}`) })),
    bins: bins.map(({ edge, rows }) => ({ from: Number(edge), rows: Number(rows) })),
  };
}

function wordProfile(base: ColumnBase, results: readonly Row[]): WordProfile {
  const rows = results.filter(({ column }) => column === base.name);
  const words = rows.map((row) => ({
    word: String(row.word).slice(0, MOST_CHARACTERS),
    rows: Number(row.rows),
  }));
  const shown = words.reduce((sum, word) => sum + word.rows, 0);
  return {
    ...base,
    kind: 'word',
    distinct: Number(rows[0]?.distinct_words ?? 0),
    words,
    otherRows: Number(rows[0]?.all_rows ?? 0) - shown,
  };
}

function total(rows: readonly Row[], name: string): number {
  return rows.reduce((sum, row) => sum + Number(row[name] ?? 0), 0);
}

/** Sums of figures with cents as doubles, brought back to cents. */
function roundCents(amount: number): number {
  return Math.round(amount * 100) / 100;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function isAmong(names: readonly string[], name: string): boolean {
  return names.includes(name);
}
