import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { NOISE } from '../numeric/cluster/algorithm.ts';
import { CONTENDERS } from '../numeric/cluster/algorithms.ts';
import { YARDSTICK } from '../numeric/cluster/random-groups.ts';
import { adjustedRand } from '../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import { createMatrix, type Matrix } from '../numeric/matrix.ts';
import { createRandom } from '../numeric/random/random.ts';
import { askPeer } from './ask-peer.ts';
import { median } from './figures.ts';

const SEED = 'compare';
const COLUMNS = 6;
const GROUPS = 5;

/** What each candidate is called at scikit-learn; the others have no counterpart there. */
const PEERS: Record<string, string> = {
  'k-means': 'KMeans',
  'mini-batch-k-means': 'MiniBatchKMeans',
  ward: 'AgglomerativeClustering',
  birch: 'Birch',
  'gaussian-mixture-diag': 'GaussianMixture diag',
  'gaussian-mixture-full': 'GaussianMixture full',
  hdbscan: 'HDBSCAN',
};

interface Options {
  rows: number;
  repeat: number;
  threads: number;
  python: string;
  json?: string;
}

interface CandidateFigures {
  name: string;
  seconds: number[];
  /** Rows that its model was made from. */
  fittedOn: number;
  /** Agreement with the groups that the rows were made from; noise counts as a group. */
  adjustedRand: number;
}

interface PeerFigures {
  version: string;
  candidates: Record<string, { seconds: number[]; adjustedRand: number }>;
}

/**
 * One fit of every candidate of a comparison to the same made rows, with scikit-learn's beside it in the same run. Where
 * a candidate works on a sample, its counterpart gets as many rows: both sides are shown with what they fitted on.
 */
export async function bench(args: string[]): Promise<void> {
  const options = readOptions(args);
  const pool = createKernelPool({ threads: options.threads });
  const folder = await mkdtemp(join(tmpdir(), 'strata-bench-'));
  try {
    const { X, groups } = makeRows(options.rows);
    const ours = await measureAll(pool, { X, groups }, options.repeat);
    const peer = await measurePeers({ X, groups, ours, folder }, options);
    report(ours, peer, options);
    if (options.json) await writeFile(options.json, `${JSON.stringify({ options, ours, peer }, null, 2)}\n`);
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
  return new Command('npm run bench -- compare')
    .option('--rows <rows>', `rows of ${COLUMNS} columns`, whole(1_000), 20_000)
    .option('--repeat <runs>', 'runs, of which the median is told', whole(1), 3)
    .option('--threads <threads>', 'kernel threads', whole(1), cpus().length)
    .option('--python <command>', 'the interpreter that has scikit-learn', 'python3')
    .option('--json <file>', 'write the figures to this file')
    .parse(args, { from: 'user' })
    .opts<Options>();
}

/** Five groups of different sizes around normal centres (deviation 2) that overlap a little: deviation 1 in each column. */
function makeRows(rows: number): { X: Matrix; groups: Uint8Array } {
  const random = createRandom(SEED);
  const centers = Float64Array.from({ length: GROUPS * COLUMNS }, () => random.normal() * 2);
  const X = createMatrix(rows, COLUMNS);
  const groups = Uint8Array.from({ length: rows }, () => Math.floor(GROUPS * random.float() ** 1.5));
  for (let j = 0; j < COLUMNS; j++) {
    for (let i = 0; i < rows; i++)
      X.data[j * rows + i] = centers[groups[i]! * COLUMNS + j]! + random.normal();
  }
  return { X, groups };
}

async function measureAll(
  pool: KernelPool,
  { X, groups }: { X: Matrix; groups: Uint8Array },
  repeat: number,
): Promise<CandidateFigures[]> {
  const figures: CandidateFigures[] = [];
  for (const { name, takesClusters, fit } of CONTENDERS.filter((own) => own.name !== YARDSTICK)) {
    const k = takesClusters ? GROUPS : null;
    const run = () => fit(X, k, { pool, seed: SEED });
    // The first run warms up: it compiles, and starts the threads.
    const { labels, fittedOn } = await run();
    const seconds: number[] = [];
    for (let i = 0; i < repeat; i++) {
      const startedAt = performance.now();
      await run();
      seconds.push((performance.now() - startedAt) / 1000);
    }
    const clustered = labels.map((label) => (label === NOISE ? GROUPS * 8 : label));
    figures.push({ name, seconds, fittedOn: fittedOn.rows, adjustedRand: adjustedRand(clustered, groups) });
  }
  return figures;
}

async function measurePeers(
  { X, groups, ours, folder }: { X: Matrix; groups: Uint8Array; ours: CandidateFigures[]; folder: string },
  { python, repeat }: Options,
): Promise<PeerFigures | null> {
  const data = join(folder, 'data.f32');
  await writeFile(data, X.data);
  await writeFile(join(folder, 'groups.u8'), groups);
  const candidates = ours.filter(({ name }) => PEERS[name] !== undefined);
  const tasks = candidates.map(({ name, fittedOn }) => {
    const rows =
      fittedOn < X.rows ? Array.from(createRandom(SEED).fork(name).sample(X.rows, fittedOn)) : null;
    return { name, estimator: PEERS[name], rows };
  });
  const about = {
    data,
    groups: join(folder, 'groups.u8'),
    rows: X.rows,
    columns: COLUMNS,
    k: GROUPS,
    repeat,
    tasks,
  };
  return askPeer<PeerFigures>(python, 'compare.py', about);
}

function report(
  ours: readonly CandidateFigures[],
  peer: PeerFigures | null,
  { rows, threads, repeat }: Options,
): void {
  console.log(
    `\n${rows.toLocaleString('en-US')} x ${COLUMNS}, ${GROUPS} groups, ${threads} threads; medians of ${repeat} runs after one to warm up`,
  );
  if (peer)
    console.log(
      `scikit-learn ${peer.version} is given as many rows as ours fitted on; ours labels all rows in its time`,
    );
  console.log(
    `${'candidate'.padEnd(24)}${'ours'.padStart(12)}${'rows'.padStart(10)}${'ARI'.padStart(8)}${'theirs'.padStart(12)}${'ARI'.padStart(8)}${'ratio'.padStart(9)}`,
  );
  for (const { name, seconds, fittedOn, adjustedRand: agreement } of ours) {
    const own = median(seconds);
    const theirs = peer?.candidates[name];
    const beside = theirs
      ? `${milliseconds(median(theirs.seconds))}${theirs.adjustedRand.toFixed(3).padStart(8)}${(own / median(theirs.seconds)).toFixed(3).padStart(9)}`
      : '';
    console.log(
      `${name.padEnd(24)}${milliseconds(own)}${String(fittedOn).padStart(10)}${agreement.toFixed(3).padStart(8)}${beside}`,
    );
  }
}

function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toFixed(1)} ms`.padStart(12);
}
