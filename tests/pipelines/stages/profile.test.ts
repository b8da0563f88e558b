import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Contract } from '../../../pipelines/contracts/contract.ts';
import {
  buildProfile,
  type FigureProfile,
  type ProfileReport,
  profileQueries,
} from '../../../pipelines/stages/profile.ts';
import { binEdges } from '../../../pipelines/stages/profile-queries.ts';
import type { Row, Warehouse } from '../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

const CONTRACT: Contract = {
  version: 1,
  rules: [
    {
      name: 'without-customer',
      check: 'customer_id IS NOT NULL',
      severity: 'reject',
      reason: 'nobody can be found',
    },
    {
      name: 'no-pieces',
      check: 'quantity > 0 -- pieces',
      severity: 'reject',
      reason: 'nothing was sold',
    },
    { name: 'odd', check: 'unit_price < 100', severity: 'warn', reason: 'the price is high' },
  ],
  thresholds: { warnRefusedShare: 0.2, failRefusedShare: 0.5, minimumCustomers: 2 },
};

const COLUMNS = [
  'customer_id',
  'order_id',
  'ordered_at',
  'quantity',
  'unit_price',
  'amount',
  'malformed',
  'category',
];

/** customer, order, time, pieces, price, malformed, category */
const LINES = [
  ['17850', 'S1', '2026-01-05 09:10:00', 1, '2.50', null, 'toys'],
  ['17850', 'S1', '2026-01-05 09:10:00', 2, '4.00', null, 'books'],
  ['17850', 'S2', '2026-01-10 21:00:00', -2, '4.00', null, 'books'],
  ['12345', 'S3', '2026-03-02 09:59:00', 30, '120.00', null, 'toys'],
  [null, 'S4', '2026-03-31 23:59:00', 1, '2.50', null, 'toys'],
  ['12345', 'S5', null, 4, '0.00', null, null],
  ['12345', 'S5', '2026-03-02 10:00:00', null, '1.00', 'quantity=two', 'toys'],
] as const;

let fixture: WarehouseFixture;
let warehouse: Warehouse;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

function relation(lines: readonly (readonly (string | number | null)[])[]): string {
  const literal = (value: string | number | null) =>
    value === null ? 'NULL' : typeof value === 'number' ? String(value) : `'${value}'`;
  const rows = lines.map((line) => `(${line.map(literal).join(', ')})`).join(', ');
  return `(SELECT customer_id, order_id, CAST(ordered_at AS TIMESTAMP) AS ordered_at, CAST(quantity AS BIGINT) AS quantity,
    CAST(unit_price AS DECIMAL(18,4)) AS unit_price, CAST(quantity * CAST(unit_price AS DECIMAL(18,4)) AS DECIMAL(18,4)) AS amount,
    CAST(malformed AS VARCHAR) AS malformed, CAST(category AS VARCHAR) AS category
    FROM (VALUES ${rows}) AS t(customer_id, order_id, ordered_at, quantity, unit_price, malformed, category))`;
}

async function profile(from: string, { columns = COLUMNS, on = warehouse } = {}): Promise<ProfileReport> {
  const results: Record<string, Row[]> = {};
  for (const { name, sql } of profileQueries({ from, columns, contract: CONTRACT })) {
    results[name] = await on.rows(sql);
  }
  const [count] = await on.rows(`SELECT count(*) AS rows FROM ${from}`);
  return buildProfile(results, {
    title: 'Books',
    currency: 'EUR',
    asOf: '2026-04-01',
    rows: count!.rows as number,
    watermark: '2026-03-31T23:59:00',
    contract: CONTRACT,
  });
}

const figure = (report: ProfileReport, name: string) =>
  report.columns.find((column) => column.name === name) as FigureProfile;

