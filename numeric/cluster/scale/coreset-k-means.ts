import type { Matrix } from '../../matrix.ts';
import { takeRows } from '../../matrix.ts';
import { createRandom } from '../../random/random.ts';
import { distinctRows } from '../../shared-matrix.ts';
import type { Algorithm, FitContext } from '../algorithm.ts';
import { assignToCenters, type CentroidModel, centroidModel, describeCenters } from '../centroid-model.ts';
import { fitKMeans } from '../k-means.ts';
import { type Coreset, lightweightCoreset } from './lightweight-coreset.ts';

export interface CoresetKMeansParameters {
  /** 1 to 64. */
  readonly nClusters: number;
  /** Rows drawn, more than nClusters; more rows make the error smaller, with their square root. */
  readonly coresetRows: number;
  readonly nInit: number;
  readonly maxIter: number;
  readonly tol: number;
}

/**
 * k-means on a lightweight coreset: two passes over all rows, whatever the iterations.
 *
 * The error is bounded, but additively (see lightweightCoreset): a segment that holds little of the variance can
 * be missed. How good the bound is on the data at hand is shown by two criteria that should be close: `inertia`,
 * of all rows, and `coresetInertia`, what the weighted rows take it to be.
 *
 * @throws RangeError as fitKMeans, and when coresetRows is not above nClusters
 */
export const coresetKMeans: Algorithm<CoresetKMeansParameters, CentroidModel> = {
  name: 'coreset-k-means',
  takesClusters: true,
  defaults: { nClusters: 8, coresetRows: 20_000, nInit: 10, maxIter: 300, tol: 1e-4 },
  async fit(X, parameters, { pool, seed, signal, onProgress }) {
    const settings = { ...coresetKMeans.defaults, ...parameters };
    const { coresetRows, ...options } = settings;
    if (!Number.isInteger(coresetRows) || coresetRows <= options.nClusters) {
      throw new RangeError(
        `coresetRows needs to be more than the ${options.nClusters} clusters, found ${coresetRows}`,
      );
    }
    const { rows, weights } = await coresetWith(X, settings, { seed, signal });
    const few = takeRows(X, rows);
    const { centers, inertia } = await fitKMeans(pool, few, {
      ...options,
      weights,
      seed,
      signal,
      onProgress,
    });
    const found = { algorithm: coresetKMeans.name, parameters: settings, centers, rows: rows.length };
    return centroidModel(X, { ...found, criteria: { coresetInertia: inertia } }, { pool, signal });
  },
  assign: assignToCenters,
  describe: describeCenters,
};

/** A coreset with as many different rows as clusters: where hardly any rows differ, chance may miss them. */
async function coresetWith(
  X: Matrix,
  { nClusters, coresetRows }: CoresetKMeansParameters,
  { seed, signal }: Pick<FitContext, 'seed' | 'signal'>,
): Promise<Coreset> {
  const random = createRandom(seed).fork('coreset');
  const coreset = await lightweightCoreset(X, { size: coresetRows, random, signal });
  const drawn = await distinctRows(takeRows(X, coreset.rows), nClusters, { signal });
  if (drawn.length === nClusters) return coreset;
  const weightOf = new Map(Array.from(coreset.rows, (row, i) => [row, coreset.weights[i]!]));
  for (const row of await distinctRows(X, nClusters, { signal })) {
    if (!weightOf.has(row)) weightOf.set(row, 1);
  }
  const rows = Int32Array.from(weightOf.keys()).sort();
  return { rows, weights: Float64Array.from(rows, (row) => weightOf.get(row)!) };
}
