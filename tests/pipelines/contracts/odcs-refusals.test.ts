import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseContract } from '../../../pipelines/contracts/parse-contract.ts';

type Property = Record<string, unknown>;

const written = (properties: Property[], more: object = {}, table: object = {}) =>
  stringify({
    ...{ apiVersion: 'v3.1.0', kind: 'DataContract', id: 'books', version: '1.0.0', status: 'draft' },
    schema: [{ name: 'transactions', properties, ...table }],
    ...more,
  });
const parse = (properties: Property[], more: object = {}, table: object = {}) =>
  parseContract(written(properties, more, table));
const quality = (item: object, name = 'quantity') => ({ name, quality: [{ mustBe: 0, ...item }] });

test.each<[string, Property[], RegExp, object?, object?]>([
  [
    'an unknown key',
    [quality({ metric: 'nullValues', mustBeLesThan: 3 })],
    /quality\.0: Unrecognized key: "mustBeLesThan"/,
  ],
  [
    'two operators',
    [quality({ metric: 'nullValues', mustBeLessThan: 3 })],
    /needs one operator, such as mustBe: 0, not mustBe and mustBeLessThan/,
  ],
  ['no operator', [{ name: 'quantity', quality: [{ metric: 'nullValues' }] }], /needs one operator/],
  [
    'an operator that asks for broken rows',
    [quality({ metric: 'nullValues', mustBe: 5 })],
    /quality\.0\.mustBe: needs to allow no broken row.*found 5/,
  ],
  [
    'a severity that means nothing',
    [quality({ metric: 'nullValues', severity: 'blocker' })],
    /severity: needs one of error, .*found "blocker"/,
  ],
  [
    'a number of rows in a property',
    [quality({ metric: 'rowCount' })],
    /metric: needs to stand in the quality of the table.*found "rowCount"/,
  ],
  [
    'another query',
    [quality({ type: 'sql', query: 'SELECT AVG(quantity) FROM {object}' })],
    /query: needs a query of the form SELECT COUNT\(\*\)/,
  ],
  [
    'a query over several rows',
    [quality({ type: 'sql', query: 'SELECT COUNT(*) FROM {object} WHERE quantity > 1 GROUP BY country' })],
    /without GROUP/,
  ],
  [
    'a query within',
    [quality({ type: 'sql', query: 'SELECT COUNT(*) FROM {object} WHERE country IN (SELECT x FROM y)' })],
    /without SELECT/,
  ],
  [
    'two statements',
    [quality({ type: 'sql', query: 'SELECT COUNT(*) FROM {object} WHERE true; DROP TABLE x' })],
    /needs one condition/,
  ],
  [
    'brackets that break out',
    [quality({ type: 'sql', query: 'SELECT COUNT(*) FROM {object} WHERE true) OR (true' })],
    /brackets/,
  ],
  [
    'another name in a query',
    [quality({ type: 'sql', query: 'SELECT COUNT(*) FROM {object} t WHERE t.quantity > 1' })],
    /WHERE straight behind/,
  ],
  [
    'looking ahead',
    [{ name: 'country', logicalType: 'string', logicalTypeOptions: { pattern: 'a(?=b)' } }],
    /pattern: needs a pattern without looking ahead.*found "a\(\?=b\)"/,
  ],
  [
    'a format that no pattern tells',
    [{ name: 'country', logicalType: 'string', logicalTypeOptions: { format: 'password' } }],
    /needs a format that can be checked \(email, .*found "password"/,
  ],
  [
    'a type that the column cannot have',
    [{ name: 'quantity', logicalType: 'string' }],
    /logicalType: needs integer or number, since quantity is read as a whole number, found "string"/,
  ],
  [
    'an option of another type',
    [{ name: 'quantity', logicalType: 'integer', logicalTypeOptions: { maxLength: 3 } }],
    /needs one of minimum, .* for integer/,
  ],
  [
    'a time with a zone',
    [
      {
        name: 'ordered_at',
        logicalType: 'timestamp',
        logicalTypeOptions: { minimum: '2026-01-01T00:00:00Z' },
      },
    ],
    /without a zone, found/,
  ],
  [
    'a day that is not',
    [{ name: 'ordered_at', logicalType: 'date', logicalTypeOptions: { minimum: '2026-02-30' } }],
    /found "2026-02-30"/,
  ],
  [
    'two keys',
    [
      { name: 'line_id', unique: true },
      { name: 'order_id', unique: true },
    ],
    /needs one key at most .*found line_id and order_id/,
  ],
  [
    'a name twice',
    [
      quality({ metric: 'nullValues', name: 'one' }),
      quality({ metric: 'nullValues', name: 'one' }, 'country'),
    ],
    /needs a name of its own for each check, found one twice/,
  ],
  [
    'a column twice',
    [{ name: 'country' }, { name: 'country' }],
    /properties\.1\.name: needs to be there once/,
  ],
  ['a name that is taken', [{ name: 'malformed' }], /needs the snake_case name/],
  [
    'a relation to nowhere',
    [{ name: 'customer_id', relationships: [{ to: 'shops.id' }] }],
    /needs to lead from transactions\.customer_id/,
  ],
  [
    'a relation without a second table',
    [{ name: 'customer_id', relationships: [{ to: 'customers.customer_id' }] }],
    /needs the second table/,
  ],
  [
    'a slip in a name of ours',
    [{ name: 'country' }],
    /customProperties\.0\.property: needs one of strataWarn.*found "strataMinimumCustomer"/,
    { customProperties: [{ property: 'strataMinimumCustomer', value: 3 }] },
  ],
  [
    'a share that is none',
    [{ name: 'country' }],
    /customProperties\.0\.value: needs a number from 0 to 1, found 20/,
    { customProperties: [{ property: 'strataFailRefusedShare', value: 20 }] },
  ],
  [
    'a freshness without a unit',
    [{ name: 'ordered_at' }],
    /slaProperties\.0\.unit: needs h, d or w/,
    { slaProperties: [{ property: 'freshness', value: 1 }] },
  ],
  [
    'another version of the standard',
    [{ name: 'country' }],
    /apiVersion: needs v3\.1\.0.*found "v2\.2\.0"/,
    { apiVersion: 'v2.2.0' },
  ],
  [
    'the form of before',
    [{ name: 'country' }],
    /version: needs a text such as 1\.0\.0, found 1/,
    { version: 1 },
  ],
  [
    'another table',
    [{ name: 'country' }],
    /schema\.0\.name: needs transactions or customers, found "orders"/,
    {},
    { name: 'orders' },
  ],
])('%s is refused in words', (_, properties, message, more = {}, table = {}) => {
  expect(() => parse(properties, more, table)).toThrow(
    expect.objectContaining({ code: 'DEFINITION_INVALID' }),
  );
  expect(() => parse(properties, more, table)).toThrow(message);
});
