import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Contract } from '../../../pipelines/contracts/contract.ts';
import { idAt, toCustomerIds } from '../../../pipelines/contracts/customers.ts';
import type { SourceColumns } from '../../../pipelines/contracts/source.ts';
import { type ExtractSource, stagedSource, stagingSql } from '../../../pipelines/stages/extract.ts';
import {
  alignLater,
  laterDaysSql,
  laterSpendSql,
  readLaterDays,
} from '../../../pipelines/stages/later-period.ts';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { digestOfFile, type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

const COLUMNS: SourceColumns = {
  customer_id: 'customer',
  order_id: 'order',
  ordered_at: 'at',
  quantity: 'pieces',
  unit_price: 'price',
  line_id: 'line',
};
const CONTRACT: Contract = {
  version: 1,
  unique: ['line_id'],
  rules: [
    { name: 'copy', check: 'NOT is_duplicate', severity: 'reject', reason: 'loaded before' },
    { name: 'readable', check: 'malformed IS NULL', severity: 'reject', reason: 'cannot be read' },
    { name: 'odd', check: 'quantity < 100', severity: 'warn', reason: 'many pieces' },
  ],
  thresholds: { warnRefusedShare: 0.2, failRefusedShare: 0.5, minimumCustomers: 2 },
};
const AS_OF = '2026-03-01';
const UNTIL = '2026-05-30';

let fixture: WarehouseFixture;
let warehouse: Warehouse;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

type Line = Partial<Record<keyof typeof COLUMNS, string>>;
let lines = 0;

/** A source of lines, each of its own unless it says otherwise. */
async function sourceOf(rows: readonly Line[], on = warehouse): Promise<ExtractSource> {
  const values = rows.map((row) => {
    lines++;
    const line: Line = {
      customer_id: 'a',
      order_id: 'O-1',
      ordered_at: '2026-03-02 10:00:00',
      quantity: '1',
      unit_price: '1',
      line_id: `L-${lines}`,
      ...row,
    };
    return `(${Object.keys(COLUMNS)
      .map((role) => `'${line[role as keyof Line]}'`)
      .join(', ')})`;
  });
  const names = Object.values(COLUMNS).map((name) => `"${name}"`);
  const types = Object.fromEntries(Object.values(COLUMNS).map((name) => [name, 'VARCHAR']));
  const from = `(SELECT * FROM (VALUES ${values.join(', ')}) AS t(${names.join(', ')}))`;
  const source = { from, columns: COLUMNS, types, name: 'made.csv' };
  const path = fixture.path(`numbered-${lines}.parquet`);
  await on.copyToParquet(stagingSql(source), path);
  return stagedSource(source, `read_parquet('${path}')`);
}

describe('the days a source tells of', () => {
  const daysOf = async (days: readonly string[], { horizonDays = 90, nextDay = '2027-01-01' } = {}) => {
    const source = await sourceOf(days.map((day) => ({ ordered_at: `${day} 23:59:59` })));
    const [row] = await warehouse.rows(laterDaysSql({ source, asOf: AS_OF, nextDay, horizonDays }));
    return readLaterDays(row!, horizonDays);
  };

  test('are the whole horizon where there are orders at its end or beyond', async () => {
    const whole = { days: 90, until: UNTIL };
    expect(await daysOf(['2026-02-01', '2026-05-29'])).toEqual(whole);
    expect(await daysOf(['2026-09-01'])).toEqual(whole);
    expect(await daysOf(['2026-05-28'])).toEqual({ days: 89, until: '2026-05-29' });
  });

  test('are nothing below four weeks of it', async () => {
    expect(await daysOf(['2026-03-28'])).toEqual({ days: 28, until: '2026-03-29' });
    expect(await daysOf(['2026-03-27'])).toBeNull();
  });

  test('may be fewer where the definition asks for fewer', async () => {
    const horizon = { horizonDays: 14 };
    expect(await daysOf(['2026-03-14'], horizon)).toEqual({ days: 14, until: '2026-03-15' });
    expect(await daysOf(['2026-03-13'], horizon)).toBeNull();
  });

  test('are none where nothing was ordered, or only after the newest loading', async () => {
    expect(await daysOf(['2026-02-28'])).toBeNull();
    expect(await daysOf(['2026-12-24'], { nextDay: '2026-03-10' })).toBeNull();
    const mistyped = ['2026-04-09', '2026-12-24'];
    expect(await daysOf(mistyped, { nextDay: '2026-04-10' })).toEqual({ days: 40, until: '2026-04-10' });
  });
});

describe('later spend', () => {
  const spendOf = async (rows: readonly Line[], contract = CONTRACT) => {
    const source = await sourceOf(rows);
    return warehouse.rows(laterSpendSql({ source, contract, asOf: AS_OF, until: UNTIL }));
  };

  test('is one row per customer in byte order, in exact cents', async () => {
    expect(
      await spendOf([
        { customer_id: 'ü', unit_price: '0.1' },
        { customer_id: 'ü', unit_price: '0.2', order_id: 'O-2' },
        { customer_id: 'b', quantity: '3', unit_price: '19.99' },
        { customer_id: 'B', unit_price: '0.0049' },
      ]),
    ).toEqual([
      { customer_id: 'B', spend_cents: 0, orders: 1, rows: 1 },
      { customer_id: 'b', spend_cents: 5997, orders: 1, rows: 1 },
      { customer_id: 'ü', spend_cents: 30, orders: 2, rows: 2 },
    ]);
  });

  test('begins with the as-of day and ends before the day after the last', async () => {
    const times = ['2026-02-28 23:59:59.999', '2026-03-01', '2026-05-29 23:59:59.999', '2026-05-30', 'soon'];
    const prices = ['1', '10', '100', '1000', '10000'];
    expect(
      await spendOf(times.map((ordered_at, i) => ({ ordered_at, unit_price: prices[i]! }))),
    ).toMatchObject([{ spend_cents: 11_000, rows: 2 }]);
  });

  test('is of rows that the contract accepts: what is refused counts as nothing, what is odd counts', async () => {
    expect(
      await spendOf([
        { line_id: 'twice', unit_price: '7' },
        { line_id: 'twice', unit_price: '7' },
        { unit_price: 'n/a', order_id: 'O-2' },
        { quantity: '200', order_id: 'O-3' },
        { customer_id: ' ', unit_price: '50' },
      ]),
    ).toEqual([{ customer_id: 'a', spend_cents: 20_700, orders: 2, rows: 2 }]);
  });

  test('nets what was given back, and is never below nothing', async () => {
    expect(
      await spendOf([
        { unit_price: '8' },
        { quantity: '-1', unit_price: '3' },
        { customer_id: 'b', quantity: '-2' },
      ]),
    ).toMatchObject([
      { customer_id: 'a', spend_cents: 500 },
      { customer_id: 'b', spend_cents: 0 },
    ]);
  });

  test('without a readable amount is nothing, and one beyond all money is the most that is exact', async () => {
    const contract: Contract = { ...CONTRACT, rules: CONTRACT.rules.slice(0, 1) };
    const giant = { customer_id: 'b', quantity: '900000000', unit_price: '100000' };
    const found = await spendOf([{ unit_price: 'n/a' }, giant, giant], contract);
    expect(found.map((row) => row.spend_cents)).toEqual([0, Number.MAX_SAFE_INTEGER]);
  });

  test('names the rule that breaks on a later row', async () => {
    const rules: Contract['rules'] = [
      { name: 'number', check: 'CAST(order_id AS INTEGER) > 0', severity: 'reject', reason: 'a test' },
    ];
    const error = await spendOf([{}], { ...CONTRACT, rules }).catch((caught) => caught);
    expect(error.code).toBe('FEATURE_INVALID');
    expect(error.message).toMatch(/^rule number of contract\.yaml, in rows from 2026-03-01 on, failed: /);
    expect(error.message).not.toContain('O-1');
  });

  test('has the same bytes whatever the order of the source and the number of threads', async () => {
    const made = `SELECT 'c' || range % 3000 AS customer, 'O' || range // 3 AS "order",
        CAST(TIMESTAMP '2026-02-01' + to_seconds(range * 241 % 9999991) AS VARCHAR) AS at,
        CAST(range % 7 AS VARCHAR) AS pieces, CAST(range % 997 / 100 AS VARCHAR) AS price, 'L' || range % 37000 AS line
      FROM range(40000)`;
    const types = Object.fromEntries(Object.values(COLUMNS).map((name) => [name, 'VARCHAR']));
    const digests: string[] = [];
    for (const [threads, order] of [
      [1, 'hash(line)'],
      [2, 'hash(line)'],
      [4, 'price, line DESC'],
    ] as const) {
      const own = await fixture.open(threads);
      const raw = fixture.path(`raw-${digests.length}.parquet`);
      await own.copyToParquet(`${made} ORDER BY ${order}`, raw);
      const source = { from: `read_parquet('${raw}')`, columns: COLUMNS, types, name: 'raw' };
      const path = fixture.path(`later-${digests.length}.parquet`);
      const sql = laterSpendSql({ source, contract: CONTRACT, asOf: AS_OF, until: UNTIL });
      const { rows } = await own.copyToParquet(sql, path);
      expect(rows).toBe(3_000);
      digests.push(await digestOfFile(path));
    }
    expect(new Set(digests).size).toBe(1);
  }, 30_000);
});

describe('alignment', () => {
  const ids = fc.uniqueArray(fc.stringMatching(/^[abü]{1,4}$/), { maxLength: 40 });

  test('gives each customer their own later spend, and nothing to those without', () => {
    fc.assert(
      fc.property(ids, ids, (past, future) => {
        const customers = toCustomerIds(past);
        const laterIds = toCustomerIds(future);
        const own = new Map(future.map((_, row) => [idAt(laterIds, row), row + 1]));
        const orders = Float64Array.from({ length: future.length }, (_, row) => row + 1);
        const found = alignLater(customers, {
          customers: laterIds,
          spendCents: orders.map((order) => order * 100),
          orders,
        });
        const wanted = past.map((_, row) => own.get(idAt(customers, row)) ?? 0);
        expect(Array.from(found.orders)).toEqual(wanted);
        expect(Array.from(found.spendCents)).toEqual(wanted.map((order) => order * 100));
        expect(found.returned).toBe(wanted.filter((order) => order > 0).length);
      }),
    );
  });
});
