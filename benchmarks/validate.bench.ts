import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contract } from '../pipelines/contracts/contract.ts';
import { parseContract } from '../pipelines/contracts/parse-contract.ts';
import { extractSql } from '../pipelines/stages/extract-sql.ts';
import {
  brokenRowsSql,
  quarantineSql,
  readValidation,
  type ValidationCounts,
  validationSql,
} from '../pipelines/stages/validate.ts';
import { openWarehouse, type Warehouse } from '../store/warehouse/duckdb.ts';
import { keepFigures, median, tableRow } from './figures.ts';
import { benchCommand, count } from './options.ts';
import { secondsOf } from './timed.ts';

const AS_OF = '2026-07-01';
const MICROSECONDS = 1e6;
const WIDTHS = [16, 8, 12, 12, 12, 12];

interface Options {
  rows: number;
  repeat: number;
  threads: number;
  json?: string;
}

interface Figures {
  name: string;
  rules: number;
  refused: number;
  countSeconds: number[];
  quarantineSeconds: number[];
  /** Of both, over all threads: what other work on the machine does not stretch. */
  cpuSeconds: number[];
}

/**
 * Validation of a frozen extract under one rule and under twenty: counting in one pass, and writing every refused
 * row to the quarantine. The rules are ranges, lists, patterns and nulls; about one row in thirty breaks one.
 */
