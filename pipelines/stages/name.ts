import type { NamingSettings } from '../contracts/definition.ts';
import { type BandChange, localeOf } from './locales/locale.ts';
import type { Resample } from './name-bootstrap.ts';
import { compareProfiles, nameCandidates, nameKey } from './name-candidates.ts';
import {
  bandWords,
  type Condition,
  type ConditionWord,
  findEvidence,
  holds,
  type WordEvidence,
} from './name-evidence.ts';
import { type Given, giveNames } from './name-giving.ts';
import type { Profiles, SegmentProfile } from './segment-profile.ts';

// A segment is named once, from the figures it has then. From then on the name is checked, never changed:
// where its condition fails it is shown as questionable beside a proposal, and a person decides.

export interface PreviousName {
  name: string;
  author: 'auto' | 'manual';
  /** Without words for a name that a person gave: it makes no claim about figures. */
  condition: Condition;
  /** Of the last publication. A questionable name has to satisfy its bounds again, not its guard alone. */
  status?: SegmentName['status'];
  /** False of one that was given up when its segment retired: another may have it by now. Absent: true. */
  isInForce?: boolean;
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
  /** Bands that the name rests on and that are others now. */
  bandChanges: BandChange[];
  /** Why the name is what it is, as one sentence without full stop. */
  reason: string;
}

export interface NamingInput {
  naming: NamingSettings;
  profiles: Profiles;
  /** Draws of each segment's customers, for words that have to be stable. */
  resample: Resample;
  /** One per cluster. */
  segments: readonly { cluster: number; segmentId: string }[];
  /** Names in force, by segment id. */
  previousNames: Readonly<Record<string, PreviousName>>;
}

type Identity = Pick<SegmentName, 'segmentId' | 'cluster'>;

/**
 * Names every segment: the name in force where there is one, else one made of words that its figures back.
 * No two names are the same; a new name yields to one that is kept, and one that is not in force any more to one that is.
 *
 * @returns in the order of `segments`
 */
export function nameSegments(input: NamingInput): SegmentName[] {
  const { naming, profiles, resample, segments, previousNames } = input;
  const kept = new Map<number, Checked>();
  const withIds = namesWithIds(segments, previousNames);
  for (const segment of segments) {
    if (!Object.hasOwn(previousNames, segment.segmentId)) continue;
    const previous = previousNames[segment.segmentId]!;
    const withId = withIds.get(segment.segmentId);
    const checked = checkName(segment, { previous, naming, profiles });
    kept.set(segment.cluster, { ...checked, ...(withId !== undefined && { name: withId, isGivenOn: true }) });
  }
  const context = {
    naming,
    profiles,
    resample,
    candidates: nameCandidates(profiles, { naming, resample }),
    segmentIds: new Map(segments.map(({ cluster, segmentId }) => [cluster, segmentId])),
    inForce: new Map([...kept].map(([cluster, { condition }]) => [cluster, condition])),
  };
  const order = inOrder(segments, profiles);
  const taken = new Set([...kept.values()].map(({ name }) => nameKey(name)));
  const fresh = giveNames(
    order.filter((cluster) => !kept.has(cluster)),
    taken,
    context,
  );
  const proposals = giveNames(
    order.filter((cluster) => kept.get(cluster)?.isDoubtful),
    new Set([...taken, ...[...fresh.values()].map(({ name }) => nameKey(name))]),
    context,
  );
  const tell = (condition: Condition, cluster: number) =>
    findEvidence(condition, profiles.segments[cluster]!, resample);
  return segments.map(({ cluster, segmentId }) => {
    const checked = kept.get(cluster);
    const present = checked
      ? keep(checked, proposals.get(cluster), naming)
      : named(fresh.get(cluster)!, naming);
    const { proposal } = present;
    return {
      segmentId,
      cluster,
      ...present,
      evidence: tell(present.condition, cluster),
      proposal: proposal && { ...proposal, evidence: tell(proposal.condition, cluster) },
    };
  });
}

/** Clusters in an order that their numbers have no part in. */
function inOrder(segments: readonly Identity[], profiles: Profiles): number[] {
  return [...segments]
    .sort(
      (left, right) =>
        compareProfiles(profiles.segments[left.cluster]!, profiles.segments[right.cluster]!) ||
        (left.segmentId < right.segmentId ? -1 : 1),
    )
    .map(({ cluster }) => cluster);
}

/**
 * Names of segments that are told apart by their ids: theirs was free when they retired and is another segment's by
 * now, and an older run has both.
 */
