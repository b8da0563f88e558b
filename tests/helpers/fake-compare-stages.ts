import type { CandidateOutcome, CompareStages, LeaderboardRow } from '../../pipelines/contracts/compare.ts';
import { fakeRef, fakeRun, fakeStages } from './fake-stages.ts';

const CANDIDATES = ['rule-grid', 'random-groups', 'k-means', 'ward'];

export const measuredOutcome = (candidate: string): CandidateOutcome => ({
  candidate,
  status: 'measured',
  reason: null,
  k: 4,
  record: fakeRef('clustering'),
  labels: fakeRef('labels'),
  ms: 1_200,
});

/** A comparison in which every candidate is measured; a test overrides the stage it is about. */
export function fakeCompareStages(overrides: Partial<CompareStages> = {}): CompareStages {
  const run = fakeStages();
  return {
    openComparison: async ({ input, workflow }) => ({
      run: fakeRun(workflow, {
        runId: `cmp_${workflow.runId.slice(0, 8)}`,
        pipeline: input.pipeline ?? 'shop',
        asOf: input.asOf ?? null,
      }),
      plan: {
        ks: { min: 3, max: 8 },
        candidates: CANDIDATES,
        bootstraps: 20,
        nullDraws: 20,
        sampleRows: 5_000,
        trialRows: 2_000,
        budgetSeconds: 300,
        smallestShare: 0.02,
      },
    }),
    extractForComparison: run.extractCustomers,
    validateForComparison: run.validateExtract,
    buildFeaturesForComparison: run.buildFeatures,
    fitCandidate: async ({ candidate }) => measuredOutcome(candidate),
    writeComparison: async ({ candidates }) => ({
      recommendation: {
        verdict: 'reproducible',
        candidate: 'k-means',
        k: 4,
        headline: 'Use k-means with 4 segments.',
        reasons: [],
        grid: [],
      },
      leaderboard: candidates.map(leaderboardRow),
      report: fakeRef('comparison'),
      page: fakeRef('comparison'),
      ms: 30,
    }),
    closeComparison: async () => undefined,
    ...overrides,
  };
}

function leaderboardRow({ candidate, status, reason, k }: CandidateOutcome): LeaderboardRow {
  return {
    candidate,
    title: candidate,
    status,
    reason,
    rank: null,
    k,
    score: null,
    silhouette: null,
    nullSilhouette: null,
    silhouetteZ: null,
    minJaccard: null,
    valley: null,
    isNatural: false,
    smallestShare: null,
    noiseShare: null,
    fitMs: null,
    peakMegabytes: null,
    gates: [],
  };
}
