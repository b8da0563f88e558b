import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Contract } from '../../../pipelines/contracts/contract.ts';
import type { FeatureSettings } from '../../../pipelines/contracts/definition.ts';
import { featuresSql, partsSql, readParts } from '../../../pipelines/stages/features-sql.ts';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

const CONTRACT: Contract = {
  version: 1,
  rules: [{ name: 'sold', check: 'quantity > 0', severity: 'reject', reason: 'nothing was sold' }],
  thresholds: { warnRefusedShare: 0.2, failRefusedShare: 0.5, minimumCustomers: 2 },
};
const aggregateOf = (features: Record<string, string>): FeatureSettings['aggregate'] =>
  Object.entries(features).map(([name, sql]) => ({ name, sql, unit: 'things', why: 'a test' }));
const FROM = `(SELECT * FROM (VALUES
    ('ü', 'O-4', TIMESTAMP '2026-01-31 23:59:59', 1, 0.1),
    ('b', 'O-1', TIMESTAMP '2026-01-01 10:00:00', 1, 0.1), ('b', 'O-1', TIMESTAMP '2026-01-01 10:00:00', 2, 0.2),
    ('b', 'O-2', TIMESTAMP '2026-01-30 00:00:00', 0, 9), ('B', 'O-3', TIMESTAMP '2026-01-02', 4, 0.3),
    (NULL, 'O-5', TIMESTAMP '2026-01-02', 4, 0.3)
  ) AS t(customer_id, order_id, ordered_at, quantity, amount))`;

let fixture: WarehouseFixture;
let warehouse: Warehouse;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

const build = (features: Record<string, string>, from = FROM, on = warehouse) =>
  on.columns(featuresSql({ from, contract: CONTRACT, aggregate: aggregateOf(features), asOf: '2026-02-01' }));

it('gives one row per customer of the accepted rows, in byte order of the ids', async () => {
  const { rows, texts, numbers } = await build({
    recencyDays: `date_diff('day', CAST(max(ordered_at) AS DATE), CAST(as_of AS DATE))`,
    orders: 'count(DISTINCT order_id)',
    spendCents: 'CAST(round(sum(amount), 2) * 100 AS BIGINT) -- exact',
  });
  expect(rows).toBe(3);
  expect(new TextDecoder().decode(texts.customer_id!.bytes)).toBe('Bbü');
  expect(numbers).toEqual({
    recencyDays: Float64Array.of(30, 31, 1),
    orders: Float64Array.of(1, 1, 1),
    spendCents: Float64Array.of(30, 30, 10),
  });
});

it.each([
  ['a column that is not there', 'sum(amuont)'],
  ['a column outside an aggregate', 'amount'],
  ['text for a number', `max('customer ' || customer_id)`],
  ['a time for a number', 'max(ordered_at)'],
])('names the feature with %s, and no customer', async (_, sql) => {
  const error = await build({ orders: 'count(*)', broken: sql }).catch((caught) => caught);
  expect(error.code).toBe('FEATURE_INVALID');
  expect(error.message).toMatch(/^feature broken of pipeline\.yaml failed: /);
  expect(error.message).not.toMatch(/customer [bBü]/);
});

it('has the same bits for 1 and 2 threads', async () => {
  const from = `(SELECT 'C' || range % 20000 AS customer_id, 'O' || range // 3 AS order_id,
      TIMESTAMP '2026-01-01' + to_seconds(range % 86400) AS ordered_at, 1 + range % 5 AS quantity,
      (hash(range) % 99991 / 100)::DECIMAL(18,4) AS amount FROM range(400000))`;
  const features = {
    spend: 'sum(amount)',
    meanAmount: 'sum(amount) / count(*)',
    averageOfAmounts: 'avg(amount)',
    orders: 'count(DISTINCT order_id)',
    largeShare: 'sum(amount) FILTER (WHERE quantity > 3) / sum(amount)',
  };
  const [one, two] = [
    await build(features, from, await fixture.open(1)),
    await build(features, from, await fixture.open(2)),
  ];
  expect(one.rows).toBe(20_000);
  expect(two).toEqual(one);
});

