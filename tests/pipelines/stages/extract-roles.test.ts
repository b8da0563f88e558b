import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Contract } from '../../../pipelines/contracts/contract.ts';
import type { Attributes, SourceColumns } from '../../../pipelines/contracts/source.ts';
import {
  type ExtractSource,
  mappedColumns,
  readWatermark,
  stagedSource,
  stagingSql,
  watermarkSql,
} from '../../../pipelines/stages/extract.ts';
import { extractSql } from '../../../pipelines/stages/extract-sql.ts';
import { laterSpendSql } from '../../../pipelines/stages/later-period.ts';
import type { Row, Warehouse } from '../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

const CONTRACT: Contract = {
  version: 1,
  rules: [{ name: 'known', check: 'customer_id IS NOT NULL', severity: 'reject', reason: 'nobody' }],
  thresholds: { warnRefusedShare: 0.2, failRefusedShare: 0.5, minimumCustomers: 2 },
};
const LEAST: SourceColumns = { customer_id: 'customer', ordered_at: 'moment', amount: 'money' };

let fixture: WarehouseFixture;
let warehouse: Warehouse;
let files = 0;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

/** The source of a query, as the activity makes it: staged, with numbered rows. */
async function sourceOf(
  query: string,
  { columns = LEAST, attributes }: { columns?: SourceColumns; attributes?: Attributes } = {},
): Promise<ExtractSource> {
  const described = await warehouse.rows(`DESCRIBE ${query}`);
  const types = Object.fromEntries(described.map((row) => [row.column_name, String(row.column_type)]));
  const source: ExtractSource = { from: `(${query})`, columns, attributes, types, name: 'made' };
  const path = fixture.path(`staged-${files++}.parquet`);
  await warehouse.copyToParquet(stagingSql(source), path);
  return stagedSource(source, `read_parquet('${path}')`);
}

const AS_OF = '2027-01-01';

async function extract(source: ExtractSource, contract = CONTRACT): Promise<Row[]> {
  return warehouse.rows(`SELECT COLUMNS(*)::VARCHAR FROM (${extractSql({ source, contract, asOf: AS_OF })})`);
}

const values = (columns: string, ...rows: string[]) =>
  `SELECT * FROM (VALUES ${rows.map((row) => `(${row})`).join(', ')}) AS t(${columns})`;

describe('a source with an amount alone', () => {
  it('has its moments for orders, and neither quantity nor price', async () => {
    const source = await sourceOf(
      values('customer, moment, money', `'1', '2026-01-02 10:00:00.5', '12.34567'`, `'1', NULL, '1'`),
    );
    expect(await extract(source)).toEqual([
      {
        customer_id: '1',
        order_id: '2026-01-02T10:00:00',
        ordered_at: '2026-01-02 10:00:00.5',
        amount: '12.3457',
        malformed: null,
      },
      { customer_id: '1', order_id: null, ordered_at: null, amount: '1.0000', malformed: null },
    ]);
    expect(mappedColumns(source.columns)).toEqual(['customer_id', 'order_id', 'ordered_at']);
    expect(readWatermark((await warehouse.rows(watermarkSql(source, null)))[0]!)).toMatchObject({ rows: 2 });
  });

  it.each([
    [`'12,50'`, null, 'amount=12,50'],
    [`'free'`, null, 'amount=free'],
    [`''`, null, null],
    ['NULL', null, null],
    [`'-3.5'`, '-3.5000', null],
  ])('amount %s is %s, unreadable: %s', async (money, amount, malformed) => {
    const [row] = await extract(
      await sourceOf(values('customer, moment, money', `'1', '2026-01-02', ${money}`)),
    );
    expect(row).toMatchObject({ amount, malformed });
  });

  it('has a later period: what was spent in it, and at how many moments', async () => {
    const rows = [
      `'1', '2026-01-02', '1'`,
      `'1', '2026-02-01 10:00', '2.50'`,
      `'1', '2026-02-01 10:00', '1.50'`,
      `'1', '2026-02-02', '6'`,
    ];
    const source = await sourceOf(values('customer, moment, money', ...rows));
    const later = laterSpendSql({ source, contract: CONTRACT, asOf: '2026-02-01', until: '2026-03-01' });
    expect(await warehouse.rows(later)).toEqual([
      { customer_id: '1', spend_cents: 1000, orders: 2, rows: 3 },
    ]);
  });
});

it('an amount that is mapped stands above quantity times price, also where it is missing', async () => {
  const columns = { ...LEAST, quantity: 'pieces', unit_price: 'price', discount: 'off' };
  const source = await sourceOf(
    values(
      'customer, moment, money, pieces, price, off',
      `'1', '2026-01-02', '7', '2', '5', '3'`,
      `'2', '2026-01-02', NULL, '2', '5', 'some'`,
    ),
    { columns },
  );
  expect(await extract(source)).toEqual([
    expect.objectContaining({
      amount: '7.0000',
      quantity: '2',
      unit_price: '5.0000',
      discount: '3.0000',
      malformed: null,
    }),
    expect.objectContaining({ amount: null, discount: null, malformed: 'discount=some' }),
  ]);
  expect(Object.keys((await extract(source))[0]!)).toEqual([
    ...['customer_id', 'order_id', 'ordered_at', 'quantity', 'unit_price', 'discount', 'amount', 'malformed'],
  ]);
});

