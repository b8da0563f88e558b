import { counted } from '../stages/figures.ts';

// What is seen of a file before anything is decided: counts and shares, and words only where they are few.

export type ValueKind = 'number' | 'time' | 'boolean' | 'text' | 'nested';

export interface NumberFacts {
  /** Of the rows with a value, those that read as a number. */
  share: number;
  /** Of the numbers: whole ones, those below zero, zeros. */
  wholeShare: number;
  negativeShare: number;
  zeroShare: number;
  min: number;
  median: number;
  max: number;
  decimal: '.' | ',';
  /** Of signs that stand with the numbers, the commonest first. */
  currencies: readonly CurrencyCount[];
}

export interface CurrencyCount {
  /** ISO 4217. */
  code: string;
  rows: number;
}

export interface TimeFacts {
  /** Of the rows with a value, those that read as a time in one of the formats. */
  share: number;
  /** strptime formats, the commonest first; none: ISO 8601, or a type of time. */
  formats: readonly string[];
  /** Formats that read the same rows as the first and mean other days; which one is meant has to be said. */
  rivals: readonly string[];
  /** Of the times, those that carry a zone. */
  zonedShare: number;
  /** Whether any has a time of day. */
  hasClock: boolean;
  /** `YYYY-MM-DDTHH:MM:SS`. */
  from: string;
  to: string;
}

export interface WordCount {
  word: string;
  rows: number;
}

export interface ColumnFacts {
  name: string;
  /** As DuckDB calls it; VARCHAR for every column of a text file. */
  type: string;
  kind: ValueKind;
  /** Looked at, and with a value among them. */
  rows: number;
  filled: number;
  distinct: number;
  /** Spellings that stand for no value, such as NULL. */
  missingWords: readonly string[];
  number: NumberFacts | null;
  time: TimeFacts | null;
  /** Of the rows with a value: those that begin with zeros before further digits, those with an @. */
  leadingZeroShare: number;
  emailShare: number;
  /** All different values, where they are few. */
  words: readonly WordCount[] | null;
}

export interface TableFacts {
  /** Base name of the file, or of the first of several. */
  name: string;
  rows: number;
  /** Beside them those that cannot be split into columns: nothing can be guessed from them. */
  unreadableLines?: number;
  /** Looked at for all that follows; fewer than `rows`: a sample. */
  rowsSeen: number;
  columns: readonly ColumnFacts[];
  /** Share of the values of `by` whose rows have one value of `of`. */
  determines: readonly { by: string; of: string; share: number }[];
  /** Share of rows in which the product of two columns is a third. */
  products: readonly { product: string; factors: readonly [string, string]; share: number }[];
}

export function columnOf(table: TableFacts, name: string): ColumnFacts | undefined {
  return table.columns.find((column) => column.name === name);
}

export function determinedShare(table: TableFacts, by: string, of: string): number {
  return table.determines.find((one) => one.by === by && one.of === of)?.share ?? 0;
}

/** How many rows there are, as a person reads it. */
export function rowsWords({ rows, unreadableLines = 0 }: TableFacts): string {
  const all = counted(rows + unreadableLines, 'row');
  if (unreadableLines === 0) return all;
  return `${all} (${counted(unreadableLines, 'line')} cannot be split)`;
}
