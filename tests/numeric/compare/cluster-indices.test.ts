import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { calinskiHarabasz } from '../../../numeric/compare/calinski-harabasz.ts';
import { daviesBouldin } from '../../../numeric/compare/davies-bouldin.ts';
import { silhouette, stratifiedSample } from '../../../numeric/compare/silhouette.ts';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import { matrixFromColumns, matrixFromRows } from '../../../numeric/matrix.ts';
import { createRandom } from '../../../numeric/random/random.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import { makeNoise } from '../helpers/made-data.ts';

const items = Array.from({ length: 60 }, (_, i) => i);
const X = matrixFromColumns([
  items.map((i) => ((i * 37) % 17) + (i % 3) * 9),
  items.map((i) => ((i * 53) % 13) - (i % 3) * 5),
  items.map((i) => (i * 29) % 11),
]);
const LABELS = items.map((i) => i % 3);
const WITH_SINGLETON = LABELS.map((label, i) => (i === 0 ? 3 : label));

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 2 });
});
afterAll(() => pool.close());

describe('calinskiHarabasz and daviesBouldin', () => {
  test('are those of scikit-learn', () => {
    // Expected values: scikit-learn 1.9, calinski_harabasz_score and davies_bouldin_score, the data above
    expect(calinskiHarabasz(X, LABELS)).toBeCloseTo(45.63502856542006, 10);
    expect(daviesBouldin(X, LABELS)).toBeCloseTo(1.230842308458737, 12);
    expect(calinskiHarabasz(X, WITH_SINGLETON)).toBeCloseTo(32.040571542811975, 10);
    expect(daviesBouldin(X, WITH_SINGLETON)).toBeCloseTo(1.0655516197088073, 12);
  });

  test('nothing varies within clusters: 1 and 0, as scikit-learn', () => {
    const points = matrixFromRows([[1], [1], [5], [5]]);
    expect([calinskiHarabasz(points, [0, 0, 1, 1]), daviesBouldin(points, [0, 0, 1, 1])]).toEqual([1, 0]);
  });

  test.each([
    ['one cluster', [0, 0, 0, 0], 'needs 2 or more'],
    ['a cluster for each row', [0, 1, 2, 3], 'fewer than the 4 rows'],
    ['an empty cluster', [0, 2, 2, 0], 'found none in cluster 1'],
    ['too few labels', [0, 1], '4 rows need as many labels, found 2'],
  ])('%s is refused', (_, labels, message) => {
    const points = matrixFromRows([[1], [2], [3], [4]]);
    expect(() => calinskiHarabasz(points, labels)).toThrow(message);
    expect(() => daviesBouldin(points, labels)).toThrow(message);
  });
});

describe('silhouette', () => {
  test('is that of scikit-learn', async () => {
    const { mean, values } = await silhouette(pool, X, LABELS);
    // Expected values: scikit-learn 1.9, silhouette_score and silhouette_samples, the data above
    expect(mean).toBeCloseTo(0.20257870447288845, 6);
    const expected = [0.29777213531162716, 0.24691031112655243, 0.35848169403494423, 0.20805013979293419];
    expected.forEach((value, i) => {
      expect(values[i]).toBeCloseTo(value, 5);
    });
  });

  test('a row alone in its cluster counts 0', async () => {
    const { mean, values } = await silhouette(pool, X, WITH_SINGLETON);
    // Expected value: scikit-learn 1.9, silhouette_score, the data above
    expect(mean).toBeCloseTo(0.14518236419349667, 6);
    expect(values[0]).toBe(0);
  });

  test('is the same for any number of threads, and when clusters are renamed', async () => {
    const noise = makeNoise(1003, 5);
    const labels = Uint8Array.from({ length: 1003 }, (_, i) => (i * i) % 4);
    const one = createKernelPool({ threads: 1 });
    const alone = await silhouette(one, noise, labels);
    await one.close();
    const { values } = await silhouette(pool, noise, labels);
    expect(values).toEqual(alone.values);
    const renamed = await silhouette(
      pool,
      noise,
      labels.map((label) => 3 - label),
    );
    expect(renamed.mean).toBeCloseTo(alone.mean, 12);
  });

  test('refuses one cluster, labels out of range, and too many rows', async () => {
    await expect(
      silhouette(
        pool,
        X,
        items.map(() => 0),
      ),
    ).rejects.toThrow('at least 2 clusters, found 1');
    await expect(
      silhouette(
        pool,
        X,
        items.map((i) => i + 10),
      ),
    ).rejects.toThrow('labels from 0 to 63, found 64');
    const large = makeNoise(100_001, 1);
    await expect(silhouette(pool, large, new Uint8Array(100_001))).rejects.toThrow('take a sample');
  });
});

describe('stratifiedSample', () => {
  const labels = Uint8Array.from({ length: 10_000 }, (_, i) => (i < 5 ? 2 : i % 2));

  test('gives each cluster its share, and a tiny one at least two rows', () => {
    const rows = stratifiedSample(labels, 100, createRandom(1));
    const counts = [0, 0, 0];
    for (const row of rows) counts[labels[row]!]! += 1;
    expect(counts).toEqual([50, 50, 2]);
    expect(rows).toEqual(rows.toSorted());
  });

  test('takes all rows when there are no more', () => {
    expect(stratifiedSample([0, 1, 0], 5, createRandom(1))).toEqual(Int32Array.of(0, 1, 2));
  });
});
