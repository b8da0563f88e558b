import type { NamingSettings } from '../contracts/definition.ts';
import { segmentNameKey } from '../contracts/segment-name.ts';
import { bandWord, type Condition, type ConditionWord, traitWords } from './name-evidence.ts';
import type { Profiles, SegmentProfile } from './segment-profile.ts';

/** Stage + value + trait; more than four words is a description. */
const MAXIMUM_WORDS = 4;
/** A name has to differ from the segments it is most easily taken for. */
const NEAREST = 2;

export interface NameCandidate {
  name: string;
  condition: Condition;
}

export interface SegmentCandidates {
  cluster: number;
  /** Stage and value words: what the segment is called before any trait. */
  base: ConditionWord[];
  /** Names that the figures back, the preferred one first; empty when no word has evidence. */
  names: NameCandidate[];
}

/** Every name that a segment's own figures back, in the order they would be given. */
export function nameCandidates(profiles: Profiles, naming: NamingSettings): SegmentCandidates[] {
  return profiles.segments.map((profile) => {
    const stage = bandWord(naming.stage, 'stage', profile);
    const value = bandWord(naming.value, 'value', profile);
    const base = [stage, value].filter((word) => word !== null);
    const banded = new Set([naming.stage.feature, naming.value.feature]);
    const traits = byContrast(traitWords(naming.traits, profile), { profile, profiles, naming });
    // A second word on the same feature says nothing new: only where a band word is left out.
    const fresh = traits.filter((trait) => !banded.has(featureOf(trait)));
    const combinations = [
      ...fresh.map((trait) => [...base, trait]),
      base,
      ...pairsOf(fresh).map((pair) => [...base, ...pair]),
      ...pairsOf(fresh).flatMap((pair) => base.map((word) => [word, ...pair])),
      ...traits.map((trait) => [...base, trait]),
      ...traits.flatMap((trait) => base.map((word) => [word, trait])),
    ];
    return { cluster: profile.cluster, base, names: toCandidates(combinations) };
  });
}

/** Words in their order as a name: `Lapsing high-value weekend buyers`. */
export function joinWords(words: readonly ConditionWord[]): string {
  const text = words.map(({ word }, i) => (i === 0 ? word : lowerFirst(word))).join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function fits(words: readonly ConditionWord[]): boolean {
  return joinWords(words).split(/\s+/).length <= MAXIMUM_WORDS;
}

/** Two names with one key are one name; those that people give are compared by the same. */
export const nameKey = segmentNameKey;

/** Distance of two segments in standardised differences. */
function profileDistance(left: SegmentProfile, right: SegmentProfile, features: readonly string[]): number {
  return Math.sqrt(features.reduce((sum, feature) => sum + gap(left, right, feature) ** 2, 0));
}

export function namingFeatures({ stage, value, traits }: NamingSettings): string[] {
  return [...new Set([value.feature, stage.feature, ...traits.map((trait) => trait.feature)])];
}

/** The words that set the segment apart from its nearest ones come first. */
function byContrast(
  traits: ConditionWord[],
  at: { profile: SegmentProfile; profiles: Profiles; naming: NamingSettings },
): ConditionWord[] {
  const { profile, profiles, naming } = at;
  const features = namingFeatures(naming);
  const nearest = profiles.segments
    .filter((other) => other !== profile)
    .map((other) => ({ other, distance: profileDistance(profile, other, features) }))
    .sort((left, right) => left.distance - right.distance)
    .slice(0, NEAREST);
  const contrast = (trait: ConditionWord) =>
    nearest.reduce((sum, { other }) => sum + gap(profile, other, featureOf(trait)), 0);
  return traits
    .map((trait, order) => ({ trait, order, contrast: contrast(trait) }))
    .sort((left, right) => right.contrast - left.contrast || left.order - right.order)
    .map(({ trait }) => trait);
}

function toCandidates(combinations: readonly ConditionWord[][]): NameCandidate[] {
  const byKey = new Map<string, NameCandidate>();
  for (const words of combinations) {
    if (words.length === 0 || !fits(words)) continue;
    const name = joinWords(words);
    if (!byKey.has(nameKey(name))) byKey.set(nameKey(name), { name, condition: { words } });
  }
  return [...byKey.values()];
}

function pairsOf(traits: readonly ConditionWord[]): ConditionWord[][] {
  return traits.flatMap((first, i) => traits.slice(i + 1).map((second) => [first, second]));
}

function featureOf(word: ConditionWord): string {
  return word.bounds[0]!.feature;
}

function gap(left: SegmentProfile, right: SegmentProfile, feature: string): number {
  return Math.abs((left.features[feature]?.difference ?? 0) - (right.features[feature]?.difference ?? 0));
}

/** `High-value` -> `high-value`, but `VIP` stays. */
function lowerFirst(word: string): string {
  const second = word.charAt(1);
  return second !== second.toLowerCase() ? word : word.charAt(0).toLowerCase() + word.slice(1);
}
