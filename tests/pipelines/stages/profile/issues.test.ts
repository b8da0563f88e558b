import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Issue } from '../../../../pipelines/stages/profile/issues.ts';
import type { Warehouse } from '../../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../../store/warehouse/fixture.ts';
import { profileOf, shopSql } from './fixture.ts';

let fixture: WarehouseFixture;
let warehouse: Warehouse;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

/** Rows beside those of the shop; what is not given is as in any other row. */
function extra(given: Record<string, string>, rows = 60): string {
  const columns = {
    customer_id: `'c' || (range % 300)`,
    order_id: `'x' || range`,
    ordered_at: `TIMESTAMP '2026-02-02 10:00:00'`,
    quantity: '1 + range % 7',
    unit_price: 'CAST(10 + range AS DECIMAL(18,4)) / 10',
    category: `'20001A'`,
    country: `'DE'`,
    malformed: 'CAST(NULL AS VARCHAR)',
    ...given,
  };
  return `UNION ALL SELECT ${Object.values(columns).join(', ')} FROM range(${rows})`;
}

async function issuesOf(given: Record<string, string>, rows?: number): Promise<Issue[]> {
  return (await profileOf(warehouse, shopSql({ extra: extra(given, rows) }))).issues;
}

test('a shop without faults has no serious issue', async () => {
  const { issues } = await profileOf(warehouse, shopSql());
  expect(issues.filter(({ severity }) => severity === 'serious')).toEqual([]);
});

describe('each fault is found with its rows and a proposal', () => {
  test.each<[string, string | null, Record<string, string>, Partial<Issue>]>([
    ['missing-values', 'customer_id', { customer_id: 'NULL' }, { rows: 60, letThrough: 0, severity: 'note' }],
    ['negative-values', 'quantity', { quantity: '-2' }, { rows: 60, letThrough: 0 }],
    ['zero-values', 'unit_price', { unit_price: '0' }, { rows: 60, letThrough: 60, line: 'unit_price <> 0' }],
    [
      'cancellations',
      'order_id',
      { order_id: `'CR' || range`, quantity: '-1' },
      { rows: 60, letThrough: 0, line: `NOT starts_with(order_id, 'CR')` },
    ],
    [
      'odd-codes',
      'category',
      { category: `'POSTAGE'` },
      { rows: 60, letThrough: 60, line: `regexp_matches(category, '[0-9]')` },
    ],
    ['spelling-variants', 'category', { category: `'20001a'` }, { rows: 60 }],
    ['blanks', 'country', { country: `'DE '` }, { rows: 60, severity: 'look' }],
    ['unsteady-trait', 'country', { customer_id: `'c7'`, country: `'FR'` }, { severity: 'note' }],
    ['unreadable-values', 'unit_price', { unit_price: 'NULL', malformed: `'unit_price=x'` }, { rows: 60 }],
    [
      'ancient-times',
      'ordered_at',
      { ordered_at: `TIMESTAMP '1901-01-01'` },
      { rows: 60, severity: 'serious' },
    ],
    [
      'extreme-values',
      'unit_price',
      { unit_price: '99999' },
      { severity: 'serious', lineFor: 'pipeline.yaml' },
    ],
    ['one-large-customer', 'customer_id', { customer_id: `'c7'` }, { severity: 'serious' }],
  ])('%s in %s', async (code, where, given, expected) => {
    const found = await issuesOf(given, code === 'one-large-customer' ? 900 : 60);
    const own = found.find((issue) => issue.code === code && issue.where === where);
    expect(own, JSON.stringify(found.map((issue) => [issue.code, issue.where]))).toMatchObject(expected);
    expect(own!.cleanUp.length).toBeGreaterThan(20);
  });

  test('duplicate-rows, which only a unique key would refuse', async () => {
    const twice = `(FROM ${shopSql()} UNION ALL FROM ${shopSql()} LIMIT 6100)`;
    const { issues, duplicates } = await profileOf(warehouse, twice);
    expect(duplicates.exact).toEqual({ rows: 100, counted: 6_100, isEstimate: false });
    expect(issues.find(({ code }) => code === 'duplicate-rows')).toMatchObject({
      severity: 'serious',
      line: 'unique: [customer_id, order_id, ordered_at, quantity, unit_price, category, country]',
    });
  });

  test('lines that could not be split are told apart from values', async () => {
    const nothing = { customer_id: 'NULL', order_id: 'NULL', ordered_at: 'NULL', quantity: 'NULL' };
    const malformed = `'line ' || range || ': has 7 fields where the header has 8 | quantity=; unit_price='`;
    const report = await profileOf(
      warehouse,
      shopSql({
        extra: extra({ ...nothing, unit_price: 'NULL', category: 'NULL', country: 'NULL', malformed }),
      }),
    );
    expect(report).toMatchObject({ unreadableLines: 60, unreadable: [] });
    expect(report.issues.find(({ code }) => code === 'unreadable-lines')).toMatchObject({ rows: 60 });
    expect(JSON.stringify(report)).not.toContain('has 7 fields');
  });

  test('columns that are constant, nearly empty, or ids with a few copies', async () => {
    const from = `(SELECT *, 1 AS one, CASE WHEN order_id = 's1' THEN 'x' END AS rare,
      'L' || (CASE WHEN row_number() OVER () < 20 THEN 1 ELSE row_number() OVER () END) AS line_id FROM ${shopSql()})`;
    const { issues } = await profileOf(warehouse, from);
    const codes = issues.map(({ code, where }) => `${code} ${where}`);
    for (const expected of ['constant one', 'nearly-all-missing rare', 'id-not-unique line_id'])
      expect(codes).toContain(expected);
  });

  test('serious ones come first, and of two equally serious the one with more rows', async () => {
    const found = await issuesOf({
      unit_price: '0',
      customer_id: `CASE WHEN range < 10 THEN NULL ELSE 'c1' END`,
    });
    const ranks = found.map(({ severity }) => ['serious', 'look', 'note'].indexOf(severity));
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
  });
});
