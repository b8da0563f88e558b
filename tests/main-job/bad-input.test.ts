import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartInput } from '../../pipelines/contracts/run.ts';
import { innermostMessage } from '../../scripts/error-text.ts';
import { connect } from '../../store/postgres/connect.ts';
import { openWarehouse } from '../../store/warehouse/duckdb.ts';
import { allRows } from '../helpers/postgres-rows.ts';
import { openStrataHome, type StrataHome } from '../helpers/strata-home.ts';

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

let strata: StrataHome;
let folder: string;
let runs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-extracts-'));
  strata = await openStrataHome();
  await strata.startWorker();
}, 180_000);

afterAll(async () => {
  await strata?.close();
  await rm(folder, { recursive: true, force: true });
});

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** Rows that the contract accepts: `customers` customers with a handful of orders each. */
function goodRows(customers: number): string[] {
  return Array.from({ length: customers * 4 }, (_, i) => {
    const day = String(1 + ((i * 7) % 28)).padStart(2, '0');
    return `${536365 + i},85123A,LANTERN,${1 + (i % 9)},2011-0${1 + (i % 9)}-${day} 08:26:00,${1 + (i % 5)}.55,${17850 + (i % customers)},Malta`;
  });
}

const csv = (rows: string[]) => [HEADER, ...rows].join('\n');

async function run(input: StartInput | Record<string, unknown>) {
  const handle = await strata.startRun(input as StartInput, `segment/bad/${runs++}`);
  const settled = await handle.result().then(
    (summary) => ({ summary, message: null }),
    (error: unknown) => ({ summary: null, message: innermostMessage(error) }),
  );
  await strata.client.workflow
    .getHandle(`history/${settled.summary?.runId ?? ''}`)
    .result()
    .catch(() => undefined);
  return settled;
}

async function nothingIsPublished(): Promise<void> {
  const knex = connect(strata.services.databaseUrl);
  try {
    const rows = await allRows(knex);
    const written = [
      'publications',
      'segments',
      'segment_names',
      'segment_snapshots',
      'models',
      'memberships',
      'outbox',
    ];
    for (const table of written) expect(rows[table] ?? [], table).toEqual([]);
  } finally {
    await knex.destroy();
  }
}

const online = (extract: string, more: StartInput = {}): StartInput => ({
  pipeline: 'online-retail',
  extract,
  ...more,
});

describe('a run that cannot be done fails with its code, names the fault, and publishes nothing', () => {
  test.each<[string, () => Promise<StartInput | Record<string, unknown>>, string, string]>([
    [
      'a file that is not there',
      async () => online(join(folder, 'gone.csv')),
      'EXTRACT_NOT_FOUND',
      'gone.csv',
    ],
    ['an empty file', async () => online(await file('empty.csv', '')), 'EXTRACT_EMPTY', 'empty.csv'],
    [
      'a header and no row',
      async () => online(await file('header.csv', HEADER)),
      'EXTRACT_EMPTY',
      'header.csv',
    ],
    [
      'CSV that calls itself Parquet',
      async () => online(await file('text.parquet', csv(goodRows(60)))),
      'EXTRACT_UNREADABLE',
      'text.parquet',
    ],
    [
      'gzip that calls itself CSV',
      async () => online(await file('packed.csv', gzipSync(csv(goodRows(60))))),
      'EXTRACT_UNREADABLE',
      'packed.csv',
    ],
    [
      'a file without a column',
      async () => online(await file('columns.csv', csv(goodRows(60)).replace('CustomerID', 'Client'))),
      'EXTRACT_COLUMN_MISSING',
      'CustomerID',
    ],
    [
      'an as-of date before the data',
      async () => online(await file('later.csv', csv(goodRows(60))), { asOf: '2010-01-01' }),
      'AS_OF_BEFORE_DATA',
      '2010-01-01',
    ],
    [
      'a row from the next century',
      async () =>
        online(
          await file(
            'future.csv',
            csv([...goodRows(60), '9,85123A,LANTERN,2,2101-03-01 08:26:00,2.55,17850,Malta']),
          ),
        ),
      'AS_OF_IN_FUTURE',
      '2101-03-02',
    ],
    ['an unknown pipeline', async () => ({ pipeline: 'shoop' }), 'PIPELINE_UNKNOWN', 'online-retail, shop'],
    ['an unknown field', async () => ({ asof: '2026-01-01' }), 'INPUT_INVALID', 'asof'],
    ['a field of the wrong type', async () => ({ seed: 'seven' }), 'INPUT_INVALID', 'seed'],
    [
      'a pipeline that needs a file, without one',
      async () => ({ pipeline: 'online-retail' }),
      'EXTRACT_NOT_FOUND',
      '--extract',
    ],
  ])('%s', async (_, input, code, words) => {
    const { summary, message } = await run(await input());
    expect(summary).toBeNull();
    expect(message).toContain(`(${code})`);
    expect(message).toContain(words);
    await nothingIsPublished();
  });

  test('a Parquet file that was cut off', async () => {
    const path = join(folder, 'cut.parquet');
    const warehouse = await openWarehouse({
      threads: 1,
      memoryLimitMb: 256,
      tempFolder: folder,
      allowedFolders: [folder],
    });
    await warehouse.copyToParquet('SELECT range AS n FROM range(100000)', path);
    warehouse.close();
    await truncate(path, (await readFile(path)).length - 100);
    const { message } = await run(online(path));
    expect(message).toContain('(EXTRACT_UNREADABLE)');
    await nothingIsPublished();
  });
});

describe('data that is refused ends a run as rejected, and publishes nothing', () => {
  test('only bad rows: every one is in quarantine, by its rule', async () => {
    const bad = goodRows(60).map((row) => row.replace(/,17[89]\d\d,/, ',,'));
    const { summary } = await run(online(await file('bad.csv', csv(bad))));
    expect(summary).toMatchObject({
      outcome: 'rejected',
      verdict: 'refused',
      counts: { rowsAccepted: 0, rowsRead: 240 },
    });
    expect(summary!.counts.quarantinedBy).toContainEqual({ rule: 'without-customer', rows: 240 });
    expect(summary!.reasons.join()).toContain('No row satisfies the contract');
    await nothingIsPublished();
  });

  test('fewer customers than segments', async () => {
    const { summary } = await run(online(await file('few.csv', csv(goodRows(2)))));
    expect(summary).toMatchObject({ outcome: 'rejected', counts: { customers: 2 } });
    expect(summary!.reasons.join()).toContain('2 customers');
    await nothingIsPublished();
  });

  test('customers who are all alike: no number of segments is there to be found', async () => {
    const alike = Array.from(
      { length: 200 },
      (_, i) => `${i},85123A,LANTERN,2,2011-03-01 08:26:00,2.55,${10_000 + i},Malta`,
    );
    const { summary } = await run(online(await file('alike.csv', csv(alike))));
    expect(summary).toMatchObject({ outcome: 'rejected', k: null });
    await nothingIsPublished();
  });
});
