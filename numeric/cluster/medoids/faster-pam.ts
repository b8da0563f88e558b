// k-medoids on a matrix of distances, by FasterPAM.
//
// A row may become a medoid in place of any of the k: the change of the loss is, for all k at once, one pass over the
// rows, since it splits into what the new medoid gains and what the loss of each old one costs. Swaps are done as soon
// as one pays (eager), not the best of all: more swaps, far fewer passes.

import { nextTurn } from '../../kernels/turn.ts';
import type { DistanceMatrix } from './distances.ts';

export interface Medoids {
  /** Rows that are medoids, by index, in no order. */
  readonly medoids: Int32Array;
  /** Sum of the distances of all rows to their nearest medoid. */
  readonly loss: number;
  readonly swaps: number;
  /** False when the passes were used up. */
  readonly converged: boolean;
}

export interface PamOptions {
  /** Passes over all rows. */
  readonly maxIter: number;
  readonly signal?: AbortSignal | undefined;
}

/** For each row its nearest and second nearest medoid, by place among the medoids, and the distances to them. */
interface Nearest {
  readonly near: Int32Array;
  readonly second: Int32Array;
  readonly nearDistance: Float64Array;
  readonly secondDistance: Float64Array;
}

// About 5 ms of work.
const BLOCK_VALUES = 1 << 21;
// Changes below this share of the loss are rounding: following them could go round in circles.
const NEGLIGIBLE = 1e-12;

/**
 * Medoids that no single swap improves.
 *
 * @param initial k different rows to begin from, k >= 1
 * @returns the same for the same distances and initial medoids
 * @throws RangeError when the initial medoids are none, repeated or out of range; the signal's reason when aborted
 *
 * O(n^2) per pass, a few passes; O(n^2 + n * k) for k = 1. Source: Schubert & Rousseeuw (2021), Fast and eager
 * k-medoids clustering. Same losses as fasterpam of the kmedoids package from the same initial medoids.
 */
export async function fasterPam(
  distances: DistanceMatrix,
  initial: Int32Array,
  { maxIter, signal }: PamOptions,
): Promise<Medoids> {
  checkInitial(distances, initial);
  if (initial.length === 1) return mostCentral(distances, signal);
  const { n } = distances;
  const medoids = initial.slice();
  const nearest = nearestMedoids(distances, medoids);
  const removal = new Float64Array(medoids.length);
  const change = new Float64Array(medoids.length);
  sumRemovals(nearest, removal);
  let loss = sum(nearest.nearDistance);
  let swaps = 0;
  let lastSwap = -1;
  for (let pass = 0, work = 0; pass < maxIter; pass++) {
    const before = swaps;
    for (let row = 0; row < n; row++) {
      // A whole round without a swap.
      if (row === lastSwap) return { medoids, loss, swaps, converged: true };
      work += n;
      if (work > BLOCK_VALUES) {
        work = 0;
        await nextTurn();
        signal?.throwIfAborted();
      }
      if (medoids[nearest.near[row]!] === row) continue;
      const best = bestSwap(distances, row, { nearest, removal, change });
      if (best.change >= -NEGLIGIBLE * loss) continue;
      swap(distances, { row, place: best.place }, { medoids, nearest });
      sumRemovals(nearest, removal);
      loss = sum(nearest.nearDistance);
      swaps++;
      lastSwap = row;
    }
    if (swaps === before) return { medoids, loss, swaps, converged: true };
  }
  return { medoids, loss, swaps, converged: false };
}

/** Which medoid the row had best replace, and how much the loss would change. */
function bestSwap(
  { n, data }: DistanceMatrix,
  row: number,
  { nearest, removal, change }: { nearest: Nearest; removal: Float64Array; change: Float64Array },
): { place: number; change: number } {
  const { near, nearDistance, secondDistance } = nearest;
  const at = row * n;
  change.set(removal);
  let gain = 0;
  for (let i = 0; i < n; i++) {
    const distance = data[at + i]!;
    if (distance < nearDistance[i]!) {
      gain += distance - nearDistance[i]!;
      change[near[i]!]! += nearDistance[i]! - secondDistance[i]!;
    } else if (distance < secondDistance[i]!) {
      change[near[i]!]! += distance - secondDistance[i]!;
    }
  }
  let place = 0;
  for (let c = 1; c < change.length; c++) if (change[c]! < change[place]!) place = c;
  return { place, change: gain + change[place]! };
}

