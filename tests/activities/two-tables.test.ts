import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { readCustomers, readValues } from '../../activities/columns.ts';
import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import { idAt } from '../../pipelines/contracts/customers.ts';
import type { Definition } from '../../pipelines/contracts/definition.ts';
import { decodeJson } from '../../store/artifacts/json.ts';
import { openWarehouse, type Row } from '../../store/warehouse/duckdb.ts';
import { writeShopExtract } from '../helpers/activity-extract.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { walkToStability } from '../helpers/activity-walk.ts';
import { assertRepeatable } from '../helpers/repeatable.ts';

const VARIABLE = 'CRM_URL';
const ATTRIBUTES = {
  birth_year: { column: 'born', type: 'number' },
  newsletter: { column: 'Newsletter', type: 'boolean' },
  // A word of SQL.
  group: { column: 'price group' },
} as const;
const HEADER = 'number;born;Newsletter;price group';
const FEATURES = [
  { name: 'birthYear', sql: 'any_value(birth_year)' },
  { name: 'isReader', sql: 'CAST(any_value(newsletter) AS INTEGER)' },
  { name: 'firstGroupShare', sql: `count(*) FILTER (WHERE "group" = 'g0') / count(*)` },
].map((feature) => ({
  ...feature,
  unit: 'figure',
  why: 'What a shop knows of a customer beside the orders.',
}));

let shop: ActivityShop;
let transactions: string;
/** Two customers of three have a row; one has a second one, unreadable in part, and one row is nobody's. */
let lines: string[];
let known: Map<string, string[]>;

beforeAll(async () => {
  shop = await openActivityShop();
  const { scratchFolder } = shop.context;
  transactions = await writeShopExtract(scratchFolder, { customers: 400 });
  const buyers = await rowsIn(
    transactions,
    (from) => `SELECT DISTINCT customer_number AS id FROM ${from} WHERE id IS NOT NULL ORDER BY id`,
  );
  const good = buyers
    .filter((_, i) => i % 3 > 0)
    .map(({ id }, i) => `${id};${1940 + (i % 60)};${i % 2 ? 'yes' : 'no'};g${i % 3}`);
  known = new Map(good.map((line) => [line.split(';')[0]!, line.split(';')]));
  lines = [...good, `${good[7]!.split(';')[0]};soon;yes;g9`, ';1980;no;g1'];
  await define({ kind: 'file', path: await written('crm.csv', lines) });
}, 60_000);
afterAll(() => shop?.close());

async function written(name: string, rows: readonly string[]): Promise<string> {
  const path = join(shop.context.scratchFolder, name);
  await writeFile(path, [HEADER, ...rows, ''].join('\n'));
  return path;
}

/** Gives the shop's definition this second table, and features of its attributes. */
async function define(table: object): Promise<void> {
  const path = join(shop.context.definitionFolders[0]!, 'shop/pipeline.yaml');
  const { source, features, ...rest } = parse(await readFile(path, 'utf8')) as Definition;
  const own = features.aggregate.filter(({ name }) => !FEATURES.some((feature) => feature.name === name));
  const customers = { ...table, customer_id: 'number', attributes: ATTRIBUTES };
  await writeFile(
    path,
    stringify({
      ...rest,
      source: { kind: 'file', path: transactions, columns: source.columns, customers },
      features: { ...features, aggregate: [...own, ...FEATURES] },
    }),
  );
}

async function openRun() {
  const { execution: workflow } = await shop.openWorkflow();
  return (await shop.perform('openRun', { input: {}, workflow, scheduledAt: null })).run;
}

async function rowsIn(path: string, sql: (from: string) => string): Promise<Row[]> {
  const { scratchFolder, artifactsFolder } = shop.context;
  const warehouse = await openWarehouse({
    threads: 1,
    memoryLimitMb: 512,
    tempFolder: scratchFolder,
    allowedFolders: [scratchFolder, artifactsFolder],
  });
  try {
    return await warehouse.rows(sql(`'${path}'`));
  } finally {
    warehouse.close();
  }
}

const rowsOf = async (artifact: ArtifactRef, sql: (from: string) => string) =>
  rowsIn(await shop.context.artifacts.path(artifact), sql);

