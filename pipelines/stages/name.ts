import type { NamingSettings } from '../contracts/definition.ts';
import {
  fits,
  joinWords,
  type NameCandidate,
  nameCandidates,
  nameKey,
  namingFeatures,
  type SegmentCandidates,
} from './name-candidates.ts';
import { compareMembers } from './name-comparison.ts';
import {
  brokenWords,
  type Condition,
  type ConditionWord,
  findEvidence,
  type WordEvidence,
} from './name-evidence.ts';
import type { Profiles, SegmentProfile } from './segment-profile.ts';

// A segment is named once, from the figures it has then. From then on the name is checked, never changed:
// where its condition fails it is shown as questionable beside a proposal, and a person decides.

export interface PreviousName {
  name: string;
  author: 'auto' | 'manual';
  /** Without words for a name that a person gave: it makes no claim about figures. */
  condition: Condition;
}

export interface SegmentName {
  segmentId: string;
  cluster: number;
  name: string;
  author: 'auto' | 'manual';
  status: 'holds' | 'questionable';
  condition: Condition;
  /** The words with this run's figures. */
  evidence: WordEvidence[];
  /** What the segment would be called today; given when the name is questionable. */
  proposal: { name: string; condition: Condition; evidence: WordEvidence[] } | null;
  /** Why the name is what it is, as one sentence without full stop. */
  reason: string;
}

export interface NamingInput {
  naming: NamingSettings;
  profiles: Profiles;
  /** One per cluster. */
  segments: readonly { cluster: number; segmentId: string }[];
  /** Names in force, by segment id. */
  previousNames: Readonly<Record<string, PreviousName>>;
}

/**
 * Names every segment: the name in force where there is one, else one made of words that its figures back.
 * No two names are the same; a new name yields to one that is kept.
 *
 * @returns in the order of `segments`
 */
export function nameSegments(input: NamingInput): SegmentName[] {
  const { naming, profiles, segments, previousNames } = input;
  const candidates = nameCandidates(profiles, naming);
  const inForce = (segmentId: string) =>
    Object.hasOwn(previousNames, segmentId) ? previousNames[segmentId] : undefined;
  const taken = new Set(segments.flatMap(({ segmentId }) => inForce(segmentId)?.name ?? []).map(nameKey));
  const context = { naming, profiles, candidates, segments };

  const unnamed = segments.filter(({ segmentId }) => !inForce(segmentId)).map(({ cluster }) => cluster);
  const fresh = giveNames(unnamed, taken, context);
  for (const { name } of fresh.values()) taken.add(nameKey(name));

  const doubtful = segments.filter(({ cluster, segmentId }) => {
    const name = inForce(segmentId);
    return name && brokenWords(name.condition, profiles.segments[cluster]!).length > 0;
  });
  const renewed = new Map(
    doubtful.flatMap(({ cluster, segmentId }) => {
      const key = nameKey(inForce(segmentId)!.name);
      const same = candidates[cluster]!.names.find(({ name }) => nameKey(name) === key);
      return same ? [[cluster, same] as const] : [];
    }),
  );
  const questionable = doubtful.map(({ cluster }) => cluster).filter((cluster) => !renewed.has(cluster));
  const proposals = giveNames(questionable, taken, context);

  return segments.map(({ cluster, segmentId }) => {
    const profile = profiles.segments[cluster]!;
    const kept = inForce(segmentId);
    if (!kept) return named({ cluster, segmentId }, { given: fresh.get(cluster)!, profile });
    const given = renewed.get(cluster);
    if (given) return renew({ cluster, segmentId }, { kept, given, profile });
    return keep({ cluster, segmentId }, { kept, proposal: proposals.get(cluster), profile });
  });
}

type Identity = Pick<SegmentName, 'segmentId' | 'cluster'>;

interface Given extends NameCandidate {
  /** False where no figure told the segment apart and its id had to. */
  backed: boolean;
}

