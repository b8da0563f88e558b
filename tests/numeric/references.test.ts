import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assignNearest } from '../../numeric/cluster/assign.ts';
import { fitKMeans } from '../../numeric/cluster/k-means.ts';
import { kMedoids } from '../../numeric/cluster/medoids/k-medoids.ts';
import { calinskiHarabasz } from '../../numeric/compare/calinski-harabasz.ts';
import { daviesBouldin } from '../../numeric/compare/davies-bouldin.ts';
import { gapStatistic } from '../../numeric/compare/gap.ts';
import { inertia } from '../../numeric/compare/inertia.ts';
import { bestJaccards } from '../../numeric/compare/jaccard.ts';
import { jaccardStability } from '../../numeric/compare/jaccard-stability.ts';
import { predictionStrength } from '../../numeric/compare/prediction-strength.ts';
import { silhouette } from '../../numeric/compare/silhouette.ts';
import { silhouetteOfSample } from '../../numeric/compare/silhouette-of-sample.ts';
import { simplifiedSilhouette } from '../../numeric/compare/simplified-silhouette.ts';
import { createKernelPool, type KernelPool } from '../../numeric/kernels/pool.ts';
import { type Matrix, takeRows } from '../../numeric/matrix.ts';
import { createRandom } from '../../numeric/random/random.ts';
import { buildKernels } from '../../scripts/build-kernels.mjs';
import { mallCustomers, onlineRetailFeatures, realData } from './helpers/real-data.ts';

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 2 });
});
afterAll(() => pool.close());

const relative = (found: number, expected: number) => Math.abs(found / expected - 1);

// Expected values: scikit-learn 1.9, KMeans of 20 starts and its metrics, on log1p of recency, frequency and spend, scaled
describe.skipIf(!realData)('Online Retail, log RFM', () => {
  let X: Matrix;
  beforeAll(async () => {
    X = await onlineRetailFeatures();
  });
  const fitOf = (k: number) => fitKMeans(pool, X, { nClusters: k, seed: 1 });

  test.each([
    [2, 6474.135, 0.4327, 4380.0, 0.891, 0.5621],
    [3, 4856.322, 0.3372, 3641.0, 1.043, 0.4695],
    [4, 3924.379, 0.3352, 3346.1, 1.0159, 0.4674],
    [5, 3267.998, 0.3185, 3230.5, 0.9837, 0.4498],
    [6, 2840.157, 0.3154, 3103.6, 1.022, 0.4464],
    [7, 2533.015, 0.3102, 2986.8, 0.9769, 0.4428],
    [8, 2325.507, 0.3018, 2843.1, 0.9919, 0.4346],
  ])('k = %d: silhouettes, Calinski-Harabasz and Davies-Bouldin', async (k, ...expected) => {
    const [squares, exact, between, overlap, simplified] = expected as [
      number,
      number,
      number,
      number,
      number,
    ];
    const fit = await fitOf(k);
    expect(relative(inertia(X, fit.labels), squares)).toBeLessThan(0.001);
    expect(Math.abs((await silhouette(pool, X, fit.labels)).mean - exact)).toBeLessThan(0.01);
    expect(relative(calinskiHarabasz(X, fit.labels), between)).toBeLessThan(0.01);
    expect(relative(daviesBouldin(X, fit.labels), overlap)).toBeLessThan(0.01);
    expect(Math.abs(simplifiedSilhouette(fit).mean - simplified)).toBeLessThan(0.01);
  });

  test('k = 4: sizes are within 1 % of the customers', async () => {
    const { sizes } = await fitOf(4);
    [1538, 1173, 901, 726].forEach((size, c) => {
      expect(Math.abs(sizes[c]! - size)).toBeLessThan(0.01 * X.rows);
    });
  });

  test('a sample of a quarter tells the silhouette of all', async () => {
    const { labels } = await fitOf(4);
    const { mean } = await silhouette(pool, X, labels);
    const sampled = await silhouetteOfSample(pool, X, labels, { rows: 1084, seed: 1 });
    expect(Math.abs(sampled.mean - mean)).toBeLessThan(0.02);
  });

  test('gaps are those of numpy, with reference data of its own', async () => {
    const { curve, k } = await gapStatistic(pool, X, { seed: 1, kMax: 8, references: 20 });
    // Expected values: numpy 2.4 by the formulas of R's clusGap, 20 uniform data sets along the principal axes
    const gaps = [1.6203, 1.6444, 1.7359, 1.8128, 1.8587, 1.8616, 1.8724, 1.8485];
    gaps.forEach((gap, at) => {
      expect(Math.abs(curve[at]!.gap - gap)).toBeLessThan(0.015);
      expect(curve[at]!.error).toBeLessThan(0.02);
    });
    expect(k).toBe(5);
  });

  test('prediction strengths are those of numpy, with splits of its own', async () => {
    const { curve, k } = await predictionStrength(pool, X, { seed: 1, kMax: 6, splits: 20 });
    // Expected values: numpy 2.4 and scikit-learn 1.9's KMeans, 20 splits; their standard errors are .01 to .023
    const strengths = [0.9486, 0.8277, 0.6998, 0.6476, 0.5684];
    strengths.forEach((strength, at) => {
      const error = Math.hypot(curve[at]!.error, 0.02);
      expect(Math.abs(curve[at]!.strength - strength)).toBeLessThan(4 * error);
    });
    expect([2, 3]).toContain(k);
  });

  test.each([
    [3, [0.9763, 0.9517, 0.9495]],
    [5, [0.9425, 0.9164, 0.8766, 0.9044, 0.8745]],
  ])('k = %d: bootstrap Jaccards are those of numpy, with resamples of its own', async (k, expected) => {
    const reference = await fitOf(k);
    const found = Array.from({ length: k }, () => [] as number[]);
    for (let b = 0; b < 60; b++) {
      const rows = resample(X.rows, b);
      const again = await fitKMeans(pool, takeRows(X, rows), { nClusters: k, seed: b, nInit: 5 });
      const own = Uint8Array.from(rows, (row) => reference.labels[row]!);
      bestJaccards(own, again.labels, k).forEach((jaccard, c) => {
        found[c]!.push(jaccard);
      });
    }
    // Expected values: numpy 2.4 and scikit-learn 1.9's KMeans of 5 starts, 60 resamples, repeats used once; the standard
    // errors are .002 to .011
    expected.forEach((mean, c) => {
      const stability = jaccardStability(found[c]!);
      expect(Math.abs(stability.mean - mean)).toBeLessThan(4 * Math.hypot(stability.error, 0.01));
      expect(stability.recovered).toBeGreaterThanOrEqual(50);
      expect(stability.meanInterval.high - stability.meanInterval.low).toBeLessThan(0.08);
    });
  });

  test.each([
    ['euclidean', 3680.5247],
    ['manhattan', 5259.019],
  ] as const)('k-medoids, %s: cost of four clusters', async (metric, cost) => {
    const parameters = { nClusters: 4, metric, sampleRows: 5000 };
    const { model } = await kMedoids.fit(X, parameters, { pool, seed: 1 });
    // Expected values: kmedoids 0.5 (Python), fasterpam, best of 5 random starts
    expect(relative(model.criteria.cost!, cost)).toBeLessThan(0.001);
  });
});

