import { createRandom } from '../random/random.ts';
import { correlation } from './moments.ts';
import { normalQuantile } from './normal.ts';

/** A column as steps of a normal deviate: step s is taken from thresholds[s - 1] on. */
export interface Steps {
  /** Ascending, one fewer than there are steps. */
  readonly thresholds: Float64Array;
  /** Mid-rank of each step as a share, in (0, 1). */
  readonly scores: Float64Array;
}

// A continuous column is taken in so many steps of equal share.
const MOST_STEPS = 256;
const DRAWS = 2048;
const HALVINGS = 11;

/** @param column shape (n,), finite, n >= 1 */
export function stepsOf(column: ArrayLike<number>): Steps {
  const n = column.length;
  const sorted = Float64Array.from(column).sort();
  const ends: number[] = [];
  const least = n / MOST_STEPS;
  for (let i = 1; i <= n; i++) {
    const isStep = i === n || sorted[i] !== sorted[i - 1];
    if (isStep && (i === n || i - (ends.at(-1) ?? 0) >= least)) ends.push(i);
  }
  return {
    thresholds: Float64Array.from(ends.slice(0, -1), (end) => normalQuantile(end / n)),
    scores: Float64Array.from(ends, (end, s) => ((ends[s - 1] ?? 0) + end) / 2 / n),
  };
}

/**
 * The correlation of two normal deviates that, taken as steps, have a given rank correlation (Spearman's, with
 * mid-ranks for ties): counts with many ties go together less than what is behind them.
 *
 * @param rankCorrelation in [-1, 1]
 * @returns in [-1, 1], to about .01; the nearest end where no correlation gives as much
 *
 * By halving, on 2,048 fixed pairs of normal deviates: the same inputs give the same result. O(2048 * 11 * log steps).
 */
export function latentCorrelation(a: Steps, b: Steps, rankCorrelation: number): number {
  const { first, second } = normalPairs();
  const given = first.map((z) => scoreAt(a, z));
  const mixed = new Float64Array(first.length);
  let low = -1;
  let high = 1;
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    const rest = Math.sqrt(1 - middle * middle);
    for (let i = 0; i < mixed.length; i++) mixed[i] = scoreAt(b, middle * first[i]! + rest * second[i]!);
    if ((correlation(given, mixed) || 0) < rankCorrelation) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function scoreAt({ thresholds, scores }: Steps, z: number): number {
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (thresholds[middle]! <= z) low = middle + 1;
    else high = middle;
  }
  return scores[low]!;
}

let pairs: { first: Float64Array; second: Float64Array } | undefined;

/** Evenly spread deviates, and the same in random order with what correlation chance left taken out. */
function normalPairs() {
  if (pairs !== undefined) return pairs;
  const first = Float64Array.from({ length: DRAWS }, (_, i) => normalQuantile((i + 0.5) / DRAWS));
  const shuffled = createRandom('latent correlation').shuffle(first.slice());
  const left = correlation(first, shuffled);
  const size = Math.sqrt(1 - left * left);
  pairs = { first, second: shuffled.map((e, i) => (e - left * first[i]!) / size) };
  return pairs;
}
