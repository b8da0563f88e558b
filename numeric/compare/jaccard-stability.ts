import { chiSquareQuantile } from '../statistics/gamma.ts';
import { quantiles } from '../statistics/quantile.ts';

/** From here on a cluster counts as recovered by a resample (Hennig 2007). */
export const RECOVERED = 0.75;
/** Up to here it counts as dissolved. */
export const DISSOLVED = 0.5;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface ClusterStability {
  /** Mean Jaccard similarity over the resamples. */
  readonly mean: number;
  /** Standard error of the mean: how much of it is the chance of which rows were drawn. Infinite for one resample. */
  readonly error: number;
  /** Where the mean over very many resamples lies: mean +- z * error, cut to [0, 1]. Narrows as resamples grow. */
  readonly meanInterval: Interval;
  /** Where the similarity of a single further resample lies: quantiles of those seen. Does not narrow. */
  readonly percentileInterval: Interval;
  /** Resamples in which the cluster reached RECOVERED, and those in which it did not exceed DISSOLVED. */
  readonly recovered: number;
  readonly dissolved: number;
  readonly resamples: number;
}

/**
 * What the similarities of one cluster over bootstrap resamples say about it.
 *
 * @param similarities its best Jaccard similarity in each resample, in [0, 1], at least one
 * @param level of both intervals, in (0, 1)
 * @throws RangeError when there is none, a value is outside [0, 1], or the level is out of range
 *
 * O(B). Source: Hennig (2007), Cluster-wise assessment of cluster stability; thresholds, mean and counts are bootmean,
 * bootrecover and bootbrd of clusterboot of R's fpc. The percentile interval uses numpy's default quantiles. The mean's
 * interval is normal; below about twenty resamples it is a guide only.
 */
export function jaccardStability(similarities: ArrayLike<number>, level = 0.95): ClusterStability {
  const values = Float64Array.from(similarities);
  const wrong = values.find((value) => !(value >= 0 && value <= 1));
  if (values.length === 0 || wrong !== undefined) {
    throw new RangeError(`stability needs at least 1 similarity, all from 0 to 1, found ${wrong ?? 'none'}`);
  }
  if (!(level > 0 && level < 1)) throw new RangeError(`a level needs to be between 0 and 1, found ${level}`);
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = count > 1 ? Math.sqrt(squares / (count - 1) / count) : Infinity;
  // The square of a standard normal is chi-squared with one degree of freedom.
  const reach = Math.sqrt(chiSquareQuantile(level, 1)) * error;
  const [low, high] = quantiles(values, [(1 - level) / 2, (1 + level) / 2]);
  return {
    mean,
    error,
    meanInterval: { low: Math.max(mean - reach, 0), high: Math.min(mean + reach, 1) },
    percentileInterval: { low: low!, high: high! },
    recovered: values.filter((value) => value >= RECOVERED).length,
    dissolved: values.filter((value) => value <= DISSOLVED).length,
    resamples: count,
  };
}
