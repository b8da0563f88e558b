// Rows on their way from a generator to a file: flat int32 columns, since a million small objects would cost
// more than making the figures. A column says how its integers are to be read.

/** Stands for a missing value in every kind of column. */
export const MISSING = -(2 ** 31);

export type BatchColumn =
  | { name: string; kind: 'integer' }
  /** Hundredths of the currency. */
  | { name: string; kind: 'cents' }
  /** Minutes since 1970-01-01 00:00 UTC. */
  | { name: string; kind: 'minutes' }
  /** `positive` + n for n >= 0, `negative` + |n| for n < 0: `S1041`, `C1042`. */
  | { name: string; kind: 'reference'; positive: string; negative: string }
  /** Index of one of the words, which all differ. */
  | { name: string; kind: 'word'; words: readonly string[] };

export interface ColumnBatch {
  rows: number;
  /** The same in every batch of a file. */
  columns: readonly BatchColumn[];
  /** One array of `rows` values for each column. */
  values: readonly Int32Array[];
}
