import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type PredictionStrengthOptions,
  predictionStrength,
  strengthOfPrediction,
} from '../../../numeric/compare/prediction-strength.ts';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import { matrixFromRows } from '../../../numeric/matrix.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../helpers/made-data.ts';

let pools: KernelPool[];
let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pools = [1, 2, 4].map((threads) => createKernelPool({ threads }));
  pool = pools[1]!;
});
afterAll(() => Promise.all(pools.map((own) => own.close())));

const { X } = makeBlobs({ rows: 240, columns: 2, groups: 3, seed: 6, spread: 1.5 });

describe('predictionStrength', () => {
  test('is that of the paper, on the same halves', async () => {
    const options = { seed: 1, kMax: 4, splits: 4, nInit: 30 };
    const { curve, k, scoredOn } = await predictionStrength(pool, X, options);
    // Expected values: numpy 2.4 over all pairs of rows, scikit-learn 1.9's KMeans (best of 200 starts) on the same halves
    const expected = [
      [2, 0.5046175056417516, 0.003703807825428808],
      [3, 1, 0],
      [4, 0.5117961362501918, 0.01071290642009912],
    ];
    expected.forEach(([k, strength, error], at) => {
      expect(curve[at]!.k).toBe(k);
      expect(curve[at]!.strength).toBeCloseTo(strength!, 9);
      expect(curve[at]!.error).toBeCloseTo(error!, 9);
    });
    expect([k, scoredOn]).toEqual([3, { rows: 240, of: 240 }]);
  });

  test('answers 1 where no clusters are found again', async () => {
    const found = await predictionStrength(pool, makeNoise(300, 4), { seed: 1, kMin: 3, kMax: 5, splits: 5 });
    expect(found.k).toBe(1);
  });

  test('is the same for 1, 2 and 4 threads; of larger data it takes a sample and says so', async () => {
    const large = makeNoise(3000, 3);
    const options = { seed: 1, kMax: 3, splits: 2, nInit: 2, sampleRows: 301 };
    const found = await Promise.all(pools.map((own) => predictionStrength(own, large, options)));
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
    expect(found[0]!.scoredOn).toEqual({ rows: 301, of: 3000 });
  });

  test.each([
    [{ kMin: 0 }, 'kMin needs to be at least 1, found 0'],
    [{ kMin: 4, kMax: 3 }, 'kMax needs to be at least the 4 of kMin, found 3'],
    [{ splits: 0 }, 'splits needs to be at least 1, found 0'],
    [{ sampleRows: 19 }, 'sampleRows needs two rows for each of 10 clusters or more, found 19'],
    [{ threshold: 2 }, 'threshold needs to be from 0 to 1, found 2'],
  ] as [Partial<PredictionStrengthOptions>, string][])('%o is refused', async (options, message) => {
    await expect(predictionStrength(pool, X, { seed: 1, ...options })).rejects.toThrow(message);
  });

  test('refuses halves with too few different rows, one row, and values that are not finite', async () => {
    const options = { seed: 1, kMax: 3, splits: 1 };
    const few = matrixFromRows(Array.from({ length: 40 }, (_, i) => [i % 2]));
    await expect(predictionStrength(pool, few, options)).rejects.toThrow('3 different rows, found 2');
    await expect(predictionStrength(pool, matrixFromRows([[1]]), options)).rejects.toThrow(
      'two halves need at least 2 rows, found 1',
    );
    const wrong = makeNoise(50, 2);
    wrong.data[3] = Number.NaN;
    await expect(predictionStrength(pool, wrong, options)).rejects.toThrow(RangeError);
  });

  test('stops when asked to, and says how far it is', async () => {
    const controller = new AbortController();
    const reports: number[] = [];
    const work = predictionStrength(pool, X, {
      ...{ seed: 1, kMax: 3, signal: controller.signal },
      onProgress: (done, of) => {
        expect(of).toBe(25);
        reports.push(done);
        if (done === 2) controller.abort(new Error('enough'));
      },
    });
    await expect(work).rejects.toThrow('enough');
    expect(reports).toEqual([1, 2]);
  });
});

describe('strengthOfPrediction', () => {
  test('is the share of pairs kept together in the worst cluster', () => {
    // Expected values: numpy 2.4, over all pairs
    const a = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3];
    const b = [0, 0, 1, 1, 1, 2, 2, 2, 2, 0, 3, 1];
    expect(strengthOfPrediction(a, b)).toBe(0);
    expect(strengthOfPrediction(b, a)).toBeCloseTo(0.16666666666666666, 12);
  });

  test('is 1 for the same clusters under other names, and when all are predicted as one', () => {
    expect(strengthOfPrediction([0, 0, 1, 1], [5, 5, 2, 2])).toBe(1);
    expect(strengthOfPrediction([0, 0, 1, 1], [0, 0, 0, 0])).toBe(1);
  });

  test('clusters without a pair do not count', () => {
    expect(strengthOfPrediction([0, 1, 1, 3], [0, 1, 1, 0])).toBe(1);
  });

  test('refuses what are not labels of the same rows', () => {
    expect(() => strengthOfPrediction([0], [0, 1])).toThrow(RangeError);
  });
});