describe('the profile of a few lines', () => {
  let report: ProfileReport;
  beforeAll(async () => {
    report = await profile(relation(LINES));
  });

  test('counts what the contract accepts, and each broken rule by itself', () => {
    expect(report).toMatchObject({ rows: 7, accepted: 4, acceptedAmount: 3610.5 });
    expect(report.rules).toEqual([
      { name: 'without-customer', severity: 'reject', reason: 'nobody can be found', rows: 1 },
      // The line without a readable quantity breaks it too.
      { name: 'no-pieces', severity: 'reject', reason: 'nothing was sold', rows: 2 },
      { name: 'odd', severity: 'warn', reason: 'the price is high', rows: 1 },
    ]);
    expect(report.unreadable).toEqual([{ column: 'quantity', rows: 1 }]);
  });

  test('has every month from the first to the last, also one without rows', () => {
    expect(report).toMatchObject({ from: '2026-01-05', to: '2026-03-31', rowsBefore: 0 });
    expect(report.months).toEqual([
      { month: '2026-01', rows: 3, accepted: 2, acceptedAmount: 10.5 },
      { month: '2026-02', rows: 0, accepted: 0, acceptedAmount: 0 },
      { month: '2026-03', rows: 3, accepted: 1, acceptedAmount: 3600 },
    ]);
  });

  test('counts rows by weekday and hour', () => {
    // 2026-01-05 and 2026-03-02 were Mondays, 2026-01-10 a Saturday, 2026-03-31 a Tuesday.
    expect(report.week[0]!.flatMap((rows, hour) => (rows > 0 ? [[hour, rows]] : []))).toEqual([
      [9, 3],
      [10, 1],
    ]);
    expect(report.week[5]![21]).toBe(1);
    expect(report.week[1]![23]).toBe(1);
    expect(report.week.flat().reduce((sum, rows) => sum + rows, 0)).toBe(6);
  });

  test('describes each kind of column in its own way', () => {
    expect(report.columns.map(({ name, kind, missing }) => [name, kind, missing])).toEqual([
      ['customer_id', 'identifier', 1],
      ['order_id', 'identifier', 0],
      ['ordered_at', 'time', 1],
      ['quantity', 'figure', 1],
      ['unit_price', 'figure', 0],
      ['amount', 'figure', 1],
      ['category', 'word', 1],
    ]);
    expect(report.columns.find(({ name }) => name === 'ordered_at')).toMatchObject({
      first: '2026-01-05T09:10:00',
      last: '2026-03-31T23:59:00',
    });
    expect(report.columns.find(({ name }) => name === 'category')).toMatchObject({
      distinct: 2,
      words: [
        { word: 'toys', rows: 4 },
        { word: 'books', rows: 2 },
      ],
      otherRows: 0,
    });
  });

  test('quantiles are values of the extract; extremes, mean and signs are exact', () => {
    const { quantiles, bins, ...rest } = figure(report, 'quantity');
    expect(rest).toEqual({
      ...{ name: 'quantity', kind: 'figure', missing: 1, distinct: 5 },
      ...{ least: -2, most: 30, mean: 6, negative: 1, zero: 0 },
    });
    expect(quantiles.map(({ percent, value }) => [percent, value])).toEqual([
      [1, -2],
      [5, -2],
      [25, 1],
      [50, 1],
      [75, 4],
      [95, 30],
      [99, 30],
    ]);
    expect(bins).toEqual([
      { from: -2, rows: 1 },
      { from: 1, rows: 2 },
      { from: 2, rows: 1 },
      { from: 4, rows: 1 },
      { from: 30, rows: 1 },
    ]);
  });

  test('holds no identifier of a customer, an order or an unreadable value', () => {
    const text = JSON.stringify(report);
    for (const secret of ['17850', '12345', 'S1', 'S5', 'two']) expect(text).not.toContain(secret);
  });
});