function named(
  identity: Identity,
  { given, profile }: { given: Given; profile: SegmentProfile },
): SegmentName {
  const { name, condition, backed } = given;
  return {
    ...identity,
    name,
    author: 'auto',
    status: backed ? 'holds' : 'questionable',
    condition,
    evidence: findEvidence(condition, profile),
    proposal: null,
    reason: backed ? 'named after its figures' : 'no figure tells it apart from another segment',
  };
}

/** The definition's bounds have moved and the figures earn the same name under the new ones. */
function renew(
  identity: Identity,
  { kept, given, profile }: { kept: PreviousName; given: NameCandidate; profile: SegmentProfile },
): SegmentName {
  return {
    ...identity,
    name: kept.name,
    author: kept.author,
    status: 'holds',
    condition: given.condition,
    evidence: findEvidence(given.condition, profile),
    proposal: null,
    reason: 'keeps its name, which its figures earn under the present bounds',
  };
}

function keep(
  identity: Identity,
  { kept, proposal, profile }: { kept: PreviousName; proposal: Given | undefined; profile: SegmentProfile },
): SegmentName {
  const broken = brokenWords(kept.condition, profile);
  const words = broken.map(({ word }) => `"${word}"`).join(', ');
  return {
    ...identity,
    ...kept,
    status: broken.length > 0 ? 'questionable' : 'holds',
    evidence: findEvidence(kept.condition, profile),
    proposal: proposal
      ? {
          name: proposal.name,
          condition: proposal.condition,
          evidence: findEvidence(proposal.condition, profile),
        }
      : null,
    reason:
      broken.length > 0 ? `keeps its name, though its figures no longer back ${words}` : 'keeps its name',
  };
}

interface Context {
  naming: NamingSettings;
  profiles: Profiles;
  candidates: readonly SegmentCandidates[];
  segments: readonly Identity[];
}

/** One name each, no two the same and none of those taken. */
function giveNames(
  clusters: readonly number[],
  taken: ReadonlySet<string>,
  context: Context,
): Map<number, Given> {
  const given = new Map<number, Given>();
  const open = new Map(
    clusters.map((cluster) => [
      cluster,
      context.candidates[cluster]!.names.filter(({ name }) => !taken.has(nameKey(name))),
    ]),
  );
  dropCollisions(open);
  for (const [cluster, names] of open) if (names[0]) given.set(cluster, { ...names[0], backed: true });
  const used = new Set([...taken, ...[...given.values()].map(({ name }) => nameKey(name))]);
  for (const cluster of clusters.filter((c) => !given.has(c))) {
    const candidate = compareWithRivals(cluster, used, context);
    given.set(cluster, candidate);
    used.add(nameKey(candidate.name));
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
function compareWithRivals(cluster: number, used: ReadonlySet<string>, context: Context): Given {
  const { profiles, candidates, naming, segments } = context;
  const base = candidates[cluster]!.base;
  const key = nameKey(joinWords(base));
  const rivals = profiles.segments.filter(
    (other) => nameKey(joinWords(candidates[other.cluster]!.base)) === key,
  );
  const banded = [naming.value.feature, naming.stage.feature];
  const others = [...namingFeatures(naming), ...Object.keys(profiles.all)].filter((f) => !banded.includes(f));
  for (const features of [[...new Set(others)], [...new Set([...others, ...banded])], banded]) {
    const comparison = compareMembers(rivals, features).get(cluster)!;
    for (const words of shortened(base, comparison)) {
      const name = joinWords(words);
      if (!used.has(nameKey(name))) return { name, condition: { words }, backed: true };
    }
  }
  // Equal figures throughout. The id is the only difference there is, and the name says no more than that.
  const { segmentId } = segments.find((segment) => segment.cluster === cluster)!;
  const name = `${joinWords(base) || 'Customers'} (${segmentId})`;
  return { name, condition: { words: base }, backed: false };
}

function shortened(base: readonly ConditionWord[], comparison: readonly ConditionWord[]): ConditionWord[][] {
  if (comparison.length === 0) return [];
  return [base, base.slice(0, 1), []].map((kept) => [...kept, ...comparison]).filter(fits);
}
