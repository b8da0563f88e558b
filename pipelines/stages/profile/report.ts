import type { Rule } from '../../contracts/contract.ts';
import type { Coverage } from './coverage.ts';
import type { Issue } from './issues.ts';
import type { Readiness } from './readiness.ts';

/** Goes up when an older reader would misread the report: profiles of two versions are not compared. */
export const PROFILE_VERSION = 2;

/** A row without one of these is of little use. */
export const NEEDED = ['customer_id', 'order_id', 'ordered_at', 'amount', 'quantity', 'unit_price'];

/** What an extract looks like before anything is made of it. Plain JSON of bounded size, without any customer. */
export interface ProfileReport {
  profile: typeof PROFILE_VERSION;
  title: string;
  /** ISO 4217. */
  currency: string;
  /** IANA zone of the shop's clock, which all times are of. */
  timezone: string;
  /** ISO date. */
  asOf: string;
  /** Newest moment in the source, ISO with time. */
  watermark: string;
  rows: number;
  accepted: number;
  acceptedAmount: number;
  /** Days of the first and the last order that can be read. */
  from: string | null;
  to: string | null;
  /** Different ids, of refused rows too. */
  customers: number;
  /** Null where the extract has no order ids. */
  orders: Counted | null;
  /** What "from a sample" means: rows at equal distances in the frozen extract. */
  sample: { rows: number; of: number };
  /** Ascending, without gaps; the last 60 of them. */
  months: MonthProfile[];
  /** Rows ordered before those months. */
  rowsBefore: number;
  /** Rows by weekday (0 = Monday) and hour. */
  week: number[][];
  coverage: Coverage | null;
  rules: RuleFinding[];
  /** Rows with a value that was there and could not be read, by column. */
  unreadable: { column: string; rows: number }[];
  /** Lines that could not be split into fields. */
  unreadableLines: number;
  duplicates: Duplicates;
  columns: ColumnProfile[];
  correlations: Correlations | null;
  /** Worst first. */
  issues: Issue[];
  readiness: Readiness;
  /** How the figures were made. */
  notes: string[];
}

/** A count, or what the values whose hash was drawn make of it. */
export interface Counted {
  count: number;
  isEstimate: boolean;
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

export interface Duplicates {
  /** Rows that are in all columns as one before; `counted` says among how many rows they were looked for. */
  exact: { rows: number; counted: number; isEstimate: boolean };
  /** Rows whose key, as the contract names it, an earlier row has. */
  byKey: { columns: string[]; rows: number } | null;
}

/** Spearman's, between pairs of columns; null where one of them does not vary. */
export interface Correlations {
  columns: string[];
  /** Row-major, symmetric. */
  values: (number | null)[][];
  rows: number;
  /** Columns that were left out, there being too many. */
  leftOut: number;
}

interface ColumnBase {
  name: string;
  /** Of DuckDB. */
  type: string;
  missing: number;
  /** Of these, in accepted rows; null where that was not asked, here and below. */
  missingAccepted: number | null;
}

export interface TextFacts {
  lengths: { least: number; most: number; mean: number } | null;
  /** Rows with nothing but blanks, and with blanks before or after the text. */
  blank: number;
  padded: number;
  /** Rows among which these were counted. */
  counted: number;
}

/** Ids, and texts with many values: how many there are, never which. */
export interface IdentifierProfile extends ColumnBase, TextFacts {
  kind: 'identifier';
  distinct: Counted;
  /** Rows whose value another row has already. */
  repeated: Counted;
}

export interface TimeProfile extends ColumnBase {
  kind: 'time';
  first: string | null;
  last: string | null;
  /** Rows at the as-of date or later, and before 1990. */
  future: number;
  ancient: number;
  futureAccepted: number | null;
  ancientAccepted: number | null;
  /** Share of the sample at midnight to the second: dates without a time. */
  midnightShare: number | null;
  /** The last 60 months with rows; none for the time of the order, of which the report tells more. */
  months: { month: string; rows: number }[];
}

export interface FigureProfile extends ColumnBase {
  kind: 'figure';
  /** Rows that quantiles, mean and bins are of: all with a value, or those of the sample. */
  counted: number;
  isSample: boolean;
  distinct: number;
  isWhole: boolean;
  /** Of all rows, whatever `counted` says; null without a value. */
  least: number | null;
  most: number | null;
  /** Rows that hold NaN or an infinity. */
  notNumbers: number;
  mean: number;
  /** Population standard deviation. */
  deviation: number;
  negative: number;
  zero: number;
  /** Of `negative` and `zero`, in accepted rows. */
  negativeAccepted: number | null;
  zeroAccepted: number | null;
  quantiles: { percent: number; value: number }[];
  bins: Bin[];
  /** Equal steps, where the values are within one order of magnitude. */
  steps: { from: number; width: number; rows: number[] } | null;
  /** Tukey's: 1.5 interquartile ranges beyond the quartiles, and 3 of them. */
  fences: {
    lower: number;
    upper: number;
    below: number;
    above: number;
    farBelow: number;
    farAbove: number;
  } | null;
  /** The largest of the values more than 400 interquartile ranges beyond the fences. */
  extremes: Extreme[];
  /** All rows with such a value, and their share of the sum of all values without their signs. */
  extremeRows: number;
  extremeShare: number;
  /** Of these rows, accepted ones. */
  extremesAccepted: number | null;
}

export interface Extreme {
  value: number;
  rows: number;
  /** Of the sum of all values without their signs. */
  share: number;
  /** The same value with the other sign is there too: rows that take each other back. */
  hasOpposite: boolean;
}

/** Rows with a value from `from` to below that of the next bin. */
export interface Bin {
  from: number;
  rows: number;
}

export interface WordProfile extends ColumnBase, TextFacts {
  kind: 'word';
  distinct: number;
  /** The most frequent ones. */
  words: { word: string; rows: number }[];
  otherRows: number;
  /** Words that differ from a more frequent one in case and blanks alone. */
  variants: { words: number; rows: number; examples: string[] };
  /** Where nearly all words hold a digit: those that do not. */
  oddCodes: {
    words: number;
    rows: number;
    accepted: number | null;
    examples: { word: string; rows: number }[];
  } | null;
}

export interface FlagProfile extends ColumnBase {
  kind: 'flag';
  yes: number;
  no: number;
}

export interface OtherProfile extends ColumnBase {
  kind: 'other';
}

export type ColumnProfile =
  | IdentifierProfile
  | TimeProfile
  | FigureProfile
  | WordProfile
  | FlagProfile
  | OtherProfile;

/** Sums of figures with cents as doubles, brought back to cents. */
export function roundCents(amount: number): number {
  return Math.round(amount * 100) / 100;
}

/** So many digits as a reader may lean on; the same for every summation that is right to more. */
export function digits(value: number, count = 10): number {
  return Number(value.toPrecision(count));
}

export function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
