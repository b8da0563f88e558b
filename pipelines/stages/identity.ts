import type { Match } from '../contracts/stages.ts';
import { traceByCenters } from './centers-apart.ts';
import type { LineageEvidence } from './kinship.ts';
import { type Lineage, type SegmentEvent, traceLineage } from './lineage.ts';
import { type CustomerJoin, countAgreements, countOverlaps } from './match.ts';
import { type ClusterForms, type Transitions, traceSegments } from './transitions.ts';

// An identity belongs to what a segment means, not to the people who happened to be in it. Newcomers grow into
// regulars from one run to the next; matched by members alone, the name of the newcomers would follow them.
// So where the models can read each other's figures, clusters are matched by what both make of the same
// customers, today's and those of the last publication. Members decide what that leaves open, and all where
// the models cannot; centres the rest.

/** Below this share of common customers, members cannot tell which segment is which. */
const COMMON_NEEDED = 0.3;

/** What a publication leaves for the next run to be matched with. */
export interface PreviousSegments {
  /** Identity of each of its clusters, in the order of its labels. */
  segmentIds: string[];
  /** Every id the pipeline ever published, so that none is given twice. */
  usedIds: string[];
  /** Label of each of its customers, shape (previous rows,). */
  labels: Uint8Array;
}

export interface IdentityInput {
  pipeline: string;
  /** Digest of the new model: what new ids are made of. */
  modelDigest: string;
  /** Label of each customer, shape (rows,), below k. */
  labels: Uint8Array;
  sizes: readonly number[];
  previous: (PreviousSegments & { join: CustomerJoin }) | null;
  /**
   * The last model's label of each customer of this run, shape (rows,), below the number of previous segments or
   * BEYOND_REACH; null when there is none or it cannot read their features.
   */
  relabelled: Uint8Array | null;
  /** The new model's label of each customer of the last publication, shape (previous rows,), likewise. */
  previousRelabelled?: Uint8Array | null;
  /** Centres of both models, each in its own deviations from its mean; null when they are not of like features. */
  centers?: { previous: readonly (readonly number[])[]; current: readonly (readonly number[])[] } | null;
  /** Where the segments were and are by the last model's scale, for what is told of them. */
  forms?: { before: ClusterForms; after: ClusterForms } | null;
  /** Hexadecimal digest of a text, at least 15 digits. */
  digest: (text: string) => string;
}

export interface IdentifiedSegment {
  cluster: number;
  segmentId: string;
  event: SegmentEvent;
  parents: string[];
  /** Jaccard similarity with the first parent on the customers compared; null when there is none. */
  overlap: number | null;
}

/** The identities of a run; holds nothing that differs between two runs over the same inputs. */
export interface Identities {
  /** How the clusters were matched; `none` when nothing could be compared or there was nothing. */
  method: 'model' | 'members' | 'centers' | 'none';
  commonCustomers: number;
  segments: IdentifiedSegment[];
  retired: { segmentId: string; into: string[] }[];
  usedIds: string[];
  /** What became of the last publication's segments, for reports; null without one, absent in runs of before. */
  transitions?: Transitions | null;
}

/**
 * Gives each cluster a lasting identity: that of the segment it continues, or a new one.
 *
 * By what both models make of the same customers, then by common customers; with fewer than 30 % common (of the
 * smaller run) and no model that reads both, by the distance between centres; without that all are new. New ids come
 * from the pipeline, the model's digest and the cluster, so that a repeated run gives the same.
 *
 * @throws RangeError when `digest` gives one digest for every text
 */
export function matchIdentities(input: IdentityInput): Identities {
  const { previous } = input;
  const { method, lineage, evidence } = trace(input);
  const usedIds = new Set(previous?.usedIds ?? []);
  for (const id of previous?.segmentIds ?? []) usedIds.add(id);
  const idOfPrevious = (cluster: number) => previous!.segmentIds[cluster]!;
  const segments = lineage.clusters.map((cluster): IdentifiedSegment => {
    const segmentId =
      cluster.heirOf === null ? newSegmentId(input, cluster.cluster, usedIds) : idOfPrevious(cluster.heirOf);
    usedIds.add(segmentId);
    return {
      cluster: cluster.cluster,
      segmentId,
      event: cluster.event,
      parents: cluster.parents.map(idOfPrevious),
      overlap: cluster.overlap,
    };
  });
  return {
    method,
    commonCustomers: previous?.join.common ?? 0,
    segments,
    retired: lineage.retired.map(({ previous: cluster, into }) => ({
      segmentId: idOfPrevious(cluster),
      into: into.map((part) => segments[part]!.segmentId),
    })),
    usedIds: [...usedIds].sort(),
    transitions: evidence && tellTransitions(input, evidence, segments),
  };
}

