import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Columns } from '../../../pipelines/stages/features.ts';
import type { Model } from '../../../pipelines/stages/model.ts';
import { type ModelSqlOptions, modelToSql } from '../../../pipelines/stages/model-sql.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
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
} from '../../pipelines/stages/model-fixture.ts';
import { fitOnlineRetail } from '../../pipelines/stages/online-retail-model.ts';

let database: TestDatabase;
let options: Omit<ModelSqlOptions, 'source'>;
beforeAll(async () => {
  database = await testDatabase({ migrated: false });
  await database.knex.raw('create schema ??', [database.schema]);
  options = { dialect: 'postgres', customerId: 'id' };
}, 60_000);
afterAll(() => database?.drop());

const table = { margins: [0.1, 0.2, 0.55], shares: [0.45, 0.8, 0.97] };
const base = makeModel(makeCustomers(2_000), { k: 7, confidence: table });
const model: Model = { ...base, reaches: [1.2, 0.8, 1, 2, 1.5, 0.7, 1.1] };

async function fillTable(name: string, columns: Columns): Promise<string[]> {
  const names = Object.keys(columns);
  const place = [database.schema, name];
  const declared = names.map(() => '?? double precision').join(', ');
  await database.knex.raw(`create table ??.?? (id integer, ${declared})`, [...place, ...names]);
  const rows = columns[names[0]!]!.length;
  const arrays = [Array.from({ length: rows }, (_, row) => row), ...names.map((n) => [...columns[n]!])];
  const unnested = `unnest(?::integer[], ${names.map(() => '?::double precision[]').join(', ')})`;
  await database.knex.raw(`insert into ??.?? select * from ${unnested}`, [...place, ...arrays] as never);
  return place;
}

async function select(sql: string): Promise<unknown[][]> {
  const { rows } = await database.knex.raw(`select * from (${sql}) as assigned order by customer_id`);
  return rows.map(valuesOf);
}

/** The server writes single precision with as few digits as name the number. */
function valuesOf(row: Record<string, unknown>): unknown[] {
  return Object.entries(row).map(([name, value]) =>
    typeof value === 'number' && (name === 'distance' || name === 'margin') ? Math.fround(value) : value,
  );
}

describe('a model as SQL for PostgreSQL', () => {
  test('gives every one of 20,000 customers what the kernel gives, extremes among them', async () => {
    const columns = makeExtremes(model, 20_000);
    const source = await fillTable('customers', columns);
    const found = await select(modelToSql(model, { ...options, source }));
    expect(found).toEqual(expectedRows(model, columns));
    expect(new Set(found.map((row) => row[1])).size).toBe(8);
  });

  test('neither overflows nor underflows with figures that no transform has tamed', async () => {
    const raw = untransformed(model);
    const columns = makeExtremes(raw, 2_000);
    const source = await fillTable('raw', columns);
    expect(await select(modelToSql(raw, { ...options, source }))).toEqual(expectedRows(raw, columns));
  });

  test('abstains, and makes derived features, as the pipeline does', async () => {
    const columns = makeCustomers(5_000, 8);
    columns.orders!.set([0, 0]);
    columns.spendCents!.set([500, 0]);
    const source = await fillTable('aggregates', columns);
    const careful = { ...model, assignment: { ...model.assignment, abstainBelowMargin: 0.12 } };
    const found = await select(modelToSql(careful, { ...options, source, derived: 'computed' }));
    expect(found).toEqual(expectedRows(careful, columns));
  });

  test('NULL in a feature gives NULL for all results', async () => {
    const place = await fillTable('gaps', makeExtremes(model, 200));
    await database.knex.raw('update ??.?? set "recencyDays" = null', place);
    const found = await select(modelToSql(model, { ...options, source: place }));
    expect(found).toHaveLength(200);
    for (const row of found) expect(row.slice(1)).toEqual(NOTHING);
  });

  test('fills a missing figure by its null rule, with the bits of the kernel', async () => {
    const ruled = withNullRules(model);
    const columns = makeGaps(3_000);
    const source = await fillTable('ruled', columns);
    await database.knex.raw(`update ??.?? set orders = null where orders = 'NaN'`, source);
    const found = await select(modelToSql(ruled, { ...options, source, derived: 'computed' }));
    expect(found).toEqual(expectedOfGaps(ruled, columns));
  });

  test('works as a view, with names that need quoting', async () => {
    const nasty = `x"; drop table customers; --'`;
    const renamed: Model = {
      ...model,
      pipeline: 'p\n; drop table customers; --',
      transforms: model.transforms.map((t) => (t.feature === 'orders' ? { ...t, feature: nasty } : t)),
    };
    const { orders, ...others } = makeExtremes(model, 300);
    const source = await fillTable(`t'"; select 1`, { [nasty]: orders!, ...others });
    const segments = Array.from({ length: 7 }, (_, c) => `it's \\ "seg" ${c}`);
    const view = [database.schema, 'assigned'];
    const sql = modelToSql(renamed, { ...options, source, segments });
    await database.knex.raw(`create view ??.?? as ${sql.replaceAll('?', '\\?')}`, view);
    const { rows } = await database.knex.raw('select * from ??.?? order by customer_id', view);
    const found = rows.map(valuesOf);
    const expected = expectedRows(model, { orders: orders!, ...others }).map(([id, cluster, ...rest]) => [
      id,
      cluster,
      cluster === null ? null : segments[Number(cluster)],
      ...rest,
    ]);
    expect(found).toEqual(expected);
  });
});

describe.skipIf(!realData)('on Online Retail', () => {
  test('every customer gets from PostgreSQL what the kernel gives', async () => {
    const { columns, model: fitted } = await fitOnlineRetail();
    const source = await fillTable('online_retail', columns);
    const found = await select(modelToSql(fitted, { ...options, source }));
    expect(found).toHaveLength(4_338);
    expect(found).toEqual(expectedRows(fitted, columns));
  });
});
