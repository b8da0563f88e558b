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

// Enough for what has nothing to do with how sure the evidence is
const QUICK = { seed: 1, bootstraps: 4, nullDraws: 1 };

describe('chooseK', () => {
  test.each([3, 4, 5, 6])('%i planted groups are natural, and as many', async (groups) => {
    const { X } = makeBlobs({ rows: 1200, columns: 6, groups, seed: groups });
    const choice = await chooseK(pool, X, { seed: 1, bootstraps: 10 });
    expect([choice.k, choice.verdict, choice.decidedBy]).toEqual([groups, 'natural', 'evidence']);
    expect(choice.naturalRange).toContain(groups);
    expect(choice.stableRange).toEqual(expect.arrayContaining([...choice.naturalRange]));
    expect(choice.scoredOn).toEqual({ rows: 1200, of: 1200 });
    expect(choice.candidates.map(({ k }) => k)).toEqual([3, 4, 5, 6, 7, 8]);
    const best = choice.candidates.find(({ rank }) => rank === 1)!;
    expect([best.k, best.verdict]).toEqual([groups, 'natural']);
    expect(best.minJaccard).toBeGreaterThan(0.99);
    expect(best.valley).toBeLessThan(0.1);
  });

  test('says why: the sizes, the stability, the valleys, the null model, and what was left out', async () => {
    const { X } = makeBlobs({ rows: 1000, columns: 4, groups: 5 });
    const { reasons } = await chooseK(pool, X, { seed: 1, bootstraps: 10, nullDraws: 19, minShare: 0.05 });
    for (const expected of [
      /^k = 5 is the finest choice whose clusters are natural; k = [34, ]+ pass the gates too$/,
      /^its smallest cluster holds \d+\.\d % \(needed 5\.0 %\)$/,
      /^its least stable cluster has a bootstrap Jaccard of (0\.9\d|1\.00) over 10 resamples/,
      /^its clusters are natural: .* in none of 19 draws without groups as far$/,
      /^its silhouette is 0\.\d{3} above that of data with the same margins and correlations but no groups$/,
      /^some cluster is not stable at k = 6, 7, 8$/,
    ]) {
      expect(
        reasons.filter((reason) => expected.test(reason)).length,
        `${expected}: ${reasons.join(' | ')}`,
      ).toBe(1);
    }
  });

  test.each([1, 2, 3])('noise is never natural, seed %i', async (seed) => {
    const choice = await chooseK(pool, makeNoise(1200, 3, seed), { seed: 1, bootstraps: 20, nullDraws: 19 });
    expect(choice.verdict).not.toBe('natural');
    expect(choice.naturalRange).toEqual([]);
    for (const { valley } of choice.candidates) expect(valley).toBeGreaterThan(0.85);
  });

  test('fewer than 19 draws without groups are too few for anything to be natural', async () => {
    const { X } = makeBlobs({ rows: 600, columns: 3, groups: 3 });
    const verdictAfter = async (nullDraws: number) =>
      (await chooseK(pool, X, { seed: 1, kMax: 4, bootstraps: 5, nullDraws })).verdict;
    expect([await verdictAfter(18), await verdictAfter(19)]).toEqual(['reproducible', 'natural']);
  });

  test('where nothing is found again it says so: do not segment', async () => {
    const options = { seed: 1, kMin: 6, kMax: 8, bootstraps: 20, nullDraws: 1 };
    const choice = await chooseK(pool, makeNoise(1500, 8), options);
    expect([choice.k, choice.verdict]).toEqual([null, 'none']);
    expect([choice.stableRange, choice.naturalRange]).toEqual([[], []]);
    expect(choice.candidates.every(({ rank, verdict }) => rank === null && verdict === 'none')).toBe(true);
    expect(choice.reasons[0]).toMatch(
      /^there is no reproducible segmentation for k from 6 to 8: .* Jaccard of 0\.\d\d at best \(below 0\.60 /,
    );
    expect(choice.reasons).toContain('no k is found again on resamples');
  });

  test('a candidate with too small a cluster does not compete, however well it scores', async () => {
    const { X, groups } = makeBlobs({ rows: 4000, columns: 3, groups: 4, spread: 0.2 });
    // Of the fourth group only 15 rows are left, 0.5 % of all
    let kept = 0;
    const rows = Array.from(groups.keys()).filter((i) => groups[i] !== 3 || kept++ < 15);
    const choice = await chooseK(pool, takeRows(X, rows), { ...QUICK, kMin: 3, kMax: 4, bootstraps: 5 });
    expect(choice.k).toBe(3);
    const four = choice.candidates[1]!;
    expect([four.score, four.rank, four.verdict]).toEqual([null, null, 'none']);
    expect(four.gates.size).toEqual({
      passed: false,
      needed: 0.02,
      found: expect.closeTo(15 / rows.length, 6),
    });
    expect(choice.reasons).toContain('some cluster is too small at k = 4');
  });

  test('when every candidate has too small a cluster the verdict is none, with what was found', async () => {
    const choice = await chooseK(pool, makeNoise(500, 3), { ...QUICK, kMin: 5, kMax: 6, minShare: 0.3 });
    expect([choice.k, choice.verdict]).toEqual([null, 'none']);
    expect(choice.candidates.map(({ score, rank }) => [score, rank])).toEqual([
      [null, null],
      [null, null],
    ]);
    expect(choice.reasons[0]).toMatch(
      /^every cluster needs 30\.0 % of the rows, found at most 1\d\.\d % in the smallest one for k from 5 to 6$/,
    );
  });

  test('is the same for any number of threads', async () => {
    const X = makeNoise(700, 4);
    const outcome = Float64Array.from({ length: 700 }, (_, i) => i % 13);
    const options = { seed: 5, kMax: 5, bootstraps: 4, nullDraws: 3, sampleRows: 500, outcome };
    const [one, four] = [1, 4].map((threads) => createKernelPool({ threads }));
    const alone = await chooseK(one!, X, options);
    expect(await chooseK(four!, X, options)).toEqual(alone);
    expect(alone.scoredOn).toEqual({ rows: 500, of: 700 });
    expect(alone.reasons).toContain('scored on a sample of 500 of 700 rows');
    await Promise.all([one!.close(), four!.close()]);
  });

  test('on all rows its fits are those of fitKMeans with the same seed', async () => {
    const X = makeNoise(900, 3);
    const { candidates } = await chooseK(pool, X, { ...QUICK, seed: 3, kMax: 4 });
    for (const { k, inertia } of candidates) {
      expect(inertia).toBeCloseTo((await fitKMeans(pool, X, { nClusters: k, seed: 3 })).inertia, 2);
    }
  });

  test('hands over the clusters that were scored: on which rows, their centres and labels', async () => {
    const X = makeNoise(2000, 3);
    const { candidates, scoredRows } = await chooseK(pool, X, { ...QUICK, seed: 3, sampleRows: 800 });
    expect(scoredRows).toEqual(scoredRows!.toSorted());
    const scored = takeRows(X, scoredRows!);
    expect(scored.rows).toBe(800);
    for (const { k, centers, labels, minShare } of candidates) {
      expect((await assignNearest(pool, scored, centers)).labels).toEqual(labels);
      const sizes = Array.from({ length: k }, (_, c) => labels.filter((label) => label === c).length);
      expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
      expect(sizes.at(-1)! / 800).toBe(minShare);
    }
    expect((await chooseK(pool, X, { ...QUICK, seed: 3, kMax: 3 })).scoredRows).toBeNull();
  });

  test('tells how sure the chosen clusters are of a row, by its margin', async () => {
    const { X } = makeBlobs({ rows: 800, columns: 3, groups: 3 });
    const { confidences } = await chooseK(pool, X, { ...QUICK, fixedK: 3 });
    const { margins, shares } = confidences.get(3)!;
    expect(shares.length).toBe(margins.length);
    for (const [i, margin] of margins.entries()) {
      expect(margin).toBeGreaterThan(margins[i - 1] ?? 0);
      expect(margin).toBeLessThanOrEqual(1);
      // Groups so far apart are found again to the last row
      expect(shares[i]).toBe(1);
    }
  });

  test('tries no more clusters than rows differ, and says so', async () => {
    const X = matrixFromRows(Array.from({ length: 200 }, (_, i) => [i % 5, (i % 5) ** 2]));
    const choice = await chooseK(pool, X, QUICK);
    expect(choice.candidates.map(({ k }) => k)).toEqual([3, 4]);
    expect(choice.reasons).toContain('k above 4 was not tried: too few rows differ');
  });

  test.each<[string, number[][]]>([
    ['a constant column', Array.from({ length: 90 }, (_, i) => [7, i % 30])],
    ['duplicate rows', Array.from({ length: 90 }, (_, i) => [i % 6, (i % 6) ** 2])],
    ['one giant outlier', Array.from({ length: 90 }, (_, i) => [i === 0 ? 1e15 : i % 10, i % 9])],
  ])('%s: figures all the same', async (_, rows) => {
    const choice = await chooseK(pool, matrixFromRows(rows), { ...QUICK, kMax: 4 });
    for (const { centers, silhouette, valley, minJaccard, null: comparison } of choice.candidates) {
      const figures = [...centers, silhouette, valley, minJaccard, ...Object.values(comparison.silhouette)];
      for (const figure of figures) expect(Number.isFinite(figure)).toBe(true);
    }
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('a value of %d is refused', async (value) => {
    const X = makeNoise(50, 2);
    X.data[7] = value;
    await expect(chooseK(pool, X, QUICK)).rejects.toBeInstanceOf(RangeError);
  });

  test.each([
    [{ kMin: 1 }, 'choosing k needs 2 <= kMin <= kMax <= 64, found 1 and 8'],
    [{ kMin: 5, kMax: 4 }, 'found 5 and 4'],
    [{ minShare: 2 }, 'minShare needs to be from 0 to 1, found 2'],
    [{ minJaccard: Number.NaN }, 'minJaccard needs to be from 0 to 1, found NaN'],
    [{ bootstraps: 0 }, 'bootstraps needs to be at least 1, found 0'],
    [{ nullDraws: 0.5 }, 'nullDraws needs to be at least 1, found 0.5'],
    [{ sampleRows: 8 }, 'sampleRows needs to be more than kMax = 8, found 8'],
    [{ fixedK: 1 }, 'a fixed k needs to be from 2 to 64, found 1'],
    [{ fixedK: 65 }, 'a fixed k needs to be from 2 to 64, found 65'],
    [{ fixedK: 4.5 }, 'a fixed k needs to be from 2 to 64, found 4.5'],
    [{ outcome: new Float64Array(99) }, '100 rows need as many outcomes, found 99'],
    [{ outcome: new Float64Array(100).fill(Number.NaN) }, 'finite values, found NaN'],
  ])('%o is refused', async (options, message) => {
    const work = chooseK(pool, makeNoise(100, 2), { ...QUICK, ...options });
    await expect(work).rejects.toThrow(message);
    await expect(work).rejects.toBeInstanceOf(RangeError);
  });

  test('too few different rows are refused', async () => {
    const repeated = matrixFromRows(Array.from({ length: 50 }, (_, i) => [i % 3]));
    await expect(chooseK(pool, repeated, QUICK)).rejects.toThrow(
      new NoClusteringError('choosing from 3 clusters on needs at least 4 different rows, found 3'),
    );
    await expect(chooseK(pool, matrixFromRows([[1], [2], [3]]), QUICK)).rejects.toThrow(
      new NoClusteringError('3 clusters need more than 3 rows, found 3'),
    );
    await expect(chooseK(pool, repeated, { ...QUICK, kMin: 2, fixedK: 3 })).rejects.toThrow(
      new NoClusteringError('choosing from 3 clusters on needs at least 4 different rows, found 3'),
    );
    const equal = matrixFromRows(new Array(50).fill([4, 4]));
    await expect(chooseK(pool, equal, QUICK)).rejects.toBeInstanceOf(NoClusteringError);
  });

  test('stops when asked to, and reports progress up to the end', async () => {
    const X = makeNoise(1000, 3);
    const reported: number[][] = [];
    await chooseK(pool, X, { ...QUICK, kMax: 4, onProgress: (done, of) => reported.push([done, of]) });
    expect(reported.every(([done, of]) => done! <= of!)).toBe(true);
    expect(reported.map(([done]) => done)).toEqual(
      reported.map(([done]) => done).toSorted((a, b) => a! - b!),
    );
    const [done, of] = reported.at(-1)!;
    expect(done).toBe(of);

    const controller = new AbortController();
    const work = chooseK(pool, X, {
      ...{ seed: 1, bootstraps: 5000, signal: controller.signal },
      onProgress: (part) => {
        if (part > of!) controller.abort(new Error('enough'));
      },
    });
    await expect(work).rejects.toThrow('enough');
  });
});

describe.skipIf(!realData)('on real data', () => {
  test('Online Retail: the scores are those of scikit-learn, and five clusters are chosen', async () => {
    const choice = await chooseK(pool, await onlineRetailFeatures(), { seed: 1, bootstraps: 40 });
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
    expect([choice.k, choice.verdict, choice.naturalRange]).toEqual([5, 'reproducible', []]);
    // Between some two neighbours the density does not fall: reproducible is all that it can be
    expect(chosen.valley).toBeGreaterThan(0.9);
  });

  test('Online Retail: the seed does not change the choice', async () => {
    const X = await onlineRetailFeatures();
    for (const seed of [2, 3, 4]) {
      const { k, verdict } = await chooseK(pool, X, { seed, bootstraps: 25, nullDraws: 10 });
      expect([k, verdict]).toEqual([5, 'reproducible']);
    }
  });

  test('Mall customers: five', async () => {
    const X = await mallCustomers();
    for (const range of [{ kMin: 2, kMax: 10 }, {}]) {
      expect((await chooseK(pool, X, { seed: 1, ...range })).k).toBe(5);
    }
  });
});
