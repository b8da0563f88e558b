import type { ArtifactRef } from './artifacts.ts';

/** In order; a run's log has one row for each. */
export const STAGES = [
  'extract',
  'validate',
  'profile',
  'features',
  'cluster',
  'match',
  'name',
  'persist',
  'stability',
  'publish',
  'notify',
] as const;

/** Those of a run that assigns: nothing is fitted, and its extract is not described once more. */
export const ASSIGN_STAGES = [
  'extract',
  'validate',
  'features',
  'assign',
  'match',
  'name',
  'persist',
  'stability',
  'publish',
  'notify',
] as const;

export type Stage = (typeof STAGES | typeof ASSIGN_STAGES)[number];

/** `refit` fits a new model, `assign` uses the published one. */
export type RunKind = 'refit' | 'assign';

/** How a run ends. `held` waits for a person; the last three change nothing that readers see. */
export const OUTCOMES = ['published', 'held', 'rejected', 'failed', 'cancelled'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * What the audit says of a run: nothing to compare with yet, as before, the customers changed,
 * the segmentation itself changed, or the data was refused.
 */
const VERDICTS = ['first', 'stable', 'drifted', 'unstable', 'refused'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What a person may send to start a run: one JSON object, every field optional. */
export interface StartInput {
  /** Name of a folder in `pipelines/definitions`; default `shop`. */
  pipeline?: string;
  /** ISO date (`2026-06-30`): rows ordered before this midnight count. Default: the day after the newest row. */
  asOf?: string;
  /** A file to read in place of the definition's source, as the worker sees it. */
  extract?: string;
  /** In place of the definition's seed. */
  seed?: number;
  /** In place of the definition's review policy. */
  review?: ReviewPolicy;
  /** So many segments, 2 to 64, as a person decided: in place of the choice over the definition's range. */
  k?: number;
  /** In place of what the definition says of a run as of an earlier date than what is published. */
  beforePublished?: BeforePublished;
  /** IANA zone whose date a scheduled time means, as its schedule says it. Default: that of the definition's source. */
  timezone?: string;
}

export type ReviewPolicy = 'never' | 'when-unstable' | 'always';

/**
 * What becomes of a run as of an earlier date than what readers see. `hold`: a person decides, unless the review
 * policy is never; `refuse`: it is rejected before the work begins; `aside`: it becomes part of the history, compared
 * with the publication before its own date, and readers go on seeing the later one.
 */
export const BEFORE_PUBLISHED = ['hold', 'refuse', 'aside'] as const;
export type BeforePublished = (typeof BEFORE_PUBLISHED)[number];

/** What every activity of a run is told. The definition is frozen as an artifact, so history holds its digest. */
export interface Run {
  runId: string;
  kind: RunKind;
  pipeline: string;
  /** ISO date; null until the extract has told it. */
  asOf: string | null;
  seed: number;
  definition: ArtifactRef;
  /** A file in place of the definition's source. */
  extract: string | null;
  review: ReviewPolicy;
  /** The number of segments that a person decided on; null where it is chosen, absent in runs of older code. */
  k?: number | null;
  /** Refused rows of earlier runs that a person released, as one artifact; null for none, absent in runs of older code. */
  releases?: ArtifactRef | null;
  /** The model that an assign run applies as it is; absent in one that fits its own. */
  champion?: Champion;
  /** Absent in runs of older code, which were held. */
  beforePublished?: BeforePublished;
  workflow: { id: string; runId: string };
}

/** The published model, and the run that fitted it. */
export interface Champion {
  runId: string;
  asOf: string;
  model: ArtifactRef;
  /** Of the customers it was fitted on. */
  labels: ArtifactRef;
}

export interface RunCounts {
  rowsRead: number;
  rowsAccepted: number;
  rowsQuarantined: number;
  /** Refused rows by the first rule each one broke, in the contract's order. */
  quarantinedBy: { rule: string; rows: number }[];
  customers: number;
  /** Of the rows read, those that a release lets in; absent without releases. */
  rowsReleased?: number;
  /** Of the tables beside the transactions; absent where there are none. */
  tables?: TableCounts[];
}

export interface TableCounts {
  table: 'customers';
  rowsRead: number;
  rowsAccepted: number;
  rowsQuarantined: number;
  quarantinedBy: { rule: string; rows: number }[];
}

export interface SegmentSummary {
  segmentId: string;
  name: string;
  description: string;
  customers: number;
  /** Share of the run's customers, in [0, 1]. */
  share: number;
  /** Share of the run's spend, in [0, 1]; null where the pipeline has no spend feature. */
  spendShare: number | null;
  /** What sets the segment apart, strongest first: `orders 10 (all: 2)`. */
  typical: string[];
  /** Whether the name's own condition still holds in this run. */
  nameStatus: 'holds' | 'questionable';
  event: 'born' | 'survived' | 'split' | 'merged';
}

export interface StageReport {
  stage: Stage;
  ms: number;
  /** What the stage is known by. */
  artifact?: ArtifactRef;
  /** SHA-256 of everything it left behind, by what it is. */
  digests: Record<string, string>;
}

/** The run summary: the workflow's result, what `--json` writes, what the API answers. */
export interface RunSummary {
  runId: string;
  kind: RunKind;
  pipeline: string;
  asOf: string | null;
  outcome: Outcome;
  verdict: Verdict | null;
  /** Why the outcome is what it is, in sentences; empty when there is nothing to add. */
  reasons: string[];
  /** What was noticed on the way and stopped nothing, in sentences; absent where there was nothing. */
  warnings?: string[];
  counts: RunCounts;
  k: number | null;
  segments: SegmentSummary[];
  quality: Quality | null;
  /** Of an assign run: whose model it applied. */
  champion?: Pick<Champion, 'runId' | 'asOf'>;
  /** Of a published assign run: whether the model should be fitted anew. */
  refit?: RefitAdvice;
  stages: StageReport[];
  manifest: { uri: string; sha256: string } | null;
  workflow: { id: string; runId: string };
}

/** What the refit policy says after an assign run. */
export interface RefitAdvice {
  due: boolean;
  /** Why it is due, or what was looked at; and why none was started where it might have been. */
  reasons: string[];
  /** Workflow id of the refit that was started; null for none. */
  started: string | null;
}

/**
 * Figures about a segmentation, each with the rows it was computed on. Those of an assign run are the champion's, of
 * when it was fitted, but for `assigned` and the comparison with the last publication.
 */
export interface Quality {
  silhouette: number;
  calinskiHarabasz: number;
  daviesBouldin: number;
  /** Smallest clusterwise bootstrap Jaccard (Hennig 2007). */
  minJaccard: number;
  bootstraps: number;
  smallestShare: number;
  /**
   * natural: neighbouring segments have a valley between them that data without groups do not have; reproducible: found
   * again on resamples; constructed: neither, the borders are a decision.
   */
  verdict: 'natural' | 'reproducible' | 'constructed';
  /** A person who fixed k decides it whatever the evidence says. */
  decidedBy: 'evidence' | 'person';
  /** Every k that is found again on resamples, and those of them whose segments are natural. */
  stableK: number[];
  naturalK: number[];
  /** Density at the emptiest place between the two least separated neighbours, over the lower peak: 1 = no valley. */
  valley: number;
  /** Data sets without groups that this was compared with. */
  nullDraws: number;
  /**
   * How far the segments tell apart what customers spent in the days after the as-of date: share of the variance of
   * its ranks beyond chance (epsilon squared). Null where the source does not go on.
   */
  laterSpend: { days: number; separation: number } | null;
  /** Adjusted Rand index of the published segments with the scored ones, on the scored customers. */
  agreement: number;
  scoredOn: { rows: number; of: number };
  /** Of a fit on a weighted sample (`clustering.coresetRows`); absent: the fit is on all customers. */
  coreset?: CoresetQuality;
  /** Against the last publication, on common customers; null for the first. */
  adjustedRand: number | null;
  movedShare: number | null;
  /** What an assign run measured itself. */
  assigned?: AssignedQuality;
}

/**
 * How well the sample that the centres were fitted on stood for all customers, measured on all of them. Both say
 * whether the sample was large enough; neither is the distance to the best centres there are.
 */
export interface CoresetQuality {
  /** Different customers in the sample: it is drawn with replacement, who comes twice weighs twice. */
  rows: number;
  of: number;
  /** What the weighted sample's inertia is more than that of all customers at the same centres, as a share; mostly below 0. */
  inertiaError: number;
  /**
   * Share by which the inertia of all customers would fall if each centre moved to the mean of its customers: the
   * least that one more step of k-means on all would gain.
   */
  stepGain: number;
}

/** How well a model that was fitted before still fits: of all customers of the run. */
export interface AssignedQuality {
  customers: number;
  /** By distances to centres: never to be compared with `silhouette`. */
  simplifiedSilhouette: number;
  /** Root mean square distance to the own centre, on the model's scale. */
  distance: number;
  /** Both on the customers the model was fitted on; null where they are not kept any more. */
  whenFitted: { customers: number; simplifiedSilhouette: number; distance: number } | null;
  /** Share of customers unlike any segment; null where the model did not learn how far its segments reach. */
  novelShare: number | null;
  /** Share too near to a border for `assignment` to say a segment; they are in the nearest one all the same. */
  abstainedShare: number;
}