describe('the profile of other extracts', () => {
  test('a date centuries off does not make a list of centuries', async () => {
    const wild = [...LINES, ['17850', 'S9', '1900-01-01 00:00:00', 1, '1.00', null, 'toys'] as const];
    const report = await profile(relation(wild));
    expect(report.rowsBefore).toBe(1);
    expect(report.months.map(({ month }) => month)).toEqual(['2026-01', '2026-02', '2026-03']);
  });

  test('many different words become the most frequent ones and a rest', async () => {
    const from = `(SELECT 'c' AS customer_id, 'o' AS order_id, TIMESTAMP '2026-01-01' AS ordered_at, CAST(1 AS BIGINT) AS quantity,
      CAST(1 AS DECIMAL(18,4)) AS unit_price, CAST(1 AS DECIMAL(18,4)) AS amount, CAST(NULL AS VARCHAR) AS malformed,
      repeat('w', 200) || (range % 40) AS category FROM range(4100))`;
    const [category] = (await profile(from)).columns.filter(({ name }) => name === 'category');
    if (category?.kind !== 'word') throw new Error('category needs to be a column of words');
    expect(category.words.length).toBe(12);
    expect(category.words.every(({ word }) => word.length <= 60)).toBe(true);
    expect(category.words.reduce((sum, { rows }) => sum + rows, category.otherRows)).toBe(4_100);
    expect(category.distinct).toBe(40);
  });

  test('without rows there are no months, bins or words, and nothing fails', async () => {
    const report = await profile(`(SELECT * FROM ${relation(LINES)} WHERE false)`);
    expect(report).toMatchObject({ rows: 0, accepted: 0, from: null, to: null, months: [], customers: 0 });
  });

  test('a source with the required columns alone has a profile of those', async () => {
    const columns = COLUMNS.filter((name) => !['category', 'malformed'].includes(name));
    const report = await profile(relation(LINES), { columns });
    expect(report.columns.map(({ name }) => name)).toEqual(columns);
    expect(report.unreadable).toEqual([]);
  });

  test('the largest figures that an extract can hold are still counted', async () => {
    const giants = [
      ['1', 'S1', '2026-01-05 09:10:00', 1, '99999999999999.9999', null, null],
      ['1', 'S1', '2026-01-05 09:10:00', 1, '-99999999999999.9999', null, null],
    ] as const;
    const price = figure(await profile(relation(giants)), 'unit_price');
    expect(price).toMatchObject({ least: -1e14, most: 1e14, mean: 0 });
    expect(price.bins.reduce((sum, { rows }) => sum + rows, 0)).toBe(2);
  });
});

describe('the profile of a large extract', () => {
  const made = `SELECT CAST(hash(range) % 3000 AS VARCHAR) AS customer_id, 'o' || (range // 3) AS order_id,
    TIMESTAMP '2025-01-01' + to_minutes(range * 7919 % 700000) AS ordered_at, CAST(hash(range, 1) % 40 AS BIGINT) - 3 AS quantity,
    CAST(CAST(hash(range, 2) % 20000 AS INTEGER) * 0.01 AS DECIMAL(18,4)) AS unit_price, CASE hash(range, 3) % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END AS category
    FROM range(300000)`;
  const sql = `SELECT *, CAST(quantity * unit_price AS DECIMAL(18,4)) AS amount, CAST(NULL AS VARCHAR) AS malformed FROM (${made})`;
  let from: string;
  beforeAll(async () => {
    const path = fixture.path('large.parquet');
    await warehouse.copyToParquet(sql, path, { rowGroupSize: 20_480 });
    from = `read_parquet('${path}')`;
  });

  test('is the same for 1 and 2 threads and on a second run', async () => {
    const texts = [];
    for (const threads of [1, 2, 2])
      texts.push(JSON.stringify(await profile(from, { on: await fixture.open(threads) })));
    expect(new Set(texts).size).toBe(1);
  });

  test('every row is in one bin, one month and one hour', async () => {
    const report = await profile(from);
    const sum = (counts: number[]) => counts.reduce((total, rows) => total + rows, 0);
    expect(sum(report.months.map(({ rows }) => rows))).toBe(300_000);
    expect(sum(report.week.flat())).toBe(300_000);
    for (const name of ['quantity', 'unit_price', 'amount']) {
      expect(sum(figure(report, name).bins.map(({ rows }) => rows))).toBe(300_000);
    }
  });

  test('quantiles are those of the sorted values', async () => {
    const { numbers } = await warehouse.columns(`SELECT amount FROM ${from} ORDER BY amount`);
    const { quantiles } = figure(await profile(from), 'amount');
    const sorted = numbers.amount!;
    expect(quantiles.map(({ value }) => value)).toEqual(
      quantiles.map(({ percent }) => sorted[Math.ceil((percent * sorted.length) / 100) - 1]),
    );
  });

  test('customers and orders are counted exactly', async () => {
    const [counted] = await warehouse.rows(
      `SELECT count(*) AS customers, (SELECT count(*) FROM (SELECT DISTINCT order_id FROM ${from})) AS orders
      FROM (SELECT DISTINCT customer_id FROM ${from})`,
    );
    const { customers, orders } = await profile(from);
    expect({ customers, orders }).toEqual(counted);
  });
});

test.each(['quantity', 'unit_price'] as const)(
  'bins of %s rise and are the same below 0 as above',
  (name) => {
    const edges = binEdges(name);
    expect(edges).toEqual([...new Set(edges)].sort((left, right) => left - right));
    const finite = edges.slice(1);
    expect(finite.map((edge) => -edge + 0).reverse()).toEqual(finite);
  },
);
