import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Command, InvalidArgumentError } from 'commander';
import { assignNearest } from '../numeric/cluster/assign.ts';
import { fitKMeans } from '../numeric/cluster/k-means.ts';
import { silhouette } from '../numeric/compare/silhouette.ts';
import { silhouetteOfSample } from '../numeric/compare/silhouette-of-sample.ts';
import { simplifiedSilhouette } from '../numeric/compare/simplified-silhouette.ts';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import { createMatrix, type Matrix } from '../numeric/matrix.ts';
import { createRandom } from '../numeric/random/random.ts';
import { PROJECT_FOLDER } from '../scripts/config.ts';
import { median } from './figures.ts';
import { startMemoryWatch } from './memory-watch.ts';

const COLUMNS = 12;
const CLUSTERS = 8;
const SEED = 'silhouette';
const MEGABYTE = 2 ** 20;

interface Options {
  rows: number;
  largeRows: number;
  repeat: number;
  threads: number;
  python: string;
  json?: string;
}

interface Measured {
  seconds: number[];
  mean: number;
  /** Beyond what the process held before. */
  megabytes: number;
}

interface PeerFigures extends Measured {
  version: string;
}

interface LargeFigures {
  rows: number;
  sample: { seconds: number[]; mean: number; error: number; scoredRows: number };
  simplified: { seconds: number[]; mean: number };
}

/**
 * The exact silhouette beside scikit-learn's, on the same rows and labels; and what stands for it where all pairs would
 * be too many: a stratified sample of as many rows, and the simplified one of all rows.
 */
