import type { KernelPool } from '../../kernels/pool.ts';
import { nextTurn } from '../../kernels/turn.ts';
import { columnOf, type Matrix } from '../../matrix.ts';
import { type AssignmentWithInertia, assignNearest, clusterSizes } from '../assign.ts';
import { inCanonicalOrder } from '../canonical-order.ts';
import { fitKMeans, type KMeansFit, type KMeansOptions } from '../k-means.ts';
import type { DrawnCoreset } from './drawn-coreset.ts';

/**
 * How well the coreset stood for all rows, both measured on all of them at the centres that were found.
 *
 * They are not the distance to the best centres, which nobody knows without a fit on all rows, nor a bound on it. The
 * ε that the size of a lightweight coreset promises (Bachem, Lucic & Krause 2018) is a worst case over all centres
 * with constants that are not known: it is not stated.
 */
export interface CoresetError {
  /**
   * (weighted inertia of the coreset − inertia of all rows) / inertia of all rows. Usually a little below 0, since the
   * centres were fitted to the coreset. Its size is the coreset's distortion at these centres, as evaluations of
   * coresets state it (Schwiegelshohn & Sheikh-Omar 2022): at other centres the coreset may be further off.
   */
  readonly inertiaError: number;
  /**
   * Share of the inertia of all rows, in [0, 1], by which it falls when each centre moves to the mean of its rows:
   * exact, Σ sizeᵢ · |centreᵢ − meanᵢ|² / inertia. 0 = the centres are the means. A full Lloyd step on all rows gains
   * at least so much, since rows then change to nearer centres; steps after it may gain more.
   */
  readonly stepGain: number;
}

export interface CoresetFit extends KMeansFit {
  readonly error: CoresetError;
}

// Values between two turns of the event loop: some milliseconds.
const BLOCK_ROWS = 1 << 21;

/**
 * k-means on a weighted coreset of the rows, and every row given to the nearest of its centres.
 *
 * Labels, distances, margins, sizes and inertia are of all rows, and labels are exactly those that assignNearest
 * gives for the centres. Iterations are those on the coreset.
 *
 * @param X all rows, finite
 * @param coreset drawn from X
 * @returns the same bytes for the same X, coreset, options and seed, whatever the number of threads
 * @throws as fitKMeans, but for KernelMemoryError: all rows are never in the memory of the kernels together
 *
 * O(coreset rows * k * columns) per iteration on one thread; on all rows one assignment and few passes, two
 * assignments where some row is as near to two centres.
 */
export async function fitOnCoreset(
  pool: KernelPool,
  X: Matrix,
  { coreset, ...options }: Omit<KMeansOptions, 'weights'> & { coreset: DrawnCoreset },
): Promise<CoresetFit> {
  const { points, weights } = coreset;
  const { signal } = options;
  const few = await fitKMeans(pool, points, { ...options, weights });
  const { centers, ...all } = await assignInOrder(pool, X, few, signal);
  const { inertia } = all;
  const gain = await gainOfStep(X, { labels: all.labels, centers, sizes: all.sizes, signal });
  const shareOf = (value: number) => (inertia > 0 ? value / inertia : 0);
  return {
    ...all,
    centers,
    iterations: few.iterations,
    converged: few.converged,
    // Summed in single precision, an inertia can come out a trace smaller than what it falls by.
    error: { inertiaError: shareOf(few.inertia - inertia), stepGain: Math.min(1, shareOf(gain)) },
  };
}

/** All rows at the centres of a fit on few of them, the cluster with most of all rows first. */
async function assignInOrder(
  pool: KernelPool,
  X: Matrix,
  few: KMeansFit,
  signal: AbortSignal | undefined,
): Promise<AssignmentWithInertia & Pick<KMeansFit, 'centers' | 'sizes'>> {
  const k = few.sizes.length;
  const found = await assignNearest(pool, X, few.centers, { signal });
  const counts = await clusterSizes(found.labels, k);
  const names = Uint8Array.from({ length: k }, (_, c) => c);
  const {
    centers,
    sizes,
    labels: places,
  } = inCanonicalOrder({ ...few, sizes: counts, labels: names }, X.columns);
  if (places.every((place, c) => place === c)) return { ...found, centers, sizes };
  if (await renamed(found, places)) return { ...found, centers, sizes };
  // A row as near to two centres goes to the first of them, and which that is has changed.
  const again = await assignNearest(pool, X, centers, { signal });
  return { ...again, centers, sizes: await clusterSizes(again.labels, k) };
}

/** Gives labels their new names in place; false, and nothing is done, where some row is as near to two centres. */
async function renamed({ labels, margin }: AssignmentWithInertia, places: Uint8Array): Promise<boolean> {
  for (let first = 0; first < margin.length; first += BLOCK_ROWS) {
    if (margin.subarray(first, first + BLOCK_ROWS).includes(0)) return false;
    await nextTurn();
  }
  for (let first = 0; first < labels.length; first += BLOCK_ROWS) {
    const block = labels.subarray(first, first + BLOCK_ROWS);
    for (let i = 0; i < block.length; i++) block[i] = places[block[i]!]!;
    await nextTurn();
  }
  return true;
}

/** What the inertia falls by when each centre moves to the mean of its rows. */
async function gainOfStep(
  X: Matrix,
  fit: Pick<KMeansFit, 'labels' | 'centers' | 'sizes'> & { signal: AbortSignal | undefined },
): Promise<number> {
  const { labels, centers, sizes, signal } = fit;
  let gain = 0;
  for (let j = 0; j < X.columns; j++) {
    const column = columnOf(X, j);
    const own = Float64Array.from(sizes, (_, c) => centers[c * X.columns + j]!);
    const sums = new Float64Array(sizes.length);
    for (let first = 0; first < X.rows; first += BLOCK_ROWS) {
      addDifferences(sums, {
        column,
        labels,
        centers: own,
        first,
        end: Math.min(X.rows, first + BLOCK_ROWS),
      });
      await nextTurn();
      signal?.throwIfAborted();
    }
    sums.forEach((sum, c) => {
      if (sizes[c]! > 0) gain += (sum * sum) / sizes[c]!;
    });
  }
  return gain;
}

// Differences, not values: what is left after a large mean would be lost.
function addDifferences(
  sums: Float64Array,
  block: { column: Float32Array; labels: Uint8Array; centers: Float64Array; first: number; end: number },
): void {
  const { column, labels, centers, first, end } = block;
  for (let i = first; i < end; i++) {
    const label = labels[i]!;
    sums[label]! += column[i]! - centers[label]!;
  }
}
