// An algorithm with the types of its parameters and models put away, so that all can stand in one list.

import type { Matrix } from '../matrix.ts';
import type { Algorithm, Description, FitContext } from './algorithm.ts';
import type { Assignment } from './assign.ts';

/** One entry of a comparison: an algorithm with its settings. */
export interface Contender {
  readonly name: string;
  /** As a person would call it. */
  readonly title: string;
  /** False when the number of clusters is found, not asked for. */
  readonly takesClusters: boolean;
  /** @throws what the algorithm's `fit` throws */
  fit(X: Matrix, nClusters: number | null, context: FitContext): Promise<FittedContender>;
}

export interface FittedContender {
  /** One per row, or NOISE. */
  readonly labels: Uint8Array;
  readonly fittedOn: { readonly rows: number; readonly of: number };
  readonly description: Description;
  assign(X: Matrix, context: Pick<FitContext, 'pool' | 'signal'>): Promise<Assignment>;
}

/** @param settings what the algorithm is given beside its defaults, for that many clusters (null: it finds them) */
export function contender<Parameters, Model>(
  about: { name: string; title: string },
  algorithm: Algorithm<Parameters, Model>,
  settings: (nClusters: number | null) => Partial<Parameters>,
): Contender {
  return {
    ...about,
    takesClusters: algorithm.takesClusters,
    async fit(X, nClusters, context) {
      const { model, labels, fittedOn } = await algorithm.fit(X, settings(nClusters), context);
      return {
        labels,
        fittedOn,
        description: algorithm.describe(model),
        assign: (rows, own) => algorithm.assign(rows, model, own),
      };
    },
  };
}
