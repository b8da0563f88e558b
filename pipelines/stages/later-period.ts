import type { Contract } from '../contracts/contract.ts';
import { type CustomerIds, compareIds, customerCount } from '../contracts/customers.ts';
import { type ExtractSource, sourceValue } from './extract.ts';
import { canonicalValue } from './extract-casts.ts';
import { extractSql } from './extract-sql.ts';
import { acceptedSql, type CheckedSql } from './validate.ts';

// What customers did after the as-of date of a run over the past. It is kept apart from the extract, and no
// feature is made of it: it only judges whether the segments made before tell those customers apart. Rows go
// through the same casts and the same contract as those before; the period is read as an extract of its own,
// so that a line loaded twice within it counts once.

/** Fewer days are chance: many who come back do so monthly. A definition that asks for fewer gets them. */
const FEWEST_DAYS = 28;

/** Beyond it a double, which the features stage holds it in, is no longer exact. */
const MOST_CENTS = '90071992547409.91';

export interface LaterDays {
  days: number;
  /** ISO date: the first day after them. */
  until: string;
}

export interface LaterSpend {
  customers: CustomerIds;
  /** Shape (n,) each. */
  spendCents: Float64Array;
  orders: Float64Array;
}

/**
 * One row for `readLaterDays`: how many days from the as-of date on the source tells of, at most the horizon.
 * Reads the column of order times alone. The newest day counts as whole, as it does for an as-of date.
 *
 * @param nextDay ISO date: orders from then on are dated after they were loaded, and tell of nothing
 */
export function laterDaysSql({
  source,
  asOf,
  nextDay,
  horizonDays,
}: {
  source: ExtractSource;
  asOf: string;
  nextDay: string;
  horizonDays: number;
}): string {
  const { value: orderedAt } = canonicalValue(sourceValue(source, 'ordered_at'));
  return `SELECT days, CAST(DATE '${asOf}' + days AS VARCHAR) AS until
FROM (SELECT least(${horizonDays}, coalesce(date_diff('day', DATE '${asOf}', CAST(max(ordered_at) AS DATE)) + 1, 0))::INTEGER AS days
  FROM (SELECT ${orderedAt} AS ordered_at FROM ${source.from})
  WHERE ordered_at >= TIMESTAMP '${asOf} 00:00:00' AND ordered_at < TIMESTAMP '${nextDay} 00:00:00')`;
}

/** Null when the source tells neither of the whole horizon nor of four weeks of it. */
export function readLaterDays(row: Readonly<Record<string, unknown>>, horizonDays: number): LaterDays | null {
  const days = Number(row.days);
  if (days < Math.min(horizonDays, FEWEST_DAYS)) return null;
  return { days, until: String(row.until) };
}

/**
 * One row per customer with an accepted row in the period, in byte order of `customer_id`: `spend_cents`
 * (BIGINT, not below 0: who only gave things back spent nothing), `orders`, `rows`.
 *
 * @param asOf, until ISO dates: the first day, and the first one after
 */
export function laterSpendSql({
  source,
  contract,
  asOf,
  until,
}: {
  source: ExtractSource;
  contract: Contract;
  asOf: string;
  until: string;
}): CheckedSql {
  const rows = `(${extractSql({ source, contract, asOf: until, from: asOf, unordered: true })})`;
  return {
    sql: `SELECT customer_id,
  CAST(round(least(greatest(coalesce(sum(amount), 0), 0), ${MOST_CENTS}), 2) * 100 AS BIGINT) AS spend_cents,
  count(DISTINCT order_id) AS orders, count(*) AS rows
FROM ${rows}
WHERE customer_id IS NOT NULL AND ${acceptedSql(contract)}
GROUP BY customer_id ORDER BY customer_id`,
    parts: contract.rules.map(({ name, check }) => ({
      name: `rule ${name} of contract.yaml, in rows from ${asOf} on,`,
      sql: `SELECT count(*) FROM ${rows} WHERE ((${check}\n) IS TRUE)`,
    })),
  };
}

/**
 * The later spend of a run's customers: row i is customer i, 0 for who did not buy again. Customers who came
 * only later are left out: no segment has them.
 *
 * @returns and how many of the run's customers bought again
 *
 * O(customers + later customers), both in byte order of their ids.
 */
export function alignLater(
  customers: CustomerIds,
  later: LaterSpend,
): { spendCents: Float64Array; orders: Float64Array; returned: number } {
  const rows = customerCount(customers);
  const spendCents = new Float64Array(rows);
  const orders = new Float64Array(rows);
  const laterRows = customerCount(later.customers);
  let returned = 0;
  let at = 0;
  for (let row = 0; row < rows && at < laterRows; row++) {
    let order = compareIds(later.customers, at, customers, row);
    while (order < 0 && ++at < laterRows) order = compareIds(later.customers, at, customers, row);
    if (order !== 0) continue;
    spendCents[row] = later.spendCents[at]!;
    orders[row] = later.orders[at]!;
    returned++;
    at++;
  }
  return { spendCents, orders, returned };
}
