import { describe, expect, test } from 'vitest';
import type { KCandidate, KChoice } from '../../../numeric/cluster/choice/choice.ts';
import {
  agreementWith,
  candidatesToTry,
  clusteringRecord,
  describeClustering,
  isLargeEnough,
} from '../../../pipelines/stages/cluster.ts';
import { coresetSentence } from '../../../pipelines/stages/coreset-words.ts';
import { decodeJson, encodeJson } from '../../../store/artifacts/json.ts';

const beyond = (found: number) => ({ found, nullMean: found, nullDeviation: 0.1 });

function candidate(k: number, rank: number | null, isStable = true): KCandidate {
  return {
    k,
    inertia: 100 / k,
    silhouette: k / 10,
    calinskiHarabasz: 1000,
    daviesBouldin: 1,
    minShare: 0.1,
    sizeEntropy: 0.9,
    valley: 1,
    centers: Float64Array.from({ length: k * 2 }, (_, at) => at),
    labels: Uint8Array.from({ length: 60 }, (_, row) => row % k),
    jaccards: [0.9, 0.8],
    jaccardErrors: [0.01, 0.02],
    recovered: [20, 18],
    minJaccard: isStable ? 0.8 : 0.6,
    gates: {
      size: { passed: true, needed: 0.02, found: 0.1 },
      stability: { passed: isStable, needed: 0.75, found: isStable ? 0.8 : 0.6 },
    },
    null: {
      silhouette: beyond(k / 10),
      logInertia: beyond(Math.log(100 / k)),
      daviesBouldin: beyond(1),
      valleyShare: 1,
    },
    outcomeSeparation: null,
    verdict: isStable ? 'reproducible' : 'constructed',
    score: rank === null ? null : 1 / rank,
    rank,
  };
}

const choice: KChoice = {
  k: 4,
  verdict: 'reproducible',
  decidedBy: 'evidence',
  reasons: ['k = 4 wins'],
  candidates: [candidate(3, 2), candidate(4, 1), candidate(5, null, false)],
  stableRange: [3, 4],
  naturalRange: [],
  scoredOn: { rows: 10_000, of: 20_000 },
  scoredRows: Int32Array.from({ length: 60 }, (_, i) => 2 * i),
  bootstraps: 20,
  nullDraws: 20,
  confidences: new Map([[4, { margins: [0.1, 0.5], shares: [0.6, 1] }]]),
};

const agreed = { adjustedRand: 0.97, needed: 0.9, passed: true };
const drifted = { adjustedRand: 0.624, needed: 0.9, passed: false };

describe('from the choice of k to a clustering', () => {
  test('candidates are tried in the order of their rank, without those that did not compete', () => {
    expect(candidatesToTry(choice).map(({ k }) => k)).toEqual([4, 3]);
  });

  test('what a person fixed is the only one to try', () => {
    const fixed: KChoice = { ...choice, k: 5, decidedBy: 'person' };
    expect(candidatesToTry(fixed).map(({ k }) => k)).toEqual([5]);
    const clustering = describeClustering({
      choice: fixed,
      fitted: { sizes: [5, 4, 3, 2, 1], agreement: agreed },
      smallestShare: 0.02,
      laterDays: null,
    });
    expect(clustering).toMatchObject({ k: 5, verdict: 'constructed', quality: { decidedBy: 'person' } });
  });

  test('natural clusters stay natural when all customers are given to them', () => {
    const natural = {
      ...choice,
      candidates: [{ ...candidate(4, 1), verdict: 'natural' as const, valley: 0.2 }],
    };
    const fitted = { sizes: [5, 4, 3, 2], agreement: agreed };
    const { verdict, quality } = describeClustering({
      choice: natural,
      fitted,
      smallestShare: 0.02,
      laterDays: null,
    });
    expect([verdict, quality.valley, quality.agreement]).toEqual(['natural', 0.2, 0.97]);
    const changed = {
      choice: natural,
      fitted: { ...fitted, agreement: drifted },
      smallestShare: 0.02,
      laterDays: null,
    };
    expect(describeClustering(changed).verdict).toBe('constructed');
  });

  test.each([
    [[98, 2], true],
    [[981, 19], false],
  ])('sizes %j with at least 2 %%: %s', (sizes, verdict) => {
    expect(isLargeEnough(sizes, 0.02)).toBe(verdict);
  });

  test('scores are those of the choice with the rows they stand on, sizes those of the fit', () => {
    const sizes = Uint32Array.of(8000, 6000, 5000, 1000);
    const fitted = { sizes, agreement: agreed };
    const clustering = describeClustering({ choice, fitted, smallestShare: 0.02, laterDays: null });
    expect(clustering).toMatchObject({
      verdict: 'reproducible',
      reasons: ['k = 4 wins'],
      k: 4,
      sizes: [8000, 6000, 5000, 1000],
      quality: {
        silhouette: 0.4,
        smallestShare: 0.05,
        stableK: [3, 4],
        scoredOn: { rows: 10_000, of: 20_000 },
        adjustedRand: null,
      },
    });
  });

  test('what was spent later is told with its days, where there is such a period', () => {
    const judged = { ...choice, candidates: [{ ...candidate(4, 1), outcomeSeparation: 0.29 }] };
    const fitted = { sizes: [5, 4, 3, 2], agreement: agreed };
    const laterSpendIn = (laterDays: number | null) =>
      describeClustering({ choice: judged, fitted, smallestShare: 0.02, laterDays }).quality.laterSpend;
    expect(laterSpendIn(90)).toEqual({ days: 90, separation: 0.29 });
    expect(laterSpendIn(null)).toBeNull();
  });

  test('a fit on a weighted sample says so in figures, in a reason and in what is kept; a fit on all says nothing', () => {
    const coreset = { rows: 998, of: 20_000, inertiaError: -0.0123, stepGain: 0.0042 };
    const fitted = { sizes: [5, 4, 3, 2], agreement: agreed, coreset };
    const about = { choice, smallestShare: 0.02, laterDays: null };
    const { reasons, quality, verdict } = describeClustering({ ...about, fitted });
    expect(quality.coreset).toEqual(coreset);
    expect(reasons).toEqual([
      'k = 4 wins',
      'fitted on a weighted sample of 998 of 20,000 customers: the inertia of the sample is 1.23 % below that of all, ' +
        'which would fall by 0.42 % if each centre moved to the mean of its customers',
    ]);
    expect(clusteringRecord({ choice, fitted, verdict }).published.coreset).toEqual(coreset);
    const { coreset: _, ...onAll } = fitted;
    const plain = describeClustering({ ...about, fitted: onAll });
    expect([Object.keys(plain.quality), plain.reasons]).toEqual([
      Object.keys(quality).filter((key) => key !== 'coreset'),
      ['k = 4 wins'],
    ]);
    expect(clusteringRecord({ choice, fitted: onAll, verdict }).published).not.toHaveProperty('coreset');
  });

  test.each([
    [0.0123, 0, 'the inertia of the sample is 1.23 % above that of all, which would fall by 0 %'],
    [-0.00002, 0.00003, 'is less than 0.01 % below that of all, which would fall by less than 0.01 %'],
    [0, 0.5, 'the inertia of the sample is that of all, which would fall by 50.00 %'],
  ])('an error of %d and a gain of %d are told in words', (inertiaError, stepGain, words) => {
    expect(coresetSentence({ rows: 10, of: 20, inertiaError, stepGain })).toContain(words);
  });

  test('another k than the chosen one says why, and has its own verdict', () => {
    const unstable = { ...choice, candidates: [candidate(3, 2, false), candidate(4, 1)] };
    const { reasons, verdict, quality } = describeClustering({
      choice: unstable,
      fitted: { sizes: [5, 4, 3], agreement: agreed },
      smallestShare: 0.02,
      laterDays: null,
    });
    expect(reasons[0]).toMatch(/^k = 4 was chosen on a sample .* k = 3 is next$/);
    expect([verdict, quality.verdict]).toEqual(['constructed', 'constructed']);
  });

  test('a smallest cluster below its share is told', () => {
    const fitted = { sizes: [970, 10, 10, 10], agreement: agreed };
    const { reasons } = describeClustering({ choice, fitted, smallestShare: 0.02, laterDays: null });
    expect(reasons).toContain('the smallest cluster holds 1 % of all customers (needed 2 %)');
  });

  test('a k that was not scored is refused', () => {
    const fitted = { sizes: [1, 1], agreement: agreed };
    expect(() => describeClustering({ choice, fitted, smallestShare: 0.02, laterDays: null })).toThrow(
      'a clustering needs a k that was scored (3, 4, 5), found 2',
    );
  });
});

