import type { NamingSettings } from '../contracts/definition.ts';
import type { FeatureFigures, SegmentProfile } from './segment-profile.ts';

// No word without figures. A word stands for bounds that the segment's figures have to satisfy; the same
// bounds, kept with the name, are its guard in later runs.

/** A trait needs both: apart from the others for their spread, and apart in plain proportion. */
export const TRAIT_DIFFERENCE = 0.5;
const TRAIT_LIFT = 1.2;

export type Statistic = 'median' | 'mean' | 'difference' | 'lift';

/** What one figure of a segment has to satisfy; at least one limit is given. */
export interface Bound {
  feature: string;
  statistic: Statistic;
  atLeast?: number;
  atMost?: number;
  below?: number;
}

export interface ConditionWord {
  word: string;
  role: 'stage' | 'value' | 'trait' | 'comparison';
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
  findings: Finding[];
}

type Figures = Pick<SegmentProfile, 'features'>;

/** Whether the segment still is what its name says. A figure that is no longer there does not hold. */
export function checkCondition(condition: Condition, profile: Figures): boolean {
  return condition.words.every((word) => holds(word, profile));
}

/** The words of a name whose bounds no longer hold. */
export function brokenWords(condition: Condition, profile: Figures): ConditionWord[] {
  return condition.words.filter((word) => !holds(word, profile));
}

/** Each word with the figures that back it, or no longer do. */
export function findEvidence(condition: Condition, profile: Figures): WordEvidence[] {
  return condition.words.map(({ word, role, bounds }) => ({
    word,
    role,
    findings: bounds.map((bound) => ({ ...bound, value: figure(bound, profile) })),
  }));
}

/** The word of the first band that a segment's median lies in; null outside all bands. */
export function bandWord(
  { feature, bands }: NamingSettings['stage'],
  role: 'stage' | 'value',
  profile: Figures,
): ConditionWord | null {
  for (const { word, atLeast, below } of bands) {
    const bound: Bound = { feature, statistic: 'median' };
    if (atLeast !== undefined) bound.atLeast = atLeast;
    if (below !== undefined) bound.below = below;
    const candidate: ConditionWord = { word, role, bounds: [bound] };
    if (holds(candidate, profile)) return candidate;
  }
  return null;
}

/** All trait words that the segment's figures back, in the definition's order. */
export function traitWords(traits: NamingSettings['traits'], profile: Figures): ConditionWord[] {
  const words: ConditionWord[] = [];
  for (const { feature, high, low } of traits) {
    const up: ConditionWord['bounds'] = [
      { feature, statistic: 'difference', atLeast: TRAIT_DIFFERENCE },
      { feature, statistic: 'lift', atLeast: TRAIT_LIFT },
    ];
    const down: ConditionWord['bounds'] = [
      { feature, statistic: 'difference', atMost: -TRAIT_DIFFERENCE },
      { feature, statistic: 'lift', atMost: 1 / TRAIT_LIFT },
    ];
    if (high) words.push({ word: high, role: 'trait', bounds: up });
    if (low) words.push({ word: low, role: 'trait', bounds: down });
  }
  return words.filter((word) => holds(word, profile));
}

function holds({ bounds }: ConditionWord, profile: Figures): boolean {
  return bounds.every((bound) => {
    const value = figure(bound, profile);
    if (value === null) return false;
    if (bound.atLeast !== undefined && value < bound.atLeast) return false;
    if (bound.atMost !== undefined && value > bound.atMost) return false;
    return bound.below === undefined || value < bound.below;
  });
}

function figure({ feature, statistic }: Bound, profile: Figures): number | null {
  const figures: FeatureFigures | undefined = profile.features[feature];
  return figures?.[statistic] ?? null;
}