// Expected values: scikit-learn 1.9, KMeans of 20 starts and its metrics, unscaled
describe.skipIf(!realData)('Mall customers, income and score', () => {
  test.each([
    [4, 73679.789, 0.4932, 174.0644, 0.7104, 0.6198],
    [5, 44448.4554, 0.5539, 247.359, 0.5726, 0.6659],
    [6, 37233.8145, 0.5398, 242.5376, 0.6522, 0.6532],
  ])('k = %d', async (k, ...expected) => {
    const [squares, exact, between, overlap, simplified] = expected as [
      number,
      number,
      number,
      number,
      number,
    ];
    const X = await mallCustomers();
    const { labels, centers } = await fitKMeans(pool, X, { nClusters: k, seed: 1 });
    expect(relative(inertia(X, labels), squares)).toBeLessThan(0.001);
    expect(Math.abs((await silhouette(pool, X, labels)).mean - exact)).toBeLessThan(0.005);
    expect(relative(calinskiHarabasz(X, labels), between)).toBeLessThan(0.001);
    expect(relative(daviesBouldin(X, labels), overlap)).toBeLessThan(0.001);
    const nearest = await assignNearest(pool, X, centers);
    expect(Math.abs(simplifiedSilhouette(nearest).mean - simplified)).toBeLessThan(0.001);
  });
});

/** The different rows among as many draws as there are rows. */
function resample(rows: number, seed: number): Int32Array {
  const random = createRandom(seed).fork('resample');
  const drawn = new Set(Array.from({ length: rows }, () => random.int(rows)));
  return Int32Array.from(drawn).sort();
}
