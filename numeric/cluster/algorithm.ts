// What all clustering algorithms have in common, so that they can be run side by side and told apart only by
// what they find. Parameters carry scikit-learn's words in camel case (nClusters, nInit, maxIter, tol).

import type { KernelPool } from '../kernels/pool.ts';
import type { Matrix } from '../matrix.ts';
import type { Assignment } from './assign.ts';

/** The label of a row that belongs to no cluster. */
export const NOISE = 255;

export interface FitContext {
  readonly pool: KernelPool;
  readonly seed: number | string;
  /** Aborting it rejects the fit with the signal's reason within a second. */
  readonly signal?: AbortSignal | undefined;
  /** Called while the fit runs; `done` grows to `of`. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export interface Fitted<Model> {
  /** All that is needed to assign a row: plain data, equal for equal inputs and seed on any number of threads. */
  readonly model: Model;
  /** One per row of X, 0 to nClusters - 1 with the largest cluster first, or NOISE. */
  readonly labels: Uint8Array;
  /** Rows that the model was made from; fewer than X has when it is fitted on a sample. */
  readonly fittedOn: { readonly rows: number; readonly of: number };
}

export interface Description {
  readonly algorithm: string;
  readonly nClusters: number;
  /** As used, defaults filled in. */
  readonly parameters: Readonly<Record<string, number | string | boolean | null>>;
  /** Shape (nClusters, columns); null when a cluster has no centre. */
  readonly centers: readonly (readonly number[])[] | null;
  /** The algorithm's own figures, finite: inertia, logLikelihood, bic, icl, cost, noiseShare … */
  readonly criteria: Readonly<Record<string, number>>;
}

export interface Algorithm<Parameters, Model> {
  readonly name: string;
  /** False when the number of clusters is found, not asked for. */
  readonly takesClusters: boolean;
  readonly defaults: Parameters;
  /**
   * @param X rows x columns, finite, scaled by the caller
   * @param parameters those that differ from the defaults
   * @throws RangeError when a parameter is out of range, a value is not finite, or rows have fewer different
   *   values than clusters are asked for; the signal's reason when aborted
   */
  fit(X: Matrix, parameters: Partial<Parameters>, context: FitContext): Promise<Fitted<Model>>;
  /**
   * Rows -> clusters under a fitted model, nothing refitted. A row's result depends on that row and the model alone.
   * On the rows of the fit it gives the labels of the fit, unless `fit` says otherwise.
   */
  assign(X: Matrix, model: Model, context: Pick<FitContext, 'pool' | 'signal'>): Promise<Assignment>;
  describe(model: Model): Description;
}
