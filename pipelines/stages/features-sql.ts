import type { Contract, FeatureSettings } from '../contracts/definition.ts';
import { acceptedSql, type CheckedSql } from './validate.ts';

/**
 * One row per customer of the accepted rows, in byte order of `customer_id`; then each aggregate feature as
 * a double, in the definition's order.
 *
 * The expressions see the extract's columns and `as_of`, a TIMESTAMP, as if it were one of them. Exact types
 * keep them free of the number of threads: sums of DECIMAL and BIGINT, counts, minima and maxima, and
 * quotients of these; a sum of doubles would not be. COUNT(DISTINCT …) is fine: in an extract sorted by
 * customer it took 2.5 s for 10M rows of 1M customers, no more than two-level aggregation.
 *
 * @param from relation of the frozen extract
 * @param asOf ISO date
 */
export function featuresSql({
  from,
  contract,
  aggregate,
  asOf,
}: {
  from: string;
  contract: Contract;
  aggregate: FeatureSettings['aggregate'];
  asOf: string;
}): CheckedSql {
  const rows = `(SELECT *, TIMESTAMP '${asOf} 00:00:00' AS as_of FROM ${from}
  WHERE customer_id IS NOT NULL AND ${acceptedSql(contract)})`;
  const expressions = aggregate.map(({ name, sql }) => `CAST((${sql}\n) AS DOUBLE) AS "${name}"`);
  // Grouped by the constant too, so that an aggregate may name it bare.
  const group = `GROUP BY customer_id, as_of`;
  return {
    sql: `SELECT customer_id, ${expressions.join(',\n  ')}\nFROM ${rows}\n${group} ORDER BY customer_id`,
    parts: aggregate.map(({ name }, i) => ({
      name: `feature ${name} of pipeline.yaml`,
      sql: `SELECT count("${name}") FROM (SELECT ${expressions[i]} FROM ${rows} ${group})`,
    })),
  };
}
