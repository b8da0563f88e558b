import type { Contract } from '../../contracts/contract.ts';
import { acceptedSql, type CheckedSql } from '../validate.ts';

/** Where the profile's figures come from: DuckDB behind two functions, so that nothing here knows of files. */
export interface Reader {
  /** Answers of a few rows. */
  rows(sql: string): Promise<Row[]>;
  /** Answers of many rows, numbers alone. NULL is NaN. */
  numbers(sql: string | CheckedSql): Promise<Record<string, Float64Array>>;
}

export type Row = Readonly<Record<string, unknown>>;

export interface Relation {
  /** Stands behind FROM. */
  from: string;
  contract: Contract;
  /** ISO date. */
  asOf: string;
  /** A number of the row in the frozen file, where `from` is one; else rows are drawn by a hash of all columns. */
  rowNumber: string | null;
  /** Attributes that features may name, of the customers' table too. */
  attributes?: readonly string[];
  /** Rows of the extract with the attributes of their customers beside them, where there is such a table. */
  withCustomers?: (from: string) => string;
}

export type ColumnKind = 'text' | 'time' | 'figure' | 'flag' | 'other';

export interface Column {
  name: string;
  type: string;
  kind: ColumnKind;
}

/** Made beside the columns of the source; `malformed` is read, and shown as what could not be read. */
const OWN = ['malformed', 'is_duplicate', 'is_known_customer', 'is_released'];
/** Names of attributes begin with a letter: this one is never one of them. */
const ACCEPTED = '__accepted';

/** The relation with a column that says whether the contract accepts the row, to stand behind FROM. */
export function judged({ from, contract }: Pick<Relation, 'from' | 'contract'>): string {
  return `(SELECT *, ${acceptedSql(contract)} AS ${ACCEPTED} FROM ${from})`;
}

export async function describeRelation(
  reader: Reader,
  { from }: Pick<Relation, 'from'>,
): Promise<{ columns: Column[]; own: string[] }> {
  const described = (await reader.rows(`DESCRIBE SELECT * FROM ${from}`)).map(
    ({ column_name, column_type }): Column => {
      const type = String(column_type);
      return { name: String(column_name), type, kind: kindOf(type) };
    },
  );
  return {
    columns: described.filter(({ name }) => !OWN.includes(name)),
    own: described.map(({ name }) => name).filter((name) => OWN.includes(name)),
  };
}

function kindOf(type: string): ColumnKind {
  if (type === 'VARCHAR' || type.startsWith('ENUM')) return 'text';
  if (type === 'DATE' || type.startsWith('TIMESTAMP')) return 'time';
  if (type === 'BOOLEAN') return 'flag';
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(.*\)|FLOAT|DOUBLE)$/.test(type) ? 'figure' : 'other';
}
