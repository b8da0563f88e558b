import { solveAssignment } from '../../numeric/compare/assignment.ts';
import type { Contingency } from '../../numeric/compare/contingency.ts';

// Which of the new clusters continues which old one. One-to-one matching alone cannot tell a split from a
// birth nor a merger from a retirement, so the transitions of MONIC (Spiliopoulou et al. 2006) are read
// from the same table beside it.

/** A pair may share an identity when half of their union, or half of the old members, are common. */
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
 * Which cluster continues which, by the customers that have a label in both segmentations: those common to two
 * runs, or all of this run where the last model labelled them. Clusters are paired one to one so that the sum
 * of Jaccard similarities is the largest; a pair counts with Jaccard >= 0.5 or when half of the old members are
 * in the new cluster.
 *
 * - split: several parts, each >= 30 % of the old members and made of them by half, together >= 70 %; the
 *   part with >= 70 % keeps the identity, without one all parts are new
 * - merged: takes in, beside its own, most members of a cluster that nothing continues
 * - a new cluster made by half of one old cluster's members counts as split off from it
 *
 * @param overlaps rows: previous clusters, columns: current ones
 * @param sizes customers of each current cluster, also those not compared, shape (k,)
 */
export function traceLineage(overlaps: Contingency, sizes: ArrayLike<number>): Lineage {
  const pairs = pairByOverlap(overlaps);
  const splits = findSplits(overlaps, pairs);
  for (const { previous, parts } of splits) {
    for (const cluster of parts) if (pairs[cluster] === previous) pairs[cluster] = -1;
  }
  const absorbed = findAbsorbed(overlaps, { pairs, split: new Set(splits.map((s) => s.previous)) });
  const clusters = Array.from({ length: overlaps.columns }, (_, cluster) =>
    describe(cluster, { overlaps, pairs, splits, absorbed, size: sizes[cluster]! }),
  );
  return { clusters, retired: findRetired(clusters, overlaps.rows) };
}

interface Split {
  previous: number;
  parts: number[];
}

function jaccard({ counts, rowTotals, columnTotals, columns }: Contingency, i: number, j: number): number {
  const common = counts[i * columns + j]!;
  const union = rowTotals[i]! + columnTotals[j]! - common;
  return union === 0 ? 0 : common / union;
}

/** Share of the old cluster's members that are in the new one. */
function containment({ counts, rowTotals, columns }: Contingency, i: number, j: number): number {
  return rowTotals[i] === 0 ? 0 : counts[i * columns + j]! / rowTotals[i]!;
}

/** Share of the new cluster's compared members that come from the old one. */
function origin({ counts, columnTotals, columns }: Contingency, i: number, j: number): number {
  return columnTotals[j] === 0 ? 0 : counts[i * columns + j]! / columnTotals[j]!;
}

/** Previous cluster of each current one, -1 for none. */
function pairByOverlap(overlaps: Contingency): Int32Array {
  const { rows: previousK, columns: k } = overlaps;
  const weights = new Float64Array(previousK * k);
  for (let i = 0; i < previousK; i++) {
    for (let j = 0; j < k; j++) {
      const weight = jaccard(overlaps, i, j);
      const accepted = weight >= ACCEPTED_OVERLAP || containment(overlaps, i, j) >= ACCEPTED_OVERLAP;
      weights[i * k + j] = accepted ? weight : 0;
    }
  }
  const pairs = new Int32Array(k).fill(-1);
  const columnOfRow = solveAssignment(weights, { rows: previousK, columns: k, maximise: true });
  for (let i = 0; i < previousK; i++) {
    const j = columnOfRow[i]!;
    // A weight of 0 only says that both were left over.
    if (j >= 0 && weights[i * k + j]! > 0) pairs[j] = i;
  }
  return pairs;
}

/** Splits without an heir; with one, the other parts are told as split off. */
function findSplits(overlaps: Contingency, pairs: Int32Array): Split[] {
  const splits: Split[] = [];
  for (let previous = 0; previous < overlaps.rows; previous++) {
    const parts: number[] = [];
    for (let j = 0; j < overlaps.columns; j++) {
      const free = pairs[j] === -1 || pairs[j] === previous;
      const large = containment(overlaps, previous, j) >= SPLIT_PART;
      if (free && large && origin(overlaps, previous, j) >= 0.5) parts.push(j);
    }
    const shares = parts.map((j) => containment(overlaps, previous, j));
    const together = shares.reduce((sum, x) => sum + x, 0);
    if (parts.length > 1 && together >= SPLIT_TOGETHER && Math.max(...shares) < SPLIT_HEIR) {
      splits.push({ previous, parts });
    }
  }
  return splits;
}

/** Previous clusters without an heir whose members went, by half or more, to one cluster. */
function findAbsorbed(
  overlaps: Contingency,
  { pairs, split }: { pairs: Int32Array; split: Set<number> },
): Map<number, number> {
  const absorbed = new Map<number, number>();
  for (let previous = 0; previous < overlaps.rows; previous++) {
    if (split.has(previous) || pairs.includes(previous)) continue;
    for (let j = 0; j < overlaps.columns; j++) {
      if (pairs[j]! >= 0 && containment(overlaps, previous, j) >= ACCEPTED_OVERLAP) absorbed.set(previous, j);
    }
  }
  return absorbed;
}

function describe(
  cluster: number,
  found: {
    overlaps: Contingency;
    pairs: Int32Array;
    splits: Split[];
    absorbed: Map<number, number>;
    size: number;
  },
): ClusterLineage {
  const { overlaps, pairs, splits, absorbed, size } = found;
  const heirOf = pairs[cluster]! >= 0 ? pairs[cluster]! : null;
  const split = splits.find(({ parts }) => parts.includes(cluster))?.previous;
  const taken = [...absorbed].filter(([, into]) => into === cluster).map(([previous]) => previous);
  if (heirOf !== null) {
    const event = taken.length > 0 ? 'merged' : 'survived';
    return {
      cluster,
      event,
      heirOf,
      parents: [heirOf, ...taken],
      overlap: jaccard(overlaps, heirOf, cluster),
    };
  }
  const parent = split ?? splitOffFrom(overlaps, cluster, size);
  if (parent === undefined) return { cluster, event: 'born', heirOf, parents: [], overlap: null };
  return { cluster, event: 'split', heirOf, parents: [parent], overlap: jaccard(overlaps, parent, cluster) };
}

function splitOffFrom(overlaps: Contingency, cluster: number, size: number): number | undefined {
  // Mostly newcomers: born, wherever its few old members come from.
  if (overlaps.columnTotals[cluster]! < size / 2) return undefined;
  for (let previous = 0; previous < overlaps.rows; previous++) {
    if (origin(overlaps, previous, cluster) > 0.5) return previous;
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
