import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assignNearest } from '../../../../numeric/cluster/assign.ts';
import { chooseK } from '../../../../numeric/cluster/choice/choose-k.ts';
import { NoClusteringError } from '../../../../numeric/cluster/choice/no-clustering-error.ts';
import { fitKMeans } from '../../../../numeric/cluster/k-means.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { matrixFromRows, takeRows } from '../../../../numeric/matrix.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';
import { mallCustomers, onlineRetailFeatures, realData } from '../../helpers/real-data.ts';

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 2 });
});
afterAll(() => pool.close());

describe('chooseK', () => {
  test('finds the number of planted groups, and calls it reproducible', async () => {
    const { X } = makeBlobs({ rows: 3000, columns: 4, groups: 5 });
    const choice = await chooseK(pool, X, { seed: 1 });
    expect([choice.k, choice.verdict]).toEqual([5, 'reproducible']);
    expect(choice.scoredOn).toEqual({ rows: 3000, of: 3000 });
    expect(choice.stableRange).toContain(5);
    expect(choice.candidates.map(({ k }) => k)).toEqual([3, 4, 5, 6, 7, 8]);
    const best = choice.candidates.find(({ rank }) => rank === 1)!;
    expect(best.k).toBe(5);
    expect(best.minJaccard).toBeGreaterThan(0.99);
  });

  test('where nothing is planted it says that the clusters are constructed', async () => {
    const choice = await chooseK(pool, makeNoise(1500, 8), { seed: 1, kMin: 6, kMax: 8 });
    expect(choice.verdict).toBe('constructed');
    expect(choice.stableRange).toEqual([]);
    expect(choice.reasons).toContain('no k is found again on resamples: the clusters are constructed');
  });

  test('never calls clusters natural: that is not tested', async () => {
    const { X } = makeBlobs({ rows: 500, columns: 3, groups: 3 });
    const { reasons } = await chooseK(pool, X, { seed: 1, bootstraps: 2 });
    expect(reasons).toContain('whether the clusters are natural was not tested');
  });

  test('a candidate with too small a cluster does not compete, however well it scores', async () => {
    const { X, groups } = makeBlobs({ rows: 4000, columns: 3, groups: 4, spread: 0.2 });
    // Of the fourth group only 15 rows are left, 0.5 % of all
    let kept = 0;
    const rows = Array.from(groups.keys()).filter((i) => groups[i] !== 3 || kept++ < 15);
    const choice = await chooseK(pool, takeRows(X, rows), { seed: 1, kMin: 3, kMax: 4, bootstraps: 5 });
    expect(choice.k).toBe(3);
    const four = choice.candidates[1]!;
    expect([four.gates.size.passed, four.gates.size.needed, four.score, four.rank]).toEqual([
      false,
      0.02,
      null,
      null,
    ]);
    expect(four.gates.size.found).toBeCloseTo(15 / rows.length, 6);
  });

  test('when every candidate has too small a cluster it refuses, with what was found', async () => {
    const options = { seed: 1, kMin: 5, kMax: 6, minShare: 0.3, bootstraps: 1 };
    const work = chooseK(pool, makeNoise(500, 3), options);
    await expect(work).rejects.toBeInstanceOf(NoClusteringError);
    await expect(work).rejects.toThrow(
      /every cluster needs 30\.0 % of the rows, found at most 1\d\.\d % in the smallest one for k from 5 to 6/,
    );
  });

  test('is the same for any number of threads', async () => {
    const X = makeNoise(700, 4);
    const options = { seed: 5, kMax: 5, bootstraps: 4, sampleRows: 500 };
    const [one, four] = [1, 4].map((threads) => createKernelPool({ threads }));
    const alone = await chooseK(one!, X, options);
    expect(await chooseK(four!, X, options)).toEqual(alone);
    expect(alone.scoredOn).toEqual({ rows: 500, of: 700 });
    expect(alone.reasons).toContain('scored on a sample of 500 of 700 rows');
    await Promise.all([one!.close(), four!.close()]);
  });

  test('on all rows its fits are those of fitKMeans with the same seed', async () => {
    const X = makeNoise(900, 3);
    const { candidates } = await chooseK(pool, X, { seed: 3, kMax: 4, bootstraps: 1 });
    for (const { k, inertia } of candidates) {
      expect(inertia).toBeCloseTo((await fitKMeans(pool, X, { k, seed: 3 })).inertia, 2);
    }
  });

  test('hands over the clusters that were scored: on which rows, their centres and labels', async () => {
    const X = makeNoise(2000, 3);
    const { candidates, scoredRows } = await chooseK(pool, X, { seed: 3, sampleRows: 800, bootstraps: 2 });
    expect(scoredRows).toEqual(scoredRows!.toSorted());
    const scored = takeRows(X, scoredRows!);
    expect(scored.rows).toBe(800);
    for (const { k, centers, labels, minShare } of candidates) {
      expect((await assignNearest(pool, scored, centers)).labels).toEqual(labels);
      const sizes = Array.from({ length: k }, (_, c) => labels.filter((label) => label === c).length);
      expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
      expect(sizes.at(-1)! / 800).toBe(minShare);
    }
    expect((await chooseK(pool, X, { seed: 3, kMax: 3, bootstraps: 2 })).scoredRows).toBeNull();
  });

  test('tries no more clusters than rows differ, and says so', async () => {
    const X = matrixFromRows(Array.from({ length: 200 }, (_, i) => [i % 5, (i % 5) ** 2]));
    const choice = await chooseK(pool, X, { seed: 1, bootstraps: 3 });
    expect(choice.candidates.map(({ k }) => k)).toEqual([3, 4]);
    expect(choice.reasons).toContain('k above 4 was not tried: too few rows differ');
  });

  test.each([
    [{ kMin: 1 }, 'choosing k needs 2 <= kMin <= kMax <= 64, found 1 and 8'],
    [{ kMin: 5, kMax: 4 }, 'found 5 and 4'],
    [{ minShare: 2 }, 'minShare needs to be from 0 to 1, found 2'],
    [{ bootstraps: 0 }, 'bootstraps needs to be at least 1, found 0'],
    [{ sampleRows: 8 }, 'sampleRows needs to be more than kMax = 8, found 8'],
  ])('%o is refused', async (options, message) => {
    const work = chooseK(pool, makeNoise(100, 2), { seed: 1, ...options });
    await expect(work).rejects.toThrow(message);
    await expect(work).rejects.toBeInstanceOf(RangeError);
  });

  test('too few different rows are refused', async () => {
    const repeated = matrixFromRows(Array.from({ length: 50 }, (_, i) => [i % 3]));
    await expect(chooseK(pool, repeated, { seed: 1 })).rejects.toThrow(
      new NoClusteringError('choosing from 3 clusters on needs at least 4 different rows, found 3'),
    );
    await expect(chooseK(pool, matrixFromRows([[1], [2], [3]]), { seed: 1 })).rejects.toThrow(
      new NoClusteringError('3 clusters need more than 3 rows, found 3'),
    );
  });

  test('stops when asked to, and reports progress up to the end', async () => {
    const X = makeNoise(3000, 4);
    const controller = new AbortController();
    const work = chooseK(pool, X, {
      ...{ seed: 1, bootstraps: 2000, signal: controller.signal },
      onProgress: (done, of) => {
        expect(done).toBeLessThanOrEqual(of);
        if (done > 70) controller.abort(new Error('enough'));
      },
    });
    await expect(work).rejects.toThrow('enough');
  });
});

