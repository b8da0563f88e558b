import type {
  CandidateOutcome,
  CandidateRecord,
  ComparePlan,
  FitRecord,
  GateResult,
  LeaderboardRow,
  Recommendation,
} from '../contracts/compare.ts';
import type { RunCounts } from '../contracts/run.ts';
import { type Entrant, leaderboardOf, rankEntrants } from './compare-ranking.ts';
import { recommend } from './compare-recommendation.ts';
import type { Scatter } from './compare-scatter.ts';
import { prosAndConsOf } from './compare-words.ts';
import { RULE_GRID } from './rule-grid.ts';

/** A fit with what it is worth. */
export type GradedFit = FitRecord & {
  gates: GateResult[];
  z: Record<string, number> | null;
  score: number | null;
};

export interface ReportedCandidate {
  candidate: string;
  title: string;
  status: CandidateOutcome['status'];
  reason: string | null;
  fits: GradedFit[];
  /** Position of the best fit; null when there is none. */
  best: number | null;
  failures: CandidateRecord['failures'];
  pros: string[];
  cons: string[];
}

/** A segment of the recommended segmentation, in figures that a person knows. */
export interface ShownSegment {
  name: string | null;
  customers: number;
  share: number;
  spendShare: number | null;
  /** Medians, `spend £1,234`, one per clustered feature. */
  typical: string[];
}

export interface ComparisonReport {
  title: string;
  pipeline: string;
  asOf: string | null;
  seed: number;
  plan: ComparePlan;
  counts: RunCounts;
  /** Words for the clustered features, in the order of the matrix. */
  features: string[];
  rows: CandidateRecord['rows'];
  recommendation: Recommendation;
  leaderboard: LeaderboardRow[];
  /** In the order of the leaderboard. */
  candidates: ReportedCandidate[];
  /** Adjusted Rand index of every two candidates at their best, on the scored customers. */
  agreement: { candidates: string[]; matrix: number[][] };
  /** Of which segmentation the picture and the segments are; null when there is none. */
  shown: {
    candidate: string;
    title: string;
    k: number;
    segments: ShownSegment[];
    scatter: Scatter | null;
  } | null;
}

export interface ReportInput
  extends Pick<
    ComparisonReport,
    'title' | 'pipeline' | 'asOf' | 'seed' | 'plan' | 'counts' | 'features' | 'rows'
  > {
  /** In the order of the plan. */
  entrants: Entrant[];
  agreement: ComparisonReport['agreement'];
}

/** What was measured, ranked and put into words; the picture is added by whoever has the customers. */
export function buildComparison(input: ReportInput): Omit<ComparisonReport, 'shown'> {
  const { entrants, agreement, ...about } = input;
  const ranked = rankEntrants(entrants);
  const leaderboard = leaderboardOf(entrants, ranked);
  const byName = new Map(entrants.map((entrant) => [entrant.outcome.candidate, entrant]));
  const order = leaderboard.map(({ candidate }) => candidate);
  return {
    ...about,
    recommendation: recommend({ entrants, ranked, plan: about.plan, rows: about.rows }),
    leaderboard,
    candidates: order.map((name) => reportedOf(byName.get(name)!)),
    agreement: inOrder(agreement, order),
  };
}

/** The candidate whose segments are shown: the recommended one, or the rule grid that is offered in its place. */
export function shownCandidate({ recommendation }: Pick<ComparisonReport, 'recommendation'>): string {
  return recommendation.candidate ?? RULE_GRID.name;
}

function reportedOf(entrant: Entrant): ReportedCandidate {
  const { outcome, record, graded, best } = entrant;
  return {
    candidate: outcome.candidate,
    title: record?.title ?? outcome.candidate,
    status: outcome.status,
    reason: outcome.reason,
    fits: graded.map(({ fit, gates, z, score }) => ({ ...fit, gates, z, score })),
    best,
    failures: record?.failures ?? [],
    ...prosAndConsOf(entrant),
  };
}

function inOrder({ candidates, matrix }: ComparisonReport['agreement'], order: readonly string[]) {
  const places = order.map((name) => candidates.indexOf(name)).filter((place) => place >= 0);
  return {
    candidates: places.map((place) => candidates[place]!),
    matrix: places.map((i) => places.map((j) => matrix[i]![j]!)),
  };
}
