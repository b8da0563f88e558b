import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FeatureSettings, TransformName } from '../pipelines/contracts/definition.ts';
import { quoteText } from '../pipelines/contracts/sql-quote.ts';
import { featureCatalogue } from '../pipelines/stages/feature-catalogue.ts';
import { type Columns, deriveColumns, whenMissingOf } from '../pipelines/stages/features.ts';
import { featuresSql, partsSql, readParts } from '../pipelines/stages/features-sql.ts';
import { fewWordsSql, readFewWords } from '../pipelines/stages/few-words.ts';
import { fitAndApplyInTurns } from '../pipelines/stages/transform.ts';
import { acceptedSql } from '../pipelines/stages/validate.ts';
import { PROJECT_FOLDER } from '../scripts/config.ts';
import { loadDefinition } from '../store/definitions.ts';
import { openWarehouse, type Warehouse } from '../store/warehouse/duckdb.ts';
import { secondsOf } from './timed.ts';

// What features.bench.ts measures in a process of its own: Strata's way, and a query by hand.

export type Way = 'strata' | 'by-hand';

export interface Measured {
  customers: number;
  seconds: number[];
  cpuSeconds: number[];
  peakBytes: number;
  /** Values that are not Strata's; absent for Strata. */
  differing?: number;
}

export const AS_OF = '2026-07-01';
export const LONGEST_GAP = 365;
export const CLUSTERED = ['recencyDays', 'orders', 'averageOrderCents', 'itemsPerOrder'];
/** In this order in the files that are compared. */
export const NAMES = [
  ...['recencyDays', 'orders', 'spendCents', 'tenureDays', 'items', 'lines', 'categories', 'activeMonths'],
  ...['gapMeanDays', 'gapRegularity', 'ordersLast90Days', 'spendLast90DaysCents', 'spendBefore90DaysCents'],
  ...['weekendShare', 'eveningShare', 'holidayShare', 'marketplaceShare'],
  ...['averageOrderCents', 'itemsPerOrder', 'trend'],
];
const MARKETPLACE = {
  name: 'marketplaceShare',
  unit: 'share',
  why: 'Customers of marketplaces compare prices.',
  sql: `count(*) FILTER (WHERE channel = 'marketplace') / count(*)`,
};
const KILOBYTE = 1024;

interface Task {
  extract: string;
  out: string | undefined;
  threads: number;
  repeat: number;
  /** For what DuckDB spills. */
  folder: string;
}

export async function measure(way: Way, task: Task): Promise<Measured> {
  const { extract, threads, repeat } = task;
  const spill = join(task.folder, 'spill');
  const warehouse = await openWarehouse({
    threads,
    memoryLimitMb: 3_000,
    tempFolder: spill,
    allowedFolders: [dirname(extract), spill],
  });
  const from = `read_parquet(${quoteText(extract)})`;
  const { definition } = await loadDefinition(join(PROJECT_FOLDER, 'pipelines', 'definitions'), 'shop');
  const work = way === 'strata' ? strata : byHand;
  try {
    const measured: Measured = { customers: 0, seconds: [], cpuSeconds: [], peakBytes: 0 };
    let columns: Columns = {};
    for (let i = 0; i < repeat; i++) {
      columns = {};
      const before = process.cpuUsage();
      const seconds = await secondsOf(async () => {
        columns = await work(warehouse, { from, contract: definition.contract });
      });
      const { user, system } = process.cpuUsage(before);
      measured.seconds.push(seconds);
      measured.cpuSeconds.push((user + system) / 1e6);
    }
    measured.customers = columns[NAMES[0]!]!.length;
    measured.peakBytes = process.resourceUsage().maxRSS * KILOBYTE;
    if (task.out) await write(task.out, columns);
    return measured;
  } finally {
    warehouse.close();
  }
}

interface Source {
  from: string;
  contract: Parameters<typeof featuresSql>[0]['contract'];
}

