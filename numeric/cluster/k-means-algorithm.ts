import type { Algorithm } from './algorithm.ts';
import { assignToCenters, type CentroidModel, centroidModel, describeCenters } from './centroid-model.ts';
import { fitKMeans } from './k-means.ts';
import { K_MEANS_DEFAULTS } from './k-means-options.ts';

export interface KMeansParameters {
  /** 1 to 64. */
  readonly nClusters: number;
  readonly nInit: number;
  /** Starts are compared on at most so many rows; the best goes on over all of them. */
  readonly sampleRows: number;
  readonly maxIter: number;
  readonly tol: number;
}

/** k-means on all rows: fitKMeans as an algorithm among others. */
export const kMeans: Algorithm<KMeansParameters, CentroidModel> = {
  name: 'k-means',
  takesClusters: true,
  defaults: { nClusters: 8, ...K_MEANS_DEFAULTS },
  async fit(X, parameters, { pool, seed, signal, onProgress }) {
    const settings = { ...kMeans.defaults, ...parameters };
    const { centers, iterations } = await fitKMeans(pool, X, { ...settings, seed, signal, onProgress });
    const found = { algorithm: kMeans.name, parameters: settings, centers, rows: X.rows };
    return centroidModel(X, { ...found, criteria: { iterations } }, { pool, signal });
  },
  assign: assignToCenters,
  describe: describeCenters,
};
