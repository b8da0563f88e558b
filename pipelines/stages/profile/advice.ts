import { kurtosis } from '../../../numeric/statistics/kurtosis.ts';
import { moments } from '../../../numeric/statistics/moments.ts';
import { applyTransform, fitTransform, type TransformKind } from '../../../numeric/statistics/transforms.ts';
import type { TransformName } from '../../contracts/definition.ts';
import { formatNumber, formatShare } from '../figures.ts';
import { stepsOf } from './bins.ts';
import { digits } from './report.ts';

// k-means and its kin measure straight distances: a long tail pulls centres to a few customers, and a value
// that half of the customers share leaves nothing to spread. The mildest transform that helps is advised.

export type AdvisedTransform = 'none' | 'log1p' | 'yeo-johnson' | 'winsorise' | 'robust';

export interface FeatureReadiness {
  feature: string;
  unit: string;
  /** The most frequent value and the share of customers that have it. */
  mode: { value: number; share: number };
  zeroShare: number;
  distinct: number;
  before: Shape;
  /** What is advised, in the order in which it is applied. */
  advice: AdvisedTransform[];
  reason: string;
  after: Shape;
  /** What pipeline.yaml does now; null for a feature that is not clustered. */
  now: { transforms: TransformName[]; after: Shape | null; agrees: boolean } | null;
}

export interface Shape {
  skewness: number;
  /** Excess kurtosis: 0 for a normal column. */
  kurtosis: number;
  /** Equal steps between the least and the most value. */
  steps: { from: number; width: number; rows: number[] } | null;
}

/** Skewness within which a column counts as even. */
const EVEN = 0.5;
/** Beyond this one tail decides the distances. */
const SKEWED = 1;
const HEAVY_TAILS = 6;
/** A value of so many customers is a heap that no transform takes apart. */
const HEAP = 0.5;
const LARGE_HEAP = 0.2;
const STEPS = 24;
const YEO_JOHNSON_ROWS = 5_000;
const SCALING: readonly string[] = ['standard', 'robust'];

/**
 * @param values finite, shape (n,), n >= 1
 * @param about.transforms as pipeline.yaml has them; null where it does not cluster the feature
 */
export function adviseFeature(
  values: Float64Array,
  about: { feature: string; unit: string; transforms: TransformName[] | null },
): FeatureReadiness {
  const mode = modeOf(values);
  const zeroShare = values.reduce((count, value) => count + (value === 0 ? 1 : 0), 0) / values.length;
  const before = shapeOf(values);
  const { advice, reason, after } = adviceFor(values, { before, mode });
  return {
    feature: about.feature,
    unit: about.unit,
    mode: { value: digits(mode.value), share: digits(mode.share, 4) },
    zeroShare: digits(zeroShare, 4),
    distinct: mode.distinct,
    before,
    advice,
    reason,
    after,
    now: about.transforms && nowOf(values, about.transforms, { advice, after }),
  };
}

interface Advice {
  advice: AdvisedTransform[];
  reason: string;
  after: Shape;
}

function adviceFor(
  values: Float64Array,
  { before, mode }: { before: Shape; mode: { value: number; share: number; distinct: number } },
): Advice {
  const none = (reason: string): Advice => ({ advice: ['none'], reason, after: before });
  if (mode.distinct === 1) return none('every customer has the same value: it tells nobody apart');
  if (mode.share >= HEAP) {
    return none(
      `${formatShare(mode.share)} of the customers have the value ${formatNumber(mode.value)}: no transform spreads a heap; ask whether a yes or no says the same`,
    );
  }
  const skewness = Math.abs(before.skewness);
  if (skewness < EVEN) {
    return before.kurtosis > HEAVY_TAILS
      ? {
          advice: ['robust'],
          after: before,
          reason: `even, but with heavy tails (excess kurtosis ${formatNumber(before.kurtosis)}): scale by the middle half, not by the extremes`,
        }
      : none(`even as it is (skewness ${formatNumber(before.skewness)})`);
  }
  const best = bestOf(values, before);
  const heap =
    mode.share >= LARGE_HEAP
      ? `; ${formatShare(mode.share)} of the customers stay on the value ${formatNumber(mode.value)}`
      : '';
  return { ...best, reason: `${best.reason}${heap}` };
}

