import { describe, expect, test } from 'vitest';
import type { KCandidate, KChoice } from '../../../numeric/cluster/choose-k.ts';
import { describeClustering, isLargeEnough, ksToTry } from '../../../pipelines/stages/cluster.ts';

function candidate(k: number, rank: number | null, isStable = true): KCandidate {
  return {
    k,
    inertia: 100 / k,
    silhouette: k / 10,
    calinskiHarabasz: 1000,
    daviesBouldin: 1,
    inertiaGap: 0.5,
    minShare: 0.1,
    jaccards: [0.9, 0.8],
    minJaccard: isStable ? 0.8 : 0.6,
    gates: {
      size: { passed: true, needed: 0.02, found: 0.1 },
      stability: { passed: isStable, needed: 0.75, found: isStable ? 0.8 : 0.6 },
    },
    score: rank === null ? null : 1 / rank,
    rank,
  };
}

const choice: KChoice = {
  k: 4,
  verdict: 'reproducible',
  reasons: ['k = 4 wins'],
  candidates: [candidate(3, 2), candidate(4, 1), candidate(5, null, false)],
  stableRange: [3, 4],
  scoredOn: { rows: 10_000, of: 20_000 },
  bootstraps: 20,
};

describe('from the choice of k to a clustering', () => {
  test('candidates are tried in the order of their rank, without those that did not compete', () => {
    expect(ksToTry(choice)).toEqual([4, 3]);
  });

  test.each([
    [[98, 2], true],
    [[981, 19], false],
  ])('sizes %j with at least 2 %%: %s', (sizes, verdict) => {
    expect(isLargeEnough(sizes, 0.02)).toBe(verdict);
  });

  test('scores are those of the choice with the rows they stand on, sizes those of the fit', () => {
    const sizes = Uint32Array.of(8000, 6000, 5000, 1000);
    const clustering = describeClustering({ choice, sizes, smallestShare: 0.02 });
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

  test('another k than the chosen one says why, and has its own verdict', () => {
    const unstable = { ...choice, candidates: [candidate(3, 2, false), candidate(4, 1)] };
    const { reasons, verdict, quality } = describeClustering({
      choice: unstable,
      sizes: [5, 4, 3],
      smallestShare: 0.02,
    });
    expect(reasons[0]).toMatch(/^k = 4 was chosen on a sample .* k = 3 is next$/);
    expect([verdict, quality.verdict]).toEqual(['constructed', 'constructed']);
  });

  test('a smallest cluster below its share is told', () => {
    const { reasons } = describeClustering({ choice, sizes: [970, 10, 10, 10], smallestShare: 0.02 });
    expect(reasons).toContain('the smallest cluster holds 1 % of all customers (needed 2 %)');
  });

  test('a k that was not scored is refused', () => {
    expect(() => describeClustering({ choice, sizes: [1, 1], smallestShare: 0.02 })).toThrow(
      'a clustering needs a k that was scored (3, 4, 5), found 2',
    );
  });
});
