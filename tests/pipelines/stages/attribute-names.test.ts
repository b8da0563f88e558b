import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Contract } from '../../../pipelines/contracts/contract.ts';
import { type Attributes, sourceSchema } from '../../../pipelines/contracts/source.ts';
import { customersSql, withCustomersSql } from '../../../pipelines/stages/customers.ts';
import {
  type ExtractSource,
  stagedSource,
  stagingSql,
  type TableSource,
} from '../../../pipelines/stages/extract.ts';
import { extractSql } from '../../../pipelines/stages/extract-sql.ts';
import { featuresSql } from '../../../pipelines/stages/features-sql.ts';
import { EXAMPLE_OF, examplesSql, ruleCountsSql } from '../../../pipelines/stages/quarantine.ts';
import {
  type Choice,
  choiceCountsSql,
  joinReleasesSql,
  mergedReleasesSql,
  otherRulesSql,
  type RowsFile,
  releasedRowsSql,
} from '../../../pipelines/stages/releases.ts';
import {
  acceptedSql,
  brokenRowsSql,
  quarantineSql,
  readValidation,
  validationSql,
} from '../../../pipelines/stages/validate.ts';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';
import { FEATURES, profileOf } from './profile/fixture.ts';

/** Names that stand for something in the SQL of a stage, or that are words of SQL. */
const NAMES = [
  ...['hour', 'prefix', 'place', 'found', 'origin', 'copy', 'copies', 'day', 'month', 'rows', 'value', 'row'],
  ...['lines_', 'n', 'accepted', 'malformed_x', 'group', 'order', 'end', 'select', 'user', 'extract', 'kept'],
  ...['source', 'released', 'missing', 'matches', 'refused', 'unreadable', 'customers', 'least', 'most'],
  ...[
    'word',
    'plain',
    'single',
    'rule',
    'example_of',
    'asked',
    'is_before',
    'first_row',
    'key_hash',
    'repeated',
  ],
];
const OF_CUSTOMERS = ['known', 'number', 'table', 'sorted'];

const CONTRACT: Contract = {
  version: 1,
  unique: ['line_id'],
  rules: [
    { name: 'free', check: 'amount > 0', severity: 'reject', reason: 'free' },
    { name: 'copy', check: 'NOT is_duplicate', severity: 'reject', reason: 'a copy' },
  ],
  customers: {
    rules: [{ name: 'one', check: 'NOT is_duplicate', severity: 'reject', reason: 'a copy' }],
    unique: ['customer_id'],
  },
  thresholds: { warnRefusedShare: 0.2, failRefusedShare: 0.5, minimumCustomers: 2 },
};
const AS_OF = '2026-04-01';

let fixture: WarehouseFixture;
let warehouse: Warehouse;
let files = 0;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

const attributesNamed = (names: readonly string[]): Attributes =>
  Object.fromEntries(names.map((name) => [name, { column: `its ${name}` }]));

async function written(sql: Parameters<Warehouse['copyToParquet']>[0], hasLists = false): Promise<RowsFile> {
  const path = fixture.path(`rows-${++files}.parquet`);
  await warehouse.copyToParquet(sql, path, { hasLists });
  const from = `read_parquet('${path}')`;
  const described = await warehouse.rows(`DESCRIBE SELECT * FROM ${from}`);
  return {
    from,
    columns: described.map((row) => ({ name: String(row.column_name), type: String(row.column_type) })),
  };
}

/** As an activity makes it: staged, and so numbered. */
async function staged<S extends Omit<TableSource, 'types' | 'from'>>(source: S, query: string) {
  const described = await warehouse.rows(`DESCRIBE ${query}`);
  const types = Object.fromEntries(described.map((row) => [row.column_name, String(row.column_type)]));
  const whole = { ...source, from: `(${query})`, types, unreadable: 'fault' };
  return stagedSource(whole, (await written(stagingSql(whole))).from);
}

/** 120 lines of 9 customers; each third one is free, and the last is the copy of a line. */
const linesOf = (
  value: string,
) => `SELECT 'c' || range % 9 AS customer_id, CASE WHEN range % 7 = 0 THEN 'C' ELSE '' END || range // 2 AS order_id,
  TIMESTAMP '2026-01-05' + to_hours(range * 7) AS ordered_at, TIMESTAMP '2026-01-06' + to_hours(range * 7) AS loaded_at,
  1 + range % 5 AS quantity, CAST(range % 3 AS DECIMAL(18,4)) AS unit_price, least(range, 118) AS line_id, CAST(NULL AS VARCHAR) AS fault,
  ${NAMES.map((name) => `${value} AS "its ${name}"`).join(', ')} FROM range(120)`;

const KINDS = [
  ['texts', `'word ' || range % 4`],
  ['numbers', 'CAST(range % 11 AS DOUBLE)'],
  ['times', `TIMESTAMP '2026-01-01' + to_hours(range % 50)`],
  ['flags', 'range % 2 = 0'],
] as const;

