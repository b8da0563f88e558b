import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseContract } from '../../../pipelines/contracts/parse-contract.ts';
import { refusedFunction } from '../../../pipelines/contracts/sql-refused.ts';

test.each([
  ["max(date_diff('day', ordered_at, now()))", /^now\(…\), .*as_of/],
  ['max(CURRENT_DATE - ordered_at)', /^current_date, .*moment/],
  ['max(current_timestamp)', /^current_timestamp, /],
  ['sum(amount) * Random ()', /^random\(…\), .*chance/],
  ['sum("random"())', /^random\(…\), .*chance/],
  ['min(uuidv7())', /^uuidv7\(…\)/],
  ["getenv('HOME')", /^getenv\(…\), .*machine/],
  ["(SELECT count(*) FROM read_csv_auto('x.csv'))", /^read_csv_auto\(…\), which reads files/],
  ["(SELECT count(*) FROM parquet_scan('x.parquet'))", /^parquet_scan\(…\)/],
  ["(SELECT count(*) FROM glob('*'))", /^glob\(…\)/],
])('%s is refused by the name of the function', (sql, told) => {
  expect(refusedFunction(sql)).toMatch(told);
});

test.each([
  "count(*) FILTER (WHERE channel = 'now()')",
  'max("current_date")',
  'max(today)',
  'sum(random) + sum(uuid)',
  "count(*) FILTER (WHERE country GLOB ('A*'))",
  'max(ordered_at) -- now()',
])('%s is allowed', (sql) => {
  expect(refusedFunction(sql)).toBeNull();
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
