import { type Matrix, takeRows } from '../../matrix.ts';
import type { Random } from '../../random/random.ts';
import { distinctRows } from '../../shared-matrix.ts';
import type { FitContext } from '../algorithm.ts';
import { centersAt } from '../starts.ts';
import { distanceMatrix, type Metric } from './distances.ts';
import { fasterPam, type Medoids } from './faster-pam.ts';
import { initialMedoids, type MedoidInit } from './initial-medoids.ts';
import { assignNearestMedoid } from './nearest-medoid.ts';

export interface MedoidSearch {
  readonly nClusters: number;
  readonly metric: Metric;
  readonly init: MedoidInit;
  readonly nInit: number;
  readonly maxIter: number;
  readonly sampleRows: number;
  readonly nSamples: number;
  readonly evaluationRows: number;
}

export interface FoundMedoids {
  /** Rows of X, by index. */
  readonly medoids: Int32Array;
  /** Different rows that could become medoids. */
  readonly rows: number;
}

type SearchContext = Pick<FitContext, 'pool' | 'signal'> & {
  readonly random: Random;
  readonly onProgress: (done: number) => void;
};

/** PAM on all rows: the best of nInit starts over one matrix of distances. */
export async function searchAllRows(
  X: Matrix,
  search: MedoidSearch,
  { random, signal, onProgress }: SearchContext,
): Promise<FoundMedoids> {
  const distances = await distanceMatrix(X, search.metric, signal);
  let best: Medoids | undefined;
  for (let start = 0; start < search.nInit; start++) {
    const own = random.fork('start').fork(start);
    const initial = await initialMedoids(distances, search.nClusters, { ...search, random: own, signal });
    const found = await fasterPam(distances, initial, { ...search, signal });
    if (best === undefined || found.loss < best.loss) best = found;
    onProgress(start + 1);
  }
  return { medoids: best!.medoids, rows: X.rows };
}

/**
 * CLARA: PAM on several samples; the medoids that cost least over many more rows win. A sample after the first also
 * holds the best medoids so far.
 *
 * Source: Kaufman & Rousseeuw (1986), Clustering large data sets; with FasterPAM, and larger samples than theirs, as
 * Schubert & Rousseeuw (2021) advise.
 */
export async function searchSamples(
  X: Matrix,
  search: MedoidSearch,
  { random, pool, signal, onProgress }: SearchContext,
): Promise<FoundMedoids> {
  const { nSamples, evaluationRows, metric } = search;
  const all = X.rows <= evaluationRows;
  const evaluation = all ? X : takeRows(X, random.fork('evaluation').sample(X.rows, evaluationRows));
  const seen = new Set<number>();
  let best: { medoids: Int32Array; cost: number } | undefined;
  for (let at = 0; at < nSamples; at++) {
    const own = random.fork('sample').fork(at);
    const rows = await drawSample(X, search, { random: own, kept: best?.medoids });
    for (const row of rows) seen.add(row);
    const sample = takeRows(X, rows);
    const found = await searchAllRows(
      sample,
      { ...search, nInit: 1 },
      { random: own, pool, signal, onProgress: () => undefined },
    );
    const medoids = found.medoids.map((row) => rows[row]!);
    const centers = centersAt(X, medoids);
    const { distance } = await assignNearestMedoid(evaluation, { centers, metric }, { pool, signal });
    const cost = distance.reduce((sum, value) => sum + value, 0);
    if (best === undefined || cost < best.cost) best = { medoids, cost };
    onProgress(at + 1);
  }
  return { medoids: best!.medoids, rows: seen.size };
}

/** Rows by index, ascending: drawn, with those to keep, and with nClusters different ones in any case. */
async function drawSample(
  X: Matrix,
  { nClusters, sampleRows }: MedoidSearch,
  { random, kept }: { random: Random; kept: Int32Array | undefined },
): Promise<Int32Array> {
  const rows = new Set([...random.sample(X.rows, sampleRows), ...(kept ?? [])]);
  const drawn = Int32Array.from(rows).sort();
  if ((await distinctRows(takeRows(X, drawn), nClusters)).length === nClusters) return drawn;
  for (const row of await distinctRows(X, nClusters)) rows.add(row);
  return Int32Array.from(rows).sort();
}
