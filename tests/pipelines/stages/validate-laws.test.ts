import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Contract } from '../../../pipelines/contracts/contract.ts';
import { parseContract } from '../../../pipelines/contracts/parse-contract.ts';
import { quoteText } from '../../../pipelines/contracts/sql-quote.ts';
import { extractSql } from '../../../pipelines/stages/extract-sql.ts';
import {
  acceptedSql,
  brokenRowsSql,
  quarantineSql,
  readValidation,
  validationSql,
} from '../../../pipelines/stages/validate.ts';
import type { Row, Warehouse } from '../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

// Random tables go through the real freezing, random contracts through the real parser, both through DuckDB.

const COLUMNS = {
  customer_id: 'c',
  order_id: 'o',
  ordered_at: 't',
  quantity: 'q',
  unit_price: 'p',
  category: 'k',
};
const RUNS = 60;

let fixture: WarehouseFixture;
let warehouse: Warehouse;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

/** Texts as they may stand in a file: good, missing, unreadable. */
const cell = (...good: string[]) =>
  fc.oneof({ weight: 40, arbitrary: fc.constantFrom(...good) }, fc.constantFrom(null, '', 'x', '?', "it's"));
const row = fc.record({
  c: cell('a', 'b', 'c', '17', '18.0'),
  o: cell('1', '2', '3', 'C4'),
  t: cell('2026-01-01', '2026-02-01 10:00:00', '2026-03-01T00:00:00Z', '2026-12-31'),
  q: cell('1', '2', '12', '-3', '0', '2.5'),
  p: cell('1.5', '0', '20', '-1', '0.1', '99999999999999999999'),
  k: cell('home', 'garden', 'HOME', 'x-1'),
});
/** Some rows stand there twice. */
const rows = fc
  .array(row, { minLength: 0, maxLength: 40 })
  .chain((made) =>
    fc
      .array(fc.nat(Math.max(0, made.length - 1)), { maxLength: 5 })
      .map((copies) => [...made, ...copies.flatMap((at) => made[at] ?? [])]),
  );

const severity = fc.constantFrom(undefined, 'error', 'reject', 'warning', 'info', 'critical', 'fail');
const allowed = fc.constantFrom<object>(
  { mustBe: 0 },
  { mustBeLessThan: 3 },
  { mustBeLessOrEqualTo: 2.5 },
  { mustBeLessThan: 10, unit: 'percent' },
  { mustBeBetween: [0, 50], unit: 'percent' },
);
const check = (...kinds: object[]) =>
  fc
    .tuple(fc.constantFrom(...kinds), allowed, severity)
    .map(([kind, limit, severe]) => ({ ...kind, ...limit, ...(severe && { severity: severe }) }));
const sql = (condition: string) => ({
  type: 'sql',
  query: `SELECT COUNT(*) FROM {object} WHERE ${condition}`,
});
const common = [
  { metric: 'nullValues' },
  sql('{property} IS NULL -- a comment'),
  { metric: 'missingValues', arguments: { missingValues: [null, 'x', '?'] } },
];

const property = (
  name: string,
  type: string,
  options: Record<string, fc.Arbitrary<unknown>>,
  checks: object[],
) =>
  fc.record(
    {
      name: fc.constant(name),
      logicalType: fc.constant(type),
      required: fc.boolean(),
      logicalTypeOptions: fc
        .record(options)
        .chain((all) =>
          fc.constantFrom(...Object.entries(all)).map(([option, value]) => ({ [option]: value })),
        ),
      quality: fc.array(check(...common, ...checks), { maxLength: 2 }),
    },
    { requiredKeys: ['name', 'logicalType'] },
  );
