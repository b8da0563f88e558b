import { type ColumnFacts, columnOf, type TableFacts } from '../../pipelines/init/facts.ts';
import { guessRoles } from '../../pipelines/init/guess-roles.ts';
import { percent } from '../../pipelines/init/role-evidence.ts';
import { nameSays, plainName } from '../../pipelines/init/role-words.ts';
import { ident } from './column-sql.ts';
import type { Looking } from './inspect.ts';
import type { LookedAt } from './look.ts';

// The column of a table of customers that names them: by what it is called, else by its values, which the
// transactions have too.

/** Some rows without a number and some numbers twice are faults that the contract refuses. */
const MOSTLY = 0.9;
const NEARLY_ALL = 0.98;
/** So many of the customers who ordered have to be in the table. */
const LEAST_FOUND = 0.5;
const MOST_TRIED = 6;

export interface CustomerKey {
  column: string;
  /** Share of the different values of a column of the transactions that are in the key. */
  found: Found | null;
}

interface Found {
  of: string;
  share: number;
}

/** A column with another value in every row that is called like a customer's id. */
export function keyByName({ columns }: TableFacts): ColumnFacts | null {
  const keys = columns
    .map((column) => ({ column, says: nameSays(column.name, 'customer').weight }))
    .filter(({ column }) => isKey(column, NEARLY_ALL))
    .filter(({ column, says }) => says >= 0.5 || plainName(column.name) === 'id')
    .sort((left, right) => right.says - left.says || (left.column.name < right.column.name ? -1 : 1));
  return keys[0]?.column ?? null;
}

function isKey({ distinct, filled, rows, kind }: ColumnFacts, least: number): boolean {
  return distinct >= least * filled && filled >= least * rows && kind !== 'time' && kind !== 'boolean';
}

/**
 * The column whose values are those of the customers of the transactions.
 *
 * @param customer of the transactions, as a person named it
 * @returns the best pair, whether it is good enough or not; null: there is no column that could be the key
 */
export async function keyByValues(
  looking: Looking,
  { people, transactions, customer }: { people: LookedAt; transactions: LookedAt; customer?: string | null },
): Promise<{ column: string; found: Found } | null> {
  const keys = people.facts.columns.filter((column) => isKey(column, MOSTLY)).slice(0, MOST_TRIED);
  let best: { column: string; found: Found } | null = null;
  for (const of of customerColumns(transactions.facts, customer)) {
    for (const { name: column } of keys) {
      const share = await shareFound(looking, { table: transactions, column: of }, { table: people, column });
      if (best === null || share > best.found.share) best = { column, found: { of, share } };
    }
  }
  return best;
}

export function isEnough({ share }: Found): boolean {
  return share >= LEAST_FOUND;
}

export function foundWords({ column, found }: { column: string; found: Found }): string {
  return `${percent(found.share)} of the values of ${found.of} are in ${column}`;
}

function customerColumns(facts: TableFacts, given: string | null | undefined): string[] {
  if (given) {
    const named = facts.columns.find(({ name }) => name.toLowerCase() === given.toLowerCase());
    return named ? [named.name] : [];
  }
  const { column, others } = guessRoles(facts, {}).customer;
  const names = [...(column === null ? [] : [column]), ...others.map((other) => other.column)];
  // An order's number names orders, in a table of them as well.
  return names.filter((name) => nameSays(name, 'order').weight < nameSays(name, 'customer').weight);
}

/** Share of the different values of one column that another one has. */
export async function shareFound(
  { warehouse, signal }: Looking,
  asked: { table: LookedAt; column: string },
  among: { table: LookedAt; column: string },
): Promise<number> {
  const values = ({ table, column }: typeof asked) => {
    const missing = columnOf(table.facts, column)?.missingWords ?? [];
    const text = `trim(CAST(${ident(column)} AS VARCHAR))`;
    const words = ['', ...missing].map((word) => `'${word.replaceAll("'", "''")}'`);
    return `(SELECT DISTINCT ${text} AS value FROM ${table.from} WHERE upper(${text}) NOT IN (${words.join(', ')}))`;
  };
  const [row] = await warehouse.rows(
    `SELECT count(*) AS asked, count(known.value) AS found FROM ${values(asked)} AS asked LEFT JOIN ${values(among)} AS known USING (value)`,
    { signal },
  );
  return Number(row!.asked) === 0 ? 0 : Number(row!.found) / Number(row!.asked);
}
