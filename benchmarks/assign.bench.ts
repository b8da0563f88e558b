import { assignNearest } from '../numeric/cluster/assign.ts';
import { fitKMeans } from '../numeric/cluster/k-means.ts';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import { createRandom } from '../numeric/random/random.ts';
import { assignCustomers, createAssigner } from '../pipelines/stages/assign.ts';
import type { Columns } from '../pipelines/stages/features.ts';
import { centersOf, createModel, type Model } from '../pipelines/stages/model.ts';
import { applyTransforms, fitTransforms } from '../pipelines/stages/transform.ts';
import { askPeer } from './ask-peer.ts';
import { keepFigures, median, tableRow } from './figures.ts';
import { addPeerOptions, benchCommand, countFrom, type PeerOptions } from './options.ts';
import { secondsOf } from './timed.ts';

const COLUMNS = 12;
const CLUSTERS = 8;
/** The model is fitted on these: how it came about does not matter to how fast it assigns. */
const FITTED_ROWS = 20_000;
const SINGLE_ROWS = 100_000;
const MICROSECONDS = 1e6;
const WIDTHS = [24, 12, 22, 10];

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
  try {
    const model = await fitModel(pool, columns);
    const { labels, ...figures } = await measure(pool, { model, columns, repeat: options.repeat });
    const peer = await measurePeer(options, { model, columns, labels });
    report({ figures, peer, options });
    await keepFigures(options.json, { options, figures, peer });
  } finally {
    await pool.close();
  }
}

function readOptions(args: string[]): PeerOptions {
  const command = benchCommand('assign').option(
    '--rows <customers>',
    'customers',
    countFrom(FITTED_ROWS),
    1_000_000,
  );
  return addPeerOptions(command, { repeat: 7 }).parse(args, { from: 'user' }).opts<PeerOptions>();
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
    const batch = await secondsOf(async () => {
      labels = Uint8Array.from((await assignCustomers(pool, model, columns)).clusters);
    });
    const kernel = await secondsOf(() => assignNearest(pool, matrix, centersOf(model)));
    const single = await secondsOf(() => {
      for (const customer of customers) assign(customer);
    });
    if (i === 0) continue;
    figures.batchSeconds.push(batch / matrix.rows);
    figures.kernelSeconds.push(kernel / matrix.rows);
    figures.singleSeconds.push(single / customers.length);
  }
  return { ...figures, labels };
}

function measurePeer(
  { python, repeat }: PeerOptions,
  { model, columns, labels }: { model: Model; columns: Columns; labels: Uint8Array },
): Promise<PeerFigures | null> {
  const scaled = model.transforms.map(({ steps }) => steps[1] as { center: number; scale: number });
  return askPeer<PeerFigures>(
    { python, script: 'assign.py', name: 'scikit-learn' },
    { data: rowMajor(Object.values(columns)), labels },
    {
      rows: labels.length,
      columns: COLUMNS,
      repeat,
      centers: model.centers,
      means: scaled.map(({ center }) => center),
      scales: scaled.map(({ scale }) => scale),
    },
  );
}

function rowMajor(columns: readonly Float64Array[]): Float64Array {
  const rows = columns[0]!.length;
  const values = new Float64Array(rows * columns.length);
  columns.forEach((column, j) => {
    for (let row = 0; row < rows; row++) values[row * columns.length + j] = column[row]!;
  });
  return values;
}

function report(found: { figures: Figures; peer: PeerFigures | null; options: PeerOptions }): void {
  const { figures, peer, options } = found;
  const rows = options.rows.toLocaleString('en-US');
  const peerBatch = peer && median(peer.batchSeconds) / options.rows;
  console.log(
    `\n${rows} customers x ${COLUMNS} features, log1p and standard, k = ${CLUSTERS}, ${options.threads} threads; per customer, medians of ${options.repeat} runs`,
  );
  const beside = peer ? [`scikit-learn ${peer.version}`, 'ratio'] : [];
  console.log(tableRow(['', 'Strata', ...beside], WIDTHS));
  console.log(lineOf('batch', median(figures.batchSeconds), peerBatch));
  console.log(lineOf('  of it in the kernels', median(figures.kernelSeconds), null));
  console.log(lineOf('one at a time', median(figures.singleSeconds), peer?.singleSeconds ?? null));
  if (peer) console.log(`${peer.otherLabels} of ${rows} labels differ from scikit-learn's`);
}

function lineOf(what: string, ours: number, theirs: number | null): string {
  const micros = (seconds: number) => `${(seconds * MICROSECONDS).toFixed(3)} µs`;
  const ratio = (value: number) => (value < 0.1 ? value.toFixed(4) : value.toFixed(2));
  const beside = theirs === null ? [] : [micros(theirs), ratio(ours / theirs)];
  return tableRow([what, micros(ours), ...beside], WIDTHS);
}
