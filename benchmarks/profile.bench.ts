import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Definition, parseDefinition } from '../pipelines/contracts/definition.ts';
import { generateTransactions } from '../pipelines/generator/transactions.ts';
import { extractSql } from '../pipelines/stages/extract-sql.ts';
import { measureProfile } from '../pipelines/stages/profile/measure.ts';
import { renderProfilePage } from '../pipelines/stages/profile/page.ts';
import { PROJECT_FOLDER } from '../scripts/config.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import { openWarehouse } from '../store/warehouse/duckdb.ts';
import { typesOf } from '../store/warehouse/source-columns.ts';
import { describeSource, inspectFiles, parquetSql } from '../store/warehouse/sources.ts';
import { writeBatches } from '../store/warehouse/write-batches.ts';
import { keepFigures, median } from './figures.ts';
import { startMemoryWatch } from './memory-watch.ts';
import { benchCommand, count } from './options.ts';
import { secondsOf } from './timed.ts';

const UNTIL = '2026-06-30';
const AS_OF = '2026-07-01';
const LINES_PER_CUSTOMER = 10.3;
const WIDE = { columns: 200, rows: 200_000 };
const MEGABYTE = 2 ** 20;
/** As a worker has it with its defaults. */
const MEMORY_LIMIT_MB = 1_000;

interface Options {
  customers: number;
  repeat: number;
  threads: number;
  json?: string;
  /** Given to the process that measures one case, so that making the extract does not count as its memory. */
  measure?: string;
}

interface Measured {
  rows: number;
  columns: number;
  seconds: number;
  /** Of all threads: what is left of the figure when others use the machine. */
  cpuSeconds: number;
  peakMegabytes: number;
  jsonBytes: number;
  pageBytes: number;
}

/** The profile of a large extract and of a wide one: seconds, peak memory of a process that does nothing else, bytes. */
export async function bench(args: string[]): Promise<void> {
  const options = benchCommand('profile')
    .option(
      '--customers <count>',
      'customers of the large extract, with about ten rows each',
      count,
      1_000_000,
    )
    .option('--repeat <runs>', 'runs, each in a process of its own', count, 3)
    .option('--threads <threads>', 'threads of DuckDB', count, cpus().length)
    .option('--json <file>', 'write the figures to this file')
    .option('--measure <file>', 'measure this extract once and print the figures as JSON')
    .parse(args, { from: 'user' })
    .opts<Options>();
  const folder = join(PROJECT_FOLDER, '.strata', 'bench', 'profile');
  await mkdir(folder, { recursive: true });
  if (options.measure) {
    console.log(JSON.stringify(await measure(options.measure, { folder, threads: options.threads })));
    return;
  }
  const definition = await shop();
  const cases = [
    {
      name: `${Math.round((options.customers * LINES_PER_CUSTOMER) / 1e6)}M rows of a shop`,
      file: await once(join(folder, `shop-${options.customers}.parquet`), (path) =>
        writeShop(path, { folder, definition, customers: options.customers }),
      ),
    },
    {
      name: `${WIDE.columns} columns x ${WIDE.rows} rows`,
      file: await once(join(folder, `wide-${WIDE.columns}.parquet`), (path) => writeWide(path, folder)),
    },
  ];
  const found: Record<string, Measured[]> = {};
  for (const { name, file } of cases) {
    const runs: Measured[] = [];
    for (let i = 0; i < options.repeat; i++) runs.push(await measureApart(file, options.threads));
    found[name] = runs;
    const { rows, columns, jsonBytes, pageBytes } = runs[0]!;
    console.log(
      `${name}: ${rows.toLocaleString('en-US')} rows, ${columns} columns, ${options.threads} threads: ` +
        `${median(runs.map(({ seconds }) => seconds)).toFixed(2)} s (${median(runs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(1)} CPU seconds), peak ${Math.round(Math.max(...runs.map(({ peakMegabytes }) => peakMegabytes)))} MB, ` +
        `page ${(pageBytes / MEGABYTE).toFixed(2)} MB, JSON ${(jsonBytes / MEGABYTE).toFixed(2)} MB`,
    );
  }
  await keepFigures(options.json, { options, found });
}

async function measureApart(file: string, threads: number): Promise<Measured> {
  const script = join(PROJECT_FOLDER, 'scripts', 'bench.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...process.execArgv,
    ...[script, 'profile', '--measure', file, '--threads', String(threads)],
  ]);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Measured;
}

