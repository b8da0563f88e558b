import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseDefinition } from '../../../pipelines/contracts/definition.ts';
import { parseContract } from '../../../pipelines/contracts/parse-contract.ts';
import { isClosed, refusedSql } from '../../../pipelines/contracts/sql-refused.ts';
import { featureCatalogue } from '../../../pipelines/stages/feature-catalogue.ts';

test.each([
  ["max(date_diff('day', ordered_at, now()))", /^now\(…\), .*as_of/],
  ['max(CURRENT_DATE - ordered_at)', /^current_date, .*moment/],
  ['max(current_timestamp)', /^current_timestamp, /],
  ['sum(amount) * Random ()', /^random\(…\), .*chance/],
  ['sum("random"())', /^random\(…\), .*chance/],
  ['min(uuidv7())', /^uuidv7\(…\)/],
  ["getenv('HOME')", /^getenv\(…\), .*machine/],
  ['max(age(ordered_at))', /^age\(…\), .*moment/],
  ["age(greatest(ordered_at, DATE '2026-01-01'))", /^age\(…\), .*moment/],
  ['max(ordered_at).age()', /^age\(…\), .*moment/],
  ["read_csv_auto('x.csv')", /^read_csv_auto\(…\), which reads files/],
  ["parquet_scan('x.parquet')", /^parquet_scan\(…\)/],
  ["glob('*')", /^glob\(…\)/],
  ["(SELECT count(*) FROM read_csv_auto('x.csv'))", /^SELECT, which begins another query: .*attribute/],
  ["(from 'orders.csv')", /^FROM, which begins another query/],
  ['count(*) FROM "orders.parquet" --', /^FROM, /],
  ['exists(TABLE shop)', /^TABLE, /],
  ["(PIVOT 'x.csv' ON a)", /^PIVOT, /],
  ['count(*); COPY x TO y', /^;, which ends a statement/],
])('%s is refused by what stands there', (sql, told) => {
  expect(refusedSql(sql)).toMatch(told);
});

test.each([
  "count(*) FILTER (WHERE channel = 'now()')",
  'max("current_date")',
  'max(today)',
  'sum(random) + sum(uuid)',
  "count(*) FILTER (WHERE country GLOB ('A*'))",
  'max(ordered_at) -- now()',
  'max(age(as_of, ordered_at))',
  'max(age(timestamptz as_of, ordered_at))',
  'max(age)',
  'max(extract(year FROM ordered_at))',
  "count(DISTINCT trim(both ' ' FROM category))",
  'count_if(category IS NOT DISTINCT FROM channel)',
  'sum("from") + sum("table")',
  `count_if(category = 'from x; select')`,
  'len([x FOR x IN list(amount) IF x > 0])',
])('%s is allowed', (sql) => {
  expect(refusedSql(sql)).toBeNull();
});

test.each(["count('", 'count(*', 'count(*))', 'count(*) /* to the end', 'max("a', 'x) + (y', '$$', "e'\\'"])(
  '%s would go on in what stands behind it',
  (sql) => {
    expect(isClosed(sql)).toBe(false);
  },
);

test.each(['count(*) -- (', "count_if(x = ')')", 'max("(")', '/* ( */ (1)'])(
  '%s ends where it ends',
  (sql) => {
    expect(isClosed(sql)).toBe(true);
  },
);

test('the whole catalogue of features is allowed', () => {
  const columns = new Set(['quantity', 'discount', 'category', 'channel', 'country', 'loaded_at']);
  const catalogue = featureCatalogue({ columns, currency: 'EUR', historyDays: 3_000, acceptsReturns: true });
  const made = catalogue.flatMap((feature) => ('sql' in feature ? [String(feature.sql)] : []));
  expect(made.length).toBeGreaterThan(20);
  expect(made.filter((sql) => refusedSql(sql) !== null || !isClosed(sql))).toEqual([]);
});

test.each([
  [
    "(SELECT count(*) FROM 'orders.csv')",
    /features\.aggregate\.0\.sql: needs SQL without SELECT, .*another query/,
  ],
  ['count(*)) --', /features\.aggregate\.0\.sql: needs brackets, texts and comments that open and close/],
])('a feature may not be %s', async (sql, told) => {
  const folder = new URL('../../../pipelines/definitions/shop/', import.meta.url);
  const read = (file: string) => readFile(new URL(file, folder), 'utf8');
  const pipeline = parse(await read('pipeline.yaml'));
  pipeline.features.aggregate[0].sql = sql;
  const files = { pipeline: stringify(pipeline), contract: await read('contract.yaml') };
  expect(() => parseDefinition('shop', files)).toThrow(told);
});

test('a condition of a contract may not ask the clock', () => {
  const query = 'SELECT COUNT(*) FROM {object} WHERE {property} > now()';
  const properties = [{ name: 'ordered_at', quality: [{ type: 'sql', query, mustBe: 0 }] }];
  const contract = stringify({
    ...{ apiVersion: 'v3.1.0', kind: 'DataContract', id: 'books', version: '1.0.0', status: 'draft' },
    schema: [{ name: 'transactions', properties }],
  });
  expect(() => parseContract(contract)).toThrow(/query: needs a condition without now\(…\), .*fixed date/);
});
