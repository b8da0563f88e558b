import { kmeans as mlKMeans } from 'ml-kmeans';
import { fitKMeans } from '../numeric/cluster/k-means.ts';
import { coresetKMeans } from '../numeric/cluster/scale/coreset-k-means.ts';
import { miniBatchKMeans } from '../numeric/cluster/scale/mini-batch-k-means.ts';
import { centersAt, maxShiftOf, seededStarts } from '../numeric/cluster/starts.ts';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import type { FitTask } from '../numeric/kernels/tasks.ts';
import { type Matrix, rowOf, takeRows } from '../numeric/matrix.ts';
import { createRandom } from '../numeric/random/random.ts';
import { askPeer } from './ask-peer.ts';
import { keepFigures, median, milliseconds, tableRow } from './figures.ts';
import { CLUSTERS, COLUMNS, makeRows } from './kmeans-rows.ts';
import { addPeerOptions, benchCommand, countFrom, type PeerOptions } from './options.ts';
import { timed } from './timed.ts';

const SEED = 'kmeans';
/** Full-data iterations over which one is timed, after the first. */
const ITERATIONS = 10;
/** What the choice of k fits thousands of times: the different rows of a bootstrap of 10,000. */
const SMALL_ROWS = 6300;
const PEER_ROWS = 20_000;
/** Of a line's name and time. */
const WIDTHS = [34, 11];

interface Timed {
  seconds: number[];
  inertia: number;
}

interface Figures {
  fit: Timed;
  iterationSeconds: number;
  sameOnThreads: boolean;
  coreset: Timed;
  miniBatch: Timed;
  /** Milliseconds of a fit from one start on few rows, for k from 2 to 10. */
  smallFits: number[];
  mlKMeans: { seconds: number[]; ours: number[] };
}

interface PeerFigures {
  version: string;
  startSeconds: number[];
  bestInertia: number;
  iterationSeconds: number;
  iterationInertia: number;
  miniBatch: Timed;
  faiss: (Timed & { version: string }) | null;
}

/**
 * k-means beside scikit-learn's, faiss's and ml-kmeans's on the same rows: whole fits, single iterations, and the
 * small fits that the choice of k is made of.
 */
export async function bench(args: string[]): Promise<void> {
  const options = readOptions(args);
  const pool = createKernelPool({ threads: options.threads });
  try {
    const X = makeRows(options.rows, { seed: SEED });
    const centers = centersAt(X, createRandom(SEED).fork('begin').sample(X.rows, CLUSTERS));
    const ours = await measure(pool, X, { centers, options });
    const about = { rows: X.rows, columns: COLUMNS, k: CLUSTERS, centers: Array.from(centers) };
    const rest = { iterations: ITERATIONS, repeat: options.repeat };
    const peer = await askPeer<PeerFigures>(
      { python: options.python, script: 'kmeans.py', name: 'kmeans.py' },
      { data: X.data },
      { ...about, ...rest },
    );
    report(ours, peer, options);
    await keepFigures(options.json, { options, ours, peer });
  } finally {
    await pool.close();
  }
}

function readOptions(args: string[]): PeerOptions {
  const command = benchCommand('kmeans').option(
    '--rows <rows>',
    `rows of ${COLUMNS} columns`,
    countFrom(PEER_ROWS),
    1_000_000,
  );
  return addPeerOptions(command, { repeat: 5 }).parse(args, { from: 'user' }).opts<PeerOptions>();
}

async function measure(
  pool: KernelPool,
  X: Matrix,
  { centers, options }: { centers: Float64Array; options: PeerOptions },
): Promise<Figures> {
  const { repeat } = options;
  const whole = (own: KernelPool) => fitKMeans(own, X, { nClusters: CLUSTERS, seed: SEED });
  const carried = { nClusters: CLUSTERS, seed: SEED, initialCenters: centers, tol: 0 };
  const steps = (maxIter: number) => () => fitKMeans(pool, X, { ...carried, maxIter });
  const one = await timed(repeat, steps(1));
  const many = await timed(repeat, steps(1 + ITERATIONS));
  const context = { pool, seed: SEED };
  const by = (algorithm: typeof coresetKMeans | typeof miniBatchKMeans) => async () => {
    const { model } = await algorithm.fit(X, { nClusters: CLUSTERS }, context);
    return { inertia: model.criteria.inertia! };
  };
  return {
    fit: await timedInertia(repeat, () => whole(pool)),
    iterationSeconds: (median(many.seconds) - median(one.seconds)) / ITERATIONS,
    sameOnThreads: await isSameOnThreads(whole),
    coreset: await timedInertia(repeat, by(coresetKMeans)),
    miniBatch: await timedInertia(repeat, by(miniBatchKMeans)),
    smallFits: await measureSmallFits(takeRows(X, createRandom(SEED).sample(X.rows, SMALL_ROWS)), repeat),
    mlKMeans: await measureMlKMeans(takeRows(X, createRandom(SEED).sample(X.rows, PEER_ROWS))),
  };
}

