import { DEEP_VALLEY, SIGNIFICANCE } from '../../numeric/cluster/choice/rank-candidates.ts';
import { YARDSTICK } from '../../numeric/cluster/random-groups.ts';
import {
  type CandidateOutcome,
  type CandidateRecord,
  type ComparePlan,
  CRITERIA,
  type Criterion,
  type FitRecord,
  type GateResult,
  type LeaderboardRow,
} from '../contracts/compare.ts';
import { RULE_GRID } from './rule-grid.ts';

// Gates first, then how far the scores are above those of data without groups. A candidate that leaves customers out,
// makes tiny segments or is not found again does not compete, however well it scores.

/** Random groups are the zero of every score, the rule grid is what there is without any algorithm: neither competes. */
export const YARDSTICKS: readonly string[] = [YARDSTICK, RULE_GRID.name];

export const GATE_NEEDS = { stability: 0.75, assignable: 0.95, fidelity: 0.85 } as const;

/** One criterion alone must not decide. */
const MOST_Z = 10;
/** Few null draws may by chance agree closely: their spread counts as at least this share of their mean. */
const LEAST_SPREAD = 0.02;
/** Below so many standard deviations above data without groups a score may be chance. */
export const CLEAR_FROM = 3;
/** How far below its mean over the resamples a stability is taken to be, in standard errors: as in a run. */
const STANDARD_ERRORS = 2;
/** Scores closer than this are the chance of the null draws: the simpler candidate is taken. */
export const TIE = 1;

const LARGER_IS_BETTER: Record<Criterion, boolean> = {
  silhouette: true,
  calinskiHarabasz: true,
  daviesBouldin: false,
};

export interface Graded {
  fit: FitRecord;
  gates: GateResult[];
  passed: boolean;
  /** Standard deviations above data without groups, by criterion; null where one of the two has no score. */
  z: Record<Criterion, number> | null;
  /** Mean of z, each at most 10. */
  score: number | null;
  /** Share of the data sets without groups that have as deep a valley at any k, the data themselves counted with them. */
  valleyShare: number;
  /** How many of the data sets without groups that are. */
  valleyDraws: number;
  /** Between any two neighbours is a valley that data without groups do not have. */
  isApart: boolean;
  /** Apart, and passes all gates. */
  isNatural: boolean;
}

/** Every number of segments of a candidate, graded, in the order of its fits. */
export function gradeFits(
  { fits }: Pick<CandidateRecord, 'fits'>,
  {
    plan,
    status,
  }: { plan: Pick<ComparePlan, 'smallestShare' | 'budgetSeconds'>; status: CandidateOutcome['status'] },
): Graded[] {
  const spreads = pooledSpreads(fits);
  return fits.map((fit) => {
    const gates = gatesOf(fit, { plan, status });
    const z = zOf(fit, spreads);
    const score = z && CRITERIA.reduce((sum, name) => sum + clipped(z[name]), 0) / CRITERIA.length;
    const passed = gates.every((gate) => gate.passed);
    const { valleyShare, valleyDraws } = valleysWithoutGroups(fit, fits);
    const isApart = fit.valley !== null && fit.valley <= DEEP_VALLEY && valleyShare <= SIGNIFICANCE;
    const isNatural = passed && isApart;
    return { fit, gates, passed, z, score, valleyShare, valleyDraws, isApart, isNatural };
  });
}

/** As for the choice of k in a run: valleys that draws have at other numbers of segments count, too. */
function valleysWithoutGroups(
  { valley }: FitRecord,
  fits: readonly FitRecord[],
): Pick<Graded, 'valleyShare' | 'valleyDraws'> {
  const draws = Math.max(0, ...fits.map(({ nullValleys }) => nullValleys.length));
  if (valley === null || draws === 0) return { valleyShare: 1, valleyDraws: draws };
  const least = Array.from({ length: draws }, (_, draw) =>
    Math.min(...fits.map(({ nullValleys }) => nullValleys[draw] ?? 1)),
  );
  const valleyDraws = least.filter((own) => own <= valley).length;
  return { valleyShare: (valleyDraws + 1) / (draws + 1), valleyDraws };
}

/** Position of a candidate's best fit: by how many gates it fails, natural ones before the others, then by score. */
function bestFitOf(graded: readonly Graded[]): number | null {
  const order = graded.map((_, i) => i);
  order.sort((a, b) => compareGraded(graded[a]!, graded[b]!) || a - b);
  return order[0] ?? null;
}

function compareGraded(a: Graded, b: Graded): number {
  const failed = ({ gates }: Graded) => gates.filter(({ passed }) => !passed).length;
  const natural = Number(b.isNatural) - Number(a.isNatural);
  return failed(a) - failed(b) || natural || (b.score ?? -Infinity) - (a.score ?? -Infinity) || 0;
}

function gatesOf(
  fit: FitRecord,
  {
    plan,
    status,
  }: { plan: Pick<ComparePlan, 'smallestShare' | 'budgetSeconds'>; status: CandidateOutcome['status'] },
): GateResult[] {
  const atLeast = (gate: GateResult['gate'], needed: number, found: number) => ({
    gate,
    passed: found >= needed,
    needed,
    found,
  });
  const seconds = fit.fitMs / 1000;
  return [
    // A single cluster is found again whatever the data: it is no segmentation.
    atLeast('stability', GATE_NEEDS.stability, fit.k < 2 ? 0 : leastJaccard(fit)),
    atLeast('size', plan.smallestShare, fit.k < 2 ? 0 : fit.smallestShare),
    atLeast('assignable', GATE_NEEDS.assignable, fit.assignedAgain),
    atLeast('fidelity', GATE_NEEDS.fidelity, fit.fidelity),
    {
      gate: 'budget',
      passed: status !== 'failed' && seconds <= plan.budgetSeconds,
      needed: plan.budgetSeconds,
      found: seconds,
    },
  ];
}