/** As the features stage does it: SQL in parts, derived features, transforms fitted and applied. */
async function strata(warehouse: Warehouse, { from, contract }: Source): Promise<Columns> {
  const catalogue = featureCatalogue({
    columns: new Set(['quantity', 'category', 'channel', 'country']),
    currency: 'EUR',
    historyDays: LONGEST_GAP,
  }).filter(({ name }) => NAMES.includes(name));
  const aggregate = catalogue.filter(({ level }) => level === 'aggregate') as FeatureSettings['aggregate'];
  const derive = catalogue.filter(({ level }) => level === 'derive') as unknown as FeatureSettings['derive'];
  aggregate.push(MARKETPLACE);
  const [counted] = await warehouse.rows(`SELECT count(*) AS rows FROM ${from}`);
  const rows = Number(counted!.rows);
  const cuts = partsSql({ from, rows });
  const parts = readParts(cuts === null ? [] : await warehouse.rows(cuts), rows);
  const [found] = await warehouse.rows(fewWordsSql(from, aggregate)!);
  const words = readFewWords(found!);
  const { numbers } = await warehouse.columns(
    parts.map((range) => featuresSql({ from, contract, aggregate, words, asOf: AS_OF, range })),
  );
  const { columns } = deriveColumns(numbers, derive, whenMissingOf(aggregate));
  const transforms: TransformName[] = ['log1p', 'standard'];
  const clustered = CLUSTERED.map((feature) => ({ feature, transforms }));
  await fitAndApplyInTurns(columns, clustered);
  return columns;
}

/** One query as one would write it for these columns alone, into the same arrays; nothing is scaled. */
async function byHand(warehouse: Warehouse, { from, contract }: Source): Promise<Columns> {
  const { numbers } = await warehouse.columns(`
WITH lines AS (SELECT * FROM ${from} WHERE ${acceptedSql(contract)}),
orders AS (
  SELECT customer_id, order_id, min(ordered_at) AS ordered_at FROM lines GROUP BY customer_id, order_id
),
gaps AS (
  SELECT customer_id, date_diff('day', lag(ordered_at) OVER own::DATE, ordered_at::DATE) AS days
  FROM orders WINDOW own AS (PARTITION BY customer_id ORDER BY ordered_at, order_id)
),
rhythm AS (
  SELECT customer_id, coalesce(avg(days), ${LONGEST_GAP}) AS "gapMeanDays",
    CASE WHEN count(days) >= 2 THEN coalesce(nullif(sum(days) / (sum(days)
      + sqrt(count(days) * sum(days * days) - sum(days) * sum(days))), 'NaN'::DOUBLE), 0) ELSE 0 END AS "gapRegularity"
  FROM gaps GROUP BY customer_id
),
figures AS (
  SELECT customer_id,
    date_diff('day', max(ordered_at)::DATE, DATE '${AS_OF}') AS "recencyDays",
    count(DISTINCT order_id) AS orders,
    CAST(round(sum(amount) * 100) AS BIGINT) AS "spendCents",
    date_diff('day', min(ordered_at)::DATE, DATE '${AS_OF}') AS "tenureDays",
    sum(quantity) AS items, count(*) AS lines,
    count(DISTINCT category) AS categories,
    count(DISTINCT date_trunc('month', ordered_at)) AS "activeMonths",
    count(DISTINCT order_id) FILTER (ordered_at >= TIMESTAMP '${AS_OF}' - INTERVAL 90 DAYS) AS "ordersLast90Days",
    coalesce(CAST(round(100 * sum(amount) FILTER (ordered_at >= TIMESTAMP '${AS_OF}' - INTERVAL 90 DAYS)) AS BIGINT), 0)
      AS "spendLast90DaysCents",
    coalesce(CAST(round(100 * sum(amount) FILTER (ordered_at >= TIMESTAMP '${AS_OF}' - INTERVAL 180 DAYS
      AND ordered_at < TIMESTAMP '${AS_OF}' - INTERVAL 90 DAYS)) AS BIGINT), 0) AS "spendBefore90DaysCents",
    count(*) FILTER (isodow(ordered_at) >= 6) / count(*) AS "weekendShare",
    count(*) FILTER (hour(ordered_at) >= 18) / count(*) AS "eveningShare",
    count(*) FILTER (month(ordered_at) >= 11) / count(*) AS "holidayShare",
    count(*) FILTER (channel = 'marketplace') / count(*) AS "marketplaceShare"
  FROM lines GROUP BY customer_id
)
SELECT *, "spendCents" / orders AS "averageOrderCents", items / orders AS "itemsPerOrder",
  coalesce(("spendLast90DaysCents" - "spendBefore90DaysCents")
    / nullif("spendLast90DaysCents" + "spendBefore90DaysCents", 0), 0) AS trend
FROM figures JOIN rhythm USING (customer_id) ORDER BY customer_id`);
  return numbers;
}

async function write(path: string, columns: Columns): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const name of NAMES) await file.write(columns[name]!);
  } finally {
    await file.close();
  }
}