describe('the clusters published and those scored', () => {
  const four = choice.candidates[1]!;

  test('agree in full when each scored customer kept its company, whatever the numbers of the clusters', () => {
    const labels = new Uint8Array(120).fill(9);
    choice.scoredRows!.forEach((row, i) => {
      labels[row] = 3 - four.labels[i]!;
    });
    expect(agreementWith(four, { scoredRows: choice.scoredRows, labels })).toEqual({
      adjustedRand: 1,
      needed: 0.9,
      passed: true,
    });
  });

  test('do not agree when scored customers changed theirs: the labels of all are compared when all were scored', () => {
    const labels = four.labels.map((label, row) => (row < 12 ? 0 : label));
    const { adjustedRand, passed } = agreementWith(four, { scoredRows: null, labels });
    // Expected value: scikit-learn 1.9, adjusted_rand_score
    expect(adjustedRand).toBeCloseTo(0.5964432284541724, 12);
    expect(passed).toBe(false);
  });

  test('too far apart make the clustering constructed, with the reason in words', () => {
    const fitted = { sizes: [8, 6, 5, 4], agreement: drifted };
    const { verdict, quality, reasons } = describeClustering({
      choice,
      fitted,
      smallestShare: 0.02,
      laterDays: null,
    });
    expect([verdict, quality.verdict]).toEqual(['constructed', 'constructed']);
    expect(reasons.at(-1)).toBe(
      'on the scored customers the clusters fitted on all agree with the scored ones at an adjusted Rand index of ' +
        '0.62 (needed 0.90): the scores are of other clusters, these are constructed',
    );
  });

  test('are kept with every candidate, as JSON that a reader can check the verdict by', () => {
    const fitted = { sizes: Uint32Array.of(8, 6, 5, 4), agreement: drifted };
    const record = clusteringRecord({ choice, fitted, verdict: 'constructed' });
    const kept = decodeJson(encodeJson(record)) as typeof record;
    expect(kept).toEqual(record);
    expect(kept.published).toEqual({ k: 4, verdict: 'constructed', sizes: [8, 6, 5, 4], agreement: drifted });
    expect(kept.candidates[0]).toMatchObject({
      ...{ k: 3, minJaccard: 0.8, jaccards: [0.9, 0.8], jaccardErrors: [0.01, 0.02] },
      centers: [
        [0, 1],
        [2, 3],
        [4, 5],
      ],
    });
    expect(Object.keys(kept)).not.toContain('scoredRows');
    expect(Object.keys(kept.candidates[0]!)).not.toContain('labels');
  });
});
