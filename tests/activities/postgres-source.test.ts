import { readdir, readFile } from 'node:fs/promises';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readValues } from '../../activities/columns.ts';
import type { Definition } from '../../pipelines/contracts/definition.ts';
import type { Source } from '../../pipelines/contracts/source.ts';
import { encodeJson } from '../../store/artifacts/json.ts';
import { loadDefinition } from '../../store/definitions.ts';
import { type ActivityShop, filesIn, openActivityShop } from '../helpers/activity-shop.ts';
import { assertRepeatable } from '../helpers/repeatable.ts';

const VARIABLE = 'SHOP_URL';
/** The promise of the design: an activity stops within so long of a cancel. */
const CANCEL_MS = 5_000;
const BEGIN_MS = 20_000;
const CUSTOMERS = 300;
const ORDERS = 2_000;

let shop: ActivityShop;
let definition: Definition;

beforeAll(async () => {
  shop = await openActivityShop();
  shop.context.secret = (name) => (name === VARIABLE ? shop.database.url : undefined);
  ({ definition } = await loadDefinition(shop.context.definitionFolders[0]!, 'shop'));
  const { knex, schema } = shop.database;
  await knex.raw(
    `create table ??.sales as select 'kunde-' || i % ${CUSTOMERS} as buyer,
      timestamptz '2026-01-01 08:00:00+02' + i * interval '1 hour' as sold_at, (i % 90 + 0.25)::numeric(9,2) as total,
      (i % 9 > 0) as is_online from generate_series(1, ${ORDERS}) as i`,
    [schema],
  );
}, 60_000);
afterAll(() => shop?.close());

/** A run of a pipeline over the amounts of the table alone, as a shop without lines has them. */
async function openRun(query = `SELECT * FROM ${shop.database.schema}.sales`) {
  const { execution: workflow } = await shop.openWorkflow();
  const { run } = await shop.perform('openRun', { input: {}, workflow, scheduledAt: null });
  const source: Source = {
    kind: 'postgres',
    urlFrom: VARIABLE,
    query,
    columns: { customer_id: 'buyer', ordered_at: 'sold_at', amount: 'total' },
    attributes: { online: { column: 'is_online' } },
  };
  const feature = { unit: 'figure', why: 'What can be known of an order without lines.' };
  const frozen: Definition = {
    ...definition,
    source,
    contract: {
      ...definition.contract,
      unique: ['customer_id', 'order_id'],
      rules: [{ name: 'paid', check: 'amount > 1', severity: 'reject', reason: 'nothing was paid' }],
    },
    features: {
      aggregate: [
        { ...feature, name: 'orders', sql: 'count(DISTINCT order_id)' },
        { ...feature, name: 'spendCents', sql: 'CAST(sum(amount) * 100 AS BIGINT)' },
        { ...feature, name: 'onlineShare', sql: 'count(*) FILTER (WHERE online) / count(*)' },
      ],
      derive: [],
      cluster: [{ feature: 'spendCents', transforms: ['log1p', 'standard'] }],
    },
  };
  const about = { runId: run.runId, ending: 'json', rows: 1 };
  return { ...run, definition: await shop.context.artifacts.write('definition', encodeJson(frozen), about) };
}

describe('a run over a table of PostgreSQL', () => {
  test('comes from the query to features, and to a page about an extract without quantities', async () => {
    const opened = await openRun();
    const extract = await shop.perform('extractCustomers', { run: opened });
    // The 2,000th hour after 06:00 UTC of the first day is 14:00 of the 25th of March.
    expect(extract).toMatchObject({ rowsRead: ORDERS, asOf: '2026-03-26', watermark: '2026-03-25T14:00:00' });
    const run = { ...opened, asOf: extract.asOf };
    const validation = await shop.perform('validateExtract', { run, extract });
    const free = Math.floor(ORDERS / 90);
    expect(validation.counts).toMatchObject({ rowsAccepted: ORDERS - free, rowsQuarantined: free });
    const features = await shop.perform('buildFeatures', { run, extract, validation });
    const { orders, spendCents } = await readValues(shop.context.artifacts, features.values);
    expect(orders!.reduce((sum, one) => sum + one, 0)).toBe(ORDERS - free);
    const { knex, schema } = shop.database;
    const [row] = (await knex.raw(`select sum(total) * 100 as cents from ??.sales where total > 1`, [schema]))
      .rows;
    expect(spendCents!.reduce((sum, one) => sum + one, 0)).toBe(Number(row.cents));
    const { page } = await shop.perform('profileExtract', { run, extract });
    expect(page.bytes).toBeGreaterThan(1_000);
  }, 60_000);

  test('reads the same rows twice to the same extract, and leaves no copy of them', async () => {
    const run = await openRun();
    const { artifact } = await assertRepeatable(
      async () => {
        await shop.forgetSteps(run.runId);
        return { ...(await shop.perform('extractCustomers', { run })), ms: 0 };
      },
      async () => [await readdir(shop.context.scratchFolder), await lasting()],
    );
    expect(artifact.rows).toBe(ORDERS);
    expect(await readdir(shop.context.scratchFolder)).toEqual([]);
  }, 60_000);

  test('has the address in no file, no row and no error', async () => {
    await shop.perform('extractCustomers', { run: await openRun() });
    const error = await shop
      .perform('extractCustomers', { run: await openRun('SELECT nothing') })
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ type: 'SOURCE_REFUSED', nonRetryable: true });
    const { database, context } = shop;
    const { rows } = await shop.snapshot();
    const files = await filesIn(context.artifactsFolder);
    const texts = await Promise.all(
      files.map((file) => readFile(`${context.artifactsFolder}/${file}`, 'latin1')),
    );
    const told = [JSON.stringify(rows), (error as Error).stack ?? '', JSON.stringify(error), ...texts].join(
      '\n',
    );
    expect(told).toContain(VARIABLE);
    const { password } = new URL(database.url);
    for (const secret of [database.url, password, decodeURIComponent(password)])
      expect(told.includes(secret)).toBe(false);
  }, 60_000);

  test('that is cancelled while it reads stops within five seconds, and leaves nothing', async () => {
    const { schema } = shop.database;
    const run = await openRun(`SELECT * FROM ${schema}.sales, pg_sleep(600)`);
    const before = await lasting();
    const environment = shop.environment();
    const reading = shop.perform('extractCustomers', { run }, environment);
    await expect.poll(sleeping, { timeout: BEGIN_MS }).toBe(1);
    const began = Date.now();
    environment.cancel();
    await expect(reading).rejects.toBeInstanceOf(CancelledFailure);
    expect(Date.now() - began).toBeLessThan(CANCEL_MS);
    await expect.poll(sleeping).toBe(0);
    expect(await readdir(shop.context.scratchFolder)).toEqual([]);
    expect(await lasting()).toEqual(before);
  }, 60_000);
});

/** Statements of the source that PostgreSQL is at. */
async function sleeping(): Promise<number> {
  const { knex } = shop.database;
  const running = await knex('pg_stat_activity')
    .where('state', 'active')
    .whereLike('query', '%pg_sleep(600)%')
    .whereNot('pid', knex.raw('pg_backend_pid()'));
  return running.length;
}

/** What a stage leaves beside its own memory. */
async function lasting(): Promise<string[]> {
  return (await filesIn(shop.context.artifactsFolder)).filter((file) => !file.startsWith('.steps/'));
}
