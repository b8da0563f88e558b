import { solveAssignment } from '../../numeric/compare/assignment.ts';
import {
  isStillSeen,
  type Kinship,
  kinshipOfMembers,
  kinshipOfModels,
  type LineageEvidence,
  wasSeenBefore,
} from './kinship.ts';

// Which of the new clusters continues which old one. One-to-one matching alone cannot tell a split from a
// birth nor a merger from a retirement. So who continues whom is decided by what the two models make of the same
// figures, since an identity is what a segment means; what became of the others by where their people went.

/** A pair may share an identity when half of their union, or half of the old one, is common. */
const ACCEPTED_OVERLAP = 0.5;
/** A part of a split takes at least this share of the old members, and the parts together the next one. */
const SPLIT_PART = 0.3;
const SPLIT_TOGETHER = 0.7;
/** The part of a split that keeps the identity holds at least this share of the old members. */
const SPLIT_HEIR = 0.7;

export type SegmentEvent = 'born' | 'survived' | 'split' | 'merged';

export interface ClusterLineage {
  cluster: number;
  event: SegmentEvent;
  /** The previous cluster whose identity goes on in this one. */
  heirOf: number | null;
  /** Previous clusters this one came out of, the one it continues first. */
  parents: number[];
  /** Jaccard similarity with the first parent on the customers compared; null when there is none. */
  overlap: number | null;
}

export interface Lineage {
  clusters: ClusterLineage[];
  /** Previous clusters that no cluster continues, with the clusters that came out of them. */
  retired: { previous: number; into: number[] }[];
}

/**
 * Which cluster continues which. Clusters are paired one to one so that the sum of Jaccard similarities is the
 * largest; a pair counts with Jaccard >= 0.5 or when half of the old one is in the new one. First by what both models
 * make of the same figures; what is left over then by the people who are in both runs, since customers who go
 * somewhere else together take their segment with them where nothing else would continue it.
 *
 * What came of the others is told by where a cluster's people went or came from, as long as they are still seen at
 * least half as often as others are, and by the models where no people are compared:
 *
 * - split: several parts, each >= 30 % of the old members and made of them by half, together >= 70 %; the part
 *   with >= 70 % keeps the identity, wherever it has gone, without one all parts are new
 * - merged: takes in, beside its own, most members of a cluster that nothing continues
 * - a new cluster made by half of one old cluster's members counts as split off from it
 * - born: mostly newcomers, or from nowhere in particular; what is gone with its people just retires
 *
 * @throws RangeError when there is nothing to compare: neither members nor models
 */
export function traceLineage(evidence: LineageEvidence): Lineage {
  const kin = kinOf(evidence);
  const pairs = followLargestParts(kin, pairClusters(kin));
  const splits = findSplits(kin, pairs);
  for (const { previous, parts } of splits) {
    for (const cluster of parts) if (pairs[cluster] === previous) pairs[cluster] = -1;
  }
  const absorbed = findAbsorbed(kin, { pairs, split: new Set(splits.map((s) => s.previous)) });
  const clusters = Array.from(pairs, (_, cluster) => describe(cluster, kin, { pairs, splits, absorbed }));
  return { clusters, retired: findRetired(clusters, kin.models.rows) };
}

interface Kin {
  /** By what both models make of the same figures, or by the members where they cannot be asked. */
  models: Kinship;
  /** Null when too few customers are common. */
  people: Kinship | null;
  /** Whether a previous cluster's people are still there to be asked. */
  isSeen(previous: number): boolean;
  /** Whether a current cluster's people were there before. */
  wasSeen(current: number): boolean;
}

function kinOf(evidence: LineageEvidence): Kin {
  const { members, now } = evidence;
  const people = members && kinshipOfMembers(members);
  const models = now ? kinshipOfModels({ ...evidence, now }) : people;
  if (!models)
    throw new RangeError('lineage needs common customers or a model that reads both runs, found neither');
  return {
    ...{ models, people },
    isSeen: (previous) => isStillSeen(evidence, previous),
    wasSeen: (current) => wasSeenBefore(evidence, current),
  };
}

/** Previous cluster of each current one, -1 for none. */
function pairClusters({ models, people, isSeen }: Kin): Int32Array {
  const pairs = new Int32Array(models.columns).fill(-1);
  pairInto(pairs, models, () => true);
  if (people && people !== models) pairInto(pairs, people, isSeen);
  return pairs;
}

/** Pairs what has no partner yet. */
function pairInto(pairs: Int32Array, kinship: Kinship, isAsked: (previous: number) => boolean): void {
  const { rows, columns } = kinship;
  const taken = new Set(pairs);
  const weights = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    if (taken.has(i) || !isAsked(i)) continue;
    for (let j = 0; j < columns; j++) {
      if (pairs[j]! >= 0) continue;
      weights[i * columns + j] = isPair(kinship, i, j) ? kinship.jaccard(i, j) : 0;
    }
  }
  const columnOfRow = solveAssignment(weights, { rows, columns, maximise: true });
  columnOfRow.forEach((j, i) => {
    // A weight of 0 only says that both were left over.
    if (j >= 0 && weights[i * columns + j]! > 0) pairs[j] = i;
  });
}

