import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWarehouse } from '../../store/warehouse/duckdb.ts';
import { writeShopExtract } from '../helpers/activity-extract.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { closingOf, walkToStability } from '../helpers/activity-walk.ts';

const AS_OF = '2026-03-01';

let shop: ActivityShop;
let source: string;
beforeAll(async () => {
  shop = await openActivityShop();
  // Books from July 2025 to the end of June 2026.
  source = await writeShopExtract(shop.context.scratchFolder, { customers: 400 });
}, 60_000);
afterAll(() => shop?.close());

/** The export as it was on the morning of the as-of date: what had been loaded by then, and nothing else. */
async function exportOfThatDay(): Promise<string> {
  const folder = shop.context.scratchFolder;
  const path = join(folder, 'that-day.parquet');
  const warehouse = await openWarehouse({
    threads: 1,
    memoryLimitMb: 512,
    tempFolder: folder,
    allowedFolders: [folder],
  });
  try {
    const known = `coalesce(loaded_at, ordered_at) < TIMESTAMP '${AS_OF}' AND coalesce(ordered_at < TIMESTAMP '${AS_OF}', true)`;
    await warehouse.copyToParquet(`FROM '${source}' WHERE ${known}`, path);
    const late = `FROM '${source}' WHERE ordered_at < TIMESTAMP '${AS_OF}' AND loaded_at >= TIMESTAMP '${AS_OF}'`;
    const [found] = await warehouse.rows(`SELECT count(*) AS rows FROM (${late})`);
    // Without a line that was booked late the test would not tell loading from ordering.
    expect(Number(found!.rows)).toBeGreaterThan(0);
  } finally {
    warehouse.close();
  }
  return path;
}

/** Digests of all artifacts that a result refers to, in the order of their names. */
function digestsIn(result: object): string[] {
  return Object.entries(result)
    .filter(([, value]) => value !== null && typeof value === 'object' && 'sha256' in value)
    .map(([name, value]) => `${name} ${(value as { sha256: string }).sha256}`)
    .sort();
}

test('a run for a past date has the digests it would have had on that day', async () => {
  const onTheDay = await walkToStability(shop, { asOf: AS_OF, extract: await exportOfThatDay() });
  // Not published: nothing is left that the second run could be matched with.
  await shop.perform('closeRun', { run: onTheDay.run, closing: closingOf(onTheDay, 'rejected') });
  const afterwards = await walkToStability(shop, { asOf: AS_OF, extract: source });
  expect(afterwards.extract.rowsAfterAsOf).toBeGreaterThan(0);
  for (const stage of ['extract', 'validation', 'profile', 'features', 'clustering'] as const) {
    expect({ [stage]: digestsIn(afterwards[stage]) }).toEqual({ [stage]: digestsIn(onTheDay[stage]) });
  }
  expect(afterwards.naming.segments.map(({ name, customers }) => [name, customers]).sort()).toEqual(
    onTheDay.naming.segments.map(({ name, customers }) => [name, customers]).sort(),
  );
}, 60_000);
