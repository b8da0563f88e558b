import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  EXAMPLE_OF,
  examplesSql,
  quarantinedRowsSql,
  readRuleCounts,
  ruleCountsSql,
} from '../../../pipelines/stages/quarantine.ts';
import type { RowsFile } from '../../../pipelines/stages/releases.ts';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

let fixture: WarehouseFixture;
let warehouse: Warehouse;
let quarantine: RowsFile;

beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
  const path = fixture.path('quarantine.parquet');
  await warehouse.copyToParquet(
    `SELECT * FROM (VALUES
      ('free', ['free'], 'a', TIMESTAMP '2026-01-01 10:00:00', CAST(0 AS DECIMAL(18,4))),
      ('nobody', ['nobody', 'free'], NULL, TIMESTAMP '2026-01-02', 0),
      ('free', ['free', 'late'], 'b', NULL, 0),
      ('free', ['free'], 'c', NULL, 0),
      ('nobody', ['nobody'], NULL, NULL, 2.5)
    ) AS t(refused_by, broken_rules, customer_id, ordered_at, amount)`,
    path,
  );
  const from = `read_parquet('${path}')`;
  const described = await warehouse.rows(`DESCRIBE SELECT * FROM ${from}`);
  const columns = described.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }));
  quarantine = { from, columns };
});
afterAll(() => fixture.remove());

describe('a quarantine', () => {
  test('is counted by the first rule of each row, which adds up, and by all its rules', async () => {
    expect(readRuleCounts(await warehouse.rows(ruleCountsSql(quarantine)))).toEqual([
      { rule: 'free', first: 3, all: 4 },
      { rule: 'nobody', first: 2, all: 2 },
      { rule: 'late', first: 0, all: 1 },
    ]);
  });

  test('shows the first rows of each rule, in their order, values as text', async () => {
    const rows = await warehouse.rows(examplesSql(quarantine, { rules: ['free', 'nobody'], limit: 2 }));
    expect(rows.map((row) => [row[EXAMPLE_OF], row.customer_id, row.broken_rules])).toEqual([
      ['free', 'a', 'free'],
      ['free', 'b', 'free, late'],
      ['nobody', null, 'nobody, free'],
      ['nobody', null, 'nobody'],
    ]);
    expect(rows[0]).toMatchObject({ ordered_at: '2026-01-01 10:00:00', amount: '0.0000' });
  });

  test('shows rows that break one rule, be it the first or not', async () => {
    const rows = await warehouse.rows(examplesSql(quarantine, { rules: ['free'], limit: 9, broken: true }));
    expect(rows.map((row) => [row[EXAMPLE_OF], row.customer_id])).toEqual([
      ['free', 'a'],
      ['free', null],
      ['free', 'b'],
      ['free', 'c'],
    ]);
  });

  test('is taken away whole or by rule, in its order, with its lists or with text for them', async () => {
    const all = await warehouse.rows(quarantinedRowsSql(quarantine, { flat: false }));
    expect(all.map((row) => row.broken_rules)).toEqual([
      ['free'],
      ['nobody', 'free'],
      ['free', 'late'],
      ['free'],
      ['nobody'],
    ]);
    const some = await warehouse.rows(quarantinedRowsSql(quarantine, { rule: 'nobody', flat: true }));
    expect(some.map((row) => row.broken_rules)).toEqual(['nobody, free', 'nobody']);
  });
});
