import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quantiles } from '../../../../numeric/statistics/quantile.ts';
import { UNREADABLE_LINE } from '../../../../pipelines/contracts/contract.ts';
import { binEdges } from '../../../../pipelines/stages/profile/bins.ts';
import type { ProfileReport } from '../../../../pipelines/stages/profile/report.ts';
import { acceptedSql } from '../../../../pipelines/stages/validate.ts';
import { encodeJson } from '../../../../store/artifacts/json.ts';
import type { Warehouse } from '../../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../../store/warehouse/fixture.ts';
import { CONTRACT, figureIn, profileOf, shopSql, wordsIn } from './fixture.ts';

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

type Line = readonly (string | number | null)[];

function relation(lines: readonly Line[]): string {
  const literal = (value: string | number | null) =>
    value === null ? 'NULL' : typeof value === 'number' ? String(value) : `'${value}'`;
  const rows = lines.map((line) => `(${line.map(literal).join(', ')})`).join(', ');
  return `(SELECT customer_id, order_id, CAST(ordered_at AS TIMESTAMP) AS ordered_at, CAST(quantity AS BIGINT) AS quantity,
    CAST(unit_price AS DECIMAL(18,4)) AS unit_price, CAST(quantity * CAST(unit_price AS DECIMAL(18,4)) AS DECIMAL(18,4)) AS amount,
    CAST(malformed AS VARCHAR) AS malformed, CAST(category AS VARCHAR) AS category
    FROM (VALUES ${rows}) AS t(customer_id, order_id, ordered_at, quantity, unit_price, malformed, category))`;
}

const sum = (counts: readonly number[]) => counts.reduce((total, rows) => total + rows, 0);

test('marks that a run makes are no columns of the source, and do not tell copies apart', async () => {
  const plain = await profileOf(warehouse, relation([...LINES, LINES[0]]));
  const from = `(SELECT *, row_number() OVER () = 1 AS is_released, row_number() OVER () = 1 AS is_known_customer
    FROM ${relation([...LINES, LINES[0]])})`;
  const marked = await profileOf(warehouse, from);
  expect(marked.columns.map(({ name }) => name)).toEqual(plain.columns.map(({ name }) => name));
  expect(marked.duplicates.exact).toEqual({ rows: 1, counted: 8, isEstimate: false });
});

