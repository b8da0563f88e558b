import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quoteName } from '../../../pipelines/contracts/sql-quote.ts';
import { confidenceAt } from '../../../pipelines/stages/assign.ts';
import type { Columns } from '../../../pipelines/stages/features.ts';
import type { Model } from '../../../pipelines/stages/model.ts';
import { type ModelSqlOptions, modelToSql } from '../../../pipelines/stages/model-sql.ts';
import { realData } from '../../numeric/helpers/real-data.ts';
import {
  expectedOfGaps,
  expectedRows,
  makeCustomers,
  makeExtremes,
  makeGaps,
  makeModel,
  NOTHING,
  untransformed,
  withNullRules,
} from './model-fixture.ts';
import { fitOnlineRetail } from './online-retail-model.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

const table = { margins: [0.1, 0.2, 0.55], shares: [0.45, 0.8, 0.97] };
const base = makeModel(makeCustomers(2_000), { k: 7, confidence: table });
const model: Model = { ...base, reaches: [1.2, 0.8, 1, 2, 1.5, 0.7, 1.1] };
const options: ModelSqlOptions = { dialect: 'duckdb', source: 'customers', customerId: 'id' };

async function fillTable(name: string, columns: Columns) {
  const names = Object.keys(columns);
  await connection.run(
    `create or replace table ${quoteName(name)} (id integer, ${names.map((n) => `${quoteName(n)} double`).join(', ')})`,
  );
  const appender = await connection.createAppender(name);
  const rows = columns[names[0]!]!.length;
  for (let row = 0; row < rows; row++) {
    appender.appendInteger(row);
    for (const column of names) appender.appendDouble(columns[column]![row]!);
    appender.endRow();
  }
  appender.closeSync();
}

async function select(sql: string): Promise<unknown[][]> {
  const reader = await connection.runAndReadAll(`select * from (${sql}) order by customer_id`);
  return reader.getRowsJS() as unknown[][];
}

