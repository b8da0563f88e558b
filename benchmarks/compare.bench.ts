import { NOISE } from '../numeric/cluster/algorithm.ts';
import { CONTENDERS } from '../numeric/cluster/algorithms.ts';
import { YARDSTICK } from '../numeric/cluster/random-groups.ts';
import { adjustedRand } from '../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import { createMatrix, type Matrix } from '../numeric/matrix.ts';
import { createRandom } from '../numeric/random/random.ts';
import { askPeer } from './ask-peer.ts';
import { keepFigures, median, milliseconds, tableRow } from './figures.ts';
import { addPeerOptions, benchCommand, countFrom, type PeerOptions } from './options.ts';
import { timed } from './timed.ts';

const SEED = 'compare';
const COLUMNS = 6;
const GROUPS = 5;
const WIDTHS = [24, 12, 10, 8, 12, 8, 9];

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
  try {
    const { X, groups } = makeRows(options.rows);
    const ours = await measureAll(pool, { X, groups }, options.repeat);
    const peer = await measurePeers({ X, groups, ours }, options);
    report(ours, peer, options);
    await keepFigures(options.json, { options, ours, peer });
  } finally {
    await pool.close();
  }
}

function readOptions(args: string[]): PeerOptions {
  const command = benchCommand('compare').option(
    '--rows <rows>',
    `rows of ${COLUMNS} columns`,
    countFrom(1_000),
    20_000,
  );
  return addPeerOptions(command, { repeat: 3 }).parse(args, { from: 'user' }).opts<PeerOptions>();
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
    const { seconds, result } = await timed(repeat, () => fit(X, k, { pool, seed: SEED }));
    const { labels, fittedOn } = result;
    const clustered = labels.map((label) => (label === NOISE ? GROUPS * 8 : label));
    figures.push({ name, seconds, fittedOn: fittedOn.rows, adjustedRand: adjustedRand(clustered, groups) });
  }
  return figures;
}

async function measurePeers(
  { X, groups, ours }: { X: Matrix; groups: Uint8Array; ours: CandidateFigures[] },
  { python, repeat }: PeerOptions,
): Promise<PeerFigures | null> {
  const candidates = ours.filter(({ name }) => PEERS[name] !== undefined);
  const tasks = candidates.map(({ name, fittedOn }) => {
    const rows =
      fittedOn < X.rows ? Array.from(createRandom(SEED).fork(name).sample(X.rows, fittedOn)) : null;
    return { name, estimator: PEERS[name], rows };
  });
  return askPeer<PeerFigures>(
    { python, script: 'compare.py', name: 'compare.py' },
    { data: X.data, groups },
    { rows: X.rows, columns: COLUMNS, k: GROUPS, repeat, tasks },
  );
}

function report(
  ours: readonly CandidateFigures[],
  peer: PeerFigures | null,
  { rows, threads, repeat }: PeerOptions,
): void {
  console.log(
    `\n${rows.toLocaleString('en-US')} x ${COLUMNS}, ${GROUPS} groups, ${threads} threads; medians of ${repeat} runs after one to warm up`,
  );
  if (peer)
    console.log(
      `scikit-learn ${peer.version} is given as many rows as ours fitted on; ours labels all rows in its time`,
    );
  console.log(tableRow(['candidate', 'ours', 'rows', 'ARI', 'theirs', 'ARI', 'ratio'], WIDTHS));
  for (const { name, seconds, fittedOn, adjustedRand: agreement } of ours) {
    const own = median(seconds);
    const cells = [name, milliseconds(own), String(fittedOn), agreement.toFixed(3)];
    const counterpart = peer?.candidates[name];
    if (counterpart) {
      const theirs = median(counterpart.seconds);
      cells.push(milliseconds(theirs), counterpart.adjustedRand.toFixed(3), (own / theirs).toFixed(3));
    }
    console.log(tableRow(cells, WIDTHS));
  }
}
