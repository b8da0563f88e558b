import type { NamingSettings } from '../contracts/definition.ts';
import { type Resample, STABLE_SHARE } from './name-bootstrap.ts';
import type { FeatureFigures, SegmentProfile } from './segment-profile.ts';

// No word without figures. A word stands for bounds that the segment's figures have to satisfy, in the run that gives
// it and in most resamples of the segment's customers. The bounds, kept with the name, are its guard in later runs;
// there a little beyond them is allowed, or names at an edge would be doubted every other month.

/** A trait needs both: apart from the others for their spread, and apart in plain proportion. */
export const TRAIT_DIFFERENCE = 0.5;
const TRAIT_LIFT = 1.2;
/** As long as a trait has so much of both, it stays. */
const KEPT_DIFFERENCE = 0.4;
const KEPT_LIFT = 1.1;

/** A band word stays up to a tenth of its border beyond it, at most a quarter of the band's width. */
const BORDER_PART = 10;
const WIDTH_PART = 4;

export type Statistic = 'median' | 'mean' | 'difference' | 'lift';

export interface Limits {
  atLeast?: number;
  atMost?: number;
  below?: number;
}

/** What one figure of a segment has to satisfy; at least one limit is given. */
export interface Bound extends Limits {
  feature: string;
  statistic: Statistic;
  /** Limits of a name that is in force; absent: the same. */
  guard?: Limits;
}

export interface ConditionWord {
  word: string;
  role: 'stage' | 'value' | 'trait' | 'comparison';
  /** Of the bands that gave it; absent: 1, or not given by bands. */
  version?: number;
  bounds: Bound[];
}

/** The condition of a name, kept as JSON: it holds while every word's bounds hold. */
export interface Condition {
  words: ConditionWord[];
}

/** A bound with the segment's figure beside it; null where the segment has no such figure. */
export type Finding = Bound & { value: number | null };

export interface WordEvidence {
  word: string;
  role: ConditionWord['role'];
  version?: number;
  /** Share of resamples of the segment's customers in which the word holds. */
  stability?: number;
  findings: Finding[];
}

type Figures = Pick<SegmentProfile, 'features'>;
type Strictness = 'bounds' | 'guard';

/** Whether the segment still is what its name says. A figure that is no longer there does not hold. */
export function checkCondition(
  condition: Condition,
  profile: Figures,
  strictness: Strictness = 'guard',
): boolean {
  return condition.words.every((word) => holds(word, profile, strictness));
}

/** Each word with the figures that back it, or no longer do. */
export function findEvidence(
  condition: Condition,
  profile: SegmentProfile | Figures,
  resample?: Resample,
): WordEvidence[] {
  return condition.words.map((one) => ({
    word: one.word,
    role: one.role,
    ...(one.version !== undefined && { version: one.version }),
    ...(resample && 'cluster' in profile && { stability: stabilityOf(one, profile.cluster, resample) }),
    findings: one.bounds.map((bound) => ({ ...bound, value: figure(bound, profile) })),
  }));
}

/**
 * Share of the resamples of a segment in which a word holds. A band word within its guard: a median at a border is no
 * reason to say nothing, as long as the word would not be doubted either.
 */
export function stabilityOf({ role, bounds }: ConditionWord, cluster: number, resample: Resample): number {
  const isBand = role === 'stage' || role === 'value';
  const drawn = bounds.map((bound) => ({
    ...{ limits: (isBand && bound.guard) || bound, statistic: bound.statistic },
    figures: resample(cluster, bound.feature),
  }));
  const draws = Math.min(...drawn.map(({ figures }) => figures.length));
  let holding = 0;
  for (let i = 0; i < draws; i++) {
    if (drawn.every(({ limits, statistic, figures }) => isWithin(limits, figures[i]![statistic]))) holding++;
  }
  return draws === 0 ? 0 : holding / draws;
}

/** Whether a segment has earned a word: its figures back it, also when drawn again. */
export function isEarned(word: ConditionWord, profile: SegmentProfile, resample: Resample): boolean {
  return holds(word, profile, 'bounds') && stabilityOf(word, profile.cluster, resample) >= STABLE_SHARE;
}

/** The word of the first band that a segment's median lies in; null outside all bands. */
export function bandWord(
  settings: NamingSettings['stage'],
  role: 'stage' | 'value',
  profile: Figures,
): ConditionWord | null {
  return bandWords(settings, role).find((word) => holds(word, profile, 'bounds')) ?? null;
}

/** The words of all bands, in the definition's order. */
export function bandWords(
  { feature, bands, version = 1 }: NamingSettings['stage'],
  role: 'stage' | 'value',
): ConditionWord[] {
  return bands.map(({ word, atLeast, below }) => {
    const bound: Bound = { feature, statistic: 'median', ...limits({ atLeast, below }) };
    const beyond = (border: number) =>
      Math.min(Math.abs(border) / BORDER_PART, ((below ?? Infinity) - (atLeast ?? -Infinity)) / WIDTH_PART);
    bound.guard = limits({
      atLeast: atLeast === undefined ? undefined : atLeast - beyond(atLeast),
      below: below === undefined ? undefined : below + beyond(below),
    });
    return { word, role, version, bounds: [bound] };
  });
}

function limits({ atLeast, below }: { atLeast?: number | undefined; below?: number | undefined }): Limits {
  return { ...(atLeast !== undefined && { atLeast }), ...(below !== undefined && { below }) };
}

/** All trait words that the segment's figures back, in the definition's order. */
export function traitWords(traits: NamingSettings['traits'], profile: Figures): ConditionWord[] {
  const words: ConditionWord[] = [];
  for (const { feature, high, low } of traits) {
    const up: Bound[] = [
      { feature, statistic: 'difference', atLeast: TRAIT_DIFFERENCE, guard: { atLeast: KEPT_DIFFERENCE } },
      { feature, statistic: 'lift', atLeast: TRAIT_LIFT, guard: { atLeast: KEPT_LIFT } },
    ];
    const down: Bound[] = [
      { feature, statistic: 'difference', atMost: -TRAIT_DIFFERENCE, guard: { atMost: -KEPT_DIFFERENCE } },
      { feature, statistic: 'lift', atMost: 1 / TRAIT_LIFT, guard: { atMost: 1 / KEPT_LIFT } },
    ];
    if (high) words.push({ word: high, role: 'trait', bounds: up });
    if (low) words.push({ word: low, role: 'trait', bounds: down });
  }
  return words.filter((word) => holds(word, profile, 'bounds'));
}

export function holds({ bounds }: ConditionWord, profile: Figures, strictness: Strictness): boolean {
  return bounds.every((bound) =>
    isWithin(strictness === 'guard' ? (bound.guard ?? bound) : bound, figure(bound, profile)),
  );
}

function isWithin({ atLeast, atMost, below }: Limits, value: number | null): boolean {
  if (value === null) return false;
  if (atLeast !== undefined && value < atLeast) return false;
  if (atMost !== undefined && value > atMost) return false;
  return below === undefined || value < below;
}

function figure({ feature, statistic }: Bound, profile: Figures): number | null {
  const figures: FeatureFigures | undefined = profile.features[feature];
  return figures?.[statistic] ?? null;
}
