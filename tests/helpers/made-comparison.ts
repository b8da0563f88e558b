import type {
  CandidateOutcome,
  CandidateRecord,
  ComparePlan,
  FitRecord,
} from '../../pipelines/contracts/compare.ts';
import { type Entrant, entrantOf } from '../../pipelines/stages/compare-ranking.ts';
import { buildComparison, type ComparisonReport } from '../../pipelines/stages/compare-report.ts';

// Measurements made up for tests of what is done with them.

export const PLAN: ComparePlan = {
  ks: { min: 3, max: 5 },
  candidates: ['rule-grid', 'random-groups', 'k-means', 'ward'],
  bootstraps: 20,
  nullDraws: 20,
  sampleRows: 5_000,
  trialRows: 2_000,
  budgetSeconds: 300,
  smallestShare: 0.02,
};

/** A fit that passes all gates; its silhouette is `above` standard deviations above data without groups. */
export function madeFit({ above = 5, ...change }: Partial<FitRecord> & { above?: number } = {}): FitRecord {
  const k = change.k ?? 3;
  const sizes = Array.from({ length: k }, (_, i) => 100 * (k - i));
  return {
    askedK: k,
    k,
    sizes,
    names: null,
    smallestShare: 100 / sizes.reduce((sum, size) => sum + size, 0),
    noiseShare: 0,
    parameters: { nClusters: k },
    criteria: { inertia: 12 },
    fittedOn: { rows: 600, of: 600 },
    fitMs: 120,
    scores: {
      silhouette: 0.3 + 0.01 * above,
      calinskiHarabasz: 1_000 + 50 * above,
      daviesBouldin: 1 - 0.03 * above,
    },
    nullScores: {
      silhouette: { mean: 0.3, deviation: 0.01 },
      calinskiHarabasz: { mean: 1_000, deviation: 50 },
      daviesBouldin: { mean: 1, deviation: 0.03 },
    },
    nullDraws: 20,
    valley: 0.5,
    nullValleys: new Array<number>(20).fill(0.9),
    jaccardErrors: new Array<number>(k).fill(0.01),
    jaccards: new Array<number>(k).fill(0.9),
    minJaccard: 0.9,
    assignedAgain: 1,
    fidelity: 0.98,
    peakMegabytes: 40,
    ...change,
  };
}

export function madeEntrant(
  candidate: string,
  fits: FitRecord[],
  change: Partial<CandidateRecord> & { status?: CandidateOutcome['status'] } = {},
): Entrant {
  const { status = fits.length > 0 ? 'measured' : 'failed', ...rest } = change;
  const record: CandidateRecord = {
    candidate,
    title: candidate,
    fits,
    failures: [],
    reason: null,
    rows: { all: 600, scored: 600, trial: 600 },
    bootstraps: 20,
    ...rest,
  };
  const outcome: CandidateOutcome = {
    candidate,
    status,
    reason: record.reason,
    k: null,
    record: null,
    labels: null,
    ms: 10,
  };
  return entrantOf(outcome, record, PLAN);
}

export const madeGrid = () =>
  madeEntrant('rule-grid', [
    madeFit({ k: 3, askedK: null, names: ['Active high', 'Lapsing', 'Lapsed <b>low</b>'], fidelity: 0.7 }),
  ]);

export function madeReport(entrants: Entrant[]): ComparisonReport {
  const candidates = entrants.filter(({ best }) => best !== null).map(({ outcome }) => outcome.candidate);
  const built = buildComparison({
    title: 'Made & made',
    pipeline: 'shop',
    asOf: '2026-07-01',
    seed: 1,
    plan: PLAN,
    counts: { rowsRead: 900, rowsAccepted: 800, rowsQuarantined: 100, quarantinedBy: [], customers: 600 },
    features: ['recency', 'orders'],
    rows: { all: 600, scored: 600, trial: 600 },
    entrants,
    agreement: { candidates, matrix: candidates.map((a) => candidates.map((b) => (a === b ? 1 : 0.4))) },
  });
  return {
    ...built,
    shown: {
      candidate: 'k-means',
      title: 'k-means',
      k: 3,
      segments: [
        {
          name: null,
          customers: 300,
          share: 0.5,
          spendShare: null,
          typical: ['orders 2', 'recency 12 days'],
        },
      ],
      scatter: {
        x: [0, 1, 2],
        y: [2, 1, 0],
        clusters: [0, 1, 255],
        axes: [
          { share: 0.7, weights: [-0.7, 0.7] },
          { share: 0.3, weights: [0.7, 0.7] },
        ],
        rows: { shown: 3, of: 600 },
      },
    },
  };
}
