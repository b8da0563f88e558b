import { describe, expect, test } from 'vitest';
import type { FitRecord } from '../../../pipelines/contracts/compare.ts';
import { bestOf, gradeFits, rankEntrants } from '../../../pipelines/stages/compare-ranking.ts';
import { madeEntrant, madeFit, madeGrid, madeReport, PLAN } from '../../helpers/made-comparison.ts';

const ranking = (...entrants: Parameters<typeof rankEntrants>[0]) =>
  rankEntrants(entrants).map(({ outcome }) => outcome.candidate);

describe('gates come before scores', () => {
  test.each([
    ['stability', { jaccards: [0.76, 0.9, 0.9] }],
    ['size', { smallestShare: 0.019 }],
    ['assignable', { assignedAgain: 0.9 }],
    ['fidelity', { fidelity: 0.8 }],
    ['budget', { fitMs: 300_001 }],
  ] satisfies [string, Partial<FitRecord>][])(
    '%s: what misses it ranks after what passes all, however well it scores',
    (gate, change) => {
      const brilliant = madeEntrant('ward', [madeFit({ above: 9, ...change })]);
      const plain = madeEntrant('hdbscan', [madeFit({ above: 1 })]);
      expect(ranking(brilliant, plain)).toEqual(['hdbscan', 'ward']);
      expect(
        bestOf(brilliant)!
          .gates.filter(({ passed }) => !passed)
          .map((own) => own.gate),
      ).toEqual([gate]);
    },
  );

  test('a candidate is judged at its best number of segments that passes', () => {
    const entrant = madeEntrant('ward', [
      madeFit({ k: 3, above: 3 }),
      madeFit({ k: 4, above: 4 }),
      madeFit({ k: 5, above: 9, jaccards: [0.5, 0.9, 0.9, 0.9, 0.9] }),
    ]);
    expect(bestOf(entrant)!.fit.k).toBe(4);
  });

  test('one cluster is no segmentation, though it is found again', () => {
    const one = madeFit({
      k: 1,
      scores: null,
      nullScores: null,
      valley: null,
      jaccards: [1],
      smallestShare: 1,
    });
    expect(bestOf(madeEntrant('hdbscan', [one]))!.passed).toBe(false);
  });
});

describe('scores', () => {
  test('are standard deviations above data without groups; less Davies-Bouldin is better', () => {
    const [graded] = gradeFits({ fits: [madeFit({ above: 4 })] }, { plan: PLAN, status: 'measured' });
    expect(graded!.z!.silhouette).toBeCloseTo(4);
    expect(graded!.z!.daviesBouldin).toBeCloseTo(4);
    expect(graded!.score).toBeCloseTo(4);
  });

  test('null draws that agree by chance make no score endless: spread counts as at least 2 %, and z as at most 10', () => {
    const flat = madeFit({ above: 5 });
    for (const band of Object.values(flat.nullScores!)) band.deviation = 0;
    const [graded] = gradeFits({ fits: [flat] }, { plan: PLAN, status: 'measured' });
    expect(graded!.z!.silhouette).toBeCloseTo(0.05 / 0.006);
    expect(graded!.score).toBeLessThanOrEqual(10);
  });

  test('of equals the one that was given first is taken, beyond a tie the better one', () => {
    const simple = madeEntrant('k-means', [madeFit({ above: 4.5 })]);
    const close = madeEntrant('ward', [madeFit({ above: 5 })]);
    const better = madeEntrant('birch', [madeFit({ above: 7 })]);
    expect(ranking(simple, close)).toEqual(['k-means', 'ward']);
    expect(ranking(simple, close, better)).toEqual(['birch', 'ward', 'k-means']);
  });
});