describe('a run over transactions and customers', () => {
  test('goes through all its stages, and tells the rows of both tables', async () => {
    const { validation } = await walkToStability(shop);
    expect(validation.counts.tables).toEqual([
      {
        table: 'customers',
        rowsRead: lines.length,
        rowsAccepted: lines.length - 2,
        rowsQuarantined: 2,
        quarantinedBy: [
          { rule: 'unreadable-line', rows: 0 },
          { rule: 'customer_id-missing', rows: 1 },
          { rule: 'duplicate', rows: 1 },
        ],
      },
    ]);
    const { rowsRead, rowsAccepted, rowsQuarantined } = validation.counts;
    expect(rowsRead).toBe(rowsAccepted + rowsQuarantined);
    expect(validation.reasons).toContainEqual(
      expect.stringMatching(/^customers: 1 row is odd by rule unreadable/),
    );
  }, 60_000);

  test('freezes and validates twice to the same, and keeps what it refuses', async () => {
    const run = await openRun();
    /** As after a crash that came before the result was kept. */
    const anew = async <R extends { ms: number }>(call: Promise<R>) => {
      const found = await call;
      await shop.forgetSteps(run.runId);
      return { ...found, ms: 0 };
    };
    const snapshot = async () => (await shop.snapshot()).files;
    const extract = await assertRepeatable(() => anew(shop.perform('extractCustomers', { run })), snapshot);
    expect(extract.customers).toMatchObject({ rowsRead: lines.length, artifact: { kind: 'extract' } });
    const validate = () => anew(shop.perform('validateExtract', { run, extract }));
    const { customers, report } = await assertRepeatable(validate, snapshot);
    const { tables } = decodeJson(await shop.context.artifacts.read(report)) as { tables: unknown[] };
    expect(tables).toEqual([expect.objectContaining({ quarantine: customers!.quarantine.uri })]);
    const refused = await rowsOf(customers!.quarantine, (from) => `FROM ${from}`);
    expect(refused).toEqual([
      {
        refused_by: 'duplicate',
        broken_rules: ['duplicate'],
        customer_id: [...known.keys()][7],
        birth_year: null,
        group: 'g9',
        newsletter: true,
        malformed: 'birth_year=soon',
        is_duplicate: true,
      },
      {
        refused_by: 'customer_id-missing',
        broken_rules: ['customer_id-missing'],
        customer_id: null,
        birth_year: 1980,
        group: 'g1',
        newsletter: false,
        malformed: null,
        is_duplicate: false,
      },
    ]);
  }, 60_000);

  test('does not depend on the order of the table', async () => {
    const first = await shop.perform('extractCustomers', { run: await openRun() });
    await define({ kind: 'file', path: await written('turned.csv', lines.toReversed()) });
    const turned = await shop.perform('extractCustomers', { run: await openRun() });
    expect(turned.customers!.artifact.sha256).toBe(first.customers!.artifact.sha256);
  }, 60_000);

  test('marks the rows of known customers, and of no others', async () => {
    const { artifact } = await shop.perform('extractCustomers', { run: await openRun() });
    const found = await rowsOf(
      artifact,
      (from) => `SELECT customer_id, is_known_customer, count(*) AS rows FROM ${from} GROUP BY ALL`,
    );
    expect(found.some((row) => row.customer_id === null)).toBe(true);
    for (const { customer_id, is_known_customer } of found)
      expect(is_known_customer, String(customer_id)).toBe(known.has(String(customer_id)));
    expect(new Set(found.map((row) => row.is_known_customer))).toEqual(new Set([true, false]));
  }, 60_000);

  test('has the attributes as features, of each customer their own and none of who is not in the table', async () => {
    const opened = await openRun();
    const extract = await shop.perform('extractCustomers', { run: opened });
    const run = { ...opened, asOf: extract.asOf };
    const validation = await shop.perform('validateExtract', { run, extract });
    const features = await shop.perform('buildFeatures', { run, extract, validation });
    const customers = await readCustomers(shop.context.artifacts, features.customers);
    const values = await readValues(shop.context.artifacts, features.values);
    const ids = Array.from({ length: features.customers.rows }, (_, row) => idAt(customers, row));
    const wanted = ids.map((id) => known.get(id) ?? []);
    expect(Array.from(values.birthYear!)).toEqual(wanted.map(([, born]) => Number(born ?? 0)));
    expect(Array.from(values.isReader!)).toEqual(wanted.map(([, , reader]) => (reader === 'yes' ? 1 : 0)));
    expect(Array.from(values.firstGroupShare!)).toEqual(
      wanted.map(([, , , group]) => (group === 'g0' ? 1 : 0)),
    );
    expect(ids.filter((id) => !known.has(id)).length).toBeGreaterThan(50);
  }, 60_000);
});

describe('the same customers in PostgreSQL', () => {
  beforeAll(async () => {
    const { knex, schema, url } = shop.database;
    const text = ['number', 'born', 'Newsletter', 'price group', 'notes'].map((name) => `"${name}" text`);
    await knex.raw(`create table ??.crm (${text.join(', ')})`, [schema]);
    const rows = lines.map((line) => [...line.split(';').map((cell) => cell || null), 'never copied']);
    const cells = rows.map(() => '(?, ?, ?, ?, ?)').join(', ');
    await knex.raw(`insert into ??.crm values ${cells}`, [schema, ...rows.flat()] as never);
    shop.context.secret = (name) => (name === VARIABLE ? url : undefined);
  });

  test('are the same artifact, and make the same extract', async () => {
    const fromFile = await shop.perform('extractCustomers', { run: await openRun() });
    await define({ kind: 'postgres', urlFrom: VARIABLE, query: `SELECT * FROM ${shop.database.schema}.crm` });
    const fromPostgres = await shop.perform('extractCustomers', { run: await openRun() });
    expect(fromPostgres.customers!.artifact.sha256).toBe(fromFile.customers!.artifact.sha256);
    expect(fromPostgres.artifact.sha256).toBe(fromFile.artifact.sha256);
  }, 60_000);

  test.each([
    ['the variable', 'NOT_SET', 'SELECT 1', 'CONFIG_INVALID', /NOT_SET/],
    [
      'a column',
      VARIABLE,
      'SELECT 1 AS number',
      'EXTRACT_COLUMN_MISSING',
      /CRM_URL needs columns born \(as attribute birth_year\)/,
    ],
    [
      'rows',
      VARIABLE,
      `SELECT 1 AS number, 2 AS born, true AS newsletter, 'x' AS "price group" WHERE false`,
      'EXTRACT_EMPTY',
      /CRM_URL of customers has columns and no rows/,
    ],
  ])(
    'without %s are an error, and nothing is left of them',
    async (_, urlFrom, query, code, message) => {
      await define({ kind: 'postgres', urlFrom, query });
      const run = await openRun();
      const before = await readdir(shop.context.scratchFolder);
      await expect(shop.perform('extractCustomers', { run })).rejects.toMatchObject({
        type: code,
        message: expect.stringMatching(message),
      });
      expect(await readdir(shop.context.scratchFolder)).toEqual(before);
    },
    60_000,
  );
});