describe('attributes', () => {
  const attributeOf = async (value: string, type?: 'text' | 'number' | 'time' | 'boolean') => {
    const attributes = { order: { column: 'Some "odd" name', ...(type && { type }) } };
    const source = await sourceOf(
      values(`customer, moment, money, "Some ""odd"" name"`, `'1', '2026-01-02', '1', ${value}`),
      {
        attributes,
      },
    );
    const [row] = await extract(source);
    return [row!.order, row!.malformed];
  };

  it.each<[string, 'text' | 'number' | 'time' | 'boolean' | undefined, string | null, string | null]>([
    [`' gold '`, 'text', 'gold', null],
    [`''`, 'text', null, null],
    [`'0042'`, undefined, '0042', null],
    [`'0042'`, 'number', '42.0', null],
    [`'1e3'`, 'number', '1000.0', null],
    [`'many'`, 'number', null, 'order=many'],
    [`'NaN'`, 'number', null, 'order=NaN'],
    [`'inf'`, 'number', null, 'order=inf'],
    [`'1e999'`, 'number', null, 'order=1e999'],
    [`' '`, 'number', null, null],
    ['42::INTEGER', undefined, '42.0', null],
    ['1.5::DECIMAL(9,2)', undefined, '1.5', null],
    [`'inf'::DOUBLE`, undefined, null, 'order=inf'],
    // A gap of a column of floating numbers, as many tools write it.
    [`'nan'::DOUBLE`, undefined, null, null],
    [`'2026-01-02T10:00:00+02:00'`, 'time', '2026-01-02 08:00:00', null],
    [`DATE '2026-01-02'`, undefined, '2026-01-02 00:00:00', null],
    [`'soon'`, 'time', null, 'order=soon'],
    [`'Yes'`, 'boolean', 'true', null],
    [`' f '`, 'boolean', 'false', null],
    [`'maybe'`, 'boolean', null, 'order=maybe'],
    ['true', undefined, 'true', null],
    ['0', 'boolean', 'false', null],
    ['2', 'boolean', null, 'order=2'],
  ])('%s as %s is %s, unreadable: %s', async (value, type, found, malformed) => {
    expect(await attributeOf(value, type)).toEqual([found, malformed]);
  });

  it('stand by name after the canonical columns', async () => {
    const attributes = { zone: { column: 'z' }, age: { column: 'a' } };
    const source = await sourceOf(
      values('customer, moment, money, z, a', `'1', '2026-01-02', '1', 'north', 30`),
      { attributes },
    );
    expect(Object.keys((await extract(source))[0]!)).toEqual([
      ...['customer_id', 'order_id', 'ordered_at', 'age', 'zone', 'amount', 'malformed'],
    ]);
  });

  it('may be part of what names a row, as may a moment that makes an order', async () => {
    const rows = [
      `'1', '2026-01-02', '1', 'a'`,
      `'1', '2026-01-02', '2', 'a'`,
      `'1', '2026-01-02', '3', 'b'`,
      `'1', '2026-01-03', '4', 'a'`,
    ];
    const attributes = { group: { column: 'g' } };
    const source = await sourceOf(values('customer, moment, money, g', ...rows), { attributes });
    const duplicates = async (unique: string[]) =>
      (await extract(source, { ...CONTRACT, unique }))
        .filter((row) => row.is_duplicate === 'true')
        .map(({ amount }) => amount);
    expect(await duplicates(['order_id', 'group'])).toEqual(['2.0000']);
    expect(await duplicates(['order_id'])).toHaveLength(2);
    expect(await duplicates(['order_id', 'amount'])).toEqual([]);
    expect(() => extractSql({ source, contract: { ...CONTRACT, unique: ['country'] }, asOf: AS_OF })).toThrow(
      expect.objectContaining({
        code: 'DEFINITION_INVALID',
        message: expect.stringContaining('found country'),
      }),
    );
  });
});

it('customers of a second table are known by their id, however the transactions write it', async () => {
  const path = fixture.path('known.parquet');
  await warehouse.copyToParquet(values('customer_id', `'17'`, `'18'`, `'18'`, 'NULL'), path);
  const rows = [`17, '2026-01-02', 1`, `18, '2026-01-02', 2`, `19, '2026-01-02', 3`, `NULL, '2026-01-02', 4`];
  const source = await sourceOf(values('customer, moment, money', ...rows));
  const found = await extract({ ...source, customers: `'${path}'` });
  expect(found.map(({ customer_id, is_known_customer }) => [customer_id, is_known_customer])).toEqual([
    ['17', 'true'],
    ['18', 'true'],
    ['19', 'false'],
    [null, 'false'],
  ]);
  expect(Object.keys(found[0]!).at(-1)).toBe('is_known_customer');
});