describe('over orders', () => {
  const over = 'orders' as const;
  const LINES = `(SELECT * FROM (VALUES
      ('a', 'O-2', TIMESTAMP '2026-01-05 23:59:00', 1, 1, 'toys', 'web'), ('a', 'O-2', TIMESTAMP '2026-01-06 00:10:00', 2, 2, 'toys', 'app'),
      ('a', 'O-1', TIMESTAMP '2026-01-05 23:59:00', 1, 4, 'books', NULL), ('a', NULL, TIMESTAMP '2026-01-09 01:00:00', 1, 8, 'home', 'app'),
      ('a', NULL, TIMESTAMP '2026-01-09 01:00:00', 1, 16, NULL, 'app'), ('b', 'O-9', TIMESTAMP '2026-01-31 10:00:00', 1, 32, NULL, NULL),
      ('b', 'O-0', TIMESTAMP '2026-01-01 10:00:00', 0, 99, NULL, NULL)
    ) AS t(customer_id, order_id, ordered_at, quantity, amount, category, channel))`;
  const make = (sqls: Record<string, string>) =>
    warehouse.columns(
      featuresSql({
        from: LINES,
        contract: CONTRACT,
        aggregate: aggregateOf(sqls).map((feature) => ({ ...feature, over })),
        asOf: '2026-02-01',
      }),
    );

  it('sees an order of accepted lines with its sums, its place and the gap before it', async () => {
    const { numbers } = await make({
      orders: 'count(*)',
      largest: 'max(amount)',
      mostLines: 'max(lines)',
      mostItems: 'max(quantity)',
      mostProducts: 'max(products)',
      gaps: 'count(gap_days)',
      gapDays: 'sum(gap_days)',
      months: 'count(*) FILTER (WHERE is_first_in_month)',
      firstAmount: 'sum(amount) FILTER (WHERE order_number = 1)',
      lastRecencyDays: `date_diff('day', CAST(max(ordered_at) AS DATE), CAST(as_of AS DATE))`,
    });
    expect(numbers).toEqual({
      orders: Float64Array.of(3, 1),
      largest: Float64Array.of(24, 32),
      mostLines: Float64Array.of(2, 1),
      mostItems: Float64Array.of(3, 1),
      mostProducts: Float64Array.of(1, 0),
      gaps: Float64Array.of(2, 0),
      // O-1 and O-2 are of one moment: O-1 stands first.
      gapDays: Float64Array.of(4, Number.NaN),
      months: Float64Array.of(1, 1),
      firstAmount: Float64Array.of(4, 32),
      lastRecencyDays: Float64Array.of(23, 1),
    });
  });

  it('beside lines in any order of the definition, and names a feature that fails', async () => {
    const aggregate = [
      { ...aggregateOf({ gapDays: 'sum(gap_days)' })[0]!, over },
      ...aggregateOf({ orders: 'count(DISTINCT order_id)', lines: 'count(*)' }),
      { ...aggregateOf({ products: `max(products) -- the "channel"` })[0]!, over },
    ];
    const settings = { contract: CONTRACT, asOf: '2026-02-01' };
    const { numbers } = await warehouse.columns(featuresSql({ from: LINES, aggregate, ...settings }));
    expect(Object.keys(numbers)).toEqual(['gapDays', 'orders', 'lines', 'products']);
    expect(numbers.orders).toEqual(Float64Array.of(3, 1));
    expect(numbers.lines).toEqual(Float64Array.of(5, 1));
    const broken = [...aggregate, { ...aggregateOf({ broken: 'sum(gap_day)' })[0]!, over }];
    await expect(
      warehouse.columns(featuresSql({ from: LINES, aggregate: broken, ...settings })),
    ).rejects.toThrow(/^feature broken of pipeline\.yaml failed: /);
  });

  it('gives a word per customer, none where there is none', async () => {
    const { texts } = await warehouse.columns(
      featuresSql({
        from: LINES,
        contract: CONTRACT,
        aggregate: aggregateOf({ lines: 'count(*)' }),
        categories: [
          { name: 'firstChannel', why: 'a test', sql: 'arg_min(channel, order_number)', over },
          { name: 'lastCategory', why: 'a test', sql: 'max(category)' },
        ],
        asOf: '2026-02-01',
      }),
    );
    const words = ({ offsets, bytes }: NonNullable<(typeof texts)[string]>) =>
      Array.from({ length: offsets.length - 1 }, (_, row) =>
        new TextDecoder().decode(bytes.subarray(offsets[row], offsets[row + 1])),
      );
    // Of O-2's two channels the least in byte order; O-1 has none.
    expect(words(texts.firstChannel!)).toEqual(['app', 'none']);
    expect(words(texts.lastCategory!)).toEqual(['toys', 'none']);
  });

  it('takes as_of for a constant where it is a name, and only there', async () => {
    const { numbers } = await build({
      quoted: `count(*) FILTER (WHERE 'as_of' <> 'x' AND "as_of" > ordered_at) /* as_of */`,
    });
    expect(numbers.quoted).toEqual(Float64Array.of(1, 2, 1));
  });
});

describe('in parts', () => {
  const rows = 1_000;
  // One customer has half of the rows, so that several cuts fall on it; some rows have no customer.
  const made = `SELECT CASE WHEN range < 500 THEN 'big' WHEN range >= 950 THEN NULL ELSE 'c' || range // 3 END AS customer_id,
      'O' || range // 2 AS order_id, TIMESTAMP '2026-01-01' + to_hours(range) AS ordered_at, 1 AS quantity,
      (range / 7)::DECIMAL(18,4) AS amount FROM range(${rows}) ORDER BY customer_id, ordered_at`;
  const aggregate = [
    ...aggregateOf({ orders: 'count(DISTINCT order_id)', spend: 'sum(amount)' }),
    { ...aggregateOf({ gapDays: 'sum(gap_days)' })[0]!, over: 'orders' as const },
  ];
  const settings = { contract: CONTRACT, aggregate, asOf: '2026-03-01' };

  it('gives the same features, each customer once', async () => {
    const path = fixture.path('extract.parquet');
    await warehouse.copyToParquet(made, path, { rowGroupSize: 2_048 });
    const from = `read_parquet('${path}')`;
    const parts = readParts(await warehouse.rows(partsSql({ from, rows, partRows: 90 })!), rows);
    expect(parts.length).toBeGreaterThan(4);
    expect(parts[0]!.first).toBe(0);
    expect(parts.at(-1)!.end).toBe(rows);
    const inParts = await warehouse.columns(parts.map((range) => featuresSql({ from, ...settings, range })));
    expect(inParts).toEqual(await warehouse.columns(featuresSql({ from, ...settings })));
  });

  it('is not needed for few rows', () => {
    expect(partsSql({ from: FROM, rows })).toBeNull();
    expect(readParts([], rows)).toEqual([{ first: 0, end: rows }]);
  });
});
