import { createRandom } from '../../numeric/random/random.ts';
import type { Columns } from './features.ts';
import {
  type FeatureFigures,
  gather,
  groupRows,
  type PopulationFigures,
  type Profiles,
} from './segment-profile.ts';

// Whether a word would also have been given had other customers of the segment been seen: its figures are drawn again
// and again from the segment's own customers, and the word has to hold in most of the draws.
//
// The draws are the same in every run, for every segment of one size and for every feature: they depend neither on the
// run's seed nor on the order of rows or clusters, so that no name is a matter of luck. A segment of more than 1,000
// customers is drawn as if it had 1,000: its values in rising order, in blocks of equally many. That bounds the cost,
// and asks words of large segments for the same distance from their limits as those of small ones.

const REPLICATES = 200;
const MOST_BLOCKS = 1_000;
/** Share of the draws in which a word has to hold. */
export const STABLE_SHARE = 0.8;

/** A feature's figures of a segment in each draw; none for a feature that there is not. */
export type Resample = (cluster: number, feature: string) => readonly FeatureFigures[];

/**
 * Draws on demand, since only the words that a segment's figures back are asked about.
 *
 * @param columns, labels, profiles what `profileSegments` took and gave
 *
 * O(n log n) for a segment of n customers and each feature asked for, plus 200 draws of at most 1,000.
 */
export function createResample(input: {
  columns: Columns;
  labels: Uint8Array;
  profiles: Profiles;
}): Resample {
  const { columns, labels, profiles } = input;
  const { rows, starts } = groupRows(labels, profiles.segments.length);
  const drawsOf = remember((size: number) => draw(size));
  const figuresOf = remember((key: string): FeatureFigures[] => {
    const [cluster, feature] = JSON.parse(key) as [number, string];
    const values = Object.hasOwn(columns, feature) ? columns[feature] : undefined;
    const population = profiles.all[feature];
    if (!values || !population) return [];
    const own = gather(values, rows.subarray(starts[cluster]!, starts[cluster + 1]!)).sort();
    const blocks = blocksOf(own, population);
    const { difference, mean } = profiles.segments[cluster]!.features[feature]!;
    return refigure(blocks, { draws: drawsOf(blocks.size), population, of: { difference, mean } });
  });
  return (cluster, feature) => figuresOf(JSON.stringify([cluster, feature]));
}

function remember<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}

interface Draws {
  /** How often each block was drawn, shape (draws, blocks). */
  counts: Uint16Array;
  /** Blocks at the middle of each draw, shape (draws, 2): the same twice where the number of blocks is odd. */
  middles: Uint16Array;
}

function draw(size: number): Draws {
  const random = createRandom(`names of ${size}`);
  const counts = new Uint16Array(REPLICATES * size);
  const middles = new Uint16Array(REPLICATES * 2);
  const low = Math.floor((size - 1) / 2);
  const high = Math.ceil((size - 1) / 2);
  for (let replicate = 0; replicate < REPLICATES; replicate++) {
    const own = counts.subarray(replicate * size, (replicate + 1) * size);
    for (let i = 0; i < size; i++) own[random.int(size)]!++;
    middles[2 * replicate] = blockAt(own, low);
    middles[2 * replicate + 1] = blockAt(own, high);
  }
  return { counts, middles };
}

/** The block of the drawn value with so many drawn values before it. */
function blockAt(counts: Uint16Array, rank: number): number {
  let before = 0;
  let block = 0;
  while (before + counts[block]! <= rank) before += counts[block++]!;
  return block;
}

interface Blocks {
  size: number;
  /** Mean, mean on the population's scale and middle value of each. */
  means: Float64Array;
  scaled: Float64Array;
  middles: Float64Array;
}

/** @param sorted a segment's values in rising order */
function blocksOf(sorted: Float64Array, { scale }: PopulationFigures): Blocks {
  const size = Math.min(sorted.length, MOST_BLOCKS);
  const [means, scaled, middles] = [0, 0, 0].map(() => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let block = 0; block < size; block++) {
    const from = Math.floor((block * sorted.length) / size);
    const to = Math.floor(((block + 1) * sorted.length) / size);
    for (let i = from; i < to; i++) {
      means[block]! += sorted[i]! / (to - from);
      scaled[block]! += (scale === 'log1p' ? Math.log1p(sorted[i]!) : sorted[i]!) / (to - from);
    }
    middles[block] = sorted[Math.floor((from + to - 1) / 2)]!;
  }
  return { size, means, scaled, middles };
}

/** Blocks stand for about equally many customers, so what is drawn is how far a mean is off, not the mean. */
function refigure(
  { size, means, scaled, middles }: Blocks,
  at: { draws: Draws; population: PopulationFigures; of: Pick<FeatureFigures, 'mean' | 'difference'> },
): FeatureFigures[] {
  const { draws, population, of } = at;
  const [center, scaledCenter] = [mean(means), mean(scaled)];
  return Array.from({ length: REPLICATES }, (_, replicate) => {
    let sum = 0;
    let scaledSum = 0;
    for (let block = 0; block < size; block++) {
      const count = draws.counts[replicate * size + block]!;
      sum += count * means[block]!;
      scaledSum += count * scaled[block]!;
    }
    const drawn = of.mean + sum / size - center;
    const off = scaledSum / size - scaledCenter;
    return {
      median: (middles[draws.middles[2 * replicate]!]! + middles[draws.middles[2 * replicate + 1]!]!) / 2,
      mean: drawn,
      difference: population.deviation === 0 ? 0 : of.difference + off / population.deviation,
      lift: population.mean > 0 ? drawn / population.mean : null,
    };
  });
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
