import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCustomers, readValues } from '../../activities/columns.ts';
import { idAt } from '../../pipelines/contracts/customers.ts';
import type { Definition } from '../../pipelines/contracts/definition.ts';
import type { StartInput } from '../../pipelines/contracts/run.ts';
import type { Extract, Features } from '../../pipelines/contracts/stages.ts';
import { openWarehouse, type Row } from '../../store/warehouse/duckdb.ts';
import { writeShopExtract } from '../helpers/activity-extract.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';

const AS_OF = '2026-03-01';

const WITH_LATER_PERIOD = { clustering: { laterPeriodDays: 90 } as Definition['clustering'] };

let shop: ActivityShop;
let source: string;
beforeAll(async () => {
  shop = await openActivityShop({ definition: WITH_LATER_PERIOD });
  // Books from July 2025 to the end of June 2026.
  source = await writeShopExtract(shop.context.scratchFolder, { customers: 400 });
}, 60_000);
afterAll(() => shop?.close());

async function inWarehouse<R>(work: (warehouse: Awaited<ReturnType<typeof openWarehouse>>) => Promise<R>) {
  const { scratchFolder, artifactsFolder } = shop.context;
  const warehouse = await openWarehouse({
    threads: 1,
    memoryLimitMb: 512,
    tempFolder: scratchFolder,
    allowedFolders: [scratchFolder, artifactsFolder],
  });
  try {
    return await work(warehouse);
  } finally {
    warehouse.close();
  }
}

const rowsOf = (sql: string): Promise<Row[]> => inWarehouse((warehouse) => warehouse.rows(sql));

async function walkToFeatures(
  input: StartInput,
): Promise<{ extract: Extract; features: Features; runId: string }> {
  const { execution: workflow } = await shop.openWorkflow();
  const opened = await shop.perform('openRun', { input, workflow, scheduledAt: null });
  const extract = await shop.perform('extractCustomers', { run: opened.run });
  const run = { ...opened.run, asOf: extract.asOf };
  const validation = await shop.perform('validateExtract', { run, extract });
  const features = await shop.perform('buildFeatures', { run, extract, validation });
  return { extract, features, runId: run.runId };
}

/** What a person would ask of the export itself: sales of the 90 days, each line as it was loaded first. */
const BY_HAND = (path: string) => `
  WITH lines AS (
    SELECT *, row_number() OVER (PARTITION BY transaction_line_id ORDER BY loaded_at) AS copy
    FROM '${path}' WHERE ordered_at >= DATE '2026-03-01' AND ordered_at < DATE '2026-05-30'
  )
  SELECT customer_number AS customer_id, CAST(sum(CAST(quantity AS INTEGER) * CAST(unit_price * 100 AS INTEGER)) AS BIGINT) AS spend_cents,
    count(DISTINCT order_number) AS orders, count(*) AS rows
  FROM lines
  WHERE copy = 1 AND customer_number IS NOT NULL AND order_number NOT LIKE 'C%' AND ordered_at <= loaded_at
    AND regexp_full_match(quantity, '[1-9][0-9]*') AND unit_price > 0
  GROUP BY customer_number ORDER BY customer_number`;

describe('a run as of a past date', () => {
  let walked: Awaited<ReturnType<typeof walkToFeatures>>;
  let byHand: Row[];
  beforeAll(async () => {
    walked = await walkToFeatures({ asOf: AS_OF, extract: source });
    byHand = await rowsOf(BY_HAND(source));
  }, 60_000);

  test('keeps what each customer spent in the 90 days after it, as SQL over the source says', async () => {
    const { later, laterPeriod } = walked.extract;
    expect(byHand.length).toBeGreaterThan(100);
    expect(laterPeriod).toEqual({
      days: 90,
      customers: byHand.length,
      rows: byHand.reduce((sum, row) => sum + Number(row.rows), 0),
    });
    expect(later).toMatchObject({ kind: 'later', rows: byHand.length });
    expect(await rowsOf(`FROM '${await shop.context.artifacts.path(later!)}'`)).toEqual(byHand);
  });

  test('has it beside the features, row for row with the customers', async () => {
    const { artifacts } = shop.context;
    const { features } = walked;
    const customers = await readCustomers(artifacts, features.customers);
    const found = await readValues(artifacts, features.later!);
    expect(Object.keys(found)).toEqual(['spendCents', 'orders']);
    const own = new Map(byHand.map((row) => [row.customer_id, row]));
    const wanted = Array.from({ length: features.customers.rows }, (_, row) => own.get(idAt(customers, row)));
    expect(Array.from(found.spendCents!)).toEqual(wanted.map((row) => row?.spend_cents ?? 0));
    expect(Array.from(found.orders!)).toEqual(wanted.map((row) => row?.orders ?? 0));
    const returned = wanted.filter((row) => row !== undefined).length;
    expect(features.laterPeriod).toEqual({ days: 90, customers: returned });
    // Some did not come back, and some came for the first time: else the alignment would not have been tried.
    expect(returned).toBeLessThan(Math.min(features.customers.rows, byHand.length));
  });

  test('four weeks before the end of the data keeps the days there are', async () => {
    const { extract, features } = await walkToFeatures({ asOf: '2026-06-02', extract: source });
    expect(extract.laterPeriod!.days).toBe(29);
    expect(features.laterPeriod!.days).toBe(29);
  });
});

