import type { NamingSettings } from '../contracts/definition.ts';
import { maySayOfCustomers } from '../contracts/name-words.ts';
import { labelOf } from './figures.ts';
import { localeOf } from './locales/locale.ts';
import type { Resample } from './name-bootstrap.ts';
import {
  fits,
  joinWords,
  type NameCandidate,
  nameKey,
  namingFeatures,
  type SegmentCandidates,
  tellsApart,
} from './name-candidates.ts';
import { compareMembers } from './name-comparison.ts';
import { type Condition, type ConditionWord, isEarned } from './name-evidence.ts';
import type { Profiles, SegmentProfile } from './segment-profile.ts';

// Names for segments that have none, and proposals: no two the same, each apart from its neighbours.

/** Names that give way to each other settle at once, or not at all. */
const PASSES = 3;

export interface Given extends NameCandidate {
  /** False where no figure told the segment apart and its id had to. */
  backed: boolean;
}

export interface GivingContext {
  naming: NamingSettings;
  profiles: Profiles;
  resample: Resample;
  /** By cluster. */
  candidates: readonly SegmentCandidates[];
  segmentIds: ReadonlyMap<number, string>;
  /** Conditions of the names that stay, by cluster. */
  inForce: ReadonlyMap<number, Condition>;
}

/**
 * One name each, no two the same and none of those taken.
 *
 * @param clusters in an order that does not depend on their numbers
 * @param taken keys of names
 */
export function giveNames(
  clusters: readonly number[],
  taken: ReadonlySet<string>,
  context: GivingContext,
): Map<number, Given> {
  const given = new Map<number, Given>();
  const open = new Map(
    clusters.map((cluster) => [
      cluster,
      context.candidates[cluster]!.names.filter(({ name }) => !taken.has(nameKey(name))),
    ]),
  );
  dropCollisions(open);
  for (const cluster of clusters) {
    const [first] = open.get(cluster)!;
    if (first) given.set(cluster, { ...first, backed: true });
  }
  const used = new Set([...taken, ...[...given.values()].map(({ name }) => nameKey(name))]);
  for (const cluster of clusters.filter((c) => !given.has(c))) {
    const candidate = compareWithRivals(cluster, used, context);
    given.set(cluster, candidate);
    used.add(nameKey(candidate.name));
  }
  tellFromNeighbours(clusters, given, { used, context });
  return given;
}

/**
 * Other names where neither a segment's own nor that of one it is easily taken for says what is not true of the other:
 * by comparison, else by its id. A new name may have given up the word that told a third one apart, hence the passes.
 */
function tellFromNeighbours(
  clusters: readonly number[],
  given: Map<number, Given>,
  { used, context }: { used: Set<string>; context: GivingContext },
): void {
  for (let pass = 0; pass < PASSES; pass++) {
    let changed = false;
    for (const cluster of clusters) {
      const own = given.get(cluster)!;
      const nearest = context.candidates[cluster]!.nearest;
      const untold = untoldBy(own.condition, cluster, { given, context });
      if (!own.backed || untold.length === 0) continue;
      used.delete(nameKey(own.name));
      const isApart = (condition: Condition) => untoldBy(condition, cluster, { given, context }).length === 0;
      const profile = context.profiles.segments[cluster]!;
      const apart =
        compareWith([profile, ...untold], cluster, { used, context, isApart }) ??
        compareWith([profile, ...nearest], cluster, { used, context, isApart }) ??
        nameById(cluster, context);
      given.set(cluster, apart);
      used.add(nameKey(apart.name));
      changed = true;
    }
    if (!changed) return;
  }
}

/** The nearest segments of which all that a name says is true, and whose own names are true of this one. */
function untoldBy(
  condition: Condition,
  cluster: number,
  { given, context }: { given: ReadonlyMap<number, Given>; context: GivingContext },
): SegmentProfile[] {
  const profile = context.profiles.segments[cluster]!;
  return context.candidates[cluster]!.nearest.filter((other) => {
    const theirs = given.get(other.cluster);
    const words = theirs?.condition ?? context.inForce.get(other.cluster);
    // A name that a person gave claims nothing, and neither does one by an id.
    if (!words || words.words.length === 0 || theirs?.backed === false) return false;
    return !tellsApart(condition, other) && !tellsApart(words, profile);
  });
}

