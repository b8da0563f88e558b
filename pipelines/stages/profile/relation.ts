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
}

export type ColumnKind = 'text' | 'time' | 'figure' | 'flag' | 'other';

export interface Column {
  name: string;
  type: string;
  kind: ColumnKind;
}

/** Made beside the columns of the source; `malformed` is read, and shown as what could not be read. */
const OWN = ['malformed', 'is_duplicate'];
/** Names of attributes begin with a letter: this one is never one of them. */
export const ACCEPTED = '__accepted';

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

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

const SAMPLE_ROWS = 50_000;
export const SAMPLE = 'profile_sample';

/**
 * Keeps some 50,000 rows, at equal distances in the frozen file, judged, as a table of the reader's: the same
 * ones whenever and on however many threads. All rows of a smaller extract.
 *
 * @returns how many they are
 */
export async function takeSample(
  reader: Reader,
  relation: Relation,
  { rows, columns }: { rows: number; columns: readonly Column[] },
): Promise<number> {
  const every = Math.ceil(rows / SAMPLE_ROWS);
  const all = columns.map(({ name }) => quoteName(name)).join(', ');
  const place = relation.rowNumber ?? `hash(${all})`;
  const from = every <= 1 ? relation.from : `(SELECT * FROM ${relation.from} WHERE ${place} % ${every} = 0)`;
  await reader.rows(
    `CREATE OR REPLACE TEMP TABLE ${SAMPLE} AS SELECT * FROM ${judged({ from, contract: relation.contract })}`,
  );
  const [counted] = await reader.rows(`SELECT count(*) AS rows FROM ${SAMPLE}`);
  return Number(counted!.rows);
}
