import { describe, expect, test } from 'vitest';
import type { NullComparison } from '../../../../numeric/cluster/choice/choice.ts';
import { rankCandidates } from '../../../../numeric/cluster/choice/rank-candidates.ts';

/** Evidence for one k; what is left out passes every gate, is cut through one heap, and is no better than chance. */
interface Made {
  readonly k: number;
  readonly share?: number;
  readonly jaccard?: number;
  readonly error?: number;
  readonly valley?: number;
  readonly valleyShare?: number;
  /** Of silhouette, ln inertia and Davies-Bouldin alike, better than the null model by so much. */
  readonly beyond?: number;
  readonly nullDeviation?: number;
  readonly outcome?: number;
}

const SETTINGS = { minShare: 0.02, minJaccard: 0.75, nullDraws: 25 };

function rank(made: readonly Made[]) {
  const byK = <T>(of: (one: Made) => T) => new Map(made.map((one) => [one.k, of(one)] as const));
  const hasOutcome = made.some(({ outcome }) => outcome !== undefined);
  return rankCandidates(
    {
      scores: made.map(({ k, share = 0.2 }) => ({
        ...{ k, inertia: 1, silhouette: 0.3, calinskiHarabasz: 100, daviesBouldin: 1, minShare: share },
        sizeEntropy: 1,
        ...{ centers: new Float64Array(k), labels: Uint8Array.from({ length: 4000 }, (_, i) => i % k) },
      })),
      stabilities: byK(({ k, jaccard = 0.9, error = 0 }) => ({
        means: Float64Array.from({ length: k }, (_, c) => (c === k - 1 ? jaccard : 1)),
        errors: new Float64Array(k).fill(error),
        recovered: new Uint32Array(k),
        ...{ drawn: new Uint16Array(k), agreed: new Uint16Array(k) },
      })),
      calibration: {
        valleys: byK(({ valley = 1 }) => valley),
        comparisons: byK(({ beyond = 0, nullDeviation = 0, valleyShare = 1 }): NullComparison => {
          const calibrated = (sign: 1 | -1) => ({ found: 1 + sign * beyond, nullMean: 1, nullDeviation });
          return {
            silhouette: calibrated(1),
            ...{ logInertia: calibrated(-1), daviesBouldin: calibrated(-1), valleyShare },
          };
        }),
      },
      outcomeSeparations: hasOutcome ? byK(({ outcome = 0 }) => outcome) : null,
    },
    SETTINGS,
  );
}

const only = (made: Omit<Made, 'k'>) => rank([{ k: 3, ...made }])[0]!;
const ranksOf = (made: readonly Made[]) => Object.fromEntries(rank(made).map(({ k, rank }) => [k, rank]));

const APART = { valley: 0.1, valleyShare: 0.04 };

describe('the verdict of one candidate', () => {
  test.each<[Omit<Made, 'k'>, string]>([
    [{ valley: 0.75, valleyShare: 0.05 }, 'natural'],
    [{ valley: 0.76, valleyShare: 0.05 }, 'reproducible'],
    [{ valley: 0.75, valleyShare: 0.06 }, 'reproducible'],
    [{ jaccard: 0.75 }, 'reproducible'],
    [{ jaccard: 0.74 }, 'constructed'],
    [{ jaccard: 0.74, ...APART }, 'constructed'],
    [{ jaccard: 0.6 }, 'constructed'],
    [{ jaccard: 0.59 }, 'none'],
    [{ jaccard: 0.59, ...APART }, 'none'],
    [{ share: 0.019 }, 'none'],
    [{ share: 0.019, ...APART }, 'none'],
    [{ share: 0.02 }, 'reproducible'],
  ])('%o: %s', (made, verdict) => {
    expect(only(made).verdict).toBe(verdict);
  });

  test('its stability is what the least stable cluster has at two standard errors below its mean', () => {
    const passing = only({ jaccard: 0.86, error: 0.05 });
    expect(passing.gates.stability).toEqual({ passed: true, needed: 0.75, found: expect.closeTo(0.76, 12) });
    expect([passing.minJaccard, passing.verdict]).toEqual([0.86, 'reproducible']);
    expect(passing.jaccards).toEqual([1, 1, 0.86]);
    expect(only({ jaccard: 0.86, error: 0.06 }).verdict).toBe('constructed');
    // A single resample does not tell the error
    expect(only({ jaccard: 1, error: Infinity }).gates.stability).toEqual({
      passed: false,
      needed: 0.75,
      found: 0,
    });
  });

  test('hands over the evidence that it is made from', () => {
    const found = only({ share: 0.3, valley: 0.4, valleyShare: 0.1, beyond: 0.2, outcome: 0.6 });
    expect(found).toMatchObject({ minShare: 0.3, valley: 0.4, outcomeSeparation: 0.6, score: 1, rank: 1 });
    expect(found.null.valleyShare).toBe(0.1);
    expect(found.gates.size).toEqual({ passed: true, needed: 0.02, found: 0.3 });
    expect(only({}).outcomeSeparation).toBeNull();
  });
});

