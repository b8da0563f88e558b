import { fitKMeans } from '../numeric/cluster/k-means.ts';
import { drawCoreset } from '../numeric/cluster/scale/drawn-coreset.ts';
import { type CoresetError, fitOnCoreset } from '../numeric/cluster/scale/fit-on-coreset.ts';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import { type Matrix, takeRows } from '../numeric/matrix.ts';
import { createRandom } from '../numeric/random/random.ts';
import { askPeer } from './ask-peer.ts';
import { keepFigures, median, milliseconds, tableRow } from './figures.ts';
import { CLUSTERS, COLUMNS, makeRows } from './kmeans-rows.ts';
import { addPeerOptions, benchCommand, countFrom, type PeerOptions } from './options.ts';
import { secondsOf } from './timed.ts';

const SEED = 'coreset';
/** What a run scores its candidates on, whose centres it then carries to all customers. */
const SCORED_ROWS = 6_000;
const CORESET_ROWS = [20_000, 100_000, 500_000];
const WIDTHS = [34, 12, 14, 15, 11, 11];

interface Options extends PeerOptions {
  crowd?: boolean;
}

interface Measured {
  name: string;
  /** With what follows the fit: a label, distance and margin for each row. */
  seconds: number[];
  inertia: number;
  /** Of a fit on a coreset: seconds to draw it, which are among those above; different rows; the error. */
  coreset: ({ drawSeconds: number[]; rows: number } & CoresetError) | null;
}

interface PeerFigures {
  version: string;
  kMeans: Omit<Measured, 'name' | 'coreset'>;
  miniBatch: Omit<Measured, 'name' | 'coreset'>;
}

/**
 * What a run with `clustering.coresetRows` does beside one without, from the same centres of a scored sample:
 * centres, then labels, distances and margins of all rows. scikit-learn goes on from the same centres.
 */
export async function bench(args: string[]): Promise<void> {
  const options = readOptions(args);
  const pool = createKernelPool({ threads: options.threads });
  try {
    const X = makeRows(options.rows, { seed: SEED, ...(options.crowd && { groups: 1 }) });
    const scored = takeRows(X, createRandom(SEED).fork('scored').sample(X.rows, SCORED_ROWS));
    const { centers } = await fitKMeans(pool, scored, { nClusters: CLUSTERS, seed: SEED });
    const ours = await measure(pool, X, { centers, repeat: options.repeat });
    const about = { rows: X.rows, columns: COLUMNS, k: CLUSTERS, centers: Array.from(centers) };
    const peer = await askPeer<PeerFigures>(
      { python: options.python, script: 'coreset.py', name: 'scikit-learn' },
      { data: X.data },
      { ...about, repeat: options.repeat },
    );
    report(ours, peer, options);
    await keepFigures(options.json, { options, ours, peer });
  } finally {
    await pool.close();
  }
}

function readOptions(args: string[]): Options {
  const least = countFrom(CORESET_ROWS.at(-1)! + 1);
  const command = benchCommand('coreset')
    .option('--rows <rows>', `rows of ${COLUMNS} columns`, least, 1_000_000)
    .option('--crowd', 'one crowd instead of eight groups: k-means needs more iterations');
  return addPeerOptions(command, { repeat: 5 }).parse(args, { from: 'user' }).opts<Options>();
}

/** All in turn, again and again, so that what else the machine does falls on all alike; the first round warms up. */
async function measure(
  pool: KernelPool,
  X: Matrix,
  { centers, repeat }: { centers: Float64Array; repeat: number },
): Promise<Measured[]> {
  const options = { nClusters: CLUSTERS, seed: SEED, initialCenters: centers };
  const onAll: Measured = { name: 'fit on all rows', seconds: [], inertia: 0, coreset: null };
  const onFew = CORESET_ROWS.map(
    (size): Measured => ({
      ...{ name: `on a coreset of ${size.toLocaleString('en-US')}`, seconds: [], inertia: 0 },
      coreset: { drawSeconds: [], rows: 0, inertiaError: 0, stepGain: 0 },
    }),
  );
  for (let round = 0; round <= repeat; round++) {
    const seconds = await secondsOf(async () => {
      onAll.inertia = (await fitKMeans(pool, X, options)).inertia;
    });
    if (round > 0) onAll.seconds.push(seconds);
    for (const [at, size] of CORESET_ROWS.entries()) await measureCoreset(onFew[at]!, { size, round });
  }
  return [onAll, ...onFew];

  async function measureCoreset(found: Measured, { size, round }: { size: number; round: number }) {
    let drawn = 0;
    const seconds = await secondsOf(async () => {
      const startedAt = performance.now();
      const coreset = await drawCoreset(X, { size, clusters: CLUSTERS, seed: SEED });
      drawn = (performance.now() - startedAt) / 1000;
      const { inertia, error } = await fitOnCoreset(pool, X, { ...options, coreset });
      found.inertia = inertia;
      Object.assign(found.coreset!, { ...error, rows: coreset.points.rows });
    });
    if (round === 0) return;
    found.seconds.push(seconds);
    found.coreset!.drawSeconds.push(drawn);
  }
}

function report(
  ours: readonly Measured[],
  peer: PeerFigures | null,
  { rows, threads, repeat, crowd }: Options,
): void {
  const [onAll] = ours as readonly [Measured];
  const shape = `${rows.toLocaleString('en-US')} x ${COLUMNS}${crowd ? ' of one crowd' : ''}, k = ${CLUSTERS}`;
  console.log(`\n${shape}, ${threads} threads; medians of ${repeat} runs after one to warm up`);
  console.log(tableRow(['', 'time', 'of all rows', 'inertia', 'inertia', 'step'], WIDTHS));
  console.log(tableRow(['', '', '', 'of all rows', 'error', 'gain'], WIDTHS));
  const line = ({ name, seconds, inertia, coreset }: Measured) => {
    const middle = median(seconds);
    const times = [milliseconds(middle, 0), (middle / median(onAll.seconds)).toFixed(2)];
    const error = coreset
      ? [coreset.inertiaError, coreset.stepGain].map((share) => `${(share * 100).toFixed(4)} %`)
      : [];
    console.log(tableRow([name, ...times, (inertia / onAll.inertia).toFixed(6), ...error], WIDTHS));
    if (coreset) console.log(`  of that to draw it: ${milliseconds(median(coreset.drawSeconds), 0)}`);
  };
  for (const measured of ours) line(measured);
  if (peer === null) return;
  line({ name: `scikit-learn ${peer.version} KMeans`, ...peer.kMeans, coreset: null });
  line({ name: 'scikit-learn MiniBatchKMeans', ...peer.miniBatch, coreset: null });
}
