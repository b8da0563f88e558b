import { nextTurn } from '../../numeric/kernels/turn.ts';
import { correlation, moments } from '../../numeric/statistics/moments.ts';
import { quantiles } from '../../numeric/statistics/quantile.ts';
import { midRanks } from '../../numeric/statistics/ranks.ts';
import type { CategoryCodes } from './category-codes.ts';
import type { Columns, FeatureColumns } from './features.ts';

// What the features of a run look like: how many customers had no value, the distributions, and which clustered
// features say the same thing twice.

/** Two clustered features whose ranks agree this far count one fact double in every distance. */
const REDUNDANT = 0.95;
const MISSING_SHARE = 0.5;
/** Rank correlations are of so many customers at most: every so-many-th in the order of their ids. */
const SAMPLE_ROWS = 20_000;
const SHARES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const KEPT_WORDS = 50;
/** The result of an activity holds these; the report holds all. */
const TOLD_WARNINGS = 5;

export interface FeatureFigures {
  feature: string;
  /** Customers without a finite value, where `whenMissing` stands now. */
  missing: number;
  whenMissing: number | null;
  zeros: number;
  min: number;
  max: number;
  mean: number;
  /** Population standard deviation (ddof 0). */
  deviation: number;
  /** By share, type 7: `0.5` is the median. */
  quantiles: Record<string, number>;
}

export interface FeatureReport {
  customers: number;
  features: FeatureFigures[];
  redundancy: {
    /** Rows the rank correlations are of. */
    rows: number;
    threshold: number;
    /** Pairs of clustered features beyond the threshold, strongest first. */
    pairs: { features: [string, string]; spearman: number }[];
  };
  categories: { category: string; distinct: number; words: { word: string; customers: number }[] }[];
  warnings: string[];
}

/**
 * @param found features of `deriveColumns`, shape (n,) each, n >= 1
 * @param clustered names of the features that are clustered
 *
 * O(n) per feature, a pause after each, and O(rows of the sample) per pair of clustered features.
 */
export async function reportFeatures(
  { columns, replaced }: FeatureColumns,
  clustered: readonly string[],
  categories: readonly CategoryCodes[] = [],
): Promise<FeatureReport> {
  const customers = Object.values(columns)[0]?.length ?? 0;
  const features: FeatureFigures[] = [];
  for (const [feature, values] of Object.entries(columns)) {
    const gap = replaced.find((one) => one.feature === feature);
    features.push(figuresOf(feature, values, gap));
    await nextTurn();
  }
  const redundancy = redundancyOf(columns, clustered, customers);
  const warnings = [
    ...redundancy.pairs.map(
      ({ features: [one, other], spearman }) =>
        `${one} and ${other} order the customers almost alike (rank correlation ${spearman.toFixed(2)}): leave one out of features.cluster`,
    ),
    ...features
      .filter(({ feature, min, max }) => min === max && clustered.includes(feature))
      .map(({ feature, min }) => `${feature} is ${min} for every customer: it separates nobody`),
    ...features
      .filter(({ feature, missing }) => missing > MISSING_SHARE * customers && clustered.includes(feature))
      .map(
        ({ feature, missing, whenMissing }) =>
          `${feature} has no value for ${missing} of ${customers} customers, where ${whenMissing} stands`,
      ),
  ];
  return { customers, features, redundancy, categories: categories.map(wordsOf), warnings };
}

/** As many as an activity's result has room for. */
export function toldWarnings({ warnings }: Pick<FeatureReport, 'warnings'>): string[] {
  const rest = warnings.length - TOLD_WARNINGS;
  return rest <= 0
    ? [...warnings]
    : [...warnings.slice(0, TOLD_WARNINGS), `${rest} more in the report of the features`];
}

function figuresOf(
  feature: string,
  values: Float64Array,
  gap: FeatureColumns['replaced'][number] | undefined,
): FeatureFigures {
  const { min, max, mean, deviation } = moments(values);
  const found = quantiles(values, SHARES);
  let zeros = 0;
  for (let row = 0; row < values.length; row++) if (values[row] === 0) zeros++;
  return {
    feature,
    missing: gap?.customers ?? 0,
    whenMissing: gap?.by ?? null,
    zeros,
    min,
    max,
    mean,
    deviation,
    quantiles: Object.fromEntries(SHARES.map((share, i) => [String(share), found[i]!])),
  };
}

function redundancyOf(
  columns: Columns,
  clustered: readonly string[],
  customers: number,
): FeatureReport['redundancy'] {
  const step = Math.max(1, Math.ceil(customers / SAMPLE_ROWS));
  const rows = Math.ceil(customers / step);
  const ranks = clustered.map((feature) =>
    midRanks(Float64Array.from({ length: rows }, (_, i) => columns[feature]![i * step]!)),
  );
  const pairs: FeatureReport['redundancy']['pairs'] = [];
  if (rows < 2) return { rows, threshold: REDUNDANT, pairs };
  for (let i = 0; i < clustered.length; i++) {
    for (let j = i + 1; j < clustered.length; j++) {
      const spearman = correlation(ranks[i]!, ranks[j]!);
      if (Math.abs(spearman) >= REDUNDANT) pairs.push({ features: [clustered[i]!, clustered[j]!], spearman });
    }
  }
  pairs.sort((a, b) => Math.abs(b.spearman) - Math.abs(a.spearman));
  return { rows, threshold: REDUNDANT, pairs };
}

function wordsOf({ category, words, counts }: CategoryCodes): FeatureReport['categories'][number] {
  const known = words.map((word, code) => ({ word, customers: counts[code]! }));
  // Equal counts stay in the order of the words.
  known.sort((a, b) => b.customers - a.customers);
  return { category, distinct: words.length, words: known.slice(0, KEPT_WORDS) };
}