export async function bench(args: string[]): Promise<void> {
  const options = benchCommand('validate')
    .option('--rows <rows>', 'rows of the extract', count, 10_000_000)
    .option('--repeat <runs>', 'runs, of which the median is told', count, 3)
    .option('--threads <threads>', 'threads of DuckDB', count, cpus().length)
    .option('--json <file>', 'write the figures to this file')
    .parse(args, { from: 'user' })
    .opts<Options>();
  const folder = await mkdtemp(join(tmpdir(), 'strata-bench-'));
  const warehouse = await openWarehouse({
    threads: options.threads,
    memoryLimitMb: 4_000,
    tempFolder: join(folder, 'spill'),
    allowedFolders: [folder],
  });
  try {
    const from = await freeze(warehouse, { folder, rows: options.rows });
    const figures: Figures[] = [];
    for (const [name, contract] of Object.entries(CONTRACTS))
      figures.push(await measure({ name, contract, warehouse, from, folder, repeat: options.repeat }));
    report(figures, options);
    await keepFigures(options.json, { options, figures });
  } finally {
    warehouse.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Made by hashes of the row's number, so that every machine has the same rows. */
function rawSql(rows: number): string {
  const pick = (salt: number, of: number) => `hash(i, ${salt}) % ${of}`;
  const dirty = (salt: number, of: number, bad: string, good: string) =>
    `CASE WHEN ${pick(salt, of)} = 0 THEN ${bad} ELSE ${good} END`;
  return `SELECT ${dirty(1, 200, 'NULL', `'C' || (${pick(2, 1_000_000)})`)} AS customer,
  ${dirty(3, 300, `'C' || i // 3`, `'W-' || (10000000 + i // 3)`)} AS invoice,
  TIMESTAMP '2025-07-01' + to_seconds(CAST(${pick(4, 31_500_000)} AS BIGINT)) AS at,
  ${dirty(5, 400, '0', `CAST(1 + ${pick(6, 12)} AS INTEGER)`)} AS pieces,
  ${dirty(7, 400, '0', `CAST((50 + ${pick(8, 20_000)}) / 100 AS DECIMAL(10,2))`)} AS price,
  ${dirty(9, 500, `'?'`, `'SKU-' || (1000 + ${pick(10, 4_000)})`)} AS article,
  ${dirty(11, 500, 'NULL', `['web', 'shop', 'phone', 'marketplace'][CAST(1 + ${pick(12, 4)} AS INTEGER)]`)} AS channel,
  ['DE', 'FR', 'GB', 'IT', 'ES', 'NL', 'PL', 'SE'][CAST(1 + ${pick(13, 8)} AS INTEGER)] AS country
FROM range(${rows}) AS made(i)`;
}

async function freeze(
  warehouse: Warehouse,
  { folder, rows }: { folder: string; rows: number },
): Promise<string> {
  const raw = join(folder, 'raw.parquet');
  await warehouse.copyToParquet(rawSql(rows), raw);
  const from = `read_parquet('${raw}')`;
  const described = await warehouse.rows(`DESCRIBE FROM ${from}`);
  const types = Object.fromEntries(described.map((row) => [row.column_name, String(row.column_type)]));
  const columns = {
    customer_id: 'customer',
    order_id: 'invoice',
    ordered_at: 'at',
    quantity: 'pieces',
    unit_price: 'price',
    category: 'article',
    channel: 'channel',
    country: 'country',
  };
  const source = { from, columns, types, name: 'raw.parquet' };
  const extract = join(folder, 'extract.parquet');
  await warehouse.copyToParquet(
    extractSql({ source, contract: CONTRACTS['twenty rules']!, asOf: AS_OF }),
    extract,
  );
  return `read_parquet('${extract}')`;
}

async function measure(given: {
  name: string;
  contract: Contract;
  warehouse: Warehouse;
  from: string;
  folder: string;
  repeat: number;
}): Promise<Figures> {
  const { name, contract, warehouse, from, folder, repeat } = given;
  const checked = { from, contract, broken: 'broken_rows' };
  const figures: Figures = {
    name,
    rules: contract.rules.length,
    refused: 0,
    countSeconds: [],
    quarantineSeconds: [],
    cpuSeconds: [],
  };
  // The first run warms the file's pages.
  for (let i = 0; i <= repeat; i++) {
    const before = process.cpuUsage();
    let counts: ValidationCounts | undefined;
    const counting = await secondsOf(async () => {
      await warehouse.rows(brokenRowsSql(checked));
      const [row] = await warehouse.rows(validationSql(checked));
      counts = readValidation(row!, contract);
    });
    const refused = counts!.rows - counts!.accepted;
    const keeping = await secondsOf(() =>
      warehouse.copyToParquet(quarantineSql({ ...checked, refused }), join(folder, 'quarantine.parquet')),
    );
    const { user, system } = process.cpuUsage(before);
    figures.refused = refused;
    if (i === 0) continue;
    figures.countSeconds.push(counting);
    figures.quarantineSeconds.push(keeping);
    figures.cpuSeconds.push((user + system) / MICROSECONDS);
  }
  return figures;
}

function report(figures: readonly Figures[], { rows, threads, repeat }: Options): void {
  console.log(
    `\n${rows.toLocaleString('en-US')} rows, ${threads} threads; medians of ${repeat} runs\n` +
      tableRow(['', 'rules', 'refused', 'counting', 'quarantine', 'CPU'], WIDTHS),
  );
  const seconds = (values: readonly number[]) => `${median(values).toFixed(2)} s`;
  for (const { name, rules, refused, countSeconds, quarantineSeconds, cpuSeconds } of figures) {
    const cells = [
      String(rules),
      refused.toLocaleString('en-US'),
      seconds(countSeconds),
      seconds(quarantineSeconds),
      seconds(cpuSeconds),
    ];
    console.log(tableRow([name, ...cells], WIDTHS));
  }
  const total = ({ countSeconds, quarantineSeconds }: Figures) =>
    median(countSeconds.map((counting, i) => counting + quarantineSeconds[i]!));
  const [one, all] = [total(figures[0]!), total(figures.at(-1)!)];
  const cpu = (at: number) => median(figures.at(at)!.cpuSeconds);
  console.log(
    `twenty rules add ${(all - one).toFixed(2)} s to one, ${(cpu(-1) - cpu(0)).toFixed(2)} s of CPU (limit: 3 s for 10M rows on two free cores)`,
  );
}

const quality = (name: string, rest: string) => `[{ name: ${name}, mustBe: 0, ${rest} }]`;
const contractOf = (properties: string) =>
  parseContract(`apiVersion: v3.1.0
kind: DataContract
id: bench
version: 1.0.0
status: draft
schema:
  - name: transactions
    quality: ${quality('unreadable-value', `type: sql, query: "SELECT COUNT(*) FROM {object} WHERE malformed IS NOT NULL"`)}
    properties:
${properties}`);

const CONTRACTS: Readonly<Record<string, Contract>> = {
  // Beside the two that every contract has.
  'one rule': contractOf('      - { name: customer_id, required: true }\n'),
  'twenty rules': contractOf(`      - name: customer_id
        logicalType: string
        logicalTypeOptions: { minLength: 2, maxLength: 20, pattern: '^C[0-9]+$' }
        required: true
      - name: order_id
        logicalType: string
        logicalTypeOptions: { pattern: '^W-[0-9]{8}$' }
        required: true
      - name: ordered_at
        logicalType: timestamp
        logicalTypeOptions: { minimum: '2025-07-01', exclusiveMaximum: '2026-07-01' }
        required: true
      - name: quantity
        logicalType: integer
        logicalTypeOptions: { minimum: 1, maximum: 1000 }
        required: true
      - name: unit_price
        logicalType: number
        logicalTypeOptions: { exclusiveMinimum: 0, maximum: 10000 }
        required: true
      - name: category
        logicalType: string
        logicalTypeOptions: { pattern: '^SKU-[0-9]{4}$' }
      - name: channel
        required: true
        quality: ${quality('channel', 'metric: invalidValues, arguments: { validValues: [web, shop, phone, marketplace] }')}
      - name: country
        quality: ${quality('country', 'metric: invalidValues, arguments: { validValues: [DE, FR, GB, IT, ES, NL, PL, SE] }')}
`),
};
