import { nextTurn } from '../../kernels/turn.ts';
import { likeliest } from './assign-to-mixture.ts';
import { densitiesOf, mahalanobisSquares, operationsPerRow, toPosteriors } from './densities.ts';
import { type EmSettings, maximise, type Step, takeComponents } from './maximisation.ts';
import { type RowMajor, rowBlocks } from './row-major.ts';

export interface EmOptions extends EmSettings {
  /** Stop when the mean log-density of a row changes by less. */
  readonly tol: number;
  readonly maxIter: number;
  readonly onIteration?: ((done: number) => void) | undefined;
}

export interface EmFit extends Step {
  /** Mean log-density of a row under the mixture. */
  readonly logLikelihood: number;
  /** Sum over the rows of the entropy of their posteriors. */
  readonly entropy: number;
  /** Rows of which each component is the likeliest; at least 1. */
  readonly wins: Uint32Array;
  readonly iterations: number;
  /** False when the iterations were used up. */
  readonly converged: boolean;
}

/**
 * Fits a mixture of Gaussians by expectation-maximisation, from a first partition.
 *
 * A component that dies out, or that in the end is the likeliest of no row, is left out.
 *
 * @param labels a first component per row, 0 to 255, each with a row
 *
 * O(rows * k * columns) per iteration, times columns when full. Source: Dempster, Laird & Rubin (1977). Where no
 * floor acts the steps, and the rule to stop, are those of scikit-learn's GaussianMixture from the same partition.
 */
export async function fitMixture(data: RowMajor, labels: Uint8Array, options: EmOptions): Promise<EmFit> {
  const { tol, maxIter, signal, onIteration } = options;
  const k = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const posteriors = new Float64Array(data.rows * k);
  labels.forEach((label, i) => {
    posteriors[i * k + label] = 1;
  });
  const maximised = (components: number) =>
    maximise(data, posteriors.subarray(0, data.rows * components), options);
  let mixture = await maximised(k);
  let bound = -Infinity;
  let converged = false;
  let iterations = 0;
  while (!converged && iterations < maxIter) {
    const { logLikelihood } = await expect(data, mixture, { posteriors, signal });
    mixture = await maximised(mixture.weights.length);
    converged = Math.abs(logLikelihood - bound) < tol;
    bound = logLikelihood;
    iterations++;
    onIteration?.(iterations);
  }
  let expected = await expect(data, mixture, { posteriors, signal });
  // Each turn leaves out one component at least.
  while (expected.wins.includes(0)) {
    mixture = takeComponents(
      mixture,
      Array.from(expected.wins.keys()).filter((c) => expected.wins[c]! > 0),
    );
    expected = await expect(data, mixture, { posteriors, signal });
  }
  return { ...mixture, ...expected, iterations, converged };
}

interface Expected {
  /** Rows of which each component is the likeliest. */
  readonly wins: Uint32Array;
  readonly logLikelihood: number;
  readonly entropy: number;
}

/** Writes the posteriors of all rows, row-major, rows * k. */
async function expect(
  data: RowMajor,
  mixture: Step,
  { posteriors, signal }: { posteriors: Float64Array; signal: AbortSignal | undefined },
): Promise<Expected> {
  const densities = densitiesOf(mixture);
  const { k, columns } = densities;
  const wins = new Uint32Array(k);
  let logLikelihood = 0;
  let entropy = 0;
  for (const [from, to] of rowBlocks(data.rows, operationsPerRow(densities))) {
    const own = posteriors.subarray(from * k, to * k);
    const values = data.values.subarray(from * columns, to * columns);
    mahalanobisSquares(values, densities, own);
    const sums = toPosteriors(own, densities, own);
    logLikelihood += sums.logLikelihood;
    entropy += sums.entropy;
    for (let at = 0; at < own.length; at += k) wins[likeliest(own, at, k)]! += 1;
    await nextTurn();
    signal?.throwIfAborted();
  }
  return { wins, logLikelihood: logLikelihood / data.rows, entropy };
}