async function timedInertia(repeat: number, work: () => Promise<{ inertia: number }>): Promise<Timed> {
  const { seconds, result } = await timed(repeat, work);
  return { seconds, inertia: result.inertia };
}

async function isSameOnThreads(whole: (pool: KernelPool) => ReturnType<typeof fitKMeans>): Promise<boolean> {
  const found: string[] = [];
  for (const threads of [1, 2, 4]) {
    const pool = createKernelPool({ threads });
    const { centers, labels, margin } = await whole(pool);
    found.push([centers, labels, margin].map(({ buffer }) => Buffer.from(buffer).toString('latin1')).join());
    await pool.close();
  }
  return found.every((bytes) => bytes === found[0]);
}

/** On one thread, ten fits in one operation: what counts is the work, not the messages. */
async function measureSmallFits(x: Matrix, repeat: number): Promise<number[]> {
  const pool = createKernelPool({ threads: 1 });
  const fits: number[] = [];
  for (let k = 2; k <= 10; k++) {
    const otherwise = centersAt(
      x,
      Int32Array.from({ length: k }, (_, i) => i),
    );
    const starts = seededStarts({ k, count: 10, random: createRandom(SEED), otherwise });
    const maxShift = maxShiftOf(x, 1e-6);
    const tasks = starts.map(
      (start): FitTask => ({ kind: 'fit', x, rows: null, k, starts: [start], maxIterations: 30, maxShift }),
    );
    const { seconds } = await timed(repeat, () => pool.run(tasks));
    fits.push((median(seconds) / tasks.length) * 1000);
  }
  await pool.close();
  return fits;
}

/** One start each, on one thread each. */
async function measureMlKMeans(x: Matrix): Promise<Figures['mlKMeans']> {
  const pool = createKernelPool({ threads: 1 });
  const rows = Array.from({ length: x.rows }, (_, i) => Array.from(rowOf(x, i)));
  const theirs = await timed(3, () => mlKMeans(rows, CLUSTERS, { seed: 1, initialization: 'kmeans++' }));
  const ours = await timed(5, () => fitKMeans(pool, x, { nClusters: CLUSTERS, seed: 1, nInit: 1 }));
  await pool.close();
  return { seconds: theirs.seconds, ours: ours.seconds };
}

function report(ours: Figures, peer: PeerFigures | null, { rows, threads, repeat }: PeerOptions): void {
  const shape = `${rows.toLocaleString('en-US')} x ${COLUMNS}, k = ${CLUSTERS}`;
  console.log(`\n${shape}, ${threads} threads; medians of ${repeat} runs after one to warm up`);
  const best = peer?.bestInertia ?? ours.fit.inertia;
  const line = (name: string, { seconds, inertia }: Timed) => {
    const times =
      peer === null ? '' : `${(median(seconds) / median(peer.startSeconds)).toFixed(3)} of one start`;
    console.log(
      `${tableRow([name, milliseconds(median(seconds), 0)], WIDTHS)}  ${(inertia / best).toFixed(5)} of the best inertia  ${times}`,
    );
  };
  line('whole fit, seeds to margins', ours.fit);
  line('coreset-k-means', ours.coreset);
  line('mini-batch-k-means', ours.miniBatch);
  if (peer !== null) {
    line(`scikit-learn ${peer.version}, one start`, { seconds: peer.startSeconds, inertia: best });
    line('scikit-learn MiniBatchKMeans', peer.miniBatch);
    if (peer.faiss !== null) line(`faiss ${peer.faiss.version}, 25 iterations`, peer.faiss);
    else console.log('faiss is not installed');
    console.log(`(one start: the inertia is the best of ten)`);
  }
  const iterations = [ours.iterationSeconds, ...(peer === null ? [] : [peer.iterationSeconds])];
  const [own, theirs] = iterations.map((seconds) => milliseconds(seconds));
  const ratio =
    peer === null
      ? ''
      : `, scikit-learn ${theirs}: ${(ours.iterationSeconds / peer.iterationSeconds).toFixed(2)}`;
  console.log(`one full-data iteration, 2nd to ${ITERATIONS + 1}th from random rows: ${own}${ratio}`);
  console.log(`same bytes on 1, 2 and 4 threads: ${ours.sameOnThreads ? 'yes' : 'NO'}`);
  const small = ours.smallFits.map((ms) => ms.toFixed(2)).join(' ');
  console.log(`one start on ${SMALL_ROWS} rows, one thread, k = 2..10, ms: ${small}`);
  const { seconds, ours: own20k } = ours.mlKMeans;
  console.log(
    `ml-kmeans, one start on ${PEER_ROWS} rows: ${milliseconds(median(seconds), 0)}, ours ${milliseconds(median(own20k))}: ${(median(own20k) / median(seconds)).toFixed(4)}`,
  );
}
