import { nextTurn } from '../../kernels/turn.ts';
import { type CovarianceType, covarianceLength, withFloor } from './covariance.ts';
import type { Mixture } from './densities.ts';
import { packedLength } from './packed-symmetric.ts';
import { type RowMajor, rowBlocks } from './row-major.ts';

export interface EmSettings {
  readonly covarianceType: CovarianceType;
  /** Added to every variance. */
  readonly regCovar: number;
  /** The least variance of a component, per column. */
  readonly floors: Float64Array;
  readonly signal?: AbortSignal | undefined;
}

export interface Step extends Mixture {
  /** Per component, 1 where the floor holds its covariance up. */
  readonly raised: Uint8Array;
}

/** A component with fewer expected rows than this has died out. */
const FEWEST_ROWS = 1e-6;

/**
 * The likeliest mixture for given posteriors; components that have died out are left out.
 *
 * @param posteriors row-major, rows * k
 *
 * O(rows * k * columns), times columns / 2 when full. Covariances are summed around the means, in a second pass.
 */
export async function maximise(
  data: RowMajor,
  posteriors: Float64Array,
  { covarianceType, regCovar, floors, signal }: EmSettings,
): Promise<Step> {
  const { columns } = data;
  const { totals, means } = await weightedMeans(data, posteriors, signal);
  const around = { means, posteriors, signal };
  const covariances =
    covarianceType === 'diag' ? await squaresAround(data, around) : await productsAround(data, around);
  const length = covarianceLength(covarianceType, columns);
  const raised = new Uint8Array(totals.length);
  const alive = Array.from(totals.keys()).filter((c) => totals[c]! >= FEWEST_ROWS);
  for (const c of alive) {
    const own = covariances.subarray(c * length, (c + 1) * length);
    for (let at = 0; at < length; at++) own[at]! /= totals[c]!;
    for (let j = 0; j < columns; j++) own[covarianceType === 'diag' ? j : packedLength(j) + j]! += regCovar;
    const { covariance, isRaised } = withFloor(own, covarianceType, floors);
    own.set(covariance);
    raised[c] = Number(isRaised);
  }
  return takeComponents({ covarianceType, columns, weights: totals, means, covariances, raised }, alive);
}

/** The given components, in that order, with weights that sum to 1. */
export function takeComponents(mixture: Step, components: readonly number[]): Step {
  const { covarianceType, columns, weights } = mixture;
  const take = (values: Float64Array, length: number) =>
    Float64Array.from(components.flatMap((c) => Array.from(values.subarray(c * length, (c + 1) * length))));
  const total = components.reduce((sum, c) => sum + weights[c]!, 0);
  return {
    covarianceType,
    columns,
    weights: take(weights, 1).map((weight) => weight / total),
    means: take(mixture.means, columns),
    covariances: take(mixture.covariances, covarianceLength(covarianceType, columns)),
    raised: Uint8Array.from(components, (c) => mixture.raised[c]!),
  };
}

/** Row-major, k * columns; NaN for a component without rows. */
async function weightedMeans(
  { rows, columns, values }: RowMajor,
  posteriors: Float64Array,
  signal: AbortSignal | undefined,
): Promise<{ totals: Float64Array; means: Float64Array }> {
  const k = posteriors.length / rows;
  const totals = new Float64Array(k);
  const sums = new Float64Array(k * columns);
  for (const [from, to] of rowBlocks(rows, k * columns)) {
    for (let i = from; i < to; i++) {
      for (let c = 0; c < k; c++) {
        const share = posteriors[i * k + c]!;
        totals[c]! += share;
        for (let j = 0; j < columns; j++) sums[c * columns + j]! += share * values[i * columns + j]!;
      }
    }
    await nextTurn();
    signal?.throwIfAborted();
  }
  return { totals, means: sums.map((sum, at) => sum / totals[Math.floor(at / columns)]!) };
}

interface Around {
  readonly means: Float64Array;
  readonly posteriors: Float64Array;
  readonly signal: AbortSignal | undefined;
}

/** Per component the weighted squares of the differences from its mean, k * columns. */
async function squaresAround({ rows, columns, values }: RowMajor, around: Around): Promise<Float64Array> {
  const { means, posteriors, signal } = around;
  const k = posteriors.length / rows;
  const sums = new Float64Array(k * columns);
  for (const [from, to] of rowBlocks(rows, k * columns)) {
    for (let i = from; i < to; i++) {
      for (let c = 0; c < k; c++) {
        const share = posteriors[i * k + c]!;
        for (let j = 0, at = c * columns; j < columns; j++, at++) {
          const difference = values[i * columns + j]! - means[at]!;
          sums[at]! += share * difference * difference;
        }
      }
    }
    await nextTurn();
    signal?.throwIfAborted();
  }
  return sums;
}

/** Per component the weighted products of the differences from its mean, k packed lower triangles. */
async function productsAround({ rows, columns, values }: RowMajor, around: Around): Promise<Float64Array> {
  const { means, posteriors, signal } = around;
  const k = posteriors.length / rows;
  const length = packedLength(columns);
  const sums = new Float64Array(k * length);
  const difference = new Float64Array(columns);
  for (const [from, to] of rowBlocks(rows, k * length)) {
    for (let i = from; i < to; i++) {
      for (let c = 0; c < k; c++) {
        const share = posteriors[i * k + c]!;
        // Most rows are far from most components, and add exactly nothing there.
        if (share === 0) continue;
        for (let j = 0; j < columns; j++) difference[j] = values[i * columns + j]! - means[c * columns + j]!;
        let at = c * length;
        for (let j = 0; j < columns; j++) {
          const shared = share * difference[j]!;
          for (let m = 0; m <= j; m++) sums[at++]! += shared * difference[m]!;
        }
      }
    }
    await nextTurn();
    signal?.throwIfAborted();
  }
  return sums;
}
