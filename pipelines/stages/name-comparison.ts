import { type FigureFormat, labelOf } from './figures.ts';
import { localeOf, type Position } from './locales/locale.ts';
import type { ConditionWord } from './name-evidence.ts';
import type { SegmentProfile } from './segment-profile.ts';

// The last resort for segments that no word of the definition tells apart: `higher-spend` and
// `lower-spend`. The word's bound is the middle between neighbours, an absolute figure, so that it can be
// checked in a later run like any other and does not flip with a rank.

/** By place, from the lowest mean to the highest. No `lowest`: another segment may be born below it. */
const PLACES: Readonly<Record<number, readonly Position[]>> = {
  2: ['low', 'high'],
  3: ['low', 'middle', 'high'],
};
const MOST_PLACES = 3;

/** The guard of a word lets its mean come so near to the neighbour's, as a share of the way between them. */
const GUARD_PART = 4;

/** Means closer than this share of the larger one are the same figure for a reader. */
const SAME = 1e-9;

/**
 * Words that tell the members of a group apart by their means. More than three members are first divided into three,
 * then told apart within each by another feature.
 *
 * @param features in order of preference
 * @returns words by cluster; fewer than needed where the figures are equal
 */
export function compareMembers(
  members: readonly SegmentProfile[],
  features: readonly string[],
  format: Pick<FigureFormat, 'labels' | 'locale'>,
): Map<number, ConditionWord[]> {
  const words = new Map<number, ConditionWord[]>(members.map(({ cluster }) => [cluster, []]));
  const feature = members.length > 1 ? mostSeparating(members, features) : undefined;
  if (feature === undefined) return words;
  const parts = divide(members, feature);
  const places = PLACES[parts.length]!;
  parts.forEach((part, place) => {
    const { name } = format.locale ?? localeOf();
    const word = name.comparison(places[place]!, labelOf(feature, format));
    const bound: ConditionWord['bounds'][number] = { feature, statistic: 'mean', guard: {} };
    if (place > 0) {
      const { border, guard } = between(parts[place - 1]!, part, feature);
      bound.atLeast = border;
      bound.guard!.atLeast = border - guard;
    }
    if (place < parts.length - 1) {
      const { border, guard } = between(part, parts[place + 1]!, feature);
      bound.below = border;
      bound.guard!.below = border + guard;
    }
    const others = features.filter((other) => other !== feature);
    const rest = compareMembers(part, others, format);
    for (const { cluster } of part) {
      words.set(cluster, [{ word, role: 'comparison', bounds: [bound] }, ...rest.get(cluster)!]);
    }
  });
  return words;
}

/** The feature with the most different means, then with the widest smallest gap. */
function mostSeparating(members: readonly SegmentProfile[], features: readonly string[]): string | undefined {
  let best: { feature: string; parts: number; gap: number } | undefined;
  for (const feature of features) {
    const groups = levels(members, feature);
    const parts = Math.min(groups.length, MOST_PLACES);
    if (parts < 2) continue;
    const differences = groups.map((group) => group[0]!.features[feature]!.difference);
    const gap = Math.min(...differences.slice(1).map((x, i) => Math.abs(x - differences[i]!)));
    if (!best || parts > best.parts || (parts === best.parts && gap > best.gap))
      best = { feature, parts, gap };
  }
  return best?.feature;
}

/** Members in rising order of their mean, those with the same mean together. */
function levels(members: readonly SegmentProfile[], feature: string): SegmentProfile[][] {
  const known = members.filter((member) => member.features[feature] !== undefined);
  if (known.length < members.length) return [];
  const sorted = [...known].sort((left, right) => mean(left, feature) - mean(right, feature));
  const groups: SegmentProfile[][] = [];
  for (const member of sorted) {
    const last = groups.at(-1);
    if (last && isSame(mean(last.at(-1)!, feature), mean(member, feature))) last.push(member);
    else groups.push([member]);
  }
  return groups;
}

/** At most three parts of about equally many levels, lowest first. */
function divide(members: readonly SegmentProfile[], feature: string): SegmentProfile[][] {
  const groups = levels(members, feature);
  const count = Math.min(groups.length, MOST_PLACES);
  const parts: SegmentProfile[][] = Array.from({ length: count }, () => []);
  groups.forEach((group, i) => {
    parts[Math.floor((i * count) / groups.length)]!.push(...group);
  });
  return parts;
}

/** Half of the way between neighbours, and how far beyond it the guard lets a mean come. */
function between(
  lower: readonly SegmentProfile[],
  upper: readonly SegmentProfile[],
  feature: string,
): { border: number; guard: number } {
  const [from, to] = [mean(lower.at(-1)!, feature), mean(upper[0]!, feature)];
  return { border: (from + to) / 2, guard: (to - from) / GUARD_PART };
}

function mean(member: SegmentProfile, feature: string): number {
  return member.features[feature]!.mean;
}

function isSame(left: number, right: number): boolean {
  return Math.abs(left - right) <= SAME * Math.max(Math.abs(left), Math.abs(right));
}