/** Mildest first. */
const CANDIDATES: readonly (readonly Exclude<AdvisedTransform, 'none' | 'robust'>[])[] = [
  ['log1p'],
  ['yeo-johnson'],
  ['winsorise', 'log1p'],
  ['winsorise', 'yeo-johnson'],
];

function bestOf(values: Float64Array, before: Shape): Advice {
  let chosen: Pick<Advice, 'advice' | 'after'> | null = null;
  for (const kinds of CANDIDATES) {
    const made = transformed(values, kinds);
    if (made === null) continue;
    const own = { advice: [...kinds], after: shapeOf(made) };
    const isGood = Math.abs(own.after.skewness) <= EVEN && own.after.kurtosis <= HEAVY_TAILS;
    // A stronger one has to be clearly better to be worth its harder reading.
    if (chosen === null || isGood || Math.abs(own.after.skewness) < 0.7 * Math.abs(chosen.after.skewness))
      chosen = own;
    if (isGood) break;
  }
  const from = `a long tail of ${before.skewness > 0 ? 'large' : 'small'} values (skewness ${formatNumber(before.skewness)})`;
  if (chosen === null || Math.abs(chosen.after.skewness) >= 0.8 * Math.abs(before.skewness)) {
    const isWild = Math.abs(before.skewness) > SKEWED;
    return {
      advice: [isWild ? 'winsorise' : 'none'],
      after: isWild ? shapeOf(transformed(values, ['winsorise'])!) : before,
      reason: `${from} that no power takes away`,
    };
  }
  const pulled = chosen.advice[0] === 'winsorise' ? ', some so far out that they are pulled in first' : '';
  return { ...chosen, reason: `${from}${pulled}; ${formatNumber(chosen.after.skewness)} afterwards` };
}

/** Null where a transform cannot take the values. */
function transformed(values: Float64Array, kinds: readonly TransformKind[]): Float64Array | null {
  try {
    return kinds.reduce((made, kind) => {
      const fitted = fitTransform(kind, kind === 'yeo-johnson' ? everyFew(made) : made);
      return applyTransform(fitted, made);
    }, values);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Yeo-Johnson's likelihood takes a power per value and pass: more than these hold the event loop. */
function everyFew(values: Float64Array): Float64Array {
  const step = Math.ceil(values.length / YEO_JOHNSON_ROWS);
  return values.filter((_, row) => row % step === 0);
}

function nowOf(
  values: Float64Array,
  transforms: TransformName[],
  { advice, after }: Pick<Advice, 'advice' | 'after'>,
): NonNullable<FeatureReadiness['now']> {
  const shaping = transforms.filter((kind) => !SCALING.includes(kind));
  const made = transformed(values, shaping);
  const found = made && shapeOf(made);
  const asAdvised = advice.filter((kind) => kind !== 'none' && kind !== 'robust').join() === shaping.join();
  const asEven =
    found !== null && Math.abs(found.skewness) <= Math.max(EVEN, Math.abs(after.skewness) + 0.25);
  return { transforms, after: found, agrees: asAdvised || asEven };
}

function shapeOf(values: Float64Array): Shape {
  const { skewness, min, max } = moments(values);
  return {
    skewness: digits(skewness, 4),
    kurtosis: digits(kurtosis(values), 4),
    steps: max > min ? stepsOf(values, null, { from: min, to: max, steps: STEPS }) : null,
  };
}

function modeOf(values: Float64Array): { value: number; share: number; distinct: number } {
  const sorted = values.slice().sort();
  let [value, most, distinct] = [sorted[0]!, 0, 0];
  for (let first = 0; first < sorted.length; ) {
    let end = first + 1;
    while (end < sorted.length && sorted[end] === sorted[first]) end++;
    distinct++;
    if (end - first > most) [value, most] = [sorted[first]!, end - first];
    first = end;
  }
  return { value, share: most / values.length, distinct };
}
