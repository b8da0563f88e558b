import { z } from 'zod';
import type { ArtifactRef } from './artifacts.ts';
import { extractLocation } from './input.ts';
import { inputFaults } from './input-faults.ts';
import type { Run, RunCounts } from './run.ts';
import type { Extract, Features, Timed, Validation } from './stages.ts';

// The bake-off: every candidate algorithm on the same customers. It publishes nothing, and no record of runs knows it.

/** What a person may send to start a comparison: one JSON object, every field optional. */
export interface CompareInput {
  /** Name of a folder in `pipelines/definitions`; default `shop`. */
  pipeline?: string;
  /** ISO date, as of a run. */
  asOf?: string;
  /** A file to read in place of the definition's source, as the worker sees it. */
  extract?: string;
  /** In place of the definition's seed. */
  seed?: number;
  /** Numbers of segments to try, in place of the definition's range. */
  ks?: { min: number; max: number };
  /** Names of the algorithms to try; default all. The rule grid and the random groups are always measured. */
  candidates?: string[];
  /** Resamples that stability is measured on, each with a fit of its own. @default 20 */
  bootstraps?: number;
  /** Data sets without groups that every score is held against; below 19 nothing can be called natural. @default 20 */
  nullDraws?: number;
  /** Customers that are scored, the same for all candidates. @default 5000 */
  sampleRows?: number;
  /** Customers of each resample and of each data set without groups. @default 2000 */
  trialRows?: number;
  /** Seconds each candidate may take for everything. @default 300 */
  budgetSeconds?: number;
}

const compareInput = z.strictObject({
  pipeline: z.string().min(1).max(40).optional(),
  asOf: z.iso.date().optional(),
  extract: extractLocation.optional(),
  seed: z.int().min(0).max(0xffff_ffff).optional(),
  ks: z
    .strictObject({ min: z.int().min(2).max(32), max: z.int().min(2).max(32) })
    .refine((ks) => ks.min <= ks.max, { error: 'needs min <= max' })
    .optional(),
  candidates: z.array(z.string().min(1).max(40)).max(40).optional(),
  bootstraps: z.int().min(2).max(200).default(20),
  nullDraws: z.int().min(2).max(100).default(20),
  sampleRows: z.int().min(100).max(50_000).default(5_000),
  trialRows: z.int().min(100).max(20_000).default(2_000),
  budgetSeconds: z.number().min(1).max(7_000).default(300),
});

export type CheckedCompareInput = z.infer<typeof compareInput>;

/** @throws PipelineError INPUT_INVALID naming each field, what was expected, and the fields there are */
export function parseCompareInput(input: unknown): CheckedCompareInput {
  const result = compareInput.safeParse(input ?? {});
  if (result.success) return result.data;
  const { error } = result;
  throw inputFaults('comparison input', { sent: input, error, fields: Object.keys(compareInput.shape) });
}

/** What every candidate of one comparison is measured by. */
export interface ComparePlan {
  ks: { min: number; max: number };
  /** In the order of the leaderboard before there are scores. */
  candidates: string[];
  bootstraps: number;
  nullDraws: number;
  sampleRows: number;
  trialRows: number;
  budgetSeconds: number;
  /** Smallest share of the customers that a segment may have. */
  smallestShare: number;
}

/** Scores of one segmentation; noise is left out of all of them. */
export const CRITERIA = ['silhouette', 'calinskiHarabasz', 'daviesBouldin'] as const;
export type Criterion = (typeof CRITERIA)[number];
export type Scores = Record<Criterion, number>;

/** One segmentation by one candidate, measured. */
export interface FitRecord {
  /** Clusters asked for; null where the candidate finds the number itself. */
  askedK: number | null;
  k: number;
  /** Of all customers, largest first. */
  sizes: number[];
  /** Names of the clusters, where they are rules. */
  names: string[] | null;
  smallestShare: number;
  /** Share of all customers that are in no cluster. */
  noiseShare: number;
  parameters: Record<string, number | string | boolean | null>;
  /** The algorithm's own: inertia, bic, icl … */
  criteria: Record<string, number>;
  fittedOn: { rows: number; of: number };
  /** Of the fit on all customers alone. */
  fitMs: number;
  /** Null with fewer than two clusters on the scored customers. */
  scores: Scores | null;
  /** The same candidate on data without groups; null where it found fewer than two clusters there, too. */
  nullScores: Record<Criterion, { mean: number; deviation: number }> | null;
  /** Null draws in which it found two clusters or more. */
  nullDraws: number;
  /** Clusterwise bootstrap Jaccard (Hennig 2007), in the order of the sizes. */
  jaccards: number[];
  /** Their standard errors, from the spread over the resamples. */
  jaccardErrors: number[];
  minJaccard: number;
  /**
   * How far the density falls between the two least separated neighbours, as a share of the lower peak: 1 = no valley
   * at all; null where there are no scores. Noise counts with the nearest cluster.
   */
  valley: number | null;
  /** The same on each data set without groups; 1 where no two clusters were found there. */
  nullValleys: number[];
  /** Share of the scored customers that the kept model puts into the same segment again; noise counts against it. */
  assignedAgain: number;
  /** Share of all customers whose cluster is that of the nearest mean: what a simple rule reproduces. */
  fidelity: number;
  /** Highest growth of the process's resident memory while this segmentation was measured. */
  peakMegabytes: number;
}

