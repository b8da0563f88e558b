import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Command, InvalidArgumentError } from 'commander';
import { assignNearest } from '../numeric/cluster/assign.ts';
import { fitKMeans } from '../numeric/cluster/k-means.ts';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import { createRandom } from '../numeric/random/random.ts';
import { assignCustomers, createAssigner } from '../pipelines/stages/assign.ts';
import type { Columns } from '../pipelines/stages/features.ts';
import { centersOf, createModel, type Model } from '../pipelines/stages/model.ts';
import { applyTransforms, fitTransforms } from '../pipelines/stages/transform.ts';
import { PROJECT_FOLDER } from '../scripts/config.ts';
import { median } from './figures.ts';

const COLUMNS = 12;
const CLUSTERS = 8;
/** The model is fitted on these: how it came about does not matter to how fast it assigns. */
const FITTED_ROWS = 20_000;
const SINGLE_ROWS = 100_000;
const MICROSECONDS = 1e6;

interface Options {
  rows: number;
  repeat: number;
  threads: number;
  python: string;
  json?: string;
}

interface Figures {
  batchSeconds: number[];
  /** The part of the batch in the kernels; the rest is transforming. */
  kernelSeconds: number[];
  singleSeconds: number[];
}

interface PeerFigures {
  version: string;
  batchSeconds: number[];
  singleSeconds: number;
  /** Customers to whom the peer gives another label. */
  otherLabels: number;
}

/**
 * Transform (log1p, standard) and assign of customers under a fitted model, in a batch and one at a time, beside
 * scikit-learn's Pipeline.predict under the same model.
 */
export async function bench(args: string[]): Promise<void> {
  const options = readOptions(args);
  const columns = makeCustomers(options.rows);
  const pool = createKernelPool({ threads: options.threads });
  const folder = await mkdtemp(join(tmpdir(), 'strata-bench-'));
  try {
    const model = await fitModel(pool, columns);
    const { labels, ...figures } = await measure(pool, { model, columns, repeat: options.repeat });
    const peer = await askPeer(folder, { model, columns, labels, options });
    report({ figures, peer, options });
    if (options.json)
      await writeFile(options.json, `${JSON.stringify({ options, figures, peer }, null, 2)}\n`);
  } finally {
    await pool.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function readOptions(args: string[]): Options {
  const whole = (least: number) => (given: string) => {
    const value = Number(given);
    if (!Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`needs a whole number from ${least}.`);
    return value;
  };
  return new Command('npm run bench -- assign')
    .option('--rows <customers>', 'customers', whole(FITTED_ROWS), 1_000_000)
    .option('--repeat <runs>', 'runs, of which the median is told', whole(1), 7)
    .option('--threads <threads>', 'kernel threads', whole(1), cpus().length)
    .option('--python <command>', 'the interpreter that has scikit-learn', 'python3')
    .option('--json <file>', 'write the figures to this file')
    .parse(args, { from: 'user' })
    .opts<Options>();
}

/** Lognormal figures in groups. */
function makeCustomers(rows: number): Columns {
  const random = createRandom('assign');
  const groups = Uint8Array.from({ length: rows }, () => random.int(CLUSTERS));
  return Object.fromEntries(
    Array.from({ length: COLUMNS }, (_, j) => {
      const places = Float64Array.from({ length: CLUSTERS }, () => 3 + 1.5 * random.normal());
      return [
        `feature${j}`,
        Float64Array.from(groups, (group) => Math.exp(places[group]! + 0.6 * random.normal())),
      ];
    }),
  );
}

async function fitModel(pool: KernelPool, columns: Columns): Promise<Model> {
  const about = { unit: 'x', why: 'y' };
  const cluster = Object.keys(columns).map((feature) => ({
    feature,
    transforms: ['log1p' as const, 'standard' as const],
  }));
  const few = Object.fromEntries(
    Object.entries(columns).map(([name, values]) => [name, values.subarray(0, FITTED_ROWS)]),
  );
  const transforms = fitTransforms(few, cluster);
  const fit = await fitKMeans(pool, applyTransforms(few, transforms), { nClusters: CLUSTERS, seed: 1 });
  return createModel({
    definition: {
      pipeline: 'bench',
      version: 1,
      features: {
        aggregate: Object.keys(columns).map((name) => ({ name, sql: name, ...about })),
        derive: [],
        cluster,
      },
    },
    seed: 1,
    transforms,
    centers: fit.centers,
    sizes: fit.sizes,
    columns: few,
    members: fit,
  });
}

async function measure(
  pool: KernelPool,
  { model, columns, repeat }: { model: Model; columns: Columns; repeat: number },
): Promise<Figures & { labels: Uint8Array }> {
  const matrix = applyTransforms(columns, model.transforms);
  const customers = Array.from({ length: Math.min(SINGLE_ROWS, matrix.rows) }, (_, row) =>
    Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[row]!])),
  );
  const assign = createAssigner(model);
  const figures: Figures = { batchSeconds: [], kernelSeconds: [], singleSeconds: [] };
  let labels = new Uint8Array();
  // The first run warms up: it compiles, and starts the threads.
  for (let i = 0; i <= repeat; i++) {
    const batch = await timed(async () => {
      labels = Uint8Array.from((await assignCustomers(pool, model, columns)).clusters);
    });
    const kernel = await timed(() => assignNearest(pool, matrix, centersOf(model)));
    const single = await timed(() => {
      for (const customer of customers) assign(customer);
    });
    if (i === 0) continue;
    figures.batchSeconds.push(batch / matrix.rows);
    figures.kernelSeconds.push(kernel / matrix.rows);
    figures.singleSeconds.push(single / customers.length);
  }
  return { ...figures, labels };
}

