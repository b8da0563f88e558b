import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { generateTransactions } from '../pipelines/generator/transactions.ts';
import type { ExtractSource } from '../pipelines/stages/extract.ts';
import { extractSql } from '../pipelines/stages/extract-sql.ts';
import { PROJECT_FOLDER } from '../scripts/config.ts';
import { loadDefinition } from '../store/definitions.ts';
import { openWarehouse } from '../store/warehouse/duckdb.ts';
import { typesOf } from '../store/warehouse/source-columns.ts';
import { describeSource, inspectFiles, parquetSql } from '../store/warehouse/sources.ts';
import { writeBatches } from '../store/warehouse/write-batches.ts';
import { askPeer } from './ask-peer.ts';
import { AS_OF, CLUSTERED, LONGEST_GAP, type Measured, measure, NAMES, type Way } from './features-ways.ts';
import { keepFigures, median, tableRow } from './figures.ts';
import { SHOP } from './generated-extract.ts';
import { addPeerOptions, benchCommand, countFrom, type PeerOptions } from './options.ts';

const LINES_PER_CUSTOMER = 10;
const WIDTHS = [26, 12, 12, 12, 14, 12];
const GIGABYTE = 1e9;

interface Options extends PeerOptions {
  alone?: boolean;
  only?: Way;
  extract?: string;
  out?: string;
}

interface Figures extends Measured {
  name: string;
}

/**
 * Twenty features of every customer from the accepted rows of a frozen extract: Strata's way (SQL, derived features,
 * fitted transforms), a query written by hand for the same columns into the same arrays, pandas and polars. Each in a
 * process of its own, on as many threads, and value by value compared with Strata's.
 */