describe('the order', () => {
  test('candidates stay in ascending order of k', () => {
    expect(rank([{ k: 3 }, { k: 4, beyond: 1 }, { k: 6 }]).map(({ k }) => k)).toEqual([3, 4, 6]);
  });

  test('natural ones come first, the one with most clusters before all, however the others score', () => {
    const made = [
      { k: 3, ...APART, beyond: 0.9 },
      { k: 4, beyond: 2 },
      { k: 5, ...APART, beyond: 0.1 },
      { k: 6, ...APART, beyond: 3, jaccard: 0.7 },
    ];
    // k = 6 is apart, and not found again
    expect(ranksOf(made)).toEqual({ 3: 2, 4: 3, 5: 1, 6: null });
  });

  test('without natural ones it is by what is won beyond the null model', () => {
    expect(
      ranksOf([
        { k: 3, beyond: 0.1 },
        { k: 4, beyond: 0.3 },
        { k: 5, beyond: 0.2 },
      ]),
    ).toEqual({ 3: 3, 4: 1, 5: 2 });
  });

  test('a higher band of stability goes before any score', () => {
    expect(
      ranksOf([
        { k: 3, jaccard: 0.86 },
        { k: 4, jaccard: 0.84, beyond: 1 },
      ]),
    ).toEqual({ 3: 1, 4: 2 });
    // Within a band the difference is chance
    expect(
      ranksOf([
        { k: 3, jaccard: 0.95 },
        { k: 4, jaccard: 0.86, beyond: 1 },
      ]),
    ).toEqual({ 3: 2, 4: 1 });
  });

  test('differences within the chance of the null draws are ties, and ties go to fewer clusters', () => {
    // Two standard errors of a difference of means over 25 draws: 2 * sqrt(2) * 0.5 / 5 = .283
    const [few, many] = [
      { k: 3, nullDeviation: 0.5 },
      { k: 4, nullDeviation: 0.5 },
    ];
    expect(ranksOf([few, { ...many, beyond: 0.28 }])).toEqual({ 3: 1, 4: 2 });
    expect(ranksOf([few, { ...many, beyond: 0.29 }])).toEqual({ 3: 2, 4: 1 });
  });

  test('the separation of a later outcome decides what is otherwise equal', () => {
    expect(ranksOf([{ k: 3 }, { k: 4 }, { k: 5 }])).toEqual({ 3: 1, 4: 2, 5: 3 });
    expect(
      ranksOf([
        { k: 3, outcome: 0.1 },
        { k: 4, outcome: 0.3 },
        { k: 5, outcome: 0.2 },
      ]),
    ).toEqual({
      3: 3,
      4: 1,
      5: 2,
    });
  });

  test('the score is the share of comparisons won, ties half', () => {
    // Better in three criteria, equal in the outcome that there is not
    expect(rank([{ k: 3 }, { k: 4, beyond: 0.5 }]).map(({ score }) => score)).toEqual([0.125, 0.875]);
  });
});

describe('who competes', () => {
  test('constructed ones only where nothing is found again', () => {
    const constructed = { k: 4, jaccard: 0.7, beyond: 1 };
    expect(ranksOf([{ k: 3 }, constructed])).toEqual({ 3: 1, 4: null });
    expect(ranksOf([{ k: 3, jaccard: 0.5 }, constructed])).toEqual({ 3: null, 4: 1 });
  });

  test('one with too small a cluster has no score, and is no rival in those of the others', () => {
    const withOut = rank([{ k: 3 }, { k: 4, beyond: 0.5 }]);
    const withIt = rank([{ k: 3 }, { k: 4, beyond: 0.5 }, { k: 5, beyond: 9, share: 0.001 }]);
    expect(withIt.slice(0, 2)).toEqual(withOut);
    expect([withIt[2]!.score, withIt[2]!.rank, withIt[2]!.verdict]).toEqual([null, null, 'none']);
  });

  test('an unstable one stays a rival, so that the edge of the gate does not change the others', () => {
    const scoreOf = (jaccard: number) =>
      rank([{ k: 3 }, { k: 4, beyond: 0.5 }, { k: 5, beyond: 0.2, jaccard }]).map(({ score }) => score);
    expect(scoreOf(0.74)).toEqual(scoreOf(0.76));
  });

  test('nothing passes: nobody is ranked', () => {
    const found = rank([
      { k: 3, jaccard: 0.5 },
      { k: 4, share: 0.01 },
      { k: 5, jaccard: 0.59, ...APART },
    ]);
    expect(found.map(({ rank }) => rank)).toEqual([null, null, null]);
    expect(found.map(({ verdict }) => verdict)).toEqual(['none', 'none', 'none']);
  });
});