function swap(
  distances: DistanceMatrix,
  { row, place }: { row: number; place: number },
  { medoids, nearest }: { medoids: Int32Array; nearest: Nearest },
): void {
  const { n, data } = distances;
  const { near, second, nearDistance, secondDistance } = nearest;
  medoids[place] = row;
  for (let i = 0; i < n; i++) {
    const distance = data[row * n + i]!;
    const isOwn = near[i] === place;
    if (i === row || (isOwn ? distance < secondDistance[i]! : distance < nearDistance[i]!)) {
      if (!isOwn) {
        second[i] = near[i]!;
        secondDistance[i] = nearDistance[i]!;
      }
      near[i] = place;
      nearDistance[i] = distance;
    } else if (isOwn) {
      near[i] = second[i]!;
      nearDistance[i] = secondDistance[i]!;
      findSecond(distances, i, { medoids, nearest });
    } else if (second[i] === place) {
      findSecond(distances, i, { medoids, nearest });
    } else if (distance < secondDistance[i]!) {
      second[i] = place;
      secondDistance[i] = distance;
    }
  }
}

function findSecond(
  { n, data }: DistanceMatrix,
  i: number,
  { medoids, nearest }: { medoids: Int32Array; nearest: Nearest },
): void {
  nearest.secondDistance[i] = Infinity;
  for (let c = 0; c < medoids.length; c++) {
    const distance = data[medoids[c]! * n + i]!;
    if (c === nearest.near[i] || distance >= nearest.secondDistance[i]!) continue;
    nearest.second[i] = c;
    nearest.secondDistance[i] = distance;
  }
}

function nearestMedoids(distances: DistanceMatrix, medoids: Int32Array): Nearest {
  const { n, data } = distances;
  const nearest: Nearest = {
    near: new Int32Array(n),
    second: new Int32Array(n),
    nearDistance: new Float64Array(n).fill(Infinity),
    secondDistance: new Float64Array(n).fill(Infinity),
  };
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < medoids.length; c++) {
      const distance = data[medoids[c]! * n + i]!;
      if (distance >= nearest.nearDistance[i]!) continue;
      nearest.near[i] = c;
      nearest.nearDistance[i] = distance;
    }
    findSecond(distances, i, { medoids, nearest });
  }
  return nearest;
}

/** What taking each medoid away would cost, were nothing put in its place. */
function sumRemovals({ near, nearDistance, secondDistance }: Nearest, removal: Float64Array): void {
  removal.fill(0);
  for (let i = 0; i < near.length; i++) removal[near[i]!]! += secondDistance[i]! - nearDistance[i]!;
}

/** The best medoid when there is one only: no search is needed. */
async function mostCentral({ n, data }: DistanceMatrix, signal: AbortSignal | undefined): Promise<Medoids> {
  let best = { row: 0, loss: Infinity };
  for (let row = 0, work = 0; row < n; row++) {
    const loss = sum(data.subarray(row * n, (row + 1) * n));
    if (loss < best.loss) best = { row, loss };
    work += n;
    if (work < BLOCK_VALUES) continue;
    work = 0;
    await nextTurn();
    signal?.throwIfAborted();
  }
  return { medoids: Int32Array.of(best.row), loss: best.loss, swaps: 0, converged: true };
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

function checkInitial({ n }: DistanceMatrix, initial: Int32Array): void {
  const wrong = initial.find((row) => !(row >= 0 && row < n));
  if (initial.length === 0 || wrong !== undefined || new Set(initial).size < initial.length) {
    throw new RangeError(
      `FasterPAM needs 1 or more different rows of ${n} to begin from, found ${wrong ?? `[${initial}]`}`,
    );
  }
}
