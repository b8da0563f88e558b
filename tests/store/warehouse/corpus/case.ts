import type { SourceColumns, SourceFormat } from '../../../../pipelines/contracts/source.ts';
import type { Row } from '../../../../store/warehouse/duckdb.ts';

/** Rows are told apart by what a case is about: any columns of the extract, in its order. */
export interface Expected {
  accepted: number;
  /** Rule -> rows. Absent: none. */
  refused?: Record<string, number>;
  /** Texts of refused rows, sorted; each has to match. Absent: not looked at. */
  malformed?: (string | RegExp)[];
  rows?: Row[];
}

export interface ExpectedError {
  code: string;
  message: RegExp;
  /** What the message must not hold. */
  without?: RegExp;
}

export interface CorpusCase {
  name: string;
  /** Under tests/fixtures/extracts. */
  file?: string;
  /** Makes it in a folder of its own; returns the path or pattern to read. */
  make?: (folder: string) => Promise<string | string[]>;
  columns?: SourceColumns;
  format?: SourceFormat;
  timezone?: string;
  /** Of the contract. */
  unique?: string[];
  expected: Expected | ExpectedError;
}