async function measure(
  file: string,
  { folder, threads }: { folder: string; threads: number },
): Promise<Measured> {
  const { title, currency, contract, features } = await shop();
  const warehouse = await openWarehouse({
    threads,
    memoryLimitMb: MEMORY_LIMIT_MB,
    tempFolder: join(folder, 'spill'),
    allowedFolders: [folder],
  });
  const memory = startMemoryWatch(process.pid);
  let [json, page]: (Uint8Array | null)[] = [null, null];
  let shape = { rows: 0, columns: 0 };
  const used = process.cpuUsage();
  try {
    const seconds = await secondsOf(async () => {
      const report = await measureProfile(
        {
          rows: (sql) => warehouse.rows(sql),
          numbers: async (sql) => (await warehouse.columns(sql)).numbers,
        },
        { from: `read_parquet('${file}')`, contract, asOf: AS_OF, rowNumber: 'file_row_number' },
        { title, currency, timezone: 'UTC', watermark: `${UNTIL}T23:59:00`, features },
      );
      json = encodeJson(report);
      page = Buffer.from(renderProfilePage(report));
      shape = { rows: report.rows, columns: report.columns.length };
    });
    const { user, system } = process.cpuUsage(used);
    const peak = Math.max(...memory.stop().map(({ bytes }) => bytes));
    return {
      ...shape,
      seconds,
      cpuSeconds: (user + system) / 1e6,
      peakMegabytes: peak / MEGABYTE,
      jsonBytes: json!.byteLength,
      pageBytes: page!.byteLength,
    };
  } finally {
    memory.stop();
    warehouse.close();
  }
}

async function shop(): Promise<Definition> {
  const folder = join(PROJECT_FOLDER, 'pipelines', 'definitions', 'shop');
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  return parseDefinition('shop', {
    pipeline: await read('pipeline.yaml'),
    contract: await read('contract.yaml'),
  });
}

/** Made once: it is the benchmark's input, not what is measured. */
async function once(file: string, make: (path: string) => Promise<unknown>): Promise<string> {
  if (existsSync(file)) return file;
  const incoming = `${file}.incoming.parquet`;
  await make(incoming);
  await rename(incoming, file);
  return file;
}

async function writeShop(
  path: string,
  { folder, definition, customers }: { folder: string; definition: Definition; customers: number },
): Promise<void> {
  const raw = join(folder, 'raw.parquet');
  await writeBatches(generateTransactions({ customers, months: 12, until: UNTIL, seed: 7 }), raw, {
    tempFolder: folder,
  });
  const warehouse = await inFolder(folder);
  try {
    const file = await inspectFiles(raw);
    const { columns } = definition.source;
    const types = typesOf(columns, await describeSource(warehouse, file), file.name);
    const source = { from: parquetSql(file.files), columns, types, name: file.name };
    await warehouse.copyToParquet(extractSql({ source, contract: definition.contract, asOf: AS_OF }), path);
  } finally {
    warehouse.close();
    await rm(raw, { force: true });
  }
}

/** The shop's columns and attributes of all types beside them, some with missing values. */
async function writeWide(path: string, folder: string): Promise<void> {
  const own = 12;
  const attributes = Array.from({ length: WIDE.columns - own }, (_, i) => {
    const random = `hash(range, ${i})`;
    const values = [
      `CAST(exp((${random} % 1000) / 150.0) * 10 AS DOUBLE)`,
      `'word ' || (${random} % ${3 + (i % 40)})`,
      `CAST(CASE WHEN ${random} % 4 > 0 THEN ${random} % 90 END AS DOUBLE)`,
      `TIMESTAMP '2024-01-01' + to_minutes(CAST(${random} % 900000 AS BIGINT))`,
      `${random} % 3 = 0`,
      `CAST(${random} AS DOUBLE) / 1e9`,
    ];
    return `${values[i % values.length]} AS attribute_${String(i).padStart(3, '0')}_of_the_customer`;
  });
  const sql = `SELECT CAST(hash(range) % 15000 AS VARCHAR) AS customer_id, CASE WHEN range % 60 = 0 THEN 'C' ELSE '' END || (range // 3) AS order_id,
  TIMESTAMP '2025-07-01' + to_minutes(CAST(range * 7919 % 525000 AS BIGINT)) AS ordered_at,
  CAST(CASE WHEN range % 60 = 0 THEN -1 ELSE 1 + hash(range, -1) % 9 END AS BIGINT) AS quantity, CAST(hash(range, -2) % 20000 / 100 AS DECIMAL(18,4)) AS unit_price,
  'L' || range AS line_id, TIMESTAMP '2025-07-02' + to_minutes(CAST(range * 7919 % 525000 AS BIGINT)) AS loaded_at,
  'c' || (hash(range, -3) % 8) AS category, 'web' AS channel, 'DE' AS country, ${attributes.join(',\n  ')},
  CAST(hash(range, -2) % 20000 / 50 AS DECIMAL(18,4)) AS amount, CAST(NULL AS VARCHAR) AS malformed, false AS is_duplicate FROM range(${WIDE.rows})`;
  const warehouse = await inFolder(folder);
  try {
    await warehouse.copyToParquet(sql, path);
  } finally {
    warehouse.close();
  }
}

function inFolder(folder: string) {
  return openWarehouse({
    threads: cpus().length,
    memoryLimitMb: 2 * MEMORY_LIMIT_MB,
    tempFolder: join(folder, 'spill'),
    allowedFolders: [folder],
  });
}
