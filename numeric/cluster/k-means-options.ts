import type { Matrix } from '../matrix.ts';
import { MAX_CLUSTERS, MAX_COLUMNS } from './assign.ts';

/** The words are scikit-learn's, in camel case. */
export interface KMeansOptions {
  /** 1 to 64. */
  readonly nClusters: number;
  readonly seed: number | string;
  /** Starts, of which the best goes on. @default 10 */
  readonly nInit?: number;
  /**
   * Row-major, nClusters * columns: the fit on all rows goes on from these centres instead of from starts of its
   * own, so that it carries a known clustering to all rows.
   */
  readonly initialCenters?: Float64Array | undefined;
  /**
   * How much each row counts, above 0: 2 is as good as the row twice. Weighted rows are meant to be few (a
   * coreset): they are not sampled, and have to fit on one thread.
   */
  readonly weights?: Float64Array | undefined;
  /**
   * Starts are made and compared on at most so many rows; with no more rows than this they are the fit.
   * @default 20000
   */
  readonly sampleRows?: number;
  /** @default 300 */
  readonly maxIter?: number;
  /**
   * Stop when the squared movements of the centres sum to no more than this times the mean variance of the
   * columns; 0 = go on until no label changes.
   * Fits on a sample, and on all rows of data no larger than one, are cheap and always go on to 1e-6.
   * @default 1e-4
   */
  readonly tol?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called while the fit runs; `done` grows to `of`. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export const K_MEANS_DEFAULTS = { nInit: 10, sampleRows: 20_000, maxIter: 300, tol: 1e-4 };

export type KMeansSettings = KMeansOptions & typeof K_MEANS_DEFAULTS;

/** @throws RangeError when an option is out of range or does not fit X */
export function checkSettings(X: Matrix, settings: KMeansSettings): void {
  const { nClusters: k, nInit, sampleRows, maxIter, tol } = settings;
  if (!Number.isInteger(k) || k < 1 || k > MAX_CLUSTERS)
    throw new RangeError(`k-means needs 1 to ${MAX_CLUSTERS} clusters, found ${k}`);
  if (X.rows < k) throw new RangeError(`${k} clusters need at least ${k} rows, found ${X.rows}`);
  if (X.columns > MAX_COLUMNS)
    throw new RangeError(`k-means takes at most ${MAX_COLUMNS} columns, found ${X.columns}`);
  for (const [name, count] of Object.entries({ nInit, maxIter })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${name} needs to be at least 1, found ${count}`);
  }
  if (!Number.isInteger(sampleRows) || sampleRows < k)
    throw new RangeError(`sampleRows needs to be at least the ${k} clusters, found ${sampleRows}`);
  if (!(tol >= 0)) throw new RangeError(`tol needs to be 0 or more, found ${tol}`);
  checkCenters(X, settings);
  checkWeights(X, settings);
}

function checkCenters(X: Matrix, { nClusters: k, initialCenters }: KMeansSettings): void {
  if (initialCenters !== undefined && initialCenters.length !== k * X.columns) {
    throw new RangeError(
      `${k} centres of ${X.columns} columns need ${k * X.columns} values, found ${initialCenters.length}`,
    );
  }
  if (initialCenters?.some((value) => !Number.isFinite(value)))
    throw new RangeError('initialCenters need to be finite, found a value that is not');
}

function checkWeights(X: Matrix, { weights }: KMeansSettings): void {
  if (weights === undefined) return;
  if (weights.length !== X.rows)
    throw new RangeError(`${X.rows} rows need as many weights, found ${weights.length}`);
  const row = weights.findIndex((weight) => !(weight > 0 && weight < Infinity));
  if (row >= 0)
    throw new RangeError(`weights need to be above 0 and finite, found ${weights[row]} for row ${row}`);
}