/** The least stable segment's, less the chance of the resamples. */
function leastJaccard({ jaccards, jaccardErrors }: FitRecord): number {
  return Math.max(
    0,
    Math.min(...jaccards.map((mean, c) => mean - STANDARD_ERRORS * (jaccardErrors[c] ?? 0))),
  );
}

type Spreads = Record<Criterion, number>;

/** Root of the mean variance of the null draws over all numbers of segments: few draws each, many together. */
function pooledSpreads(fits: readonly FitRecord[]): Spreads {
  const spread = (name: Criterion) => {
    const bands = fits.flatMap(({ nullScores }) => (nullScores ? [nullScores[name]] : []));
    if (bands.length === 0) return Number.NaN;
    const variance = bands.reduce((sum, { deviation }) => sum + deviation ** 2, 0) / bands.length;
    const level = bands.reduce((sum, { mean }) => sum + Math.abs(mean), 0) / bands.length;
    return Math.max(Math.sqrt(variance), LEAST_SPREAD * level, 1e-9);
  };
  return {
    silhouette: spread('silhouette'),
    calinskiHarabasz: spread('calinskiHarabasz'),
    daviesBouldin: spread('daviesBouldin'),
  };
}

function zOf({ scores, nullScores }: FitRecord, spreads: Spreads): Record<Criterion, number> | null {
  if (!scores || !nullScores) return null;
  const z = (name: Criterion) => {
    const above = (scores[name] - nullScores[name].mean) / spreads[name];
    return LARGER_IS_BETTER[name] ? above : -above;
  };
  return {
    silhouette: z('silhouette'),
    calinskiHarabasz: z('calinskiHarabasz'),
    daviesBouldin: z('daviesBouldin'),
  };
}

function clipped(z: number): number {
  return Math.max(-MOST_Z, Math.min(MOST_Z, z));
}

/** A candidate with all that is known of it. */
export interface Entrant {
  outcome: CandidateOutcome;
  record: CandidateRecord | null;
  graded: Graded[];
  /** Position in `graded`; null when nothing was measured. */
  best: number | null;
}

export function entrantOf(
  outcome: CandidateOutcome,
  record: CandidateRecord | null,
  plan: Pick<ComparePlan, 'smallestShare' | 'budgetSeconds'>,
): Entrant {
  const graded = record ? gradeFits(record, { plan, status: outcome.status }) : [];
  return { outcome, record, graded, best: bestFitOf(graded) };
}

export function bestOf({ graded, best }: Entrant): Graded | null {
  return best === null ? null : graded[best]!;
}

/**
 * The candidates by rank: those that pass all gates by score, then the others by how many gates they fail. The
 * first of several within a tie of the highest score is the simplest, which is the one that was given first.
 */
export function rankEntrants(entrants: readonly Entrant[]): Entrant[] {
  const competing = entrants.filter(
    ({ outcome, best }) => best !== null && !YARDSTICKS.includes(outcome.candidate),
  );
  const ranked = competing.toSorted(
    (a, b) => compareGraded(bestOf(a)!, bestOf(b)!) || entrants.indexOf(a) - entrants.indexOf(b),
  );
  const first = ranked[0] && bestOf(ranked[0])!;
  if (!first?.passed || first.score === null) return ranked;
  const tied = ranked.filter((entrant) => {
    const own = bestOf(entrant)!;
    const isClose = own.score !== null && own.score > first.score! - TIE;
    return own.passed && own.isNatural === first.isNatural && isClose;
  });
  const simplest = tied.toSorted((a, b) => entrants.indexOf(a) - entrants.indexOf(b))[0]!;
  return [simplest, ...ranked.filter((entrant) => entrant !== simplest)];
}

/** Yardsticks first, then by rank, then those without a result. */
export function leaderboardOf(entrants: readonly Entrant[], ranked: readonly Entrant[]): LeaderboardRow[] {
  const yardsticks = entrants.filter(({ outcome }) => YARDSTICKS.includes(outcome.candidate));
  const rest = entrants.filter((entrant) => !yardsticks.includes(entrant) && !ranked.includes(entrant));
  return [...yardsticks, ...ranked, ...rest].map((entrant) => rowOf(entrant, ranked.indexOf(entrant)));
}

function rowOf(entrant: Entrant, place: number): LeaderboardRow {
  const { outcome, record } = entrant;
  const own = bestOf(entrant);
  const fit = own?.fit;
  return {
    candidate: outcome.candidate,
    title: record?.title ?? outcome.candidate,
    status: outcome.status,
    reason: outcome.reason,
    rank: place < 0 ? null : place + 1,
    k: fit?.k ?? null,
    score: own?.score ?? null,
    silhouette: fit?.scores?.silhouette ?? null,
    nullSilhouette: fit?.nullScores?.silhouette.mean ?? null,
    silhouetteZ: own?.z?.silhouette ?? null,
    minJaccard: fit?.minJaccard ?? null,
    valley: fit?.valley ?? null,
    isNatural: own?.isNatural ?? false,
    smallestShare: fit?.smallestShare ?? null,
    noiseShare: fit?.noiseShare ?? null,
    fitMs: fit?.fitMs ?? null,
    peakMegabytes: fit?.peakMegabytes ?? null,
    gates: own?.gates ?? [],
  };
}