function namesWithIds(
  segments: readonly Identity[],
  previousNames: Readonly<Record<string, PreviousName>>,
): Map<string, string> {
  const taken = new Set<string>();
  const given = new Map<string, string>();
  const named = segments
    .filter(({ segmentId }) => Object.hasOwn(previousNames, segmentId))
    .map(({ segmentId }) => ({ segmentId, isInForce: true, ...previousNames[segmentId]! }))
    .sort(
      (left, right) =>
        Number(right.isInForce) - Number(left.isInForce) || (left.segmentId < right.segmentId ? -1 : 1),
    );
  for (const { segmentId, name } of named) {
    let own = name;
    while (taken.has(nameKey(own))) own = `${own} (${segmentId})`;
    taken.add(nameKey(own));
    if (own !== name) given.set(segmentId, own);
  }
  return given;
}

interface Checked {
  previous: PreviousName;
  /** As it is now. */
  name: string;
  /** Another segment has it, and this one its id behind it. */
  isGivenOn: boolean;
  /** What the name rests on from now on. */
  condition: Condition;
  broken: ConditionWord[];
  bandChanges: BandChange[];
  /** The name holds an id, since nothing told its segment apart. */
  hasId: boolean;
  isDoubtful: boolean;
}

/** A name in force against this run's figures, its band words as the definition has them now. */
function checkName(
  { segmentId, cluster }: Identity,
  { previous, naming, profiles }: { previous: PreviousName; naming: NamingSettings; profiles: Profiles },
): Checked {
  const profile = profiles.segments[cluster]!;
  const strictness = previous.status === 'questionable' ? 'bounds' : 'guard';
  const checks = previous.condition.words.map((word) => {
    const { present, change } = presentWord(word, { naming, profile });
    return { word, present, change, isBroken: !present || !holds(present, profile, strictness) };
  });
  const broken = checks.filter(({ isBroken }) => isBroken).map(({ word }) => word);
  const bandChanges = checks.flatMap(({ change }) => change ?? []);
  const isRenewed = broken.length === 0 && bandChanges.length > 0;
  const hasId = previous.author === 'auto' && previous.name.endsWith(`(${segmentId})`);
  return {
    ...{ previous, name: previous.name, isGivenOn: false },
    condition: isRenewed
      ? { words: checks.map(({ word, present, change }) => (change ? present! : word)) }
      : previous.condition,
    broken,
    bandChanges,
    hasId,
    isDoubtful: broken.length > 0 || hasId,
  };
}

/** A word of a condition with the bounds it has by the definition now; null for a band that is no more. */
function presentWord(
  word: ConditionWord,
  { naming, profile }: { naming: NamingSettings; profile: SegmentProfile },
): { present: ConditionWord | null; change: BandChange | null } {
  const { role } = word;
  if (role !== 'stage' && role !== 'value') return { present: word, change: null };
  const same = bandWords(naming[role], role).filter((band) => nameKey(band.word) === nameKey(word.word));
  const present = same.find((band) => holds(band, profile, 'guard')) ?? same[0] ?? null;
  const [given, now] = [word.version ?? 1, naming[role].version ?? 1];
  const isSame = present !== null && given === now && sameBounds(word, present);
  return { present, change: isSame ? null : { role, given, present: now } };
}

function sameBounds(left: ConditionWord, right: ConditionWord): boolean {
  const textOf = ({ bounds }: ConditionWord) =>
    bounds
      .map(({ feature, statistic, atLeast, below }) => [feature, statistic, atLeast, below].join())
      .join();
  return textOf(left) === textOf(right);
}

type Present = Pick<SegmentName, 'name' | 'author' | 'status' | 'condition' | 'bandChanges' | 'reason'> & {
  proposal: Pick<Given, 'name' | 'condition'> | null;
};

function named({ name, condition, backed }: Given, naming: NamingSettings): Present {
  const { reasons } = localeOf(naming.locale);
  return {
    name,
    author: 'auto',
    status: backed ? 'holds' : 'questionable',
    condition,
    bandChanges: [],
    reason: backed ? reasons.named : reasons.unbacked,
    proposal: null,
  };
}

function keep(checked: Checked, proposal: Given | undefined, naming: NamingSettings): Present {
  const { name, previous, condition, bandChanges, hasId, isDoubtful } = checked;
  return {
    name,
    author: previous.author,
    status: isDoubtful ? 'questionable' : 'holds',
    condition,
    bandChanges,
    reason: reasonToKeep(checked, naming),
    // Another name that is no more than an id helps nobody.
    proposal:
      proposal && (proposal.backed || !hasId) ? { name: proposal.name, condition: proposal.condition } : null,
  };
}

function reasonToKeep({ broken, bandChanges, hasId, isGivenOn }: Checked, naming: NamingSettings): string {
  const { reasons } = localeOf(naming.locale);
  if (isGivenOn) return reasons.givenOn;
  if (broken.length > 0)
    return reasons.doubtful(
      broken.map(({ word }) => word),
      bandChanges,
    );
  if (hasId) return reasons.unbacked;
  return bandChanges.length > 0 ? reasons.renewed(bandChanges) : reasons.kept;
}
