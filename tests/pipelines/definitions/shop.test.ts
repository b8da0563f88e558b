import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Definition, parseDefinition } from '../../../pipelines/contracts/definition.ts';
import { describeTruth, generateTransactions } from '../../../pipelines/generator/transactions.ts';
import { extractSql } from '../../../pipelines/stages/extract-sql.ts';
import { featuresSql } from '../../../pipelines/stages/features-sql.ts';
import { readValidation, type ValidationCounts, validationSql } from '../../../pipelines/stages/validate.ts';
import type { Row, Warehouse } from '../../../store/warehouse/duckdb.ts';
import { writeBatches } from '../../../store/warehouse/write-batches.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

const PLAN = { customers: 1_500, months: 18, until: '2026-06-30', seed: 5 };
const AS_OF = '2026-07-01';

let fixture: WarehouseFixture;
let warehouse: Warehouse;
let definition: Definition;
let counts: ValidationCounts;
let from: string;

beforeAll(async () => {
  const folder = fileURLToPath(new URL('../../../pipelines/definitions/shop', import.meta.url));
  const read = (file: string) => readFile(`${folder}/${file}.yaml`, 'utf8');
  definition = parseDefinition('shop', {
    pipeline: await read('pipeline'),
    contract: await read('contract'),
  });
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
  const raw = fixture.path('raw.parquet');
  await writeBatches(generateTransactions(PLAN), raw);
  const described = await warehouse.rows(`DESCRIBE SELECT * FROM read_parquet('${raw}')`);
  const types = Object.fromEntries(
    described.map((row) => [String(row.column_name), String(row.column_type)]),
  );
  const source = {
    from: `read_parquet('${raw}')`,
    columns: definition.source.columns,
    types,
    name: 'raw.parquet',
  };
  const { contract } = definition;
  await warehouse.copyToParquet(
    extractSql({ source, contract, asOf: AS_OF }),
    fixture.path('extract.parquet'),
  );
  from = `read_parquet('${fixture.path('extract.parquet')}')`;
  const [row] = await warehouse.rows(validationSql({ from, contract }));
  counts = readValidation(row!, contract);
});
afterAll(() => fixture.remove());

describe('the contract of the shop', () => {
  test('finds exactly the faults that were planted, by the rule that says so', () => {
    const { faults, returns } = describeTruth(PLAN);
    const refused = Object.fromEntries(counts.rules.map((rule) => [rule.name, rule.refused]));
    expect(refused).toEqual({
      'unreadable-line': 0,
      'without-customer': faults['without-customer'],
      duplicate: faults.duplicate,
      return: returns,
      unreadable: faults['unreadable-quantity'],
      'without-date': 0,
      'future-date': faults['future-date'],
      'no-pieces': faults['no-pieces'],
      'without-price': faults['without-price'],
      late: 0,
    });
    expect(counts.rules.find(({ name }) => name === 'late')!.broken).toBe(faults.late);
  });

  test('accepts all other rows and every customer', () => {
    const truth = describeTruth(PLAN);
    expect(counts).toMatchObject({
      rows: truth.rows,
      accepted: truth.accepted,
      customers: PLAN.customers,
      malformed: truth.faults['unreadable-quantity'],
    });
  });
});

describe('the features of the shop', () => {
  let rows: Row[];
  beforeAll(async () => {
    const { contract, features } = definition;
    rows = await warehouse.rows(featuresSql({ from, contract, aggregate: features.aggregate, asOf: AS_OF }));
  });

  test('stand in the bounds that their meaning sets, for every customer', () => {
    expect(rows.length).toBe(PLAN.customers);
    const outside = rows.filter((row) => {
      const figure = (name: string) => row[name] as number;
      const shares = ['weekendShare', 'holidayShare', 'marketplaceShare'].map(figure);
      return !(
        figure('recencyDays') >= 1 &&
        figure('recencyDays') <= figure('tenureDays') &&
        figure('activeMonths') <= figure('orders') &&
        figure('activeMonths') <= PLAN.months &&
        figure('orders') >= 1 &&
        figure('items') >= figure('orders') &&
        Number.isInteger(figure('spendCents')) &&
        figure('spendCents') > 0 &&
        shares.every((share) => share >= 0 && share <= 1)
      );
    });
    expect(outside).toEqual([]);
  });

  test('leave no accepted row out: spend and pieces add up', async () => {
    const checks = definition.contract.rules
      .filter(({ severity }) => severity === 'reject')
      .map(({ check }) => `(${check})`)
      .join(' AND ');
    const [sums] = await warehouse.rows(
      `SELECT CAST(sum(amount) * 100 AS BIGINT) AS cents, sum(quantity) AS items FROM ${from} WHERE ${checks}`,
    );
    const sum = (name: string) => rows.reduce((total, row) => total + (row[name] as number), 0);
    expect({ cents: sum('spendCents'), items: sum('items') }).toEqual(sums);
  });
});

test('bands of stage and value leave no gap and do not overlap', () => {
  for (const { bands } of [definition.naming.stage, definition.naming.value]) {
    expect(bands[0]!.atLeast).toBeUndefined();
    expect(bands.at(-1)!.below).toBeUndefined();
    expect(bands.slice(1).map(({ atLeast }) => atLeast)).toEqual(
      bands.slice(0, -1).map(({ below }) => below),
    );
  }
});