const bounds = (low: fc.Arbitrary<unknown>, high: fc.Arbitrary<unknown>) => ({
  ...{ minimum: low, exclusiveMinimum: low, maximum: high, exclusiveMaximum: high },
});
const texts = {
  minLength: fc.nat(3),
  maxLength: fc.integer({ min: 1, max: 6 }),
  pattern: fc.constantFrom('^[a-c]$', '[0-9]', '^(home|garden)$', "'", '\\d+'),
  format: fc.constantFrom('email', 'hostname', 'uuid'),
};
const properties = fc
  .tuple(
    property('customer_id', 'string', texts, [
      { metric: 'invalidValues', arguments: { validValues: ['a', 'b', 17] } },
    ]),
    property('order_id', 'integer', bounds(fc.nat(2), fc.nat(5)), [sql("starts_with({property}, 'C')")]),
    property(
      'ordered_at',
      'timestamp',
      bounds(fc.constant('2026-01-15'), fc.constant('2026-02-15T00:00:00')),
      [sql(`{property} < TIMESTAMP '2026-02-01'`)],
    ),
    property(
      'quantity',
      'integer',
      {
        ...bounds(fc.integer(), fc.nat(9)),
        multipleOf: fc.constantFrom(1, 2, 0.5),
        format: fc.constant('i8'),
      },
      [
        { metric: 'invalidValues', arguments: { validValues: [1, 2] } },
        sql('{property} <= 0 OR unit_price > 10'),
      ],
    ),
    property(
      'unit_price',
      'number',
      {
        ...bounds(fc.constant(-0.5), fc.double({ min: 0, max: 30, noNaN: true })),
        multipleOf: fc.constantFrom(0.1, 0.25),
      },
      [{ metric: 'invalidValues', arguments: { pattern: '^[0-9]' } }],
    ),
    property('category', 'string', texts, [
      { metric: 'invalidValues', arguments: { validValues: ['home', null] } },
    ]),
  )
  .chain((all) => fc.subarray(all, { minLength: 1, maxLength: 3 }));
const keys = fc.constantFrom<object>(
  {},
  {
    quality: [{ metric: 'duplicateValues', mustBe: 0, arguments: { properties: ['order_id', 'category'] } }],
  },
  { quality: [{ ...sql('malformed IS NOT NULL'), mustBe: 0, name: 'mine' }] },
  { quality: [{ metric: 'rowCount', mustBeGreaterThan: 3 }] },
);

const contracts = fc.tuple(properties, keys).map(([made, key]) => {
  const named = new Set(made.map(({ name }) => name));
  const more = ['order_id', 'category'].filter((name) => !named.has(name)).map((name) => ({ name }));
  return stringify({
    ...{ apiVersion: 'v3.1.0', kind: 'DataContract', id: 'laws', version: '1.0.0', status: 'draft' },
    schema: [{ name: 'transactions', properties: [...made, ...more], ...key }],
  });
});

async function freeze(from: string, contract: Contract, name: string): Promise<string> {
  const types = Object.fromEntries(
    (await warehouse.rows(`DESCRIBE FROM ${from}`)).map((column) => [
      column.column_name,
      String(column.column_type),
    ]),
  );
  const known = Object.hasOwn(types, 'c')
    ? COLUMNS
    : Object.fromEntries(Object.keys(COLUMNS).map((one) => [one, one]));
  const source = { from, columns: known as typeof COLUMNS, types, name };
  await warehouse.copyToParquet(extractSql({ source, contract, asOf: '2027-01-01' }), fixture.path(name));
  return `read_parquet('${fixture.path(name)}')`;
}

async function rawTable(made: readonly Record<string, string | null>[]): Promise<string> {
  const values = made.map((line) => `(${Object.values(line).map(quoted).join(', ')})`);
  const table =
    values.length === 0 ? `(SELECT ${'NULL, '.repeat(5)}NULL WHERE false)` : `(VALUES ${values.join(', ')})`;
  const names = Object.values(COLUMNS);
  const columns = names.map((name) => `CAST(${name} AS VARCHAR) AS ${name}`).join(', ');
  await warehouse.copyToParquet(
    `SELECT ${columns} FROM ${table} AS made(${names.join(', ')})`,
    fixture.path('raw.parquet'),
  );
  return `read_parquet('${fixture.path('raw.parquet')}')`;
}

function quoted(text: string | null): string {
  return text === null ? 'NULL' : quoteText(text);
}

