import type { Algorithm } from '../algorithm.ts';
import { assignToCenters, type CentroidModel, centroidModel, describeCenters } from '../centroid-model.ts';
import { fitKMeans } from '../k-means.ts';
import { drawCoreset } from './drawn-coreset.ts';

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
    const { nClusters: clusters } = options;
    const { points, weights } = await drawCoreset(X, { size: coresetRows, clusters, seed, signal });
    const { centers, inertia } = await fitKMeans(pool, points, {
      ...options,
      weights,
      seed,
      signal,
      onProgress,
    });
    const found = { algorithm: coresetKMeans.name, parameters: settings, centers, rows: points.rows };
    return centroidModel(X, { ...found, criteria: { coresetInertia: inertia } }, { pool, signal });
  },
  assign: assignToCenters,
  describe: describeCenters,
};