describe('the recommendation', () => {
  test('natural: passes all gates, with valleys that data without groups do not have', () => {
    const { recommendation } = madeReport([madeGrid(), madeEntrant('k-means', [madeFit({ valley: 0.6 })])]);
    expect(recommendation).toMatchObject({ verdict: 'natural', candidate: 'k-means', k: 3 });
    expect(recommendation.headline).toMatch(/^Use k-means with 3 segments: these are groups of customers/);
    expect(recommendation.reasons.join(' ')).toContain('falls to 60 % of the lower peak');
  });

  test.each([
    ['there is no valley', { valley: 1 }, 'as many customers as within them'],
    [
      'the valley is shallow',
      { valley: 0.8 },
      'falls to 80 % of the lower peak (natural groups need 75 % or less)',
    ],
    [
      'data without groups have the like',
      { valley: 0.7, nullValleys: [0.6, 0.65, ...new Array<number>(18).fill(0.9)] },
      'but so it does in 2 of 20 data sets without groups',
    ],
    [
      'data without groups were too few',
      { valley: 0.5, nullValleys: [0.9, 0.9] },
      '2 data sets without groups are too few to call that natural (needed: 19)',
    ],
  ])('reproducible and no more: %s, however well it scores', (_, change, words) => {
    const { recommendation } = madeReport([madeEntrant('k-means', [madeFit({ above: 9, ...change })])]);
    expect(recommendation.verdict).toBe('reproducible');
    expect(recommendation.headline).toContain('a useful way to cut one crowd');
    expect(recommendation.reasons.join(' ')).toContain(words);
  });

  test('a valley that draws have at any number of segments is no evidence at this one', () => {
    const lucky = madeFit({ k: 4, nullValleys: new Array<number>(20).fill(0.4) });
    const entrant = madeEntrant('k-means', [madeFit({ k: 3, valley: 0.6 }), { ...lucky, valley: 1 }]);
    expect(entrant.graded.map(({ isNatural }) => isNatural)).toEqual([false, false]);
  });

  test('natural goes before reproducible, whatever the two score, and says so', () => {
    const crowd = madeEntrant('k-means', [madeFit({ above: 9, valley: 1 })]);
    const natural = madeEntrant('birch', [madeFit({ above: 4, valley: 0.5 })]);
    expect(ranking(crowd, natural)).toEqual(['birch', 'k-means']);
    expect(madeReport([crowd, natural]).recommendation.reasons).toContain(
      'k-means (k = 3) passes all gates too, but not with natural segments.',
    );
  });

  test('none: nothing passes, and the rule grid is offered with its cells', () => {
    const shaky = madeEntrant('k-means', [madeFit({ jaccards: [0.9, 0.9, 0.4] })]);
    const { recommendation } = madeReport([madeGrid(), shaky]);
    expect(recommendation).toMatchObject({
      verdict: 'none',
      candidate: null,
      k: null,
      headline: expect.stringContaining('No reproducible segmentation at any k (3 to 5 tried)'),
    });
    expect(recommendation.grid.map(({ name, customers }) => [name, customers])).toEqual([
      ['Active high', 300],
      ['Lapsing', 200],
      ['Lapsed <b>low</b>', 100],
    ]);
    expect(recommendation.reasons).toContain('Out by a gate: k-means (not found again).');
  });

  test('stable, and out by another gate: it does not say that nothing is found again', () => {
    const tiny = madeEntrant('k-means', [madeFit({ smallestShare: 0.001 })]);
    const { headline, reasons } = madeReport([madeGrid(), tiny]).recommendation;
    expect(headline).toContain('No segmentation passes all gates at any k (3 to 5 tried)');
    expect(reasons).toContain('Out by a gate: k-means (too small a segment).');
  });

  test('rivals are equals within a tie of the highest score alone; those without a score are named apart', () => {
    const winner = madeEntrant('birch', [madeFit({ above: 5, valley: 1 })]);
    const simplerButLower = madeEntrant('k-means', [madeFit({ above: 3.5, valley: 1 })]);
    const close = madeEntrant('ward', [madeFit({ above: 4.5, valley: 1 })]);
    const unscored = madeEntrant('hdbscan', [madeFit({ valley: 1, nullScores: null })]);
    const { candidate, reasons } = madeReport([simplerButLower, winner, close, unscored]).recommendation;
    expect(candidate).toBe('birch');
    expect(reasons).toContain('ward (k = 3) does about as well; of equals the simpler one is taken.');
    expect(reasons).toContain('1 other candidate passed all gates too, with lower scores.');
    expect(reasons.join(' ')).toContain('hdbscan (k = 3) passes all gates too, without a score');
  });

  test('yardsticks are never recommended, whatever they score', () => {
    const lucky = madeEntrant('random-groups', [madeFit({ above: 10 })]);
    const grid = madeEntrant('rule-grid', [madeFit({ above: 10 })]);
    const { recommendation, leaderboard } = madeReport([grid, lucky]);
    expect(recommendation.verdict).toBe('none');
    expect(leaderboard.map(({ rank }) => rank)).toEqual([null, null]);
  });

  test('when every candidate failed there is a report all the same, with every reason', () => {
    const failed = madeEntrant('k-means', [], {
      reason: 'took longer than the 300 s that each candidate has',
    });
    const { recommendation, leaderboard, candidates } = madeReport([failed]);
    expect(recommendation.headline).toContain('no rule grid to offer');
    expect(leaderboard).toMatchObject([{ candidate: 'k-means', status: 'failed', rank: null }]);
    expect(candidates[0]!.cons).toContain('took longer than the 300 s that each candidate has');
  });
});

test('what the stability gate refuses is not praised for its stability', () => {
  const lucky = madeFit({ jaccards: [0.9, 0.9, 0.76], minJaccard: 0.76 });
  const [own] = madeReport([madeEntrant('k-means', [lucky])]).candidates;
  expect(own!.pros.join()).not.toContain('found again');
  expect(own!.cons[0]).toBe(
    'segments may not be found again on resamples (least 0.76, 0.74 less two standard errors)',
  );
});

test('a deep valley that data without groups have, too, counts for nothing', () => {
  const common = madeFit({ valley: 0.7, nullValleys: new Array<number>(20).fill(0.6) });
  const [own] = madeReport([madeEntrant('k-means', [common])]).candidates;
  expect(own!.cons).toContain(
    'between its least separated segments the density falls to 70 % of the lower peak, as it may without groups',
  );
});

test('for and against have this data’s figures in them', () => {
  const noisy = madeEntrant(
    'hdbscan',
    [
      madeFit({
        noiseShare: 0.43,
        assignedAgain: 0.57,
        minJaccard: 0.5,
        jaccards: [0.9, 0.9, 0.5],
        fidelity: 0.6,
        valley: 0.82,
      }),
    ],
    { failures: [{ askedK: 5, reason: '5 clusters need at least 5 different rows' }] },
  );
  const { candidates } = madeReport([noisy]);
  expect(candidates[0]!.cons).toEqual([
    '1 of 3 segments are not found again on resamples (least 0.50)',
    'between its least separated segments the density falls only to 82 % of the lower peak',
    'calls 43 % of the customers noise',
    'the nearest segment mean alone gives 60 % of the customers their segment',
    'no result at k = 5: 5 clusters need at least 5 different rows',
  ]);
  expect(candidates[0]!.pros.join()).toContain(
    'silhouette 0.350, above the 0.300 that it reaches on data without groups',
  );
});
