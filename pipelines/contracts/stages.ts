import type { ArtifactRef } from './artifacts.ts';
import type { FeaturePart, LabelPart, PartPlan } from './parts.ts';
import type {
  Outcome,
  Quality,
  Run,
  RunCounts,
  RunKind,
  RunSummary,
  SegmentSummary,
  StageReport,
  StartInput,
  Verdict,
} from './run.ts';
import type { Scale } from './scale-settings.ts';

/** What an activity returns beside its product: how long the work took when it was first done. */
export interface Timed {
  ms: number;
}

export interface OpenedRun {
  run: Run;
  review: ReviewSettings;
  /** Range of k, for what the Temporal UI says of the fit. */
  k: { min: number; max: number };
  /** Absent where every stage is done as a whole. */
  scale?: Scale;
}

/** How long a held run waits for a person, and what counts when no one comes. */
export interface ReviewSettings {
  timeoutHours: number;
  onTimeout: 'publish' | 'reject';
}

export interface Turn {
  granted: boolean;
  /** The run that has to end first. */
  waitsFor: { runId: string; workflowId: string } | null;
  /** Why the run may not go on, its turn or not; absent where it may. */
  refused?: string[];
}

export interface Extract extends Timed {
  artifact: ArtifactRef;
  asOf: string;
  /** Newest moment in the source, ISO with time. */
  watermark: string;
  rowsRead: number;
  /** Rows at or after the as-of date: not part of this run, and not lost: counted here. */
  rowsAfterAsOf: number;
  /** Of `rowsRead`, those that a person released, whether the source brought them or not; absent without releases. */
  rowsReleased?: number;
  /**
   * What customers spent in the days from the as-of date on, one row for each who bought: never part of a
   * feature, only of what judges a segmentation. Null where the source tells too little of those days.
   */
  later?: ArtifactRef | null;
  laterPeriod?: (LaterPeriod & { rows: number }) | null;
  /** The second table, a row for each one read; absent or null where the source names none. */
  customers?: { artifact: ArtifactRef; rowsRead: number } | null;
  /** Why the run may not go on, of one whose as-of date the extract told; absent where it may. */
  refused?: string[];
}

/** Days from the as-of date on, the first included, and the customers with an accepted row in them. */
export interface LaterPeriod {
  days: number;
  customers: number;
}

export interface Validation extends Timed {
  verdict: 'pass' | 'warn' | 'fail';
  reasons: string[];
  counts: RunCounts;
  report: ArtifactRef;
  quarantine: ArtifactRef;
  /** Refused rows of the customers' table; absent or null where there is none. */
  customers?: { quarantine: ArtifactRef } | null;
}

export interface Profile extends Timed {
  report: ArtifactRef;
  page: ArtifactRef;
  /** The difference from the profile of the run that was published last; null without one. */
  changes?: ArtifactRef | null;
}

export interface Features extends Timed {
  /** Customer ids in byte order; row i of all the other artifacts is customer i. */
  customers: ArtifactRef;
  /** Untransformed features, one float64 column each. */
  values: ArtifactRef;
  /** Transformed float32 matrix, n x d: what is clustered. */
  matrix: ArtifactRef;
  /** Names of the matrix's columns. */
  columns: string[];
  /** Fitted parameters of the transforms, by column. */
  transforms: ArtifactRef;
  /** `spendCents` and `orders` of each customer in the days after, 0 for none; see `Extract.later`. */
  later?: ArtifactRef | null;
  /** Words of each customer as codes, where the definition has `features.categories`; row for row with the customers. */
  categories?: ArtifactRef;
  /** What the features look like, as JSON: missing values, distributions, redundancy, words. */
  report?: ArtifactRef;
  /** The most important of what the report warns of. */
  warnings?: string[];
  /** Its `customers` are those of this run that bought again. */
  laterPeriod?: LaterPeriod | null;
}

/** No k of the definition's range makes segments: a verdict about the data. */
export interface NoClustering extends Timed {
  verdict: 'none';
  reasons: string[];
  /** The scores of what was tried; null when there were too few customers to try. */
  candidates?: ArtifactRef | null;
}

export interface Clustering extends Timed {
  verdict: Quality['verdict'];
  reasons: string[];
  k: number;
  quality: Quality;
  /** Customers in each cluster, in the order of the labels. */
  sizes: number[];
  candidates: ArtifactRef;
  labels: ArtifactRef;
  model: ArtifactRef;
}

export interface Match extends Timed {
  /** The publication this run is compared with; null when there is none. */
  base: { publicationId: number; runId: string } | null;
  segments: { cluster: number; segmentId: string; event: SegmentSummary['event']; overlap: number | null }[];
  retired: string[];
  identities: ArtifactRef;
  /**
   * What the published model says of each customer of this run, as labels; null when it cannot read their
   * features or nothing is published, absent in runs of before it was kept.
   */
  relabelled?: ArtifactRef | null;
  /**
   * Clusters of the customers with those at a border held back where they were; absent where the definition asks for
   * no hysteresis: then the clustering's labels say who is where.
   */
  members?: ArtifactRef;
  /** Customers held back; absent likewise. */
  held?: number;
}

export interface Naming extends Timed {
  segments: SegmentSummary[];
  names: ArtifactRef;
}

export interface Persisted extends Timed {
  memberships: number;
}