export async function bench(args: string[]): Promise<void> {
  const options = readOptions(args);
  const { only, extract, out, threads, repeat } = options;
  if (only && extract) {
    const folder = join(PROJECT_FOLDER, '.strata', 'bench');
    console.log(JSON.stringify(await measure(only, { extract, out, threads, repeat, folder })));
    return;
  }
  const file = await frozenExtract(Math.round(options.rows / LINES_PER_CUSTOMER), threads);
  const folder = await mkdtemp(join(PROJECT_FOLDER, '.strata', 'bench', 'features-'));
  try {
    const results = await measureAll(options, { file, folder });
    report(results, options);
    await keepFigures(options.json, { options, results });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readOptions(args: string[]): Options {
  const command = benchCommand('features')
    .option('--rows <transactions>', 'transactions, ten a customer', countFrom(10_000), 10_000_000)
    .option('--alone', 'Strata only, nothing beside it')
    .option('--only <way>', 'what a process of the benchmark measures')
    .option('--extract <file>', 'a frozen extract for it')
    .option('--out <file>', 'where its values go');
  return addPeerOptions(command, { repeat: 3 }).parse(args, { from: 'user' }).opts<Options>();
}

/** Made once for each number of customers: it is the benchmark's input, not what is measured. */
async function frozenExtract(customers: number, threads: number): Promise<string> {
  const folder = join(PROJECT_FOLDER, '.strata', 'bench', 'extracts');
  await mkdir(folder, { recursive: true });
  const raw = join(folder, `shop-${customers}-${SHOP.months}-months.parquet`);
  const frozen = join(folder, `extract-${customers}.parquet`);
  if (existsSync(frozen)) return frozen;
  if (!existsSync(raw)) {
    console.log(`Generating the transactions of ${customers.toLocaleString('en-US')} customers`);
    await writeBatches(generateTransactions({ ...SHOP, customers }), `${raw}.incoming`, { threads });
    await rename(`${raw}.incoming`, raw);
  }
  console.log('Freezing the extract');
  const spill = join(PROJECT_FOLDER, '.strata', 'bench', 'spill');
  const warehouse = await openWarehouse({
    threads,
    memoryLimitMb: 4_000,
    tempFolder: spill,
    allowedFolders: [folder, spill],
  });
  try {
    const { definition } = await loadDefinition(join(PROJECT_FOLDER, 'pipelines', 'definitions'), 'shop');
    const file = await inspectFiles(raw);
    const { columns } = definition.source;
    const types = typesOf({ ...columns }, await describeSource(warehouse, file), file.name);
    const source: ExtractSource = { from: parquetSql(file.files), columns, types, name: file.name };
    const sql = extractSql({ source, contract: definition.contract, asOf: AS_OF });
    await warehouse.copyToParquet(sql, `${frozen}.incoming`);
    await rename(`${frozen}.incoming`, frozen);
  } finally {
    warehouse.close();
  }
  return frozen;
}

async function measureAll(
  options: Options,
  { file, folder }: { file: string; folder: string },
): Promise<Figures[]> {
  const { threads, repeat, alone } = options;
  const own = join(folder, 'strata');
  const results: Figures[] = [
    {
      name: 'Strata',
      ...(await inProcess('strata', { file, out: alone ? undefined : own, threads, repeat })),
    },
  ];
  if (alone) return results;
  const out = join(folder, 'other');
  const byHand = await inProcess('by-hand', { file, out, threads, repeat });
  results.push({ name: 'DuckDB, by hand', ...byHand, differing: await differences(own, out) });
  for (const library of ['polars', 'pandas']) {
    const found = await askPeer<Measured & { version: string }>(
      { python: options.python, script: 'features.py', name: library },
      {},
      {
        library,
        path: file,
        asOf: AS_OF,
        repeat,
        out,
        columns: NAMES,
        clustered: CLUSTERED,
        longestGap: LONGEST_GAP,
      },
    );
    if (found)
      results.push({ ...found, name: `${library} ${found.version}`, differing: await differences(own, out) });
  }
  return results;
}

/** One way in a process of its own, so that its memory is its own. */
async function inProcess(
  way: Way,
  given: { file: string; out: string | undefined; threads: number; repeat: number },
): Promise<Measured> {
  const { file, out, threads, repeat } = given;
  const args = ['--only', way, '--extract', file, '--threads', `${threads}`, '--repeat', `${repeat}`];
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join('scripts', 'bench.ts'), 'features', ...args, ...(out ? ['--out', out] : [])],
    { cwd: PROJECT_FOLDER, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const printed = await text(child.stdout);
  const code = await ended;
  if (code !== 0) throw new Error(`measuring ${way} needs to end with 0, found ${code}`);
  return JSON.parse(printed.trim().split('\n').at(-1)!) as Measured;
}

/** Values of the second file, of all, that are not those of the first to 12 digits. */
async function differences(own: string, other: string): Promise<number> {
  const [a, b] = await Promise.all([open(own), open(other)]);
  let differing = 0;
  try {
    const { size } = await a.stat();
    if ((await b.stat()).size !== size) return Number.NaN;
    const block = 1 << 24;
    for (let at = 0; at < size; at += block) {
      const bytes = Math.min(block, size - at);
      const [x, y] = [new Float64Array(bytes / 8), new Float64Array(bytes / 8)];
      await a.read(x, 0, bytes, at);
      await b.read(y, 0, bytes, at);
      for (let i = 0; i < x.length; i++)
        if (Math.abs(x[i]! - y[i]!) > 1e-12 * Math.max(1, Math.abs(x[i]!))) differing++;
    }
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
  return differing;
}

function report(results: readonly Figures[], { rows, repeat, threads }: Options): void {
  const [own] = results;
  console.log(
    `\nabout ${rows.toLocaleString('en-US')} transactions -> ${NAMES.length} features of ${own!.customers.toLocaleString('en-US')} customers, ${threads} of ${cpus().length} threads, medians of ${repeat} runs`,
  );
  console.log(tableRow(['', 'seconds', 'Strata / it', 'CPU seconds', 'peak memory', 'differing'], WIDTHS));
  for (const { name, seconds, cpuSeconds, peakBytes, differing } of results) {
    const took = median(seconds);
    const cells = [
      name,
      `${took.toFixed(2)} s`,
      (median(own!.seconds) / took).toFixed(2),
      `${median(cpuSeconds).toFixed(1)} s`,
      `${(peakBytes / GIGABYTE).toFixed(2)} GB`,
      differing === undefined ? '' : String(differing),
    ];
    console.log(tableRow(cells, WIDTHS));
  }
}
