import { quantiles } from '../../numeric/statistics/quantile.ts';

// How far a cluster reaches: a customer farther from its centre is unlike any segment. The wanted quantile of
// the members' own distances is the plain answer, and a bad one where it rests on a handful of customers: a
// few giants in the fit would make room for all the strangers to come. So it is held between two
// extrapolations from the inner 95 %: of a light tail (squared distances that thin out exponentially, as
// around a normal cluster) and of a heavy one (distances that thin out by a power).

const INNER = 0.75;
const OUTER = 0.95;
/** Fewer members tell too little of their tail; such a cluster takes the reach of all customers together. */
const FEWEST_MEMBERS = 30;
/** Most that OUTER may be of INNER in the heavy tail; they are 1.2 to 1.7 apart around normal clusters. */
const STEEPEST = 3;

export interface AssignedMembers {
  /** Cluster of each customer of the fit. */
  labels: ArrayLike<number>;
  /** Distance to its centre. */
  distance: ArrayLike<number>;
}

/**
 * The distance from its centre within which customers are like a cluster's own.
 *
 * @param members labels below k, distances >= 0, finite
 * @param options.share of ordinary customers to take in, in [0, 1]; in fact about 99.8 to 99.99 % at 0.999
 * @returns shape (k,), >= 0; null when the share is 1: nothing lies outside
 * @throws RangeError when a label is k or more
 *
 * Giants among the members, up to some 3 % of a cluster, leave it about where it was. O(n).
 */
export function learnReaches(
  { labels, distance }: AssignedMembers,
  { k, share }: { k: number; share: number },
): Float64Array | null {
  if (share === 1) return null;
  const byCluster = partition(labels, distance, k);
  let pooled: number | undefined;
  return Float64Array.from(byCluster, (distances) => {
    const reach = distances.length < FEWEST_MEMBERS ? 0 : reachOf(distances, share);
    if (reach > 0) return reach;
    // Members that all stand on their centre say nothing of their tail either.
    pooled ??= distance.length === 0 ? 0 : reachOf(Float64Array.from(distance), share);
    return pooled;
  });
}

function reachOf(distances: Float64Array, share: number): number {
  const [inner, outer, plain] = quantiles(distances, [INNER, OUTER, share]) as unknown as number[];
  if (share <= OUTER) return plain!;
  // Exponential tails: as far again for every factor by which fewer customers are left outside.
  const steps = Math.log((1 - OUTER) / (1 - share)) / Math.log((1 - INNER) / (1 - OUTER));
  const light = Math.sqrt(outer! * outer! + (outer! * outer! - inner! * inner!) * steps);
  const steepness = Math.min(STEEPEST, outer! / inner!);
  const heavy = outer! === 0 ? 0 : outer! * Math.exp(steps * Math.log(steepness));
  return Math.min(Math.max(plain!, light), Math.max(heavy, light));
}

function partition(labels: ArrayLike<number>, distance: ArrayLike<number>, k: number): Float64Array[] {
  const counts = new Uint32Array(k);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    if (label >= k)
      throw new RangeError(`a reach for each of ${k} clusters needs labels below it, found ${label}`);
    counts[label]! += 1;
  }
  const parts = Array.from(counts, (count) => new Float64Array(count));
  counts.fill(0);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    parts[label]![counts[label]!++] = distance[row]!;
  }
  return parts;
}