async function timed(work: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** Null, with a word why, where there is no Python or no scikit-learn. */
async function askPeer(
  folder: string,
  given: { model: Model; columns: Columns; labels: Uint8Array; options: Options },
): Promise<PeerFigures | null> {
  const { model, columns, labels, options } = given;
  const files = { data: join(folder, 'data.f64'), labels: join(folder, 'labels.u8') };
  await writeFile(files.data, rowMajor(Object.values(columns)));
  await writeFile(files.labels, labels);
  const scaled = model.transforms.map(({ steps }) => steps[1] as { center: number; scale: number });
  const about = {
    ...files,
    rows: labels.length,
    columns: COLUMNS,
    repeat: options.repeat,
    centers: model.centers,
    means: scaled.map(({ center }) => center),
    scales: scaled.map(({ scale }) => scale),
  };
  const peer = spawn(options.python, [join(PROJECT_FOLDER, 'benchmarks', 'peers', 'assign.py')]);
  const ended = new Promise<string | null>((resolve) => {
    peer.on('error', (error) => resolve(error.message));
    peer.on('close', (code) => resolve(code === 0 ? null : `it ended with ${code}`));
  });
  peer.stdin.on('error', () => {});
  peer.stdin.end(JSON.stringify(about));
  const [printed, complaint, fault] = await Promise.all([text(peer.stdout), text(peer.stderr), ended]);
  if (fault === null) return JSON.parse(printed) as PeerFigures;
  const why = complaint.trim().split('\n').at(-1) || fault;
  console.log(`scikit-learn is left out, ${options.python} did not run it: ${why}`);
  return null;
}

function rowMajor(columns: readonly Float64Array[]): Float64Array {
  const rows = columns[0]!.length;
  const values = new Float64Array(rows * columns.length);
  columns.forEach((column, j) => {
    for (let row = 0; row < rows; row++) values[row * columns.length + j] = column[row]!;
  });
  return values;
}

function report(found: { figures: Figures; peer: PeerFigures | null; options: Options }): void {
  const { figures, peer, options } = found;
  const rows = options.rows.toLocaleString('en-US');
  const peerBatch = peer && median(peer.batchSeconds) / options.rows;
  console.log(
    `\n${rows} customers x ${COLUMNS} features, log1p and standard, k = ${CLUSTERS}, ${options.threads} threads; per customer, medians of ${options.repeat} runs`,
  );
  const header = peer ? `scikit-learn ${peer.version}`.padStart(22) + 'ratio'.padStart(10) : '';
  console.log(`${''.padEnd(24)}${'Strata'.padStart(12)}${header}`);
  console.log(lineOf('batch', median(figures.batchSeconds), peerBatch));
  console.log(lineOf('  of it in the kernels', median(figures.kernelSeconds), null));
  console.log(lineOf('one at a time', median(figures.singleSeconds), peer?.singleSeconds ?? null));
  if (peer) console.log(`${peer.otherLabels} of ${rows} labels differ from scikit-learn's`);
}

function lineOf(what: string, ours: number, theirs: number | null): string {
  const micros = (seconds: number) => `${(seconds * MICROSECONDS).toFixed(3)} µs`;
  const ratio = (value: number) => (value < 0.1 ? value.toFixed(4) : value.toFixed(2));
  const beside = theirs === null ? '' : micros(theirs).padStart(22) + ratio(ours / theirs).padStart(10);
  return what.padEnd(24) + micros(ours).padStart(12) + beside;
}