function tellTransitions(
  { previous, forms }: IdentityInput,
  evidence: LineageEvidence,
  segments: readonly IdentifiedSegment[],
): Transitions | null {
  const current = segments.map(({ segmentId }) => segmentId);
  return traceSegments(evidence, { previous: previous!.segmentIds, current }, forms ?? null);
}

/** What the run's history holds of its identities. */
export function matchSummary({ segments, retired }: Identities): Pick<Match, 'segments' | 'retired'> {
  return {
    segments: segments.map(({ cluster, segmentId, event, overlap }) => ({
      cluster,
      segmentId,
      event,
      overlap,
    })),
    retired: retired.map(({ segmentId }) => segmentId),
  };
}

function trace(input: IdentityInput): {
  method: Identities['method'];
  lineage: Lineage;
  evidence: LineageEvidence | null;
} {
  const { previous, sizes, centers } = input;
  if (!previous) return { method: 'none', lineage: withoutHeirs(sizes.length, 0), evidence: null };
  const evidence = gatherEvidence({ ...input, previous });
  if (evidence.now || evidence.members)
    return { method: evidence.now ? 'model' : 'members', lineage: traceLineage(evidence), evidence };
  if (centers)
    return { method: 'centers', lineage: traceByCenters(centers.previous, centers.current), evidence: null };
  return { method: 'none', lineage: withoutHeirs(sizes.length, previous.segmentIds.length), evidence: null };
}

function gatherEvidence(
  input: IdentityInput & { previous: NonNullable<IdentityInput['previous']> },
): LineageEvidence {
  const { previous, labels, sizes, relabelled, previousRelabelled } = input;
  const { join, labels: previousLabels } = previous;
  const k = sizes.length;
  const previousK = previous.segmentIds.length;
  const previousSizes = new Float64Array(previousK);
  for (let row = 0; row < previousLabels.length; row++) previousSizes[previousLabels[row]!]!++;
  const agreements = (before: Uint8Array, after: Uint8Array) =>
    countAgreements({ previousLabels: before, previousK, labels: after, k });
  return {
    previousSizes,
    sizes,
    members: hasEnoughInCommon(join, previousLabels.length)
      ? countOverlaps({ join, previousLabels, previousK, labels, k })
      : null,
    now: relabelled && agreements(relabelled, labels),
    // Without the last model on today's figures there is nothing to weigh it against.
    past: relabelled && previousRelabelled ? agreements(previousLabels, previousRelabelled) : null,
  };
}

function hasEnoughInCommon(join: CustomerJoin, previousRows: number): boolean {
  const smaller = Math.min(previousRows, join.previousRow.length);
  return smaller > 0 && join.common / smaller >= COMMON_NEEDED;
}

/** All born, all retired: what there is to say without a comparison. */
function withoutHeirs(k: number, previousK: number): Lineage {
  const clusters = Array.from({ length: k }, (_, cluster) => ({
    cluster,
    event: 'born' as const,
    heirOf: null,
    parents: [],
    overlap: null,
  }));
  const retired = Array.from({ length: previousK }, (_, previous) => ({ previous, into: [] }));
  return { clusters, retired };
}

/** `seg_` and 12 characters of base 32: 60 bits of a digest. */
function newSegmentId(
  { pipeline, modelDigest, digest }: Pick<IdentityInput, 'pipeline' | 'modelDigest' | 'digest'>,
  cluster: number,
  usedIds: ReadonlySet<string>,
): string {
  // The same model can come back after its segments were retired; an identity does not.
  for (let generation = 0; generation <= usedIds.size; generation++) {
    const hexadecimal = digest(`${pipeline}\n${modelDigest}\n${cluster}\n${generation}`).slice(0, 15);
    const id = `seg_${BigInt(`0x${hexadecimal}`).toString(32).padStart(12, '0')}`;
    if (!usedIds.has(id)) return id;
  }
  throw new RangeError(
    `a new segment id needs a digest that differs with its text, found all of ${usedIds.size} used`,
  );
}
