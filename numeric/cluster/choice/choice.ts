import type { Fit } from '../../kernels/tasks.ts';
import type { Random } from '../../random/random.ts';

export interface ChooseKOptions {
  readonly seed: number | string;
  /** @default 3 */
  readonly kMin?: number;
  /** @default 8 */
  readonly kMax?: number;
  /** A person's decision: it is chosen whatever the evidence says, which is still gathered. */
  readonly fixedK?: number | undefined;
  /** Smallest share of the rows that a cluster may have. @default 0.02 */
  readonly minShare?: number;
  /** Smallest bootstrap Jaccard similarity that a cluster may have, less two standard errors. @default 0.75 */
  readonly minJaccard?: number;
  /** All is scored on at most so many rows. @default 6000 */
  readonly sampleRows?: number;
  /** Resamples that stability is measured on. @default 100 */
  readonly bootstraps?: number;
  /** Data sets without groups that scores are compared with; at least 19 for anything to be natural. @default 20 */
  readonly nullDraws?: number;
  /** @default 10 */
  readonly starts?: number;
  /**
   * Centres of an earlier clustering, row-major, k * columns: at that k a fit that goes on from them is taken unless
   * one from fresh starts has an inertia lower by more than 0.1 %. Stability is measured from fresh starts all the same.
   */
  readonly earlierCenters?: Float64Array | undefined;
  /** What each row did later, such as the next period's spend: at least 0, one per row; it judges, it is not fitted. */
  readonly outcome?: Float64Array | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called while it works; `done` grows to `of`. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export interface Gate {
  readonly passed: boolean;
  readonly needed: number;
  readonly found: number;
}

/** A score beside what the same procedure finds in data without groups. */
export interface Calibrated {
  readonly found: number;
  readonly nullMean: number;
  /** Standard deviation over the null draws (ddof 1). */
  readonly nullDeviation: number;
}

export interface KScores {
  readonly k: number;
  readonly inertia: number;
  /** Exact, over all scored rows. */
  readonly silhouette: number;
  readonly calinskiHarabasz: number;
  readonly daviesBouldin: number;
  /** Share of the smallest cluster. */
  readonly minShare: number;
  /** Entropy of the sizes over the largest that so many clusters can have: 1 = all of one size. */
  readonly sizeEntropy: number;
  /** Density at the emptiest place between the two least separated neighbours, over the lower of their peaks, in [0, 1]. */
  readonly valley: number;
  /** Of the fit that all this is of: row-major, k * columns, largest cluster first. Where a fit on all rows begins. */
  readonly centers: Float64Array;
  /** One per scored row. */
  readonly labels: Uint8Array;
}

/** What the null model says of the scores at one k. */
export interface NullComparison {
  /** Of all scored rows here, of stratified samples of at most 2,000 rows in the null draws. */
  readonly silhouette: Calibrated;
  /** ln of the inertia: nullMean - found is the gap statistic (Tibshirani et al. 2001) with this null model. */
  readonly logInertia: Calibrated;
  readonly daviesBouldin: Calibrated;
  /** Share of the null draws that have as deep a valley at any k, the data themselves counted among them. */
  readonly valleyShare: number;
}

export interface KCandidate extends KScores {
  /** Clusterwise bootstrap Jaccard similarity (Hennig 2007), largest cluster first. */
  readonly jaccards: readonly number[];
  /** Their standard errors, from the spread over the resamples: 95 % intervals are 1.96 of them to either side. */
  readonly jaccardErrors: readonly number[];
  /** Resamples in which each cluster was recovered: a similarity of .75 or more. */
  readonly recovered: readonly number[];
  /** The smallest of the jaccards; the gate asks it of every cluster less two standard errors. */
  readonly minJaccard: number;
  readonly null: NullComparison;
  /** How much better than unrelated labels it tells the outcome's ranks apart (epsilon squared); null = no outcome. */
  readonly outcomeSeparation: number | null;
  readonly gates: { readonly size: Gate; readonly stability: Gate };
  /** What this k would be called. */
  readonly verdict: ChoiceVerdict;
  /** Share of comparisons won against the other candidates that are large enough; null = it is not. */
  readonly score: number | null;
  /** 1 = best by evidence; null = a gate kept it from competing. */
  readonly rank: number | null;
}

/**
 * natural: reproducible, and every two neighbouring clusters have a valley between them that data with the same
 * margins and correlations but no groups do not have. reproducible: every cluster is found again on resamples.
 * constructed: a pattern whose borders move from sample to sample, or a person's choice of k without such evidence.
 * none: do not segment.
 */
export type ChoiceVerdict = 'natural' | 'reproducible' | 'constructed' | 'none';

export interface KChoice {
  /** Null when the verdict is none. */
  readonly k: number | null;
  readonly verdict: ChoiceVerdict;
  readonly decidedBy: 'evidence' | 'person';
  readonly reasons: readonly string[];
  readonly candidates: readonly KCandidate[];
  /** Every k that passed all gates, ascending. */
  readonly stableRange: readonly number[];
  /** Every k whose clusters are natural, ascending. */
  readonly naturalRange: readonly number[];
  readonly scoredOn: { readonly rows: number; readonly of: number };
  /** The scored rows by index, ascending; null = all. */
  readonly scoredRows: Int32Array | null;
  readonly bootstraps: number;
  readonly nullDraws: number;
  /** By k, of every candidate: a sample's first choice need not hold for all rows. */
  readonly confidences: ReadonlyMap<number, Confidence>;
}

/**
 * How sure an assignment is, by its margin: the share of bootstrap refits that put rows of such a margin into the
 * same cluster. Both ascending and of one length; between the margins it is linear.
 */
export interface Confidence {
  readonly margins: readonly number[];
  readonly shares: readonly number[];
}

export type ChooseKSettings = Required<
  Omit<ChooseKOptions, 'signal' | 'onProgress' | 'outcome' | 'fixedK' | 'earlierCenters'>
> &
  Pick<ChooseKOptions, 'outcome' | 'fixedK' | 'earlierCenters'>;

/** What the steps of choosing share. */
export interface ChoicePlan {
  readonly ks: readonly number[];
  /** Rows that all differ, more than the largest k. */
  readonly different: Int32Array;
  readonly random: Random;
  readonly settings: ChooseKSettings;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (done: number) => void;
}

export type CandidateFits = ReadonlyMap<number, Fit>;