describe('a model as SQL for DuckDB', () => {
  test('gives every one of 20,000 customers what the kernel gives, extremes among them', async () => {
    const columns = makeExtremes(model, 20_000);
    await fillTable('customers', columns);
    const found = await select(modelToSql(model, options));
    expect(found).toEqual(expectedRows(model, columns));
    expect(new Set(found.map((row) => row[1])).size).toBe(8);
    expect(new Set(found.map((row) => row[5])).size).toBe(3);
  });

  test('gives it with figures that no transform has tamed, too', async () => {
    const raw = untransformed(model);
    const columns = makeExtremes(raw, 2_000);
    await fillTable('raw', columns);
    const found = await select(modelToSql(raw, { ...options, source: 'raw' }));
    expect(found).toEqual(expectedRows(raw, columns));
    expect(found.filter((row) => row[2] === 0).length).toBeGreaterThanOrEqual(7);
  });

  test('abstains where the model does', async () => {
    const careful = {
      ...model,
      assignment: { ...model.assignment, abstainBelowMargin: 0.12, abstainBelowConfidence: 0.6 },
    };
    const columns = makeExtremes(model, 3_000);
    for (const values of Object.values(columns)) values.copyWithin(0, 1_000);
    await fillTable('careful', columns);
    const found = await select(modelToSql(careful, { ...options, source: 'careful' }));
    expect(found).toEqual(expectedRows(careful, columns));
    expect(found.filter((row) => row[1] === null).length).toBeGreaterThan(100);
    expect(confidenceAt(table, 0.12)).toBeLessThan(0.6);
  });

  test('a tie goes to the lower cluster, an equal centre leaves no margin', async () => {
    const [first] = model.centers;
    const tied = { ...model, centers: [first!, ...model.centers.slice(1, -1), first!] };
    const columns = makeExtremes(model, 2_000);
    await fillTable('tied', columns);
    const found = await select(modelToSql(tied, { ...options, source: 'tied' }));
    expect(found).toEqual(expectedRows(tied, columns));
    const among = found.filter((row) => row[1] === 0);
    expect(among.length).toBeGreaterThan(10);
    for (const row of among) expect(row[3]).toBe(0);
    expect(found.some((row) => row[1] === 6)).toBe(false);
  });

  test('one cluster has a margin of 1, and what is not known is NULL', async () => {
    const one = { ...base, centers: base.centers.slice(0, 1), sizes: [9], reaches: null, confidence: null };
    const columns = makeExtremes(model, 600);
    await fillTable('one', columns);
    expect(await select(modelToSql(one, { ...options, source: 'one' }))).toEqual(expectedRows(one, columns));
  });

  test('NULL in a feature gives NULL for all results', async () => {
    await connection.run(
      'create or replace table gaps as select 0 as id, 1.0 as orders, null::double as "recencyDays", 1.0 as balance, 5.0 as "averageOrder"',
    );
    expect(await select(modelToSql(model, { ...options, source: 'gaps' }))).toEqual([[0, ...NOTHING]]);
  });

  test('fills a missing figure by its null rule, with the bits of the kernel', async () => {
    const ruled = withNullRules(model);
    const columns = makeGaps(3_000);
    await fillTable('ruled', columns);
    await connection.run('update ruled set orders = null where isnan(orders)');
    const sql = modelToSql(ruled, { ...options, source: 'ruled', derived: 'computed' });
    const found = await select(sql);
    expect(found).toEqual(expectedOfGaps(ruled, columns));
    expect(found.filter((row) => row[2] === null).length).toBeGreaterThan(100);
    // Only where there is a rule does the statement grow by a step.
    expect(sql).toContain('filled');
    expect(modelToSql(model, options)).not.toContain('filled');
  });

  test('reads whatever type a figure has', async () => {
    await connection.run(`create or replace table typed as
      select 0 as id, 3::tinyint as orders, 12.50::decimal(18, 4) as "recencyDays",
        -2.25::float as balance, 19.99::decimal(9, 2) as "averageOrder"`);
    const customer = { orders: 3, recencyDays: 12.5, balance: -2.25, averageOrder: 19.99 };
    const columns = Object.fromEntries(
      Object.entries(customer).map(([name, value]) => [name, Float64Array.of(value)]),
    );
    expect(await select(modelToSql(model, { ...options, source: 'typed' }))).toEqual(
      expectedRows(model, columns),
    );
  });

  test('makes derived features of the aggregates, as the pipeline does', async () => {
    const columns = makeCustomers(5_000, 8);
    // Divided by 0: not finite, so 0 in the pipeline.
    columns.orders!.set([0, 0]);
    columns.spendCents!.set([500, 0]);
    await fillTable('aggregates', columns);
    const sql = modelToSql(model, { ...options, source: 'aggregates', derived: 'computed' });
    expect(await select(sql)).toEqual(expectedRows(model, columns));
    expect(sql).not.toContain('SQL has no words');
  });

  test('says which derived features the source has to bring', () => {
    const derive = [
      { name: 'spend', expression: 'd.spendCents / 100' },
      { name: 'averageOrder', expression: 'd.spend / (1 + 1 / d.orders)' },
    ];
    const odd = { ...model, features: { ...model.features, derive } };
    const sql = modelToSql(odd, { ...options, derived: 'computed' });
    expect(sql).toContain('SQL has no words for "averageOrder"');
    expect(sql).toContain('CAST("averageOrder" AS FLOAT8)');
    expect(sql).not.toContain('spendCents');
  });

  test('names the segments', async () => {
    const columns = makeCustomers(200, 9);
    await fillTable('segmented', columns);
    const segments = Array.from({ length: 7 }, (_, c) => `it's \\ "seg" ${c}`);
    const found = await select(
      modelToSql(model, { ...options, source: 'segmented', derived: 'computed', segments }),
    );
    for (const row of found) expect(row[2]).toBe(segments[Number(row[1])]);
    expect(() => modelToSql(model, { ...options, segments: ['a'] })).toThrow('each of 7 clusters, found 1');
  });

  test('names are names, whatever they hold', async () => {
    const nasty = `x"; drop table customers; --\n'`;
    const rename = (name: string) => (name === 'orders' ? nasty : name);
    const renamed: Model = {
      ...model,
      pipeline: 'p\n; drop table customers; --',
      transforms: model.transforms.map((t) => ({ ...t, feature: rename(t.feature) })),
    };
    const columns = makeExtremes(model, 500);
    const stored = Object.fromEntries(Object.entries(columns).map(([name, v]) => [rename(name), v]));
    await fillTable(`t'"; select 1`, stored);
    const sql = modelToSql(renamed, { ...options, source: ['main', `t'"; select 1`] });
    expect(await select(sql)).toEqual(expectedRows(model, columns));
    const refusal = expect.objectContaining({ code: 'INPUT_INVALID' });
    expect(() => modelToSql(model, { ...options, source: '' })).toThrow(refusal);
    expect(() => modelToSql(model, { ...options, customerId: 'a\0b' })).toThrow(refusal);
    expect(() => modelToSql(model, { ...options, segments: new Array(7).fill('\0') })).toThrow(refusal);
  });

  test('names that the statement uses itself do no harm', async () => {
    const own: Record<string, string> = {
      orders: 'v1',
      recencyDays: 'v0',
      balance: 'customer_id',
      averageOrder: 'f0',
    };
    const renamed = {
      ...model,
      transforms: model.transforms.map((t) => ({ ...t, feature: own[t.feature]! })),
    };
    const columns = makeExtremes(model, 300);
    const stored = Object.fromEntries(Object.entries(columns).map(([name, v]) => [own[name]!, v]));
    await fillTable('strata_2_finite', stored);
    const sql = modelToSql(renamed, { ...options, source: 'strata_2_finite' });
    expect(await select(sql)).toEqual(expectedRows(model, columns));
  });

  test('is the same text for the same model', () => {
    expect(modelToSql(JSON.parse(JSON.stringify(model)), options)).toBe(modelToSql(model, options));
  });
});

describe.skipIf(!realData)('on Online Retail', () => {
  test('every customer gets from DuckDB what the kernel gives; few are novel', async () => {
    const { columns, model: fitted } = await fitOnlineRetail();
    await fillTable('online_retail', columns);
    const found = await select(modelToSql(fitted, { ...options, source: 'online_retail' }));
    expect(found).toHaveLength(4_338);
    expect(found).toEqual(expectedRows(fitted, columns));
    const novel = found.filter((row) => row[5] === true).length;
    expect(novel).toBeGreaterThan(0);
    expect(novel / found.length).toBeLessThan(0.003);
  });
});
