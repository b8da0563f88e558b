import { separationOf } from '../../numeric/compare/separation.ts';
import { nextTurn } from '../../numeric/kernels/turn.ts';
import { moments } from '../../numeric/statistics/moments.ts';
import { quantiles } from '../../numeric/statistics/quantile.ts';
import type { Definition } from '../contracts/definition.ts';
import { PipelineError } from '../contracts/errors.ts';
import { featureLineage } from './feature-lineage.ts';
import type { Columns } from './features.ts';
import { NO_CATEGORY } from './features-sql.ts';

// The dictionary of a definition: what each feature is, why it is there, what it rests on and what rests on it; and,
// once a run is published, how it is distributed and how far it tells the segments apart.

const BARS = 24;
const SHARES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

export interface LiveFigures {
  customers: number;
  min: number;
  max: number;
  mean: number;
  /** By share, type 7. */
  quantiles: Record<string, number>;
  /** Customers with exactly the value that the null rule gives, whether by the rule or by themselves. */
  atNullRule: number;
  /** Customers per bar, equally wide from the 1st to the 99th percentile; who is beyond counts in the outer bars. */
  histogram: number[];
  /** Share of the variance of the ranks between the segments (epsilon squared); null for a single segment. */
  separation: number | null;
}

export interface DictionaryEntry {
  name: string;
  level: 'aggregate' | 'derive' | 'category';
  formula: string;
  /** What the formula sees a row of; null for derived features, which see a customer. */
  over: 'lines' | 'orders' | null;
  /** Days before the as-of date; null = all there are. Of a derived feature the longest of those it rests on. */
  windowDays: number | null;
  unit: string;
  why: string;
  whenMissing: number | string;
  owner: string | null;
  version: number;
  lineage: {
    /** Columns of the extract, each with what the source calls it. */
    columns: { column: string; source: string }[];
    /** Features its formula names. */
    features: string[];
    /** Features that are derived from it. */
    usedBy: string[];
    /** Transforms it is clustered through; null where it is not clustered. */
    clustered: string[] | null;
    /** Where names take words from it: `stage`, `value`, `trait`, `spend`. */
    naming: string[];
    /** Present names of the segments with a word that comes from it. */
    segments: string[];
  };
  live: LiveFigures | null;
}

export interface Dictionary {
  pipeline: string;
  title: string;
  version: number;
  currency: string;
  run: { runId: string; asOf: string | null; customers: number; segments: string[] } | null;
  features: DictionaryEntry[];
}

/** What readers of the pipeline see now. */
export interface PublishedFeatures {
  runId: string;
  asOf: string | null;
  /** In the order of their clusters. */
  segments: readonly { name: string }[];
  /** Untransformed, shape (n,) each. */
  values: Columns;
  /** Shape (n,). */
  labels: Uint8Array;
}

/**
 * Features in the definition's order: aggregates, derived ones, categories.
 *
 * O(n log n) per feature, with a pause after each.
 */
export async function featureDictionary(
  definition: Definition,
  published: PublishedFeatures | null,
): Promise<Dictionary> {
  const { features } = definition;
  const lineage = featureLineage(features);
  const entries: DictionaryEntry[] = [];
  const windows = new Map<string, number | null>();
  const plain = [
    ...features.aggregate.map((f) => ({
      ...f,
      level: 'aggregate' as const,
      formula: f.sql,
      over: f.over ?? ('lines' as const),
    })),
    ...features.derive.map((f) => ({ ...f, level: 'derive' as const, formula: f.expression, over: null })),
    ...(features.categories ?? []).map((f) => ({
      ...f,
      level: 'category' as const,
      formula: f.sql,
      over: f.over ?? ('lines' as const),
      unit: 'word',
    })),
  ];
  for (const feature of plain) {
    const { columns, features: inputs } = lineage.get(feature.name)!;
    const windowDays = 'windowDays' in feature ? (feature.windowDays ?? null) : longest(inputs, windows);
    windows.set(feature.name, windowDays);
    const naming = namingUses(definition, feature.name);
    const whenMissing =
      feature.level === 'category' ? NO_CATEGORY : 'whenMissing' in feature ? (feature.whenMissing ?? 0) : 0;
    entries.push({
      name: feature.name,
      level: feature.level,
      formula: feature.formula.trim(),
      over: feature.over,
      windowDays,
      unit: feature.unit,
      why: feature.why,
      whenMissing,
      owner: 'owner' in feature ? (feature.owner ?? null) : null,
      version: 'version' in feature ? (feature.version ?? 1) : 1,
      lineage: {
        columns: columns.map((column) => ({ column, source: sourceOf(definition, column) })),
        features: inputs,
        usedBy: features.derive
          .filter(({ name }) => lineage.get(name)!.features.includes(feature.name))
          .map(({ name }) => name),
        clustered: features.cluster.find((one) => one.feature === feature.name)?.transforms ?? null,
        naming: naming.map(({ role }) => role),
        segments: [...new Set((published?.segments ?? []).map(({ name }) => name))].filter((name) =>
          naming.some(({ words }) => words.some((word) => name.toLowerCase().includes(word.toLowerCase()))),
        ),
      },
      live: published && figuresOf(feature.name, Number(whenMissing), published),
    });
    await nextTurn();
  }
  const { pipeline, title, version, currency } = definition;
  const run = published && {
    runId: published.runId,
    asOf: published.asOf,
    customers: published.labels.length,
    segments: published.segments.map(({ name }) => name),
  };
  return { pipeline, title, version, currency, run, features: entries };
}

