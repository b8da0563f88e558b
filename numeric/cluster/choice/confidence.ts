import { isotonicRegression } from '../../statistics/isotonic.ts';
import type { Confidence } from './choice.ts';

const BANDS = 20;
/** Borders are narrow: all that is unsure may stand in a part of the lowest band. */
const FEWEST_ROWS = 20;

/**
 * Margins and how often rows were put with their cluster again -> how sure a margin is.
 *
 * @param margins shape (n,), of the scored rows, in [0, 1]
 * @param agreed, drawn shape (n,): resamples that a row was in, and those that put it into the same cluster
 *
 * Rows in bands of equal size by margin, the lowest one halved towards the border as long as 20 rows are left, the
 * share of each band, made non-decreasing (isotonic regression).
 * Bands that all rows of which have one margin are joined, so that margins ascend. O(n log n).
 */
export function confidenceByMargin(
  margins: ArrayLike<number>,
  { agreed, drawn }: { agreed: ArrayLike<number>; drawn: ArrayLike<number> },
): Confidence {
  const order = Int32Array.from({ length: margins.length }, (_, i) => i)
    .filter((i) => drawn[i]! > 0)
    .sort((a, b) => margins[a]! - margins[b]! || a - b);
  const limits = bandLimits(order.length);
  const middles: number[] = [];
  const shares: number[] = [];
  const weights: number[] = [];
  for (let band = 0; band + 1 < limits.length; band++) {
    const rows = order.subarray(limits[band], limits[band + 1]);
    const times = rows.reduce((sum, i) => sum + drawn[i]!, 0);
    const share = rows.reduce((sum, i) => sum + agreed[i]!, 0) / times;
    // From the lowest up: rounding then leaves equal margins equal.
    const lowest = margins[rows[0]!]!;
    const middle = lowest + rows.reduce((sum, i) => sum + (margins[i]! - lowest), 0) / rows.length;
    const last = middles.length - 1;
    if (middle > (middles[last] ?? -1)) {
      middles.push(middle);
      shares.push(share);
      weights.push(times);
    } else {
      const total = weights[last]! + times;
      shares[last] = (shares[last]! * weights[last]! + share * times) / total;
      weights[last] = total;
    }
  }
  return { margins: middles, shares: Array.from(isotonicRegression(shares, weights)) };
}

/** Where bands begin, and the end of the last. */
function bandLimits(rows: number): number[] {
  const bands = Math.min(BANDS, rows);
  const limits = Array.from({ length: bands + 1 }, (_, band) => Math.floor((band * rows) / bands));
  for (let half = limits[1]! >> 1; half >= FEWEST_ROWS; half >>= 1) limits.splice(1, 0, half);
  return limits;
}
