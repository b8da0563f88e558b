import { quoteName } from '../../contracts/sql-quote.ts';
import type { Column, Reader, Relation } from './relation.ts';
import type { Duplicates } from './report.ts';
import type { Drawn } from './samples.ts';

/** Rows of an extract that is searched for copies whole. */
const ROWS_SEARCHED_WHOLE = 2_000_000;
const MOST_STEADY = 12;

export interface CustomerFacts {
  customers: number;
  /** Rows of the customer that has most of them. */
  mostRows: number;
}

export async function countCustomers(reader: Reader, { from }: Relation): Promise<CustomerFacts> {
  const [found] = await reader.rows(
    `SELECT count(*) AS customers, coalesce(max(rows), 0) AS most
FROM (SELECT count(*) AS rows FROM ${from} WHERE customer_id IS NOT NULL GROUP BY customer_id)`,
  );
  return { customers: Number(found!.customers), mostRows: Number(found!.most) };
}

/**
 * Rows that are in every column as an earlier one. Marks of a row are left out: `is_duplicate` tells copies apart.
 * Of a large extract the copies among the drawn customers' rows stand for all.
 */
export async function measureDuplicates(
  reader: Reader,
  relation: Relation,
  about: { columns: readonly Column[]; own: readonly string[]; rows: number; drawn: Drawn },
): Promise<Duplicates> {
  const { rows, drawn, own } = about;
  const isEstimate = rows > ROWS_SEARCHED_WHOLE && drawn.every > 1;
  const from = isEstimate ? drawn.from : relation.from;
  const names = [...about.columns.map(({ name }) => name), ...own.filter((name) => name === 'malformed')].map(
    quoteName,
  );
  const [found] = await reader.rows(
    `SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(rows) - count(*), 0) AS copies
FROM (SELECT count(*) AS rows FROM ${from} GROUP BY hash(${names.join(', ')}))`,
  );
  const [counted, copies] = [Number(found!.rows), Number(found!.copies)];
  const scale = isEstimate && counted > 0 ? rows / counted : 1;
  const { unique } = relation.contract;
  return {
    exact: { rows: Math.round(copies * scale), counted, isEstimate },
    byKey: unique && own.includes('is_duplicate') ? await byKey(reader, relation, unique) : null,
  };
}

async function byKey(
  reader: Reader,
  { from }: Relation,
  columns: string[],
): Promise<NonNullable<Duplicates['byKey']>> {
  const [found] = await reader.rows(`SELECT count(*) FILTER (WHERE is_duplicate) AS rows FROM ${from}`);
  return { columns, rows: Number(found!.rows) };
}

/** A column that is nearly always the same for a customer, and the customers for whom it is not. */
export interface Unsteady {
  column: string;
  customers: number;
  /** Customers with a value, among whom they were counted. */
  counted: number;
}

const STEADY_SHARE = 0.95;

/** Columns of words that look like a trait of the customer and are not one of everybody. */
export async function unsteadyColumns(
  reader: Reader,
  drawn: Drawn,
  words: readonly string[],
): Promise<Unsteady[]> {
  const names = words.slice(0, MOST_STEADY);
  if (names.length === 0) return [];
  const changes = names.map(
    (name, i) => `min(${quoteName(name)}) <> max(${quoteName(name)}) AS changed_${i}`,
  );
  const [found] = await reader.rows(
    `SELECT ${names.map((_, i) => `count(*) FILTER (WHERE changed_${i}) AS changed_${i}, count(changed_${i}) AS counted_${i}`).join(', ')}
FROM (SELECT ${changes.join(', ')} FROM ${drawn.from}
  GROUP BY customer_id HAVING count(*) > 1)`,
  );
  return names
    .map((column, i) => ({
      column,
      customers: Number(found![`changed_${i}`]),
      counted: Number(found![`counted_${i}`]),
    }))
    .filter((own) => own.customers > 0 && own.customers <= (1 - STEADY_SHARE) * own.counted);
}
