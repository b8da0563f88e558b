import { expect, test } from 'vitest';
import { columnsNamed } from '../../../pipelines/contracts/sql-columns.ts';
import { sqlTokens } from '../../../pipelines/contracts/sql-tokens.ts';

test.each<[string, string[]]>([
  ['count(*)', []],
  ['count(DISTINCT order_id)', ['order_id']],
  [`date_diff('day', CAST(max(ordered_at) AS DATE), CAST(as_of AS DATE))`, ['ordered_at', 'as_of']],
  ['CAST(round(sum(Amount), 2) * 100 AS DECIMAL(18, 2))', ['amount']],
  ['count(*) FILTER (WHERE isodow(ordered_at) >= 6) / count(*)', ['ordered_at']],
  [`sum(amount) FILTER (WHERE channel = 'country' AND NOT is_gift)`, ['amount', 'channel', 'is_gift']],
  [
    'sum(amount) -- not the quantity\n + max(discount) /* nor /* ever */ unit_price */',
    ['amount', 'discount'],
  ],
  [`any_value("Point of sale") || $$country$$ || e'it\\'s category'`, ['point of sale']],
  [`count(*) FILTER (WHERE ordered_at >= as_of - INTERVAL 90 DAY)`, ['ordered_at', 'as_of']],
  [
    `count(*) FILTER (WHERE ordered_at > as_of - INTERVAL (30 * months) DAYS)`,
    ['ordered_at', 'as_of', 'months'],
  ],
  [`avg(EXTRACT(year FROM ordered_at)) + sum(year)`, ['ordered_at', 'year']],
  [`max(ordered_at::DATE - DATE '2026-01-01')`, ['ordered_at']],
  ['CAST(max(ordered_at) AS TIMESTAMP WITH TIME ZONE) AT TIME ZONE zone_name', ['ordered_at', 'zone_name']],
  ['len(list_filter(list(amount), x -> x > 0))', ['amount']],
  ['len(list_filter(list(amount), lambda x: x > least_spend))', ['amount', 'least_spend']],
  ['list(amount ORDER BY ordered_at DESC NULLS LAST)', ['amount', 'ordered_at']],
  [`arg_max(details ->> 'size', ordered_at) = details.size`, ['details', 'ordered_at']],
  ['quantile_cont(amount, 0.5) > 1e3', ['amount']],
  ['customer_id IS NOT DISTINCT FROM größe', ['customer_id', 'größe']],
])('%s names %j', (sql, columns) => {
  expect(columnsNamed(sql)).toEqual(columns);
});

test('tokens tell where they stand, and nothing but blanks and comments lies between them', () => {
  const sql = `SELECT "a""b", 'it''s' /* x */ FROM t -- end`;
  expect(sqlTokens(sql).map(({ start, end }) => sql.slice(start, end))).toEqual([
    'SELECT',
    '"a""b"',
    ',',
    `'it''s'`,
    'FROM',
    't',
  ]);
});

test.each([`'open`, '"open', '/* open', '$$open', '1 + '])('%s ends with the SQL', (sql) => {
  expect(sqlTokens(sql).at(-1)?.end ?? 0).toBeLessThanOrEqual(sql.length);
});
