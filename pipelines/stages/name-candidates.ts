import type { NamingSettings } from '../contracts/definition.ts';
import { countNameWords, MOST_NAME_WORDS, maySayOfCustomers } from '../contracts/name-words.ts';
import { segmentNameKey } from '../contracts/segment-name.ts';
import { type Locale, localeOf } from './locales/locale.ts';
import type { Resample } from './name-bootstrap.ts';
import {
  bandWord,
  type Condition,
  type ConditionWord,
  holds,
  isEarned,
  traitWords,
} from './name-evidence.ts';
import type { Profiles, SegmentProfile } from './segment-profile.ts';

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
  /** The segments it is most easily taken for, the nearest first. */
  nearest: SegmentProfile[];
}

/** Every name that a segment's own figures back, in the order they would be given. */
export function nameCandidates(
  profiles: Profiles,
  { naming, resample }: { naming: NamingSettings; resample: Resample },
): SegmentCandidates[] {
  const locale = localeOf(naming.locale);
  return profiles.segments.map((profile) => {
    const isBacked = (word: ConditionWord) => isEarned(word, profile, resample);
    const bands = [bandWord(naming.stage, 'stage', profile), bandWord(naming.value, 'value', profile)];
    const base = bands.filter((word) => word !== null).filter(isBacked);
    const traits = traitWords(naming.traits, profile).filter(isBacked);
    const nearest = nearestSegments(profile, { profiles, naming });
    const combinations = byWhatTheyTell(combine(base, byContrast(traits, { profile, nearest })), {
      profile,
      nearest,
      earned: [...base, ...traits],
    });
    return { cluster: profile.cluster, base, names: toCandidates(combinations, locale), nearest };
  });
}

/** Stage, value and one trait, in the order of preference where all tell the segment apart alike. */
function combine(base: ConditionWord[], traits: ConditionWord[]): ConditionWord[][] {
  const banded = new Set(base.map(featureOf));
  // A second word on the same feature says nothing new: only where nothing else is left.
  const fresh = traits.filter((trait) => !banded.has(featureOf(trait)));
  return [
    ...fresh.map((trait) => [...base, trait]),
    base,
    ...fresh.flatMap((trait) => base.map((word) => [word, trait])),
    ...traits.map((trait) => [...base, trait]),
    ...traits.flatMap((trait) => base.map((word) => [word, trait])),
    ...traits.map((trait) => [trait]),
  ];
}

/** Words in their order as a name: `Lapsing high-value weekend buyers`. */
export function joinWords(words: readonly ConditionWord[], locale: Locale): string {
  const of = (...roles: ConditionWord['role'][]) =>
    words.filter(({ role }) => roles.includes(role)).map(({ word }) => word);
  const [trait = null] = of('trait');
  const text = locale.name.join({ bands: of('stage', 'value'), trait, comparisons: of('comparison') });
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Two words that are each harmless may say together what none may: _black_ of goods, _black buyers_ of people. */
export function fits(words: readonly ConditionWord[], locale: Locale): boolean {
  const name = joinWords(words, locale);
  return countNameWords(name) <= MOST_NAME_WORDS && maySayOfCustomers(name);
}

/** Two names with one key are one name; those that people give are compared by the same. */
export const nameKey = segmentNameKey;

export function namingFeatures({ stage, value, traits }: NamingSettings): string[] {
  return [...new Set([value.feature, stage.feature, ...traits.map((trait) => trait.feature)])];
}

/** Distance of two segments on a feature, in standardised differences. */
export function gap(left: SegmentProfile, right: SegmentProfile, feature: string): number {
  return Math.abs((left.features[feature]?.difference ?? 0) - (right.features[feature]?.difference ?? 0));
}

/** Whether a name says something of its segment that is not true of the other one. */
export function tellsApart({ words }: Condition, other: SegmentProfile): boolean {
  return words.some((word) => !holds(word, other, 'bounds'));
}

function nearestSegments(
  profile: SegmentProfile,
  { profiles, naming }: { profiles: Profiles; naming: NamingSettings },
): SegmentProfile[] {
  const features = namingFeatures(naming);
  const distance = (other: SegmentProfile) =>
    Math.sqrt(features.reduce((sum, feature) => sum + gap(profile, other, feature) ** 2, 0));
  return profiles.segments
    .filter((other) => other !== profile)
    .map((other) => ({ other, distance: distance(other) }))
    .sort((left, right) => left.distance - right.distance || compareProfiles(left.other, right.other))
    .slice(0, NEAREST)
    .map(({ other }) => other);
}

/**
 * An order of segments that does not depend on the numbers of their clusters: the larger one first, then by their
 * figures.
 */
export function compareProfiles(left: SegmentProfile, right: SegmentProfile): number {
  if (left.customers !== right.customers) return right.customers - left.customers;
  for (const feature of Object.keys(left.features).sort()) {
    const order = (left.features[feature]?.mean ?? 0) - (right.features[feature]?.mean ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

interface Apart {
  profile: SegmentProfile;
  nearest: readonly SegmentProfile[];
}

/** The words that set the segment apart from its nearest ones come first. */
function byContrast(traits: ConditionWord[], { profile, nearest }: Apart): ConditionWord[] {
  const contrast = (trait: ConditionWord) =>
    nearest.reduce((sum, other) => sum + gap(profile, other, featureOf(trait)), 0);
  return traits
    .map((trait, place) => ({ trait, place, contrast: contrast(trait) }))
    .sort((left, right) => right.contrast - left.contrast || left.place - right.place)
    .map(({ trait }) => trait);
}

/**
 * Those first that say of most of the nearest what is not true of them, then those that do so by the feature that
 * separates most, of the features that a word of this segment tells them apart by.
 *
 * @param earned all words of the segment
 */
function byWhatTheyTell(
  combinations: ConditionWord[][],
  { profile, nearest, earned }: Apart & { earned: readonly ConditionWord[] },
): ConditionWord[][] {
  const decisive = nearest.map((other) => {
    const telling = earned.filter((word) => !holds(word, other, 'bounds')).map(featureOf);
    return telling.sort((a, b) => gap(profile, other, b) - gap(profile, other, a))[0];
  });
  const weigh = (words: readonly ConditionWord[]) => {
    const telling = nearest.map((other) =>
      words.filter((word) => !holds(word, other, 'bounds')).map(featureOf),
    );
    return {
      told: telling.filter((features) => features.length > 0).length,
      decisively: telling.filter((features, i) => features.includes(decisive[i]!)).length,
    };
  };
  return combinations
    .map((words, place) => ({ words, place, ...weigh(words) }))
    .sort(
      (left, right) =>
        right.told - left.told || right.decisively - left.decisively || left.place - right.place,
    )
    .map(({ words }) => words);
}

function toCandidates(combinations: readonly ConditionWord[][], locale: Locale): NameCandidate[] {
  const byKey = new Map<string, NameCandidate>();
  for (const words of combinations) {
    if (words.length === 0 || !fits(words, locale)) continue;
    const name = joinWords(words, locale);
    if (!byKey.has(nameKey(name))) byKey.set(nameKey(name), { name, condition: { words } });
  }
  return [...byKey.values()];
}

function featureOf(word: ConditionWord): string {
  return word.bounds[0]!.feature;
}
