import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Contract } from '../../../pipelines/contracts/contract.ts';
import type { SourceColumns } from '../../../pipelines/contracts/source.ts';
import {
  type ExtractSource,
  readWatermark,
  requireRows,
  resolveAsOf,
  stagedSource,
  stagingSql,
  watermarkSql,
} from '../../../pipelines/stages/extract.ts';
import { extractSql } from '../../../pipelines/stages/extract-sql.ts';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { digestOfFile, type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

const COLUMNS: SourceColumns = {
  customer_id: 'customer',
  order_id: 'order',
  ordered_at: 'at',
  quantity: 'pieces',
  unit_price: 'price',
  line_id: 'line',
  loaded_at: 'loaded',
};
const CONTRACT: Contract = {
  version: 1,
  rules: [{ name: 'known', check: 'customer_id IS NOT NULL', severity: 'reject', reason: 'nobody' }],
  thresholds: { warnRefusedShare: 0.2, failRefusedShare: 0.5, minimumCustomers: 2 },
};

let fixture: WarehouseFixture;
let warehouse: Warehouse;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

/** A source of rows given as SQL values, with the given type for columns that are not text. */
function sourceOf(rows: readonly string[], types: Record<string, string> = {}): ExtractSource {
  const names = Object.values(COLUMNS).map((name) => `"${name}"`);
  const typed = Object.fromEntries(Object.values(COLUMNS).map((name) => [name, types[name] ?? 'VARCHAR']));
  const casts = Object.entries(typed).map(([name, type]) => `CAST("${name}" AS ${type}) AS "${name}"`);
  const from = `(SELECT ${casts.join(', ')} FROM (VALUES ${rows.map((row) => `(${row})`).join(', ')}) AS t(${names}))`;
  return { from, columns: COLUMNS, types: typed, name: 'made.csv' };
}

const line = (change: Partial<Record<keyof typeof COLUMNS, string>> = {}) =>
  Object.keys(COLUMNS)
    .map((role) => change[role as keyof typeof COLUMNS] ?? DEFAULTS[role as keyof typeof DEFAULTS])
    .join(', ');
const DEFAULTS = {
  customer_id: `'17850'`,
  order_id: `'O-1'`,
  ordered_at: `'2026-01-02 10:00:00'`,
  quantity: `'2'`,
  unit_price: `'2.5'`,
  line_id: `'L-1'`,
  loaded_at: `'2026-01-03 01:00:00'`,
};

async function extractOne(change: Parameters<typeof line>[0], types: Record<string, string> = {}) {
  const sql = extractSql({ source: sourceOf([line(change)], types), contract: CONTRACT, asOf: '2027-01-01' });
  const [row] = await warehouse.rows(
    `SELECT * REPLACE (CAST(ordered_at AS VARCHAR) AS ordered_at, CAST(loaded_at AS VARCHAR) AS loaded_at) FROM (${sql})`,
  );
  return row!;
}

describe('canonical values', () => {
  it('of a good row', async () => {
    expect(await extractOne({})).toEqual({
      customer_id: '17850',
      order_id: 'O-1',
      ordered_at: '2026-01-02 10:00:00',
      quantity: 2,
      unit_price: 2.5,
      line_id: 'L-1',
      loaded_at: '2026-01-03 01:00:00',
      amount: 5,
      malformed: null,
    });
  });

  it.each([
    [`'17850.0'`, 'VARCHAR', '17850'],
    [`' 17850 '`, 'VARCHAR', '17850'],
    [`'0017850'`, 'VARCHAR', '0017850'],
    [`'v1.0'`, 'VARCHAR', 'v1.0'],
    [`'17850.5'`, 'VARCHAR', '17850.5'],
    [`'  '`, 'VARCHAR', null],
    [`''`, 'VARCHAR', null],
    ['NULL', 'VARCHAR', null],
    ['17850', 'INTEGER', '17850'],
    ['17850', 'DOUBLE', '17850'],
    [`'nan'`, 'DOUBLE', null],
    ['9007199254740993', 'HUGEINT', '9007199254740993'],
    ['17850.00', 'DECIMAL(12,2)', '17850'],
  ])('customer %s as %s is %j', async (customer, type, id) => {
    const row = await extractOne({ customer_id: customer }, { customer: type });
    expect(row.customer_id).toBe(id);
    expect(row.malformed).toBeNull();
  });

  it.each([
    [`'2026-01-02'`, 'VARCHAR', '2026-01-02 00:00:00'],
    [`'2026-01-02T10:00:00Z'`, 'VARCHAR', '2026-01-02 10:00:00'],
    [`'2026-01-02T10:00:00+02:00'`, 'VARCHAR', '2026-01-02 08:00:00'],
    [`'2026-01-01 23:00:00-05:00'`, 'VARCHAR', '2026-01-02 04:00:00'],
    [`DATE '2026-01-02'`, 'DATE', '2026-01-02 00:00:00'],
    [`TIMESTAMPTZ '2026-01-02 10:00:00+02'`, 'TIMESTAMP WITH TIME ZONE', '2026-01-02 08:00:00'],
  ])('time %s as %s is %s in UTC', async (at, type, moment) => {
    expect(await extractOne({ ordered_at: at }, { at: type })).toMatchObject({
      ordered_at: moment,
      malformed: null,
    });
  });

  it.each<[string, Parameters<typeof line>[0], Record<string, string>, string]>([
    ['a word for a price', { unit_price: `'n/a'` }, {}, 'unit_price=n/a'],
    ['a comma in a price', { unit_price: `'12,50'` }, {}, 'unit_price=12,50'],
    ['half a piece as text', { quantity: `'2.5'` }, {}, 'quantity=2.5'],
    ['half a piece as a number', { quantity: '2.5' }, { pieces: 'DOUBLE' }, 'quantity=2.5'],
    ['a price beyond all money', { unit_price: '1e30' }, { price: 'DOUBLE' }, 'unit_price=1e+30'],
    ['a hexadecimal quantity', { quantity: `'0x10'` }, {}, 'quantity=0x10'],
    ['a day that does not exist', { ordered_at: `'2026-02-30'` }, {}, 'ordered_at=2026-02-30'],
    ['months before days', { ordered_at: `'12/25/2025 8:26'` }, {}, 'ordered_at=12/25/2025 8:26'],
    ['two at once', { quantity: `'x'`, unit_price: `'y'` }, {}, 'quantity=x; unit_price=y'],
    [
      'an amount too large',
      { quantity: `'900000000'`, unit_price: `'90000000'` },
      {},
      'amount=900000000 x 90000000.0000',
    ],
  ])('keeps the text of what cannot be read: %s', async (_, change, types, malformed) => {
    expect((await extractOne(change, types)).malformed).toBe(malformed);
  });

  it.each([
    [`'2'`, 2],
    [`'-3'`, -3],
    [`'+2'`, 2],
    [`' 2 '`, 2],
    [`'2.0'`, 2],
    [`'2e1'`, 20],
    [`'9007199254740992'`, 9007199254740992],
  ])('reads quantity %s as %d', async (quantity, pieces) => {
    const sql = extractSql({
      source: sourceOf([line({ quantity, unit_price: `'0'` })]),
      contract: CONTRACT,
      asOf: '2027-01-01',
    });
    const [row] = await warehouse.rows(`SELECT CAST(quantity AS VARCHAR) AS pieces, malformed FROM (${sql})`);
    expect(row).toEqual({ pieces: String(pieces), malformed: null });
  });

  it.each([`''`, `'  '`, 'NULL'])('takes a price of %s for missing, not for unreadable', async (price) => {
    expect(await extractOne({ unit_price: price })).toMatchObject({
      unit_price: null,
      amount: null,
      malformed: null,
    });
  });
});

describe('duplicates', () => {
  const contract: Contract = { ...CONTRACT, unique: ['line_id'] };
  let files = 0;
  const flags = async (rows: string[]) => {
    const path = fixture.path(`numbered-${files++}.parquet`);
    await warehouse.copyToParquet(stagingSql(sourceOf(rows)), path);
    const source = stagedSource(sourceOf(rows), `read_parquet('${path}')`);
    const sql = extractSql({ source, contract, asOf: '2027-01-01' });
    return warehouse.rows(`SELECT line_id, quantity, is_duplicate FROM (${sql})`);
  };

  it('are the rows of a key after the first loaded, also of other customers', async () => {
    const rows = [
      line({ loaded_at: `'2026-01-05'`, quantity: `'3'`, customer_id: `'1'` }),
      line({ loaded_at: `'2026-01-04'`, quantity: `'2'`, customer_id: `'2'` }),
      line({ line_id: `'L-2'`, quantity: `'9'`, customer_id: `'3'` }),
    ];
    expect(await flags(rows)).toEqual([
      { line_id: 'L-1', quantity: 3, is_duplicate: true },
      { line_id: 'L-1', quantity: 2, is_duplicate: false },
      { line_id: 'L-2', quantity: 9, is_duplicate: false },
    ]);
  });

  it('of three equal rows are two', async () => {
    const found = await flags([line(), line(), line()]);
    expect(found.filter((row) => row.is_duplicate)).toHaveLength(2);
  });

  it('that say the same in other words are told apart in the same way from any order', async () => {
    const rows = [`'1'`, `'1.0'`, `'1.00'`, `' 1'`].map((quantity) => line({ quantity }));
    const found = await flags(rows);
    expect(found.filter((row) => row.is_duplicate)).toHaveLength(3);
    expect(await flags(rows.toReversed())).toEqual(found);
  });

  it('are compared as ids, not as they are written', async () => {
    const found = await flags([line({ line_id: `'7'` }), line({ line_id: `'7.0'` })]);
    expect(found.map((row) => row.line_id)).toEqual(['7', '7']);
    expect(found.filter((row) => row.is_duplicate)).toHaveLength(1);
  });

  it('begin with the as-of date: a row that is not in the extract is no original', async () => {
    const later = line({ ordered_at: `'2027-03-01'`, loaded_at: `'2026-01-01'` });
    expect(await flags([line(), later])).toEqual([{ line_id: 'L-1', quantity: 2, is_duplicate: false }]);
  });

  it('are never rows whose key is missing', async () => {
    const found = await flags([line({ line_id: 'NULL' }), line({ line_id: 'NULL' })]);
    expect(found.map((row) => row.is_duplicate)).toEqual([false, false]);
  });

  it('need key columns that the source has', () => {
    const { line_id: _, ...columns } = COLUMNS;
    const source = { ...sourceOf([line()]), columns };
    expect(() => extractSql({ source, contract, asOf: '2027-01-01' })).toThrow(
      /unique: needs columns .* found line_id/,
    );
  });
});

describe('the as-of date', () => {
  const watermarkOf = async (source: ExtractSource, asOf: string | null = null) =>
    readWatermark((await warehouse.rows(watermarkSql(source, asOf)))[0]!);

  it('is the day after the newest loading when none is given', async () => {
    const source = sourceOf([line(), line({ loaded_at: `'2026-03-31 23:59:59'` })]);
    const watermark = await watermarkOf(source);
    expect(watermark).toEqual({
      rows: 2,
      oldestOrderedAt: '2026-01-02T10:00:00',
      newest: '2026-03-31T23:59:59',
      nextDay: '2026-04-01',
    });
    expect(resolveAsOf(watermark, source, null)).toBe('2026-04-01');
  });

  it('leaves out rows from its midnight on and keeps rows without a readable time', async () => {
    const times = [`'2026-01-01 23:59:59.999'`, `'2026-01-02 00:00:00'`, `'soon'`, 'NULL'];
    const source = sourceOf(times.map((ordered_at) => line({ ordered_at, loaded_at: 'NULL' })));
    const sql = extractSql({ source, contract: CONTRACT, asOf: '2026-01-02' });
    const rows = await warehouse.rows(`SELECT CAST(ordered_at AS VARCHAR) AS at, malformed FROM (${sql})`);
    expect(rows).toEqual([
      { at: '2026-01-01 23:59:59.999', malformed: null },
      { at: null, malformed: 'ordered_at=soon' },
      { at: null, malformed: null },
    ]);
  });

  it('leaves out rows loaded from its midnight on, which no run on that day could have read', async () => {
    const times = [`'2026-01-02 23:59:59'`, `'2026-01-03 00:00:00'`, `'2026-02-01'`, `'soon'`, 'NULL'];
    const source = sourceOf(times.map((loaded_at) => line({ loaded_at })));
    const sql = extractSql({ source, contract: CONTRACT, asOf: '2026-01-03' });
    const rows = await warehouse.rows(
      `SELECT CAST(loaded_at AS VARCHAR) AS at FROM (${sql}) ORDER BY ALL NULLS LAST`,
    );
    expect(rows.map(({ at }) => at)).toEqual(['2026-01-02 23:59:59', null, null]);
  });

  it('leaves the newest moment out that came after it', async () => {
    const source = sourceOf([line(), line({ loaded_at: `'2026-03-31 23:59:59'` })]);
    const { newest, nextDay } = await watermarkOf(source, '2026-02-01');
    expect(newest).toBe('2026-01-03T01:00:00');
    expect(nextDay).toBe('2026-04-01');
  });

  it('before all loading is refused with the column that says so', () => {
    const source = sourceOf([line()]);
    expect(() => requireRows(1, source, '2026-01-03')).not.toThrow();
    expect(() => requireRows(0, source, '2026-01-03')).toThrow(
      expect.objectContaining({ code: 'AS_OF_BEFORE_DATA', message: expect.stringContaining('loaded_at') }),
    );
  });

  it('before all data is refused with the first day there is', async () => {
    const source = sourceOf([line()]);
    const watermark = await watermarkOf(source);
    expect(() => resolveAsOf(watermark, source, '2026-01-02')).toThrow(
      expect.objectContaining({ code: 'AS_OF_BEFORE_DATA', message: expect.stringContaining('2026-01-02') }),
    );
    expect(resolveAsOf(watermark, source, '2026-01-03')).toBe('2026-01-03');
  });

  it('cannot come from a source without rows, or without a readable time', async () => {
    const blind = sourceOf([line({ ordered_at: `'soon'`, loaded_at: 'NULL' })]);
    const watermark = await watermarkOf(blind);
    expect(() => resolveAsOf(watermark, blind, null)).toThrow(
      expect.objectContaining({ code: 'EXTRACT_UNREADABLE', message: expect.stringContaining('column at') }),
    );
    expect(() => resolveAsOf({ ...watermark, rows: 0 }, blind, '2026-01-03')).toThrow(
      expect.objectContaining({ code: 'EXTRACT_EMPTY' }),
    );
  });
});

it.each(['INTEGER', 'BIGINT', 'VARCHAR', 'DOUBLE'])(
  'has %s ids in the byte order of their text',
  async (type) => {
    const customers = [120, 12, 1, -1, 9, -12, 1_000_000_000, 2_147_483_647, -2_147_483_648, 0, 10, 99];
    const rows = [...customers, 'NULL'].map((id) => line({ customer_id: String(id) }));
    const sql = extractSql({
      source: sourceOf(rows, { customer: type }),
      contract: CONTRACT,
      asOf: '2027-01-01',
    });
    const found = (await warehouse.rows(`SELECT customer_id FROM (${sql})`)).map((row) => row.customer_id);
    expect(found).toEqual([...customers.map(String).sort(), null]);
  },
);

it('has the same bytes whatever the order of the source and the number of threads', async () => {
  const made = `SELECT range % 3000 AS customer, 'O' || range // 3 AS "order",
      TIMESTAMP '2026-01-01' + to_seconds(range * 37 % 9999991) AS at, range % 7 AS pieces,
      (range % 997 / 100)::DECIMAL(9,2) AS price, 'L' || range % 290000 AS line, TIMESTAMP '2026-06-01' AS loaded
    FROM range(300000)`;
  const digests: string[] = [];
  for (const [threads, order] of [
    [1, 'hash(line)'],
    [2, 'hash(line)'],
    [2, 'price, line DESC'],
  ] as const) {
    const own = await fixture.open(threads);
    const raw = fixture.path(`raw-${digests.length}.parquet`);
    await own.copyToParquet(`${made} ORDER BY ${order}, ALL`.replace(', ALL', ''), raw);
    const described = await own.rows(`DESCRIBE FROM '${raw}'`);
    const types = Object.fromEntries(described.map((row) => [row.column_name, String(row.column_type)]));
    const source = { from: `read_parquet('${raw}')`, columns: COLUMNS, types, name: 'raw' };
    const path = fixture.path(`extract-${digests.length}.parquet`);
    const contract: Contract = { ...CONTRACT, unique: ['line_id'] };
    await own.copyToParquet(extractSql({ source, contract, asOf: '2026-12-01' }), path);
    digests.push(await digestOfFile(path));
    const [counted] = await own.rows(`SELECT count(*) FILTER (WHERE is_duplicate) AS copies FROM '${path}'`);
    expect(counted).toEqual({ copies: 10_000 });
  }
  expect(new Set(digests).size).toBe(1);
}, 60_000);
