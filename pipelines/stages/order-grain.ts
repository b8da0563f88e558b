import { columnsNamed } from '../contracts/sql-columns.ts';

// Orders, made of the lines of the extract: what an aggregate with `over: orders` sees a row of. Only the columns
// that some expression names are made, and the gap only where one asks for it: it takes a sort.

/** Columns of an order, from its lines; beside them `customer_id`, `order_id` and attributes. */
const COLUMNS: Readonly<Record<string, string>> = {
  /** Time of its first line. */
  ordered_at: 'min(ordered_at)',
  amount: 'sum(amount)',
  quantity: 'sum(quantity)',
  lines: 'count(*)',
  /** Distinct categories. */
  products: 'count(DISTINCT category)',
  discount: 'sum(discount)',
  // The same for all lines of an order; were it not, the least word in byte order would stand for them.
  channel: 'min(channel)',
  country: 'min(country)',
};

/** From the customer's orders before it; orders of one moment stand in the byte order of their numbers. */
const PLACED: Readonly<Record<string, string>> = {
  /** Whole days since the customer's order before, as midnights between them; NULL for the first. */
  gap_days: `date_diff('day', CAST(lag(ordered_at) OVER before AS DATE), CAST(ordered_at AS DATE))`,
  /** Whether the customer's order before it is of another month, or there is none: counted, they are the months. */
  is_first_in_month: `date_trunc('month', lag(ordered_at) OVER before) IS DISTINCT FROM date_trunc('month', ordered_at)`,
  /** From 1. */
  order_number: 'row_number() OVER before',
};

/** Names of the columns that an aggregate over orders may use. */
export const ORDER_COLUMNS: readonly string[] = [
  'customer_id',
  'order_id',
  ...Object.keys(COLUMNS),
  ...Object.keys(PLACED),
];

/**
 * A relation with one row per customer and order, in no order.
 *
 * @param lines relation of the accepted rows
 * @param expressions the aggregates over orders, of which this reads which columns are needed
 * @param attributes further columns of the lines, the same for all lines of an order
 */
export function ordersSql(
  lines: string,
  expressions: readonly string[],
  attributes: readonly string[] = [],
): string {
  const names = new Set(expressions.flatMap(columnsNamed));
  const placed = Object.entries(PLACED).filter(([name]) => names.has(name));
  if (placed.length > 0) names.add('ordered_at');
  const columns = [
    ...Object.entries(COLUMNS),
    ...attributes.map((name): [string, string] => [name, `min("${name}")`]),
  ].filter(([name]) => names.has(name));
  const made = columns.map(([name, sql]) => `, ${sql} AS "${name}"`).join('');
  const orders = `(SELECT customer_id, order_id${made}
  FROM ${lines} GROUP BY customer_id, order_id)`;
  if (placed.length === 0) return orders;
  return `(SELECT *${placed.map(([name, sql]) => `, ${sql} AS ${name}`).join('')} FROM ${orders}
  WINDOW before AS (PARTITION BY customer_id ORDER BY ordered_at, order_id))`;
}
