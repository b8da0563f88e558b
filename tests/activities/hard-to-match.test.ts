import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { withWarehouse } from '../../activities/warehouse.ts';
import type { Definition } from '../../pipelines/contracts/definition.ts';
import { parseStabilityReport } from '../../pipelines/stages/stability-report.ts';
import { decodeJson } from '../../store/artifacts/json.ts';
import { ID_MARK, writeShopExtract } from '../helpers/activity-extract.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { publishWalked, type Walked, walkAssign, walkToStability } from '../helpers/activity-walk.ts';

// Runs one after the other, each harder to match with the last publication than the one before.

const WHALE = `${ID_MARK}whale`;
const K = 5;

let shop: ActivityShop;
/** The shop's books, and one customer more who buys ten thousand times as much as anybody else. */
let extract: string;
let first: Walked;
let second: Walked;
/** Of the segment that this customer is all of. */
let whaleId: string;

beforeAll(async () => {
  shop = await openActivityShop();
  const { scratchFolder } = shop.context;
  const books = await writeShopExtract(scratchFolder, { customers: 400 });
  extract = join(scratchFolder, 'whale.parquet');
  await copy(
    `SELECT * FROM '${books}' UNION ALL BY NAME
     SELECT * REPLACE (
       transaction_line_id + 1000000000 AS transaction_line_id, '${WHALE}' AS customer_number,
       'S9' || order_number AS order_number, '9999' AS quantity, CAST(9999.99 AS DECIMAL(18, 2)) AS unit_price
     ) FROM '${books}'
     WHERE transaction_line_id % 40 = 0 AND ordered_at <= loaded_at AND starts_with(order_number, 'S')`,
    extract,
  );
  first = await publish(await walkToStability(shop, { extract, asOf: '2026-05-01', k: K }));
  second = await publish(await walkToStability(shop, { extract, asOf: '2026-06-01', k: K }));
  whaleId = idOfWhale(first);
}, 120_000);

afterAll(() => shop?.close());

async function copy(sql: string, path: string): Promise<void> {
  await withWarehouse(shop.context, (warehouse) => warehouse.copyToParquet(sql, path));
}

async function publish(walked: Walked): Promise<Walked> {
  await publishWalked(shop, walked);
  return walked;
}

/** @throws unless there is exactly one cluster of one customer */
function idOfWhale({ clustering, match }: Pick<Walked, 'clustering' | 'match'>): string {
  const [cluster, ...others] = clustering.sizes.flatMap((size, label) => (size === 1 ? [label] : []));
  if (cluster === undefined || others.length > 0)
    throw new Error(`needs one cluster of one customer, found ${clustering.sizes}`);
  return match.segments.find((segment) => segment.cluster === cluster)!.segmentId;
}

const keysOf = ({ match }: Pick<Walked, 'match'>) => match.segments.map(({ segmentId }) => segmentId).sort();

const reportOf = async ({ stability }: Pick<Walked, 'stability'>) =>
  parseStabilityReport(decodeJson(await shop.context.artifacts.read(stability.report)));

describe('a segment of one customer', () => {
  test('is named, written and published like any other', async () => {
    const summary = first.naming.segments.find(({ segmentId }) => segmentId === whaleId)!;
    expect(summary).toMatchObject({ customers: 1, nameStatus: 'holds', event: 'born' });
    expect(summary.share).toBeCloseTo(1 / first.features.customers.rows);
    expect(summary.name.length).toBeGreaterThan(3);
    // Nearly all of the money.
    expect(summary.spendShare).toBeGreaterThan(0.99);
    const { knex } = shop.database;
    expect(await knex('memberships').where({ segment_id: whaleId }).orderBy('run_id')).toMatchObject(
      [first, second]
        .map(({ run }) => ({ run_id: run.runId, customer_id: WHALE }))
        .sort((a, b) => (a.run_id < b.run_id ? -1 : 1)),
    );
  });

  test('keeps its key and its name in the next run, and is measured there', async () => {
    expect(idOfWhale(second)).toBe(whaleId);
    const [published] = await shop.database.knex('published_segments').where({ segment_id: whaleId });
    expect(published).toMatchObject({ customers: 1, event: 'survived', name_version: 1 });
    const { movements, metrics } = await reportOf(second);
    // Nobody came and nobody went: that one customer is where they were.
    expect(movements!.movements.filter(({ from, to }) => from === whaleId || to === whaleId)).toEqual([]);
    const own = metrics.filter(({ subject }) => subject === whaleId);
    expect(own.map(({ metric }) => metric)).toEqual(
      expect.arrayContaining(['centroid-drift', 'size-change', 'migration-entropy']),
    );
    for (const { metric, value } of metrics)
      if (value !== null) expect(value, metric).toSatisfy(Number.isFinite);
  });

  test('raises no alert', async () => {
    expect(await shop.database.knex('alerts').where('subject', 'like', `%${whaleId}%`)).toEqual([]);
  });

  test('is assigned to by its model, and to nobody else', async () => {
    const assigned = await walkAssign(shop, { extract, asOf: '2026-06-05' });
    expect(idOfWhale(assigned)).toBe(whaleId);
    await publishWalked(shop, assigned);
  }, 120_000);
});

test('where nobody of the last publication is left, keys go on by the model, and a person is asked', async () => {
  const strangers = join(shop.context.scratchFolder, 'strangers.parquet');
  await copy(`SELECT * REPLACE ('neu-' || customer_number AS customer_number) FROM '${extract}'`, strangers);
  const walked = await walkToStability(shop, { extract: strangers, asOf: '2026-06-10', k: K });
  const kept = keysOf(walked).filter((key) => keysOf(second).includes(key));
  expect(kept).toContain(whaleId);
  expect(kept.length).toBeGreaterThanOrEqual(3);
  expect(walked.stability).toMatchObject({ verdict: 'unstable', decision: 'hold', adjustedRand: null });
  const { movements } = (await reportOf(walked)).movements!;
  expect(movements.filter(({ from, to }) => from !== null && to !== null)).toEqual([]);
  const gone = movements.filter(({ to }) => to === null);
  expect(gone.reduce((sum, { customers }) => sum + customers, 0)).toBeGreaterThan(300);
  await publish(walked);
}, 120_000);

test('where features are made another way, keys go on by the people', async () => {
  const file = join(shop.context.definitionFolders[0]!, 'shop/pipeline.yaml');
  const { features, ...definition } = parse(await readFile(file, 'utf8')) as Definition;
  const aggregate = features.aggregate.map((one) =>
    one.name === 'orders' ? { ...one, sql: '2 * count(DISTINCT order_id)' } : one,
  );
  await writeFile(file, stringify({ ...definition, features: { ...features, aggregate } }));
  const strangers = join(shop.context.scratchFolder, 'strangers.parquet');
  const walked = await walkToStability(shop, { extract: strangers, asOf: '2026-06-15', k: K });
  expect(idOfWhale(walked)).toBe(whaleId);
  const { metrics, verdict } = await reportOf(walked);
  // What the last model would say of today's figures cannot be known.
  expect(metrics.map(({ metric }) => metric)).not.toContain('centroid-drift');
  expect(['stable', 'unstable']).toContain(verdict);
  await publish(walked);
}, 120_000);