export interface Stability extends Timed {
  verdict: Exclude<Verdict, 'refused'>;
  /** What the run's review policy makes of the verdict, with the reasons for both. */
  decision: 'publish' | 'hold';
  reasons: string[];
  adjustedRand: number | null;
  movedShare: number | null;
  report: ArtifactRef;
}

export interface Publication extends Timed {
  publicationId: number;
  replaced: number | null;
}

export interface Delivery extends Timed {
  delivered: number;
  pending: number;
}

/** What all stages left behind, handed on as far as the run has come. */
export interface Trail {
  extract: Extract;
  validation: Validation;
  features: Features;
  clustering: Clustering;
  match: Match;
  naming: Naming;
  stability: Stability;
}

/** What is known when a run closes: the summary but for what closing adds. */
export type Closing = Omit<RunSummary, 'manifest' | 'stages'> & { stages: StageReport[]; outcome: Outcome };

/**
 * Every activity of a run. Workflows know only this interface; `activities/` satisfies it. Each takes one
 * object and returns references and small summaries, never rows: under 64 KB either way.
 */
export interface Stages {
  /** Checks the input, freezes the definition, registers the run. */
  openRun(input: {
    input: StartInput;
    workflow: Run['workflow'];
    scheduledAt: string | null;
    /** Absent: refit. */
    kind?: RunKind;
  }): Promise<OpenedRun>;
  /** Asks once whether earlier runs of the pipeline have ended. */
  takeTurn(input: { run: Run }): Promise<Turn>;
  /** Waits, heartbeating, until earlier runs of the pipeline have ended. */
  awaitTurn(input: { run: Run }): Promise<Turn>;
  extractCustomers(input: { run: Run }): Promise<Extract>;
  validateExtract(input: { run: Run; extract: Extract }): Promise<Validation>;
  profileExtract(input: { run: Run; extract: Extract }): Promise<Profile>;
  buildFeatures(input: {
    run: Run;
    extract: Extract;
    validation: Validation;
    /** Customers' features as other activities made them, all parts in order; absent: it makes them itself. */
    parts?: FeaturePart[];
    /** ISO time at which the parts were begun. */
    since?: string;
  }): Promise<Features>;
  fitClusters(input: { run: Run; features: Features }): Promise<Clustering | NoClustering>;
  matchIdentities(input: { run: Run; features: Features; clustering: Clustering }): Promise<Match>;
  nameSegments(input: {
    run: Run;
    features: Features;
    clustering: Clustering;
    match: Match;
  }): Promise<Naming>;
  persistRun(
    input: { run: Run } & Omit<Trail, 'stability'> & {
        /** Memberships that other activities have loaded by this plan; absent: it loads them itself. */
        loaded?: Pick<PartPlan, 'plan' | 'parts'>;
        /** As in `buildFeatures`. */
        since?: string;
      },
  ): Promise<Persisted>;
  measureStability(
    input: { run: Run } & Omit<Trail, 'stability' | 'extract' | 'validation'>,
  ): Promise<Stability>;
  publishRun(input: {
    run: Run;
    match: Match;
    naming: Naming;
    review: string | null;
    /** For the alerts about it; absent in runs of before there were any. */
    verdict?: Verdict | null;
  }): Promise<Publication>;
  deliverOutbox(input: { run: Run }): Promise<Delivery>;
  /** Marks the run as waiting for a person, with what it knows so far. */
  holdRun(input: { run: Run; closing: Closing }): Promise<void>;
  /** Writes the manifest, records the outcome, removes what an unpublished run wrote, and of one in parts the parts. */
  closeRun(input: { run: Run; closing: Closing; hadParts?: boolean }): Promise<RunSummary>;
}

/** What is known of a model's age and fit after an assign run. */
export interface RefitQuestion {
  run: Run;
  verdict: Verdict;
  novelShare: number | null;
}

/** The activities of `assignCustomers` beside those of every run. */
export interface AssignStages {
  /**
   * The published model and the definition it was fitted by become the run's, after its turn has come: a run before it
   * may have published another.
   */
  adoptChampion(input: { run: Run }): Promise<{ run: Run; warnings: string[] }>;
  /** In place of `fitClusters`: the champion's transforms and centres, nothing fitted. */
  assignSegments(input: {
    run: Run;
    features: Features;
    /** What the model says of each part's customers, in order; absent: it asks the model itself. */
    parts?: LabelPart[];
    /** As in `buildFeatures`. */
    since?: string;
  }): Promise<Clustering | NoClustering>;
  /** In place of `matchIdentities`: the same model has the same segments. */
  keepIdentities(input: { run: Run; features: Features; clustering: Clustering }): Promise<Match>;
  decideRefit(input: RefitQuestion): Promise<{ due: boolean; start: boolean; reasons: string[] }>;
}

/** Activities of `deliverMessages`. */
export interface DeliveryStages {
  /** Delivers what is due; `secondsToNext` null: nothing waits any more. */
  deliverPipeline(input: { pipeline: string }): Promise<{ secondsToNext: number | null }>;
}

/** Activities of `preserveHistory`. */
export interface HistoryStages {
  /** Waits, heartbeating, until the execution has closed; a reset one is followed to the one it went on in. */
  awaitClosed(input: { workflow: Run['workflow'] }): Promise<{ workflow: Run['workflow'] }>;
  /**
   * Closes the run's record when its workflow could not, then keeps the closed execution's history as an
   * artifact; null when it is not there any more.
   */
  keepHistory(input: { runId: string | null; workflow: Run['workflow'] }): Promise<ArtifactRef | null>;
}