test.each([
  ['at the end of the data', {}],
  ['two weeks before it', { asOf: '2026-06-16' }],
])('a run %s has no later period, and leaves nothing of one', async (_, input) => {
  const before = await shop.snapshot();
  const { extract, features } = await walkToFeatures({ ...input, extract: source });
  expect([extract.later, extract.laterPeriod, features.later, features.laterPeriod]).toEqual([
    null,
    null,
    null,
    null,
  ]);
  const added = (await shop.snapshot()).files.filter((file) => !before.files.includes(file));
  expect(added.length).toBeGreaterThan(0);
  expect(added.filter((file) => file.startsWith('later/'))).toEqual([]);
});

describe('rows from the as-of date on never reach a feature', () => {
  const LATER = `ordered_at >= DATE '${AS_OF}'`;
  // Each takes the rows before as they are, and does something else to those after: what it leaves of the later
  // spend says that it was done. A line that is there three times still counts once.
  const changes: [string, string, 'none' | 'other' | 'same'][] = [
    ['are taken away', `SELECT * FROM source WHERE NOT ${LATER}`, 'none'],
    [
      'are of other customers, in other amounts',
      `SELECT * REPLACE (
        CASE WHEN ${LATER} THEN 'kunde-' || hash(transaction_line_id) % 999 ELSE customer_number END AS customer_number,
        CASE WHEN ${LATER} THEN CAST(hash(transaction_line_id, 1) % 50 AS VARCHAR) ELSE quantity END AS quantity,
        CASE WHEN ${LATER} THEN 99999.99 ELSE unit_price END AS unit_price) FROM source`,
      'other',
    ],
    [
      'claim the lines, orders and load times of earlier rows',
      `SELECT * FROM source WHERE NOT ${LATER} UNION ALL
        SELECT * REPLACE (ordered_at + INTERVAL 200 DAYS AS ordered_at) FROM source
        WHERE ordered_at >= DATE '${AS_OF}' - INTERVAL 150 DAYS AND NOT ${LATER}`,
      'other',
    ],
    [
      'stand before the others, three times over',
      `SELECT * FROM source WHERE ${LATER} UNION ALL SELECT * FROM source WHERE ${LATER} UNION ALL
        SELECT * FROM source WHERE ${LATER} UNION ALL SELECT * FROM source WHERE NOT ${LATER}`,
      'same',
    ],
  ];
  const digestsOf = ({ extract, features }: { extract: Extract; features: Features }) => ({
    extract: extract.artifact.sha256,
    customers: features.customers.sha256,
    values: features.values.sha256,
    matrix: features.matrix.sha256,
    transforms: features.transforms.sha256,
  });
  let unchanged: Awaited<ReturnType<typeof walkToFeatures>>;
  beforeAll(async () => {
    unchanged = await walkToFeatures({ asOf: AS_OF, extract: source });
  }, 60_000);

  test.each(changes)('also when they %s', async (_, sql, left) => {
    const path = join(
      shop.context.scratchFolder,
      `changed-${changes.findIndex(([, one]) => one === sql)}.parquet`,
    );
    await inWarehouse((warehouse) =>
      warehouse.copyToParquet(`WITH source AS (FROM '${source}') ${sql}`, path),
    );
    const changed = await walkToFeatures({ asOf: AS_OF, extract: path });
    expect(digestsOf(changed)).toEqual(digestsOf(unchanged));
    const digests = [changed, unchanged].map(({ features }) => features.later?.sha256);
    if (left === 'none') expect(digests[0]).toBeUndefined();
    else expect(digests[0] === digests[1] ? 'same' : 'other').toBe(left);
  });
});
