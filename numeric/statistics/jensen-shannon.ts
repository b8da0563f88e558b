export interface JensenShannon {
  /** In bits, in [0, 1]: 0 = the same shares, 1 = no category in common. */
  readonly divergence: number;
  /** Its square root, a metric: in [0, 1], symmetric, with the triangle inequality. */
  readonly distance: number;
}

/**
 * How far apart two distributions over the same categories (or bins) are: the mean of how much each differs
 * from their middle.
 *
 * @param a, b counts or any other weights per category, in the same order, at least 0; shares are made here
 * @throws RangeError when the lengths differ, a side counts nothing, or a count is negative or not finite
 *
 * O(categories). Unlike PSI it needs no floor for empty categories and cannot exceed 1; like PSI it is blind
 * to members that change places. Sources: Lin (1991), Divergence measures based on the Shannon entropy; Endres &
 * Schindelin (2003) for the metric. Same values as scipy.spatial.distance.jensenshannon(base=2).
 */
export function jensenShannon(a: ArrayLike<number>, b: ArrayLike<number>): JensenShannon {
  if (a.length !== b.length)
    throw new RangeError(
      `Jensen-Shannon needs the same categories on both sides, found ${a.length} and ${b.length}`,
    );
  const totalA = totalOf(a);
  const totalB = totalOf(b);
  let nats = 0;
  for (let i = 0; i < a.length; i++) {
    const p = a[i]! / totalA;
    const q = b[i]! / totalB;
    const middle = (p + q) / 2;
    if (p > 0) nats += (p * Math.log(p / middle)) / 2;
    if (q > 0) nats += (q * Math.log(q / middle)) / 2;
  }
  const divergence = Math.min(1, Math.max(0, nats / Math.LN2));
  return { divergence, distance: Math.sqrt(divergence) };
}

function totalOf(counts: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) {
    if (!(counts[i]! >= 0 && counts[i]! < Infinity))
      throw new RangeError(`Jensen-Shannon needs counts of at least 0, found ${counts[i]}`);
    total += counts[i]!;
  }
  if (!(total > 0 && total < Infinity))
    throw new RangeError(`Jensen-Shannon needs a total above 0 on both sides, found ${total}`);
  return total;
}
