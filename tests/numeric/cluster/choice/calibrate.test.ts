import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { calibrateScores } from '../../../../numeric/cluster/choice/calibrate.ts';
import { fitCandidates, scoreCandidates } from '../../../../numeric/cluster/choice/candidates.ts';
import type { ChoicePlan } from '../../../../numeric/cluster/choice/choice.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { type Matrix, matrixFromRows } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { distinctRows } from '../../../../numeric/shared-matrix.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 2 });
});
afterAll(() => pool.close());

async function calibrate(X: Matrix, { ks = [3, 4, 5], nullDraws = 6, on = pool } = {}) {
  const done: number[] = [];
  const plan: ChoicePlan = {
    ...{
      ks,
      different: await distinctRows(X, Math.max(...ks) + 1),
      random: createRandom(1),
      signal: undefined,
    },
    onProgress: (count) => done.push(count),
    settings: {
      ...{ seed: 1, kMin: ks[0]!, kMax: ks.at(-1)!, minShare: 0.02, minJaccard: 0.75 },
      ...{ sampleRows: 6000, bootstraps: 1, nullDraws, starts: 4 },
    },
  };
  const fits = await fitCandidates(on, X, { ...plan, onProgress: () => {} });
  const scores = await scoreCandidates(on, X, { fits, signal: undefined, onProgress: () => {} });
  return { calibration: await calibrateScores(on, X, { ...plan, scores }), scores, done };
}