describe.skipIf(!realData)('on real data', () => {
  test('Online Retail: the scores are those of scikit-learn, and every cluster holds 2 % or more', async () => {
    const X = await onlineRetailFeatures();
    const choice = await chooseK(pool, X, { seed: 1 });
    // Expected values: scikit-learn 1.9, KMeans(n_init=20), log RFM scaled; k = 4 and 6 are near ties
    const expected = new Map([
      [3, [4856.327, 0.3372, 3641.0, 1.043]],
      [5, [3268.009, 0.3185, 3230.5, 0.984]],
      [7, [2533.024, 0.3102, 2986.8, 0.977]],
    ]);
    for (const candidate of choice.candidates) {
      const [inertia, silhouette, calinskiHarabasz, daviesBouldin] = expected.get(candidate.k) ?? [];
      if (inertia === undefined) continue;
      expect(candidate.inertia / inertia).toBeLessThan(1.001);
      expect(Math.abs(candidate.silhouette - silhouette!)).toBeLessThan(0.01);
      expect(candidate.calinskiHarabasz / calinskiHarabasz!).toBeCloseTo(1, 2);
      expect(Math.abs(candidate.daviesBouldin - daviesBouldin!)).toBeLessThan(0.01);
    }
    const chosen = choice.candidates.find(({ k }) => k === choice.k)!;
    expect(chosen.minShare).toBeGreaterThanOrEqual(0.02);
    expect(choice.verdict).toBe('reproducible');
  });

  test('Online Retail: the seed does not change the choice', async () => {
    const X = await onlineRetailFeatures();
    const ks = new Set<number>();
    for (const seed of [1, 2, 3, 4]) ks.add((await chooseK(pool, X, { seed })).k);
    expect(ks.size).toBe(1);
  });

  test('Mall customers: five', async () => {
    expect((await chooseK(pool, await mallCustomers(), { seed: 1 })).k).toBe(5);
  });
});