async function countRows(from: string, contract: Contract) {
  const checked = { from, contract, broken: 'broken_rows' };
  await warehouse.rows(brokenRowsSql(checked));
  const [row] = await warehouse.rows(validationSql(checked));
  return readValidation(row!, contract);
}

const inOrder = (found: readonly Row[]) => found.map((one) => JSON.stringify(one)).sort();

test('of random tables under random contracts every row read is accepted, or refused with its reasons', async () => {
  let refusedRows = 0;
  let acceptedRows = 0;
  const property = fc.asyncProperty(rows, contracts, async (made, text) => {
    const contract = parseContract(text);
    const from = await freeze(await rawTable(made), contract, 'extract.parquet');
    const counts = await countRows(from, contract);
    const refused = counts.rules.reduce((sum, rule) => sum + rule.refused, 0);
    expect(counts.rows).toBe(made.length);
    expect(counts.accepted + refused).toBe(counts.rows);
    for (const rule of counts.rules) expect(rule.refused).toBeLessThanOrEqual(rule.broken);

    // The quarantine has the rows that the one predicate does not accept, no other ones, each with a reason.
    const kept = await warehouse.rows(quarantineSql({ from, contract, refused, broken: 'broken_rows' }));
    const without = await warehouse.rows(quarantineSql({ from, contract, refused }));
    expect(kept).toEqual(without);
    const left = await warehouse.rows(`SELECT * FROM ${from} WHERE NOT ${acceptedSql(contract)}`);
    expect(inOrder(kept.map(({ refused_by: _, broken_rules: __, ...columns }) => columns))).toEqual(
      inOrder(left),
    );
    for (const { refused_by, broken_rules } of kept) expect((broken_rules as string[])[0]).toBe(refused_by);
    const first = (name: string) => kept.filter(({ refused_by }) => refused_by === name).length;
    expect(counts.rules.map(({ name }) => first(name))).toEqual(counts.rules.map((rule) => rule.refused));

    // What was accepted is accepted again, by the same file and frozen anew.
    const columns = Object.keys(COLUMNS).join(', ');
    const accepted = `(SELECT ${columns} FROM ${from} WHERE ${acceptedSql(contract)})`;
    await warehouse.copyToParquet(`SELECT * FROM ${accepted}`, fixture.path('accepted.parquet'));
    const again = await freeze(
      `read_parquet('${fixture.path('accepted.parquet')}')`,
      contract,
      'again.parquet',
    );
    expect(await countRows(again, contract)).toMatchObject({
      rows: counts.accepted,
      accepted: counts.accepted,
    });
    refusedRows += refused;
    acceptedRows += counts.accepted;
  });
  await fc.assert(property, { numRuns: RUNS, seed: 20_260_701 });
  // Laws of tables that are all good or all bad would say little.
  expect(refusedRows).toBeGreaterThan(RUNS);
  expect(acceptedRows).toBeGreaterThan(RUNS);
}, 120_000);

test('more than sixty rules find their rows all the same', async () => {
  const quality = Array.from({ length: 130 }, (_, i) => ({
    ...sql(`{property} = ${i}`),
    name: `is-${i}`,
    mustBe: 0,
  }));
  const contract = parseContract(
    stringify({
      ...{ apiVersion: 'v3.1.0', kind: 'DataContract', id: 'many', version: '1.0.0', status: 'draft' },
      schema: [{ name: 'transactions', properties: [{ name: 'quantity', quality }] }],
    }),
  );
  const from = `(SELECT 'a' AS customer_id, TIMESTAMP '2026-01-01' AS ordered_at, CAST(NULL AS VARCHAR) AS malformed,
    i % 140 AS quantity, i AS file_row_number FROM range(280) AS made(i))`;
  const counts = await countRows(from, contract);
  expect(counts.accepted).toBe(20);
  expect(counts.rules.slice(2).every(({ broken, refused }) => broken === 2 && refused === 2)).toBe(true);
  const kept = await warehouse.rows(quarantineSql({ from, contract, refused: 260 }));
  expect(kept.every(({ refused_by, quantity }) => refused_by === `is-${quantity}`)).toBe(true);
});