export async function bench(args: string[]): Promise<void> {
  const options = readOptions(args);
  const pool = createKernelPool({ threads: options.threads });
  const folder = await mkdtemp(join(tmpdir(), 'strata-bench-'));
  try {
    const X = makeRows(options.rows);
    const { labels } = await fitKMeans(pool, X, { nClusters: CLUSTERS, seed: SEED });
    const exact = await measureExact(pool, X, { labels, repeat: options.repeat });
    const peer = await askPeer(folder, { X, labels, options });
    const large = await measureLarge(pool, options);
    report({ exact, peer, large, options });
    if (options.json)
      await writeFile(options.json, `${JSON.stringify({ options, exact, peer, large }, null, 2)}\n`);
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
  return new Command('npm run bench -- silhouette')
    .option('--rows <rows>', 'rows of the exact silhouette, at most 100,000', whole(100), 20_000)
    .option('--large-rows <rows>', 'rows that are too many for it', whole(100), 1_000_000)
    .option('--repeat <runs>', 'runs, of which the median is told', whole(1), 5)
    .option('--threads <threads>', 'kernel threads', whole(1), cpus().length)
    .option('--python <command>', 'the interpreter that has scikit-learn', 'python3')
    .option('--json <file>', 'write the figures to this file')
    .parse(args, { from: 'user' })
    .opts<Options>();
}

/** Normal rows around centres that overlap, as customers do. */
function makeRows(rows: number): Matrix {
  const random = createRandom(SEED);
  const X = createMatrix(rows, COLUMNS);
  const groups = Uint8Array.from({ length: rows }, () => random.int(CLUSTERS));
  for (let j = 0; j < COLUMNS; j++) {
    const centers = Float64Array.from({ length: CLUSTERS }, () => random.normal());
    for (let i = 0; i < rows; i++) X.data[j * rows + i] = centers[groups[i]!]! + random.normal();
  }
  return X;
}

async function measureExact(
  pool: KernelPool,
  X: Matrix,
  { labels, repeat }: { labels: Uint8Array; repeat: number },
): Promise<Measured> {
  const memory = startMemoryWatch(process.pid);
  const before = process.memoryUsage.rss();
  const { seconds, result } = await timed(repeat, () => silhouette(pool, X, labels));
  const peak = Math.max(before, process.memoryUsage.rss(), ...memory.stop().map(({ bytes }) => bytes));
  return { seconds, mean: result.mean, megabytes: (peak - before) / MEGABYTE };
}

async function measureLarge(pool: KernelPool, { rows, largeRows, repeat }: Options): Promise<LargeFigures> {
  const X = makeRows(largeRows);
  const { labels, centers } = await fitKMeans(pool, X, { nClusters: CLUSTERS, seed: SEED });
  const sample = await timed(repeat, () => silhouetteOfSample(pool, X, labels, { rows, seed: SEED }));
  const simplified = await timed(repeat, async () =>
    simplifiedSilhouette(await assignNearest(pool, X, centers)),
  );
  const { mean, error, scoredOn } = sample.result;
  return {
    rows: largeRows,
    sample: { seconds: sample.seconds, mean, error, scoredRows: scoredOn.rows },
    simplified: { seconds: simplified.seconds, mean: simplified.result.mean },
  };
}

/** The first run warms up: it compiles, and starts the threads. */
async function timed<T>(repeat: number, work: () => Promise<T>): Promise<{ seconds: number[]; result: T }> {
  let result = await work();
  const seconds: number[] = [];
  for (let i = 0; i < repeat; i++) {
    const startedAt = performance.now();
    result = await work();
    seconds.push((performance.now() - startedAt) / 1000);
  }
  return { seconds, result };
}

/** Null, with a word why, where there is no Python or no scikit-learn. */
async function askPeer(
  folder: string,
  { X, labels, options }: { X: Matrix; labels: Uint8Array; options: Options },
): Promise<PeerFigures | null> {
  const files = { data: join(folder, 'data.f32'), labels: join(folder, 'labels.u8') };
  await writeFile(files.data, X.data);
  await writeFile(files.labels, labels);
  const peer = spawn(options.python, [join(PROJECT_FOLDER, 'benchmarks', 'peers', 'silhouette.py')]);
  const ended = new Promise<string | null>((resolve) => {
    peer.on('error', (error) => resolve(error.message));
    peer.on('close', (code) => resolve(code === 0 ? null : `it ended with ${code}`));
  });
  peer.stdin.on('error', () => {});
  peer.stdin.end(
    JSON.stringify({ ...files, rows: X.rows, columns: X.columns, repeat: Math.min(options.repeat, 3) }),
  );
  const [printed, complaint, fault] = await Promise.all([text(peer.stdout), text(peer.stderr), ended]);
  if (fault === null) return JSON.parse(printed) as PeerFigures;
  const why = complaint.trim().split('\n').at(-1) || fault;
  console.log(`scikit-learn is left out, ${options.python} did not run it: ${why}`);
  return null;
}

function report(found: {
  exact: Measured;
  peer: PeerFigures | null;
  large: LargeFigures;
  options: Options;
}): void {
  const { exact, peer, large, options } = found;
  const count = (rows: number) => rows.toLocaleString('en-US');
  console.log(
    `\nexact silhouette of ${count(options.rows)} rows x ${COLUMNS}, k = ${CLUSTERS}, ${options.threads} threads; medians of ${options.repeat} runs`,
  );
  console.log(lineOf('Strata', exact));
  if (peer) {
    console.log(lineOf(`scikit-learn ${peer.version}`, peer));
    const ratio = median(exact.seconds) / median(peer.seconds);
    console.log(
      `ratio ${ratio.toFixed(3)}; means differ by ${Math.abs(exact.mean - peer.mean).toExponential(1)}`,
    );
  }
  const { sample, simplified } = large;
  console.log(`\nof ${count(large.rows)} rows`);
  console.log(
    `  stratified sample of ${count(sample.scoredRows)}: ${sample.mean.toFixed(4)} ± ${sample.error.toFixed(4)} in ${median(sample.seconds).toFixed(3)} s`,
  );
  console.log(
    `  simplified, of all rows: ${simplified.mean.toFixed(4)} in ${median(simplified.seconds).toFixed(3)} s (not to be compared with the exact one)`,
  );
}

function lineOf(who: string, { seconds, mean, megabytes }: Measured): string {
  return `${who.padEnd(22)}${median(seconds).toFixed(3).padStart(8)} s${megabytes.toFixed(0).padStart(7)} MB   ${mean.toFixed(6)}`;
}
