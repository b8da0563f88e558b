import { atOnce, inTurns } from '../../numeric/kernels/turn.ts';
import { moments } from '../../numeric/statistics/moments.ts';
import { orderStatistics } from '../../numeric/statistics/quantile.ts';
import type { Columns } from './features.ts';

// Figures of each segment beside those of all customers: what names, descriptions and guards rest on.

export interface FeatureFigures {
  median: number;
  mean: number;
  /** (segment mean - mean of all) / deviation of all, on the scale of the feature's population. */
  difference: number;
  /** Segment mean / mean of all; null where the mean of all is not above 0. */
  lift: number | null;
}

export interface PopulationFigures {
  median: number;
  mean: number;
  /** Mean and population standard deviation (ddof 0) on `scale`; a constant's deviation is 0. */
  center: number;
  deviation: number;
  /**
   * `log1p` for figures from 0 with a skewness above 1: on the raw scale a handful of giants make the
   * deviation so large that nobody else ever differs.
   */
  scale: 'raw' | 'log1p';
}

export interface SegmentProfile {
  cluster: number;
  customers: number;
  /** Share of all customers, in [0, 1]. */
  share: number;
  /** Share of all spend, in [0, 1]; null without a spend feature, or where a segment's spend is below 0. */
  spendShare: number | null;
  features: Record<string, FeatureFigures>;
}

export interface Profiles {
  customers: number;
  all: Record<string, PopulationFigures>;
  segments: SegmentProfile[];
}

interface ProfileInput {
  columns: Columns;
  labels: Uint8Array;
  k: number;
  spend?: string;
}

/**
 * Median, mean, standardised difference and lift of every feature in every segment.
 *
 * @param columns finite values, shape (n,) each
 * @param labels shape (n,), below k; every label at least once
 * @param spend the feature whose shares are money
 *
 * O(n) per feature. Sums run in row order within a segment, so equal inputs give equal bits.
 */
export function profileSegments(input: ProfileInput): Profiles {
  return atOnce(profiling(input));
}

/** {@link profileSegments} with a turn of the event loop after each feature; the same bits. */
export function profileSegmentsInTurns(input: ProfileInput, onTurn?: () => void): Promise<Profiles> {
  return inTurns(profiling(input), onTurn);
}

function* profiling({ columns, labels, k, spend }: ProfileInput): Generator<void, Profiles> {
  const groups = groupRows(labels, k);
  const customers = labels.length;
  const segments = Array.from({ length: k }, (_, cluster): SegmentProfile => {
    const size = groups.starts[cluster + 1]! - groups.starts[cluster]!;
    return { cluster, customers: size, share: size / customers, spendShare: null, features: {} };
  });
  const all: Profiles['all'] = {};
  for (const [feature, values] of Object.entries(columns)) {
    const grouped = gather(values, groups.rows);
    const { population, scaled } = describePopulation(grouped);
    all[feature] = population;
    for (const segment of segments) {
      const from = groups.starts[segment.cluster]!;
      const to = from + segment.customers;
      const own = { raw: grouped.subarray(from, to), scaled: scaled.subarray(from, to) };
      segment.features[feature] = describeSegment(own, population);
    }
    yield;
  }
  if (spend !== undefined && all[spend]) addSpendShares(segments, spend);
  return { customers, all, segments };
}

function addSpendShares(segments: SegmentProfile[], spend: string): void {
  const sums = segments.map(({ features, customers }) => features[spend]!.mean * customers);
  const total = sums.reduce((sum, x) => sum + x, 0);
  // With returns beyond purchases there are no shares of a whole.
  if (total <= 0 || sums.some((sum) => sum < 0)) return;
  segments.forEach((segment, i) => {
    segment.spendShare = sums[i]! / total;
  });
}

/** Rows of each segment side by side, in row order: a counting sort by label. */
export function groupRows(labels: Uint8Array, k: number): { rows: Uint32Array; starts: Uint32Array } {
  const starts = new Uint32Array(k + 1);
  for (let row = 0; row < labels.length; row++) starts[labels[row]! + 1]!++;
  for (let cluster = 0; cluster < k; cluster++) starts[cluster + 1]! += starts[cluster]!;
  const next = starts.slice();
  const rows = new Uint32Array(labels.length);
  for (let row = 0; row < labels.length; row++) rows[next[labels[row]!]!++] = row;
  return { rows, starts };
}

export function gather(values: Float64Array, rows: Uint32Array): Float64Array {
  // A loop, since Float64Array.from with a mapping goes through an iterator and takes ten times as long.
  const gathered = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) gathered[i] = values[rows[i]!]!;
  return gathered;
}

/** Figures of all customers, and the values on the scale they are compared on. */
function describePopulation(values: Float64Array): { population: PopulationFigures; scaled: Float64Array } {
  const raw = moments(values);
  const scale = raw.min >= 0 && raw.skewness > 1 ? 'log1p' : 'raw';
  const scaled = scale === 'log1p' ? values.map(Math.log1p) : values;
  const { mean: center, deviation } = scale === 'log1p' ? moments(scaled) : raw;
  return { population: { median: medianOf(values), mean: raw.mean, center, deviation, scale }, scaled };
}

function describeSegment(
  own: { raw: Float64Array; scaled: Float64Array },
  all: PopulationFigures,
): FeatureFigures {
  const mean = meanOf(own.raw);
  return {
    median: medianOf(own.raw),
    mean,
    difference: all.deviation === 0 ? 0 : (meanOf(own.scaled) - all.center) / all.deviation,
    lift: all.mean > 0 ? mean / all.mean : null,
  };
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** The 0.5-quantile; features have no missing values to be left out. */
function medianOf(values: Float64Array): number {
  const low = Math.floor((values.length - 1) / 2);
  const high = Math.ceil((values.length - 1) / 2);
  const found = orderStatistics(values, [low, high]);
  return (found.get(low)! + found.get(high)!) / 2;
}