test('are none that the definition refuses', () => {
  const source = {
    kind: 'file',
    columns: { customer_id: 'c', ordered_at: 't', amount: 'a' },
    attributes: attributesNamed(NAMES),
    customers: { kind: 'file', path: 'c.csv', customer_id: 'c', attributes: attributesNamed(OF_CUSTOMERS) },
  };
  expect(sourceSchema.safeParse(source).error).toBeUndefined();
});

test.each(KINDS)('%s of any name go through all stages that have SQL', async (_, value) => {
  const roles = ['customer_id', 'order_id', 'ordered_at', 'loaded_at', 'quantity', 'unit_price', 'line_id'];
  const columns = Object.fromEntries(roles.map((role) => [role, role])) as ExtractSource['columns'];
  const attributes = attributesNamed(NAMES);
  const table = {
    columns: { customer_id: 'customer_id' },
    attributes: attributesNamed(OF_CUSTOMERS),
    name: 'c',
  };
  const customers = await written(
    customersSql(
      await staged(
        table,
        `SELECT 'c' || range % 8 AS customer_id, CAST(NULL AS VARCHAR) AS fault,
  ${OF_CUSTOMERS.map((name) => `${value} AS "its ${name}"`).join(', ')} FROM range(10)`,
      ),
    ),
  );
  const source = {
    ...(await staged({ columns, attributes, name: 'made' }, linesOf(value))),
    customers: customers.from,
  };
  const extract = await written(extractSql({ source, contract: CONTRACT, asOf: AS_OF }));
  expect(extract.columns.map(({ name }) => name)).toEqual(expect.arrayContaining(NAMES));

  const checked = { from: extract.from, contract: CONTRACT, broken: 'broken_rows' };
  await warehouse.rows(brokenRowsSql(checked));
  const counts = readValidation((await warehouse.rows(validationSql(checked)))[0]!, CONTRACT);
  expect(counts).toMatchObject({ rows: 120, accepted: 79, customers: 6 });
  const refused = 41;
  const quarantine = await written(quarantineSql({ ...checked, refused }), true);
  const inOrder = await warehouse.rows(
    `SELECT customer_id, ordered_at, "row" FROM ${extract.from} WHERE NOT ${acceptedSql(CONTRACT)} ORDER BY file_row_number`,
  );
  expect(
    await warehouse.rows(
      `SELECT customer_id, ordered_at, "row" FROM ${quarantine.from} ORDER BY file_row_number`,
    ),
  ).toEqual(inOrder);
  expect((await warehouse.rows(ruleCountsSql(quarantine)))[0]).toMatchObject({
    rule: 'free',
    first_rows: 40,
  });
  const examples = await warehouse.rows(examplesSql(quarantine, { rules: ['free'], limit: 2 }));
  expect(examples.map((row) => row[EXAMPLE_OF])).toEqual(['free', 'free']);

  const report = await profileOf(warehouse, `(SELECT * FROM ${extract.from})`, {
    contract: CONTRACT,
  });
  expect(report.columns.map(({ name }) => name)).toEqual(expect.arrayContaining(NAMES));
  expect(report.week.flat().reduce((sum, rows) => sum + rows, 0)).toBe(120);

  const definition = {
    source: {
      kind: 'file' as const,
      columns,
      attributes,
      customers: {
        kind: 'file' as const,
        path: 'c',
        customer_id: 'customer_id',
        attributes: table.attributes,
      },
    },
    contract: CONTRACT,
  };
  const from = withCustomersSql({ from: extract.from, customers: customers.from, definition });
  const asked = [...NAMES, ...OF_CUSTOMERS];
  const aggregate = [
    ...FEATURES.aggregate,
    ...asked.map((name) => ({ name: `its_${name}`, unit: 'n', why: 'w', sql: `count("${name}")` })),
  ];
  const features = await warehouse.columns(featuresSql({ from, contract: CONTRACT, aggregate, asOf: AS_OF }));
  expect(features.rows).toBe(6);
  for (const name of NAMES) expect(features.numbers[`its_${name}`]!.reduce((sum, n) => sum + n, 0)).toBe(79);

  const choice: Choice = { quarantine, rules: ['free'], where: null };
  expect(await warehouse.rows(choiceCountsSql(choice))).toEqual([{ held_back: null, rows: 40 }]);
  expect(await warehouse.rows(otherRulesSql(choice))).toEqual([]);
  const released = await written(releasedRowsSql(choice));
  const releases = await written(mergedReleasesSql([released]));
  const half = await written(`SELECT * FROM ${extract.from} WHERE quantity < 3`);
  const join = { releases, unique: ['line_id'], known: customers.from, asOf: AS_OF };
  const joined = await warehouse.rows(joinReleasesSql({ extract: half, ...join }));
  expect(joined.filter((row) => row.is_released)).toHaveLength(40);
});