describe('the profile of a few lines', () => {
  let report: ProfileReport;
  beforeAll(async () => {
    report = await profileOf(warehouse, relation(LINES));
  });

  test('counts what the contract accepts, rules that fail the run too, and each broken rule by itself', () => {
    expect(report).toMatchObject({ profile: 2, rows: 7, accepted: 4, acceptedAmount: 3610.5 });
    expect(report.rules).toEqual([
      { name: 'without-customer', severity: 'reject', reason: 'nobody can be found', rows: 1 },
      // The line without a readable quantity breaks it too.
      { name: 'no-pieces', severity: 'fail', reason: 'nothing was sold', rows: 2 },
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
    expect(sum(report.week.flat())).toBe(6);
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
    expect(report.columns[2]).toMatchObject({ first: '2026-01-05T09:10:00', last: '2026-03-31T23:59:00' });
    expect(wordsIn(report, 'category')).toMatchObject({
      ...{ distinct: 2, otherRows: 0 },
      words: [
        { word: 'toys', rows: 4 },
        { word: 'books', rows: 2 },
      ],
    });
  });

  test('of a missing customer it says how many rows the contract lets through', () => {
    expect(report.columns[0]).toMatchObject({ missing: 1, missingAccepted: 0 });
    expect(report.columns[2]).toMatchObject({ missing: 1, missingAccepted: 1 });
  });

  test('quantiles are values of the extract; extremes, mean and signs are exact', () => {
    const { quantiles: found, bins, ...rest } = figureIn(report, 'quantity');
    expect(rest).toMatchObject({
      ...{ distinct: 5, counted: 6, isSample: false, isWhole: true },
      ...{ least: -2, most: 30, mean: 6, negative: 1, zero: 0, negativeAccepted: 0 },
    });
    expect(found.map(({ percent, value }) => [percent, value])).toEqual([
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

  test('says why there is no readiness of two customers', () => {
    expect(report.readiness).toMatchObject({ features: [], clusterability: null });
    expect(report.readiness.missing).toContain('needs 20 customers');
  });
});

describe('the profile of other extracts', () => {
  test('a date centuries off does not make a list of centuries', async () => {
    const wild = [...LINES, ['17850', 'S9', '1900-01-01 00:00:00', 1, '1.00', null, 'toys'] as const];
    const report = await profileOf(warehouse, relation(wild));
    expect(report.rowsBefore).toBe(1);
    expect(report.months.map(({ month }) => month)).toEqual(['2026-01', '2026-02', '2026-03']);
    expect(report.issues.find(({ code }) => code === 'ancient-times')).toMatchObject({
      rows: 1,
      letThrough: 1,
    });
  });

  test('many different words become the most frequent ones and a rest', async () => {
    const from = shopSql().replace(
      `(20000 + hash(range, 3) % 60) || 'A'`,
      `repeat('w', 200) || (range % 40)`,
    );
    const { words, otherRows, distinct } = wordsIn(await profileOf(warehouse, from), 'category');
    expect(words.length).toBe(12);
    expect(words.every(({ word }) => word.length <= 60)).toBe(true);
    expect(sum(words.map(({ rows }) => rows)) + otherRows).toBe(6_000);
    expect(distinct).toBe(40);
  });

  test('texts of which every customer has an own are never shown', async () => {
    const from = `(SELECT *, customer_id || '@mail.example' AS email FROM ${shopSql()})`;
    const report = await profileOf(warehouse, from);
    expect(report.columns.find(({ name }) => name === 'email')).toMatchObject({
      kind: 'identifier',
      distinct: { count: 300, isEstimate: false },
    });
    expect(JSON.stringify(report)).not.toContain('mail.example');
  });

  test('attributes of every type have a profile, whatever they are called', async () => {
    const from = `(SELECT *, hash(customer_id) % 2 = 0 AS accepted, CAST(hash(customer_id) % 80 AS DOUBLE) AS "rows",
      CAST(ordered_at AS DATE) AS born, CASE WHEN hash(order_id) % 2 = 0 THEN CAST('nan' AS DOUBLE) ELSE 1e308 END AS wild FROM ${shopSql()})`;
    const report = await profileOf(warehouse, from);
    expect(report.columns.slice(-4).map(({ name, kind }) => [name, kind])).toEqual([
      ['accepted', 'flag'],
      ['rows', 'figure'],
      ['born', 'time'],
      ['wild', 'figure'],
    ]);
    const wild = figureIn(report, 'wild');
    expect(wild.notNumbers + wild.counted).toBe(6_000);
    expect(wild.most).toBe(1e308);
  });

  test('without rows there are no months, bins or words, and nothing fails', async () => {
    const report = await profileOf(warehouse, `(SELECT * FROM ${relation(LINES)} WHERE false)`);
    expect(report).toMatchObject({ rows: 0, accepted: 0, from: null, to: null, months: [], customers: 0 });
    expect(encodeJson(report).length).toBeGreaterThan(0);
  });

  test('a source of customers, times and amounts alone has a profile', async () => {
    const contract = { ...CONTRACT, rules: CONTRACT.rules.slice(0, 1) };
    const from = `(SELECT customer_id, strftime(ordered_at, '%c') AS order_id, ordered_at, amount FROM ${shopSql()})`;
    const aggregate = [{ name: 'orders', unit: 'orders', why: 'w', sql: 'count(*)' }];
    const features = { aggregate, derive: [], cluster: [{ feature: 'orders', transforms: [] }] };
    const report = await profileOf(warehouse, from, { contract, features });
    expect(report.columns.map(({ name }) => name)).toEqual([
      'customer_id',
      'order_id',
      'ordered_at',
      'amount',
    ]);
    expect(report).toMatchObject({ unreadable: [], accepted: 6_000 });
    expect(report.readiness.features.map(({ feature }) => feature)).toEqual(['orders']);
  });

  test('the largest figures that an extract can hold are still counted', async () => {
    const giants = [
      ['1', 'S1', '2026-01-05 09:10:00', 1, '99999999999999.9999', null, null],
      ['1', 'S1', '2026-01-05 09:10:00', 1, '-99999999999999.9999', null, null],
    ] as const;
    const price = figureIn(await profileOf(warehouse, relation(giants)), 'unit_price');
    expect(price).toMatchObject({ least: -1e14, most: 1e14, mean: 0 });
    expect(sum(price.bins.map(({ rows }) => rows))).toBe(2);
  });

  test('more rules than a number has bits are each counted', async () => {
    const rules = Array.from({ length: 120 }, (_, i) => ({
      ...{ name: `rule-${i}`, reason: 'r', severity: i === 119 ? ('reject' as const) : ('warn' as const) },
      check: i % 2 === 0 ? 'true' : 'quantity > 1',
    }));
    const report = await profileOf(warehouse, relation(LINES), { contract: { ...CONTRACT, rules } });
    expect(report.rules.map(({ rows }) => rows)).toEqual(rules.map((_, i) => (i % 2 === 0 ? 0 : 4)));
    expect(report.accepted).toBe(3);
  });

  test('a line that could not be split breaks its own rule and no other', async () => {
    const line = [null, null, null, null, null, 'line 3: has 7 fields where the header has 8', null];
    const judged = { ...CONTRACT, rules: [{ ...UNREADABLE_LINE }, ...CONTRACT.rules] };
    const rulesOf = async (lines: readonly Line[]) =>
      (await profileOf(warehouse, relation(lines), { contract: judged })).rules.map(({ rows }) => rows);
    const [own, ...others] = await rulesOf(LINES);
    expect(own).toBe(0);
    expect(await rulesOf([...LINES, line])).toEqual([1, ...others]);
    const many = {
      ...judged,
      rules: [...CONTRACT.rules, ...Array(60).fill(CONTRACT.rules[0]), UNREADABLE_LINE],
    };
    const report = await profileOf(warehouse, relation([...LINES, line]), { contract: many });
    expect(report.rules.map(({ rows }) => rows)).toEqual([...others, ...Array(60).fill(others[0]), 1]);
    expect(report.accepted).toBe(4);
  });

  test('a feature that fails leaves the rest of the profile', async () => {
    const aggregate = [{ name: 'broken', unit: 'x', why: 'w', sql: 'sum(nowhere)' }];
    const features = { aggregate, derive: [], cluster: [{ feature: 'broken', transforms: [] }] };
    const report = await profileOf(warehouse, shopSql(), { features });
    expect(report.rows).toBe(6_000);
    expect(report.readiness.missing).toContain('broken');
  });

  test('progress rises to its end', async () => {
    const seen: [number, number][] = [];
    await profileOf(warehouse, shopSql(), { onProgress: (done, of) => seen.push([done, of]) });
    expect(seen.map(([done]) => done)).toEqual(seen.map((_, i) => i + 1));
    expect(seen.at(-1)![0]).toBe(seen.at(-1)![1]);
  });
});

describe('the profile of a large extract', () => {
  const made = `SELECT CAST(hash(range) % 3000 AS VARCHAR) AS customer_id, 'o' || (range // 3) AS order_id,
    TIMESTAMP '2025-01-01' + to_minutes(range * 7919 % 600000) AS ordered_at, CAST(hash(range, 1) % 40 AS BIGINT) - 3 AS quantity,
    CAST(CAST(hash(range, 2) % 20000 AS INTEGER) * 0.01 AS DECIMAL(18,4)) AS unit_price, CASE hash(range, 3) % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END AS category,
    CAST(hash(range, 4) AS DOUBLE) / 1e6 AS weight FROM range(300000)`;
  const sql = `SELECT *, CAST(quantity * unit_price AS DECIMAL(18,4)) AS amount, CAST(NULL AS VARCHAR) AS malformed FROM (${made})`;
  let from: string;
  let report: ProfileReport;
  beforeAll(async () => {
    const path = fixture.path('large.parquet');
    await warehouse.copyToParquet(sql, path, { rowGroupSize: 20_480 });
    from = `read_parquet('${path}')`;
    report = await profileOf(warehouse, from, { rowNumber: 'file_row_number' });
  });

  test('has the same bytes for 1, 2 and 4 threads and on a second run', async () => {
    const texts = [encodeJson(report).toString()];
    for (const threads of [1, 2, 4]) {
      const own = await profileOf(await fixture.open(threads), from, { rowNumber: 'file_row_number' });
      texts.push(encodeJson(own).toString());
    }
    expect(new Set(texts).size).toBe(1);
  });

  test('every row is in one bin, one month and one hour', () => {
    expect(sum(report.months.map(({ rows }) => rows))).toBe(300_000);
    expect(sum(report.week.flat())).toBe(300_000);
    for (const name of ['quantity', 'unit_price', 'amount'])
      expect(sum(figureIn(report, name).bins.map(({ rows }) => rows))).toBe(300_000);
  });

  test('what is accepted is what the predicate of acceptance says', async () => {
    const [counted] = await warehouse.rows(
      `SELECT count(*) AS rows FROM ${from} WHERE customer_id IS NOT NULL AND quantity > 0`,
    );
    expect(acceptedSql(CONTRACT)).toContain('customer_id IS NOT NULL');
    expect(report.accepted).toBe(counted!.rows);
  });

  test('quantiles are those of the sorted values', async () => {
    const { numbers } = await warehouse.columns(`SELECT amount FROM ${from} ORDER BY amount`);
    const found = figureIn(report, 'amount').quantiles;
    const sorted = numbers.amount!;
    expect(found.map(({ value }) => value)).toEqual(
      found.map(({ percent }) => sorted[Math.ceil((percent * sorted.length) / 100) - 1]),
    );
  });

  test('a column of which every row has an own value is counted in a sample, but for its ends', async () => {
    const { numbers } = await warehouse.columns(`SELECT weight FROM ${from}`);
    const weight = figureIn(report, 'weight');
    expect(weight).toMatchObject({ isSample: false });
    const sampled = figureIn(
      await profileOf(
        warehouse,
        `(SELECT * REPLACE (weight + part AS weight) FROM ${from}, range(5) AS parts(part))`,
      ),
      'weight',
    );
    expect(sampled.isSample).toBe(true);
    expect(sampled.counted).toBeLessThan(60_000);
    expect(sampled.least).toBe(Math.min(...quantiles(numbers.weight!, [0])));
    const [median] = quantiles(numbers.weight!, [0.5]);
    const found = sampled.quantiles.find(({ percent }) => percent === 50)!.value;
    expect(Math.abs(found / median! - 1)).toBeLessThan(0.02);
  });

  test('customers and orders are counted exactly', async () => {
    const [counted] = await warehouse.rows(
      `SELECT count(*) AS customers, (SELECT count(*) FROM (SELECT DISTINCT order_id FROM ${from})) AS orders
      FROM (SELECT DISTINCT customer_id FROM ${from})`,
    );
    expect(report.customers).toBe(counted!.customers);
    expect(report.orders).toEqual({ count: counted!.orders, isEstimate: false });
  });
});

test.each([true, false])('bins rise and are the same below 0 as above, whole numbers: %s', (isWhole) => {
  const edges = binEdges(isWhole);
  expect(edges).toEqual([...new Set(edges)].sort((left, right) => left - right));
  const finite = edges.slice(1);
  expect(finite.map((edge) => -edge + 0).reverse()).toEqual(finite);
});