/**
 * Takes first choices away until no two are the same. A segment that has no other name keeps the disputed
 * one, since the others have somewhere to go; where two have no other, it would mislead for either.
 */
function dropCollisions(open: Map<number, NameCandidate[]>): void {
  for (;;) {
    const claims = new Map<string, number[]>();
    for (const [cluster, names] of open) {
      if (!names[0]) continue;
      const key = nameKey(names[0].name);
      claims.set(key, [...(claims.get(key) ?? []), cluster]);
    }
    const disputed = [...claims.values()].filter((claimants) => claimants.length > 1);
    if (disputed.length === 0) return;
    for (const claimants of disputed) {
      const [heir, next] = claimants.toSorted((a, b) => open.get(a)!.length - open.get(b)!.length);
      const isLast = open.get(next!)!.length === 1;
      for (const cluster of claimants) if (isLast || cluster !== heir) open.get(cluster)!.shift();
    }
  }
}

/** Tells a segment by its place among those that the definition gives the same words. */
function compareWithRivals(cluster: number, used: ReadonlySet<string>, context: GivingContext): Given {
  const { profiles, candidates, naming } = context;
  const locale = localeOf(naming.locale);
  const keyOf = (of: number) => nameKey(joinWords(candidates[of]!.base, locale));
  const rivals = profiles.segments.filter((other) => keyOf(other.cluster) === keyOf(cluster));
  return compareWith(rivals, cluster, { used, context }) ?? nameById(cluster, context);
}

/** Equal figures throughout: the id is the only difference there is, and the name says no more than that. */
function nameById(cluster: number, { candidates, naming, segmentIds }: GivingContext): Given {
  const locale = localeOf(naming.locale);
  const words = shortened(candidates[cluster]!.base, []).find((kept) => fits(kept, locale))!;
  const name = `${joinWords(words, locale) || locale.name.nobody} (${segmentIds.get(cluster)})`;
  return { name, condition: { words }, backed: false };
}

interface Comparing {
  used: ReadonlySet<string>;
  context: GivingContext;
  isApart?: (condition: Condition) => boolean;
}

/** A name with words by comparison that are earned like any others; null where there is none. */
function compareWith(
  members: readonly SegmentProfile[],
  cluster: number,
  { used, context, isApart = () => true }: Comparing,
): Given | null {
  const { naming, profiles, candidates, resample } = context;
  const format = { locale: localeOf(naming.locale), labels: naming.labels ?? {} };
  const profile = profiles.segments[cluster]!;
  for (const preferred of comparedFeatures(context)) {
    let features = preferred;
    for (;;) {
      const comparison = compareMembers(members, features, format).get(cluster)!;
      if (comparison.length === 0) break;
      const isBacked = comparison.every((word) => isEarned(word, profile, resample));
      for (const words of isBacked ? shortened(candidates[cluster]!.base, comparison) : []) {
        const name = joinWords(words, format.locale);
        if (fits(words, format.locale) && !used.has(nameKey(name)) && isApart({ words }))
          return { name, condition: { words }, backed: true };
      }
      const tried = comparison[0]!.bounds[0]!.feature;
      features = features.filter((feature) => feature !== tried);
    }
  }
  return null;
}

/**
 * What a place may be told by: the features of the vocabulary and all others, those of the bands last. Not those that
 * are called what no customer may be: a feature is any column's name.
 */
function comparedFeatures({ naming, profiles }: GivingContext): string[][] {
  const format = { locale: localeOf(naming.locale), labels: naming.labels ?? {} };
  const isSayable = (feature: string) => maySayOfCustomers(labelOf(feature, format));
  const banded = [naming.value.feature, naming.stage.feature].filter(isSayable);
  const others = [...namingFeatures(naming), ...Object.keys(profiles.all)].filter(
    (feature) => isSayable(feature) && !banded.includes(feature),
  );
  return [[...new Set(others)], [...new Set([...others, ...banded])], banded];
}

function shortened(base: readonly ConditionWord[], comparison: readonly ConditionWord[]): ConditionWord[][] {
  return [base, base.slice(0, 1), []].map((kept) => [...kept, ...comparison]);
}