function longest(inputs: readonly string[], windows: ReadonlyMap<string, number | null>): number | null {
  const known = inputs.map((name) => windows.get(name) ?? null);
  return known.length > 0 && known.every((days) => days !== null) ? Math.max(...(known as number[])) : null;
}

/** What the source calls a column of the extract, or what it is made of. */
function sourceOf({ source }: Definition, column: string): string {
  const columns = source.columns as Readonly<Record<string, string | undefined>>;
  const mapped = columns[column];
  if (mapped !== undefined) return mapped;
  if (column === 'amount') return `${columns.quantity} × ${columns.unit_price}`;
  if (column === 'order_id') return `${columns.ordered_at}, to the second`;
  const second = 'customers' in source && typeof source.customers === 'object' ? source.customers : undefined;
  return source.attributes?.[column]?.column ?? second?.attributes[column]?.column ?? column;
}

function namingUses({ naming }: Definition, feature: string): { role: string; words: string[] }[] {
  const bands = (['stage', 'value'] as const)
    .filter((role) => naming[role].feature === feature)
    .map((role) => ({ role: role as string, words: naming[role].bands.map(({ word }) => word) }));
  const traits = naming.traits
    .filter((trait) => trait.feature === feature)
    .map(({ high, low }) => ({ role: 'trait', words: [high, low].filter((word) => word !== undefined) }));
  return [...bands, ...traits, ...(naming.spend === feature ? [{ role: 'spend', words: [] }] : [])];
}

function figuresOf(feature: string, whenMissing: number, published: PublishedFeatures): LiveFigures | null {
  const { labels, segments } = published;
  const values = published.values[feature];
  // Added to the definition since, or a word.
  if (values === undefined) return null;
  if (values.length !== labels.length)
    throw new PipelineError(
      'ARTIFACT_CORRUPT',
      `feature ${feature} needs ${labels.length} values, found ${values.length}`,
    );
  const { min, max, mean } = moments(values);
  const found = quantiles(values, SHARES);
  let atNullRule = 0;
  for (let row = 0; row < values.length; row++) if (values[row] === whenMissing) atNullRule++;
  const hasGroups = segments.length > 1 && values.length > 1;
  return {
    customers: values.length,
    min,
    max,
    mean,
    quantiles: Object.fromEntries(SHARES.map((share, i) => [String(share), found[i]!])),
    atNullRule,
    histogram: histogramOf(values, found[0]!, found.at(-1)!),
    separation: hasGroups ? separationOf(labels, values, segments.length).epsilonSquared : null,
  };
}

function histogramOf(values: Float64Array, low: number, high: number): number[] {
  const bars = new Array<number>(BARS).fill(0);
  const width = (high - low) / BARS;
  if (!(width > 0)) return [values.length];
  for (let row = 0; row < values.length; row++) {
    const bar = Math.floor((values[row]! - low) / width);
    bars[Math.max(0, Math.min(BARS - 1, bar))]! += 1;
  }
  return bars;
}

/** `last 90 days`, `all before the as-of date`. */
export function windowText({ windowDays }: Pick<DictionaryEntry, 'windowDays'>): string {
  return windowDays === null ? 'all before the as-of date' : `last ${windowDays} days`;
}

/** `0`, `365 days`, `the word none`: what stands for a customer without a value. */
export function nullRuleText({
  whenMissing,
  unit,
  level,
}: Pick<DictionaryEntry, 'whenMissing' | 'unit' | 'level'>): string {
  if (level === 'category') return `the word ${whenMissing}`;
  return whenMissing === 0 ? '0' : `${whenMissing} ${unit}`;
}
