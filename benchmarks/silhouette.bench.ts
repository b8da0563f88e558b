import { assignNearest } from '../numeric/cluster/assign.ts';
import { fitKMeans } from '../numeric/cluster/k-means.ts';
import { silhouette } from '../numeric/compare/silhouette.ts';
import { silhouetteOfSample } from '../numeric/compare/silhouette-of-sample.ts';
import { simplifiedSilhouette } from '../numeric/compare/simplified-silhouette.ts';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import { createMatrix, type Matrix } from '../numeric/matrix.ts';
import { createRandom } from '../numeric/random/random.ts';
import { askPeer } from './ask-peer.ts';
import { keepFigures, median, tableRow } from './figures.ts';
import { startMemoryWatch } from './memory-watch.ts';
import { addPeerOptions, benchCommand, countFrom, type PeerOptions } from './options.ts';
import { timed } from './timed.ts';

const COLUMNS = 12;
const CLUSTERS = 8;
const SEED = 'silhouette';
const MEGABYTE = 2 ** 20;
const WIDTHS = [22, 10, 10, 11];

interface Options extends PeerOptions {
  largeRows: number;
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
  try {
    const X = makeRows(options.rows);
    const { labels } = await fitKMeans(pool, X, { nClusters: CLUSTERS, seed: SEED });
    const exact = await measureExact(pool, X, { labels, repeat: options.repeat });
    const peer = await askPeer<PeerFigures>(
      { python: options.python, script: 'silhouette.py', name: 'scikit-learn' },
      { data: X.data, labels },
      { rows: X.rows, columns: X.columns, repeat: Math.min(options.repeat, 3) },
    );
    const large = await measureLarge(pool, options);
    report({ exact, peer, large, options });
    await keepFigures(options.json, { options, exact, peer, large });
  } finally {
    await pool.close();
  }
}

function readOptions(args: string[]): Options {
  const command = benchCommand('silhouette')
    .option('--rows <rows>', 'rows of the exact silhouette, at most 100,000', countFrom(100), 20_000)
    .option('--large-rows <rows>', 'rows that are too many for it', countFrom(100), 1_000_000);
  return addPeerOptions(command, { repeat: 5 }).parse(args, { from: 'user' }).opts<Options>();
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
  const cells = [who, `${median(seconds).toFixed(3)} s`, `${megabytes.toFixed(0)} MB`, mean.toFixed(6)];
  return tableRow(cells, WIDTHS);
}
