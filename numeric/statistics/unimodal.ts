import { isotonicRegression } from './isotonic.ts';

// About the cube root of a large sample's size times five: finer bins would follow its noise.
const MOST_BINS = 100;
const FEWEST_PER_BIN = 10;
// An end bin of so few is a tail, not a hump. Its values keep their own spacing: evenly spread up to the largest one
// they would widen a skewed column, log-normal spend of 6,000 customers to one and a half times its deviation.
const TAIL_SHARE = 0.02;

interface Bins {
  /** Ascending, one more than there are bins. */
  readonly edges: readonly number[];
  /** Share of the values in each bin. */
  readonly masses: readonly number[];
  /** How many values lie before each edge. */
  readonly starts: readonly number[];
}

/**
 * Quantiles of the distribution with a single mode that is nearest to a sample's: its humps are levelled, its
 * skew, its tails and its range stay.
 *
 * @param sorted ascending, finite
 * @returns shape (sorted.length,): the quantiles at (i + 1/2) / n, ascending
 *
 * A histogram of equal masses, made unimodal by isotonic regression to both sides of the mode that costs the
 * least; within the outermost bins values are spaced as they were. O(n + bins^2).
 */
export function unimodalQuantiles(sorted: Float64Array): Float64Array {
  const { edges, masses, starts } = equalMassBins(sorted);
  if (masses.length === 0) return sorted.slice();
  const widths = masses.map((_, bin) => edges[bin + 1]! - edges[bin]!);
  const densities = unimodalDensities(
    masses.map((mass, bin) => mass / widths[bin]!),
    widths,
  );
  const total = densities.reduce((sum, density, bin) => sum + density * widths[bin]!, 0);
  const quantiles = new Float64Array(sorted.length);
  let bin = 0;
  let below = 0;
  for (let i = 0; i < quantiles.length; i++) {
    const wanted = ((i + 0.5) / quantiles.length) * total;
    while (bin < masses.length - 1 && below + densities[bin]! * widths[bin]! < wanted) {
      below += densities[bin]! * widths[bin]!;
      bin++;
    }
    const within = densities[bin]! > 0 ? (wanted - below) / (densities[bin]! * widths[bin]!) : 0;
    const share = Math.min(within, 1);
    const isTail = (bin === 0 || bin === masses.length - 1) && masses[bin]! <= TAIL_SHARE;
    quantiles[i] = isTail
      ? valueAt(sorted.subarray(starts[bin]!, starts[bin + 1]!), share)
      : edges[bin]! + share * widths[bin]!;
  }
  return quantiles;
}

/** The quantile of ascending values at (i + 1/2) / n, between them linear. */
function valueAt(sorted: Float64Array, share: number): number {
  const at = Math.min(Math.max(share * sorted.length - 0.5, 0), sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}

function equalMassBins(sorted: Float64Array): Bins {
  const n = sorted.length;
  const count = Math.max(1, Math.min(MOST_BINS, Math.floor(n / FEWEST_PER_BIN)));
  const edges = [sorted[0]!];
  const masses: number[] = [];
  const starts = [0];
  let counted = 0;
  for (let bin = 1; bin <= count; bin++) {
    const end = Math.round((bin * n) / count);
    const edge = bin === count ? sorted[n - 1]! : (sorted[end - 1]! + sorted[end]!) / 2;
    // A bin of no width has no density: its values join the next one.
    if (edge <= edges.at(-1)!) continue;
    edges.push(edge);
    masses.push((end - counted) / n);
    starts.push(end);
    counted = end;
  }
  if (counted < n && masses.length > 0) {
    masses[masses.length - 1]! += (n - counted) / n;
    starts[starts.length - 1] = n;
  }
  return { edges, masses, starts };
}

/** Rising up to some bin and falling after it, nearest to the densities by squares weighted with the widths. */
function unimodalDensities(densities: readonly number[], widths: readonly number[]): Float64Array {
  let best: { fitted: Float64Array; error: number } | undefined;
  for (let mode = 0; mode < densities.length; mode++) {
    const rising = isotonicRegression(densities.slice(0, mode + 1), widths.slice(0, mode + 1));
    const falling = isotonicRegression(
      densities.slice(mode + 1).reverse(),
      widths.slice(mode + 1).reverse(),
    ).reverse();
    const fitted = Float64Array.of(...rising, ...falling);
    const error = fitted.reduce((sum, level, bin) => sum + widths[bin]! * (level - densities[bin]!) ** 2, 0);
    if (best === undefined || error < best.error) best = { fitted, error };
  }
  return best!.fitted;
}