function isPair(kinship: Kinship, previous: number, current: number): boolean {
  return [kinship.jaccard, kinship.containment].some((of) => of(previous, current) >= ACCEPTED_OVERLAP);
}

/**
 * The models pair a segment with whoever is where it was, be it the few who stayed when most left for a place of their
 * own: there the identity goes with the most. Not where others have taken the place: it means them now.
 */
function followLargestParts(kin: Kin, pairs: Int32Array): Int32Array {
  const { people, isSeen } = kin;
  if (!people) return pairs;
  const followed = Int32Array.from(pairs);
  pairs.forEach((previous, stayed) => {
    if (previous < 0 || !isSeen(previous) || splitOffFrom(kin, stayed) !== previous) return;
    const largest = pairs.findIndex(
      (pair, j) =>
        pair < 0 && people.containment(previous, j) >= SPLIT_HEIR && splitOffFrom(kin, j) === previous,
    );
    if (largest < 0) return;
    followed[largest] = previous;
    followed[stayed] = -1;
  });
  return followed;
}

interface Split {
  previous: number;
  parts: number[];
}

/** Where a previous cluster's customers are; null when they have gone. */
function whereabouts({ models, people, isSeen }: Kin, previous: number): Kinship | null {
  if (!people) return models;
  return isSeen(previous) ? people : null;
}

/** Splits without an heir; with one, the other parts are told as split off. */
function findSplits(kin: Kin, pairs: Int32Array): Split[] {
  const splits: Split[] = [];
  for (let previous = 0; previous < kin.models.rows; previous++) {
    const kinship = whereabouts(kin, previous);
    if (!kinship) continue;
    const parts: number[] = [];
    for (let j = 0; j < pairs.length; j++) {
      const isFree = pairs[j] === -1 || pairs[j] === previous;
      const isLarge = kinship.containment(previous, j) >= SPLIT_PART;
      if (isFree && isLarge && kinship.origin(previous, j) >= 0.5) parts.push(j);
    }
    const shares = parts.map((j) => kinship.containment(previous, j));
    const together = shares.reduce((sum, x) => sum + x, 0);
    if (parts.length > 1 && together >= SPLIT_TOGETHER && Math.max(...shares) < SPLIT_HEIR) {
      splits.push({ previous, parts });
    }
  }
  return splits;
}

/** Previous clusters without an heir whose members went, by half or more, to one cluster. */
function findAbsorbed(
  kin: Kin,
  { pairs, split }: { pairs: Int32Array; split: Set<number> },
): Map<number, number> {
  const absorbed = new Map<number, number>();
  for (let previous = 0; previous < kin.models.rows; previous++) {
    if (split.has(previous) || pairs.includes(previous)) continue;
    const kinship = whereabouts(kin, previous);
    if (!kinship) continue;
    let largest = ACCEPTED_OVERLAP;
    for (let j = 0; j < pairs.length; j++) {
      if (pairs[j]! < 0 || kinship.containment(previous, j) < largest) continue;
      largest = kinship.containment(previous, j);
      absorbed.set(previous, j);
    }
  }
  return absorbed;
}

function describe(
  cluster: number,
  kin: Kin,
  found: { pairs: Int32Array; splits: Split[]; absorbed: Map<number, number> },
): ClusterLineage {
  const { pairs, splits, absorbed } = found;
  const heirOf = pairs[cluster]! >= 0 ? pairs[cluster]! : null;
  const split = splits.find(({ parts }) => parts.includes(cluster))?.previous;
  const taken = [...absorbed].filter(([, into]) => into === cluster).map(([previous]) => previous);
  if (heirOf !== null) {
    const event = taken.length > 0 ? 'merged' : 'survived';
    const kinship = isPair(kin.models, heirOf, cluster) ? kin.models : (kin.people ?? kin.models);
    const overlap = kinship.jaccard(heirOf, cluster);
    return { cluster, event, heirOf, parents: [heirOf, ...taken], overlap };
  }
  const parent = split ?? splitOffFrom(kin, cluster);
  if (parent === undefined) return { cluster, event: 'born', heirOf, parents: [], overlap: null };
  const overlap = (kin.people ?? kin.models).jaccard(parent, cluster);
  return { cluster, event: 'split', heirOf, parents: [parent], overlap };
}

/** The previous cluster that a current one is made of by more than half. */
function splitOffFrom({ models, people, wasSeen }: Kin, cluster: number): number | undefined {
  // Mostly newcomers: born, wherever its few old members come from.
  if (people && !wasSeen(cluster)) return undefined;
  const kinship = people ?? models;
  for (let previous = 0; previous < kinship.rows; previous++) {
    if (kinship.origin(previous, cluster) > 0.5) return previous;
  }
  return undefined;
}

function findRetired(clusters: readonly ClusterLineage[], previousK: number): Lineage['retired'] {
  return Array.from({ length: previousK }, (_, previous) => previous)
    .filter((previous) => clusters.every(({ heirOf }) => heirOf !== previous))
    .map((previous) => ({
      previous,
      into: clusters.filter(({ parents }) => parents.includes(previous)).map(({ cluster }) => cluster),
    }));
}