export interface CandidateRecord {
  candidate: string;
  title: string;
  fits: FitRecord[];
  /** Numbers of segments without a result, and why. */
  failures: { askedK: number | null; reason: string }[];
  /** Why not all was measured; null when all was. */
  reason: string | null;
  rows: { all: number; scored: number; trial: number };
  bootstraps: number;
}

/** What the workflow learns of a candidate. */
export interface CandidateOutcome extends Timed {
  candidate: string;
  /** `partly`: time ran out after some numbers of segments. */
  status: 'measured' | 'partly' | 'failed';
  reason: string | null;
  /** Its best segmentation's; null when there is none. */
  k: number | null;
  record: ArtifactRef | null;
  /** Labels of all customers under its best segmentation; null when there is none. */
  labels: ArtifactRef | null;
}

export interface OpenedComparison {
  run: Run;
  plan: ComparePlan;
}

export type GateName = 'stability' | 'size' | 'assignable' | 'fidelity' | 'budget';

export interface GateResult {
  gate: GateName;
  passed: boolean;
  needed: number;
  found: number;
}

/** A line of the leaderboard: a candidate at its best number of segments. */
export interface LeaderboardRow {
  candidate: string;
  title: string;
  status: CandidateOutcome['status'];
  reason: string | null;
  /** Null for the yardsticks: they are not up for choice. */
  rank: number | null;
  k: number | null;
  /** Mean over the criteria of the standard deviations above data without groups, each at most 10. */
  score: number | null;
  silhouette: number | null;
  nullSilhouette: number | null;
  silhouetteZ: number | null;
  minJaccard: number | null;
  valley: number | null;
  isNatural: boolean;
  smallestShare: number | null;
  noiseShare: number | null;
  fitMs: number | null;
  peakMegabytes: number | null;
  gates: GateResult[];
}

export interface Recommendation {
  /**
   * natural: passes all gates, and between any two neighbours is a valley that data without groups do not have;
   * reproducible: passes all gates; none: nothing does, the rule grid is offered.
   */
  verdict: 'natural' | 'reproducible' | 'none';
  candidate: string | null;
  k: number | null;
  headline: string;
  reasons: string[];
  /** The rule grid, when nothing else is recommended. */
  grid: { name: string; customers: number; share: number }[];
}

/** The workflow's result. */
export interface ComparisonSummary {
  comparisonId: string;
  pipeline: string;
  asOf: string | null;
  /** `refused`: the extract did not pass its contract, nothing was compared. */
  outcome: 'compared' | 'refused';
  reasons: string[];
  counts: RunCounts;
  recommendation: Recommendation | null;
  leaderboard: LeaderboardRow[];
  report: ArtifactRef | null;
  page: ArtifactRef | null;
  workflow: Run['workflow'];
}

export interface WrittenComparison extends Timed {
  recommendation: Recommendation;
  leaderboard: LeaderboardRow[];
  report: ArtifactRef;
  page: ArtifactRef;
}

/** Activities of a comparison. The first stages are those of a run, recorded nowhere. */
export interface CompareStages {
  openComparison(input: {
    input: CompareInput;
    workflow: Run['workflow'];
    scheduledAt: string | null;
  }): Promise<OpenedComparison>;
  extractForComparison(input: { run: Run }): Promise<Extract>;
  validateForComparison(input: { run: Run; extract: Extract }): Promise<Validation>;
  buildFeaturesForComparison(input: {
    run: Run;
    extract: Extract;
    validation: Validation;
  }): Promise<Features>;
  /** Fits and measures one candidate; that it fails or takes too long is a result. */
  fitCandidate(input: {
    run: Run;
    plan: ComparePlan;
    candidate: string;
    features: Features;
  }): Promise<CandidateOutcome>;
  writeComparison(input: {
    run: Run;
    plan: ComparePlan;
    features: Features;
    counts: RunCounts;
    candidates: CandidateOutcome[];
  }): Promise<WrittenComparison>;
  /** Lets go of everything but the report, or of everything. */
  closeComparison(input: { run: Run; isKept: boolean }): Promise<void>;
}

/** Answer of the comparison's `progress` query. */
export interface CompareProgress {
  comparisonId: string | null;
  pipeline: string | null;
  asOf: string | null;
  outcome: 'running' | ComparisonSummary['outcome'] | 'failed' | 'cancelled';
  reasons: string[];
  /** What is going on, in words; null while candidates are measured and at the end. */
  step: string | null;
  done: { step: string; ms: number; says: string }[];
  candidates: { candidate: string; status: 'waiting' | CandidateOutcome['status']; says: string }[];
  unknownSignals: string[];
}
