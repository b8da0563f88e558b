// What crosses between the pool and its threads. Big arrays lie in shared memory and are not copied.

import type { Matrix } from '../matrix.ts';

/** Where a fit begins: given centres, or greedy k-means++ on its rows. */
export type Start =
  | { readonly centers: Float64Array }
  | {
      /** Random numbers in [0, 1), as many as drawsOf(k) in seeding.mjs says. */
      readonly draws: Float64Array;
      /** Centres to begin from when the rows have fewer than k different values. */
      readonly otherwise: Float64Array;
    };

/** Fits that run whole on one thread: the best of several starts, by inertia. */
export interface FitTask {
  readonly kind: 'fit';
  readonly x: Matrix;
  /** The rows to fit on, by index; null = all of them. */
  readonly rows: Int32Array | null;
  /** One per row of x, above 0, in shared memory; absent = every row weighs 1. */
  readonly weights?: Float64Array | undefined;
  readonly k: number;
  readonly starts: readonly Start[];
  readonly maxIterations: number;
  /** Stop when the centres' squared movements sum to no more than this. */
  readonly maxShift: number;
}

/** One thread's part of a fit on which all threads work together. */
export interface TeamFitTask {
  readonly kind: 'teamFit';
  readonly x: Matrix;
  readonly k: number;
  readonly centers: Float64Array;
  readonly maxIterations: number;
  readonly maxShift: number;
  readonly team: number;
  readonly memory: WebAssembly.Memory;
}

/** Nearest centres of all rows; threads take chunks of rows and write into the shared outputs. */
export interface NearestTask {
  readonly kind: 'nearest';
  readonly x: Matrix;
  /** Row-major, [centre][column]. */
  readonly centers: Float32Array;
  readonly labels: Uint8Array;
  readonly distance: Float32Array;
  readonly margin: Float32Array;
  /** One per row, for the inertia alone; absent = every row weighs 1. */
  readonly weights?: Float64Array | undefined;
  /** Weighted sum of squared distances, per chunk of CHUNK_ROWS rows. */
  readonly inertia: Float64Array;
}

/** Silhouette of every row; threads take blocks of rows and write into the shared output. */
export interface SilhouetteTask {
  readonly kind: 'silhouette';
  readonly x: Matrix;
  readonly labels: Uint8Array;
  readonly k: number;
  readonly values: Float64Array;
}

export type Task = FitTask | TeamFitTask | NearestTask | SilhouetteTask;

export interface Fit {
  /** Row-major, [centre][column]. */
  readonly centers: Float64Array;
  /** One per row fitted on; empty for a team fit. */
  readonly labels: Uint8Array;
  readonly sizes: Uint32Array;
  /** Weighted where rows are. NaN for a team fit: the assignment that follows it knows. */
  readonly inertia: number;
  readonly iterations: number;
  readonly converged: boolean;
}

export type ResultOf<T extends Task> = T extends FitTask | TeamFitTask ? Fit : null;

export interface Request {
  readonly task: Task;
  readonly control: Int32Array;
  /** Fits of one source, a number from 1, have the same rows: a thread that has them need not bring them again. */
  readonly source: number;
}

export type Reply = { readonly value: Fit | null } | { readonly error: { name: string; message: string } };

/** The exports of the compiled kernels; see the sources in assembly/ for what the numbers mean. */
export interface Kernels {
  assignPartition(fit: number, partition: number): number;
  addPartitions(fit: number): number;
  moveCenters(fit: number): number;
  spreadCenters(fit: number): void;
  fillTiles(
    fit: number,
    firstTile: number,
    tiles: number,
    columns: number,
    stride: number,
    origin: number,
  ): number;
  inertiaOf(fit: number, rows: number): number;
  beginSeeding(fit: number, seeding: number): number;
  setClosest(fit: number, seeding: number, distance: number): void;
  drawCandidate(fit: number, seeding: number, trial: number, share: number): void;
  tryCandidates(fit: number, seeding: number, trials: number): void;
  keepCandidate(fit: number, seeding: number, trials: number, c: number): number;
  nearestRows(
    rows: number,
    stride: number,
    columns: number,
    count: number,
    centers: number,
    k: number,
    labels: number,
    nearest: number,
    second: number,
    weights: number,
  ): number;
  distanceSums(row: number, columns: number, tiles: number, sizes: number, count: number, sums: number): void;
}
