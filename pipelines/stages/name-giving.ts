import type { NamingSettings } from '../contracts/definition.ts';
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
  for (const cluster of clusters) {
    const apart = tellFromNeighbours(cluster, given, { used, context });
    if (!apart) continue;
    used.delete(nameKey(given.get(cluster)!.name));
    given.set(cluster, apart);
    used.add(nameKey(apart.name));
  }
  return given;
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
  const { profiles, candidates, naming, segmentIds } = context;
  const locale = localeOf(naming.locale);
  const base = candidates[cluster]!.base;
  const key = nameKey(joinWords(base, locale));
  const rivals = profiles.segments.filter(
    (other) => nameKey(joinWords(candidates[other.cluster]!.base, locale)) === key,
  );
  const compared = compareWith(rivals, cluster, { used, context });
  if (compared) return compared;
  // Equal figures throughout. The id is the only difference there is, and the name says no more than that.
  const name = `${joinWords(base, locale) || locale.name.nobody} (${segmentIds.get(cluster)})`;
  return { name, condition: { words: base }, backed: false };
}

/**
 * A name by comparison, where neither the segment's own name nor that of a segment it is easily taken for says what is
 * not true of the other. Names that people gave claim nothing, and are left out.
 */
function tellFromNeighbours(
  cluster: number,
  given: ReadonlyMap<number, Given>,
  { used, context }: { used: ReadonlySet<string>; context: GivingContext },
): Given | null {
  const own = given.get(cluster)!;
  if (!own.backed) return null;
  const profile = context.profiles.segments[cluster]!;
  const untold = context.candidates[cluster]!.nearest.filter((other) => {
    const theirs = given.get(other.cluster)?.condition ?? context.inForce.get(other.cluster);
    if (!theirs || theirs.words.length === 0) return false;
    return !tellsApart(own.condition, other) && !tellsApart(theirs, profile);
  });
  return untold.length === 0 ? null : compareWith([profile, ...untold], cluster, { used, context });
}

/** A name with words by comparison that are earned like any others; null where there is none. */
function compareWith(
  members: readonly SegmentProfile[],
  cluster: number,
  { used, context }: { used: ReadonlySet<string>; context: GivingContext },
): Given | null {
  const { naming, profiles, candidates, resample } = context;
  const locale = localeOf(naming.locale);
  const profile = profiles.segments[cluster]!;
  const base = candidates[cluster]!.base;
  for (const preferred of comparedFeatures(context)) {
    let features = preferred;
    for (;;) {
      const comparison = compareMembers(members, features, { locale, labels: naming.labels ?? {} }).get(
        cluster,
      )!;
      if (comparison.length === 0) break;
      const isBacked = comparison.every((word) => isEarned(word, profile, resample));
      for (const words of isBacked ? shortened(base, comparison) : []) {
        const name = joinWords(words, locale);
        if (fits(words, locale) && !used.has(nameKey(name))) {
          return { name, condition: { words }, backed: true };
        }
      }
      const tried = comparison[0]!.bounds[0]!.feature;
      features = features.filter((feature) => feature !== tried);
    }
  }
  return null;
}

/** What a place may be told by: the features of the vocabulary and all others, those of the bands last. */
function comparedFeatures({ naming, profiles }: GivingContext): string[][] {
  const banded = [naming.value.feature, naming.stage.feature];
  const others = [...namingFeatures(naming), ...Object.keys(profiles.all)].filter((f) => !banded.includes(f));
  return [[...new Set(others)], [...new Set([...others, ...banded])], banded];
}

function shortened(base: readonly ConditionWord[], comparison: readonly ConditionWord[]): ConditionWord[][] {
  return [base, base.slice(0, 1), []].map((kept) => [...kept, ...comparison]);
}