describe('calibrateScores', () => {
  test('sets the scores of the candidates beside those of the draws', async () => {
    const { calibration, scores } = await calibrate(makeNoise(800, 3), { nullDraws: 1 });
    for (const { k, silhouette, inertia, daviesBouldin } of scores) {
      const comparison = calibration.comparisons.get(k)!;
      expect(comparison.silhouette.found).toBe(silhouette);
      expect(comparison.logInertia.found).toBe(Math.log(inertia));
      expect(comparison.daviesBouldin.found).toBe(daviesBouldin);
    }
  });

  test('data without groups score as the draws do', async () => {
    for (const seed of [1, 2]) {
      const { calibration } = await calibrate(makeNoise(1500, 3, seed), { nullDraws: 10 });
      for (const { silhouette, logInertia, daviesBouldin } of calibration.comparisons.values()) {
        expect(Math.abs(silhouette.found - silhouette.nullMean)).toBeLessThan(0.02);
        expect(Math.abs(logInertia.found - logInertia.nullMean)).toBeLessThan(0.03);
        expect(Math.abs(daviesBouldin.found - daviesBouldin.nullMean)).toBeLessThan(0.1);
      }
    }
  });

  test('skewed columns that go together score as the draws do', async () => {
    const random = createRandom(2);
    const rows = Array.from({ length: 1500 }, () => {
      const shared = random.normal();
      return [0, 1, 2].map(() => Math.exp(0.7 * shared + 0.7 * random.normal()));
    });
    const { calibration } = await calibrate(matrixFromRows(rows), { nullDraws: 10 });
    for (const { silhouette, logInertia } of calibration.comparisons.values()) {
      // By itself such a silhouette passes for strong structure
      expect(silhouette.found).toBeGreaterThan(0.4);
      expect(Math.abs(silhouette.found - silhouette.nullMean)).toBeLessThan(0.12);
      expect(Math.abs(logInertia.found - logInertia.nullMean)).toBeLessThan(0.08);
    }
  });

  test('planted groups score far better than the draws, and no draw has such valleys', async () => {
    const { X } = makeBlobs({ rows: 1000, columns: 3, groups: 4 });
    const { calibration } = await calibrate(X, { nullDraws: 4 });
    const { silhouette, logInertia, daviesBouldin, valleyShare } = calibration.comparisons.get(4)!;
    expect(silhouette.found - silhouette.nullMean).toBeGreaterThan(0.3);
    expect(logInertia.nullMean - logInertia.found).toBeGreaterThan(1);
    expect(daviesBouldin.nullMean - daviesBouldin.found).toBeGreaterThan(0.3);
    expect(calibration.valleys.get(4)).toBeLessThan(0.05);
    expect(valleyShare).toBe(1 / 5);
  });

  test('the share of draws with as deep a valley counts the data themselves', async () => {
    const { calibration } = await calibrate(makeNoise(600, 3), { nullDraws: 7 });
    for (const { valleyShare } of calibration.comparisons.values()) {
      expect(valleyShare * 8).toBe(Math.round(valleyShare * 8));
      expect(valleyShare).toBeGreaterThanOrEqual(1 / 8);
      expect(valleyShare).toBeLessThanOrEqual(1);
    }
  });

  test('a deeper valley never has a larger share', async () => {
    const { X } = makeBlobs({ rows: 600, columns: 2, groups: 4, spread: 1.6 });
    const { calibration } = await calibrate(X, { ks: [3, 4, 5, 6, 7], nullDraws: 9 });
    const byDepth = [...calibration.valleys].sort((a, b) => a[1] - b[1]);
    const shares = byDepth.map(([k]) => calibration.comparisons.get(k)!.valleyShare);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  });

  test('a draw counts by its deepest valley at any k, so that trying more of them finds no more', async () => {
    // Three groups that overlap nearly to one heap: a shallow valley at k = 3, which chance finds at k = 2 too
    const random = createRandom(1);
    const rows = Array.from({ length: 300 }, (_, i) => [random.normal() + (i % 3) * 2.5, random.normal()]);
    const X = matrixFromRows(rows);
    const ks = [2, 3, 4];
    const together = (await calibrate(X, { ks, nullDraws: 9 })).calibration;
    let larger = 0;
    for (const k of ks) {
      const alone = (await calibrate(X, { ks: [k], nullDraws: 9 })).calibration;
      expect(alone.valleys.get(k)).toBe(together.valleys.get(k));
      const [few, many] = [alone, together].map(({ comparisons }) => comparisons.get(k)!.valleyShare);
      expect(many).toBeGreaterThanOrEqual(few!);
      if (many! > few!) larger++;
    }
    expect(larger).toBeGreaterThan(0);
  });

  test('means and deviations are over the draws, which more of them do not change', async () => {
    const X = makeNoise(300, 2);
    const after = async (nullDraws: number) =>
      (await calibrate(X, { nullDraws })).calibration.comparisons.get(4)!.silhouette;
    const [one, two] = [await after(1), await after(2)];
    const second = 2 * two.nullMean - one.nullMean;
    expect(two.nullDeviation).toBeCloseTo(Math.abs(second - one.nullMean) / Math.SQRT2, 12);
    expect(two.nullDeviation).toBeGreaterThan(0);
  });

  test('a single draw has no spread', async () => {
    const { calibration } = await calibrate(makeNoise(300, 2), { nullDraws: 1 });
    for (const { silhouette } of calibration.comparisons.values()) expect(silhouette.nullDeviation).toBe(0);
  });

  test('few different rows, a constant column, one giant outlier: figures all the same', async () => {
    const few = Array.from({ length: 120 }, (_, i) => [i % 7, 3, i === 0 ? 1e12 : (i % 7) ** 2]);
    const { calibration } = await calibrate(matrixFromRows(few), { ks: [3, 4, 5, 6] });
    for (const comparison of calibration.comparisons.values()) {
      const { silhouette, logInertia, daviesBouldin, valleyShare } = comparison;
      const figures = [silhouette, logInertia, daviesBouldin].flatMap((score) => Object.values(score));
      for (const figure of [...figures, valleyShare]) expect(Number.isFinite(figure)).toBe(true);
    }
    for (const valley of calibration.valleys.values()) expect(valley >= 0 && valley <= 1).toBe(true);
  });

  test('is the same for 1 and 4 threads, and reports each draw', async () => {
    const X = makeNoise(500, 3);
    const [one, four] = [1, 4].map((threads) => createKernelPool({ threads }));
    const alone = await calibrate(X, { on: one!, nullDraws: 3 });
    const together = await calibrate(X, { on: four!, nullDraws: 3 });
    expect(together.calibration).toEqual(alone.calibration);
    expect(alone.done).toEqual([3, 6, 9]);
    await Promise.all([one!.close(), four!.close()]);
  });
});
