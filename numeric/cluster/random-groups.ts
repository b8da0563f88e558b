import { columnOf, type Matrix } from '../matrix.ts';
import { createRandom } from '../random/random.ts';
import type { Algorithm } from './algorithm.ts';
import { fitKMeans } from './k-means.ts';

/** Its name in a comparison: measured beside the others, and never up for choice. */
export const YARDSTICK = 'random-groups';

export interface RandomGroupsParameters {
  /** 1 to 64. */
  readonly nClusters: number;
}

export interface RandomGroupsModel {
  readonly parameters: RandomGroupsParameters;
  readonly sizes: readonly number[];
  readonly seed: string;
}

/**
 * Groups by lot, as large as the clusters of k-means: what a score is worth that knows nothing of the rows.
 * A yardstick, never a segmentation.
 *
 * `assign` draws anew for each row, in the same shares; it does not give the labels of the fit.
 */
export const randomGroups: Algorithm<RandomGroupsParameters, RandomGroupsModel> = {
  name: YARDSTICK,
  takesClusters: true,
  defaults: { nClusters: 8 },

  async fit(X, parameters, { pool, seed, signal, onProgress }) {
    const settings = { ...this.defaults, ...parameters };
    const { sizes } = await fitKMeans(pool, X, { ...settings, seed, signal, onProgress });
    const ordered = Array.from(sizes).sort((a, b) => b - a);
    const labels = new Uint8Array(X.rows);
    let at = 0;
    for (const [label, size] of ordered.entries()) {
      labels.fill(label, at, at + size);
      at += size;
    }
    createRandom(seed).fork('lots').shuffle(labels);
    const model = { parameters: settings, sizes: ordered, seed: String(seed) };
    return { model, labels, fittedOn: { rows: X.rows, of: X.rows } };
  },

  async assign(X, { sizes, seed }) {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const labels = Uint8Array.from({ length: X.rows }, (_, i) => {
      let lot = createRandom(`${seed}${valuesOf(X, i)}`).int(total);
      return sizes.findIndex((size) => {
        lot -= size;
        return lot < 0;
      });
    });
    return { labels, distance: new Float32Array(X.rows), margin: new Float32Array(X.rows) };
  },

  describe: ({ parameters, sizes }) => ({
    algorithm: YARDSTICK,
    nClusters: sizes.length,
    parameters: { ...parameters },
    centers: null,
    criteria: {},
  }),
};

function valuesOf(X: Matrix, row: number): string {
  return Array.from({ length: X.columns }, (_, j) => columnOf(X, j)[row]).join();
}
