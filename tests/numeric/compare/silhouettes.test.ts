import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assignNearest } from '../../../numeric/cluster/assign.ts';
import { silhouette } from '../../../numeric/compare/silhouette.ts';
import { silhouetteOfSample } from '../../../numeric/compare/silhouette-of-sample.ts';
import { simplifiedSilhouette } from '../../../numeric/compare/simplified-silhouette.ts';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import { matrixFromColumns } from '../../../numeric/matrix.ts';
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

const BLOBS = makeBlobs({ rows: 2000, columns: 4, groups: 4, seed: 3, spread: 2 });

describe('silhouetteOfSample', () => {
  test('of all rows is that of scikit-learn, as a whole and cluster by cluster', async () => {
    const found = await silhouetteOfSample(pool, BLOBS.X, BLOBS.groups, { rows: 2000, seed: 1 });
    // Expected values: scikit-learn 1.9, silhouette_score and means of silhouette_samples, the data above
    expect(found.mean).toBeCloseTo(0.24281046758186609, 6);
    const expected = [0.09314027737731086, 0.41092035055085785, 0.34415643328000733, 0.13242867877182712];
    expected.forEach((mean, c) => {
      expect(found.ofClusters[c]).toBeCloseTo(mean, 6);
    });
    expect([found.error, found.scoredOn]).toEqual([0, { rows: 2000, of: 2000 }]);
  });

  test('of a sample it is within four standard errors, and says on how many rows', async () => {
    for (const seed of [1, 2, 3]) {
      const found = await silhouetteOfSample(pool, BLOBS.X, BLOBS.groups, { rows: 500, seed });
      expect(Math.abs(found.mean - 0.24281046758186609)).toBeLessThan(4 * found.error);
      expect(found.error).toBeLessThan(0.02);
      expect(found.scoredOn.of).toBe(2000);
      expect(Math.abs(found.scoredOn.rows - 500)).toBeLessThanOrEqual(2);
    }
  });

  test('weights clusters with their shares of all rows, not of the sample', async () => {
    // Three rows of 2,000 are drawn as two of 40, fifty times their share.
    const labels = BLOBS.groups.map((group, i) => (i < 3 ? 4 : group));
    const found = await silhouetteOfSample(pool, BLOBS.X, labels, { rows: 40, seed: 1 });
    const counts = [0, 0, 0, 0, 0];
    for (const label of labels) counts[label]! += 1;
    const weighted = counts.reduce((sum, count, c) => sum + (count / 2000) * found.ofClusters[c]!, 0);
    expect(found.mean).toBeCloseTo(weighted, 12);
    expect(Number.isFinite(found.ofClusters[4])).toBe(true);
  });

  test('is the same for any number of threads and a second time; another seed draws other rows', async () => {
    const score = (own: KernelPool, seed: number) =>
      silhouetteOfSample(own, BLOBS.X, BLOBS.groups, { rows: 300, seed });
    const found = await Promise.all([...pools, pool].map((own) => score(own, 5)));
    for (const other of found) expect(other).toEqual(found[0]);
    expect((await score(pool, 6)).mean).not.toBe(found[0]!.mean);
  });

  test('a label that is not in use has no mean, and changes nothing', async () => {
    const labels = BLOBS.groups.map((group) => group * 2);
    const found = await silhouetteOfSample(pool, BLOBS.X, labels, { rows: 2000, seed: 1 });
    expect(found.ofClusters[1]).toBeNaN();
    expect(found.mean).toBeCloseTo(0.24281046758186609, 6);
  });

  test.each([
    ['too few rows', [0, 1, 1], { rows: 1 }, 'needs at least 2 rows, found 1'],
    ['too few labels', [0, 1], { rows: 3 }, '3 rows need as many labels, found 2'],
    ['one cluster', [0, 0, 0], { rows: 3 }, 'at least 2 clusters, found 1'],
    ['noise', [0, 255, 0], { rows: 3 }, 'labels from 0 to 63, found 255'],
    ['a label that is none', [0, Number.NaN, 0], { rows: 2 }, 'labels from 0 to 255, found NaN'],
  ])('%s is refused', async (_, labels, { rows }, message) => {
    const X = matrixFromColumns([[1, 2, 3]]);
    await expect(silhouetteOfSample(pool, X, labels, { rows, seed: 1 })).rejects.toThrow(message);
  });
});

describe('silhouette', () => {
  test.each([Number.NaN, Infinity, 1e16])('%d is refused, with its place', async (wrong) => {
    const X = makeNoise(100, 3);
    X.data[142] = wrong;
    const score = silhouette(
      pool,
      X,
      Uint8Array.from({ length: 100 }, (_, i) => i % 2),
    );
    await expect(score).rejects.toThrow(/needs finite values within 1e\+?15|in row 42, column 1/);
    await expect(score).rejects.toThrow(RangeError);
  });

  test('rows that are all equal are in no cluster more than in another: 0', async () => {
    const X = matrixFromColumns([[2, 2, 2, 2]]);
    const { mean, values } = await silhouette(pool, X, [0, 0, 1, 1]);
    expect([mean, Array.from(values)]).toEqual([0, [0, 0, 0, 0]]);
  });

  test('a constant column changes nothing, and far from the origin it keeps its digits', async () => {
    const labels = BLOBS.groups;
    const columns = [0, 1, 2, 3].map((j) => BLOBS.X.data.slice(j * 2000, (j + 1) * 2000));
    const { mean } = await silhouette(pool, BLOBS.X, labels);
    const wider = await silhouette(
      pool,
      matrixFromColumns([...columns, new Float32Array(2000).fill(7)]),
      labels,
    );
    expect(wider.mean).toBe(mean);
    const moved = matrixFromColumns(columns.map((column) => column.map((value) => value + 4096)));
    expect((await silhouette(pool, moved, labels)).mean).toBeCloseTo(mean, 4);
  });
});

describe('simplifiedSilhouette', () => {
  const items = Array.from({ length: 60 }, (_, i) => i);
  const X = matrixFromColumns([
    items.map((i) => ((i * 37) % 17) + (i % 3) * 9),
    items.map((i) => ((i * 53) % 13) - (i % 3) * 5),
    items.map((i) => (i * 29) % 11),
  ]);

  test('is (b - a) / b of the distances to the nearest two centres', async () => {
    const centers = Float64Array.from([0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => X.data[j * 60 + i]!)));
    const { mean, ofClusters } = simplifiedSilhouette(await assignNearest(pool, X, centers));
    // Expected values: numpy 2.4 over scikit-learn's pairwise_distances to the first three rows
    expect(mean).toBeCloseTo(0.41549144158559864, 6);
    const expected = [0.36894555579318333, 0.3836981591716961, 0.4693282832808328];
    expected.forEach((value, c) => {
      expect(ofClusters[c]).toBeCloseTo(value, 6);
    });
  });

  test('the only row of a cluster counts 0, though it lies on its centre', () => {
    expect(simplifiedSilhouette({ labels: [0, 0, 2], margin: [0.5, 1, 1] })).toEqual({
      mean: 0.5,
      ofClusters: Float64Array.of(0.75, Number.NaN, 0),
    });
  });

  test.each([
    ['one cluster', [0, 0], [1, 1], 'at least 2 clusters, found 1'],
    ['no row', [], [], 'at least 2 clusters, found 0'],
    ['too few margins', [0, 1], [1], '2 labels need as many margins, found 1'],
    ['a margin that is none', [0, 1], [1, Number.NaN], 'margins from 0 to 1, found NaN'],
    ['a label that is none', [0, -1], [1, 1], 'an integer from 0 to 255, found -1'],
  ])('%s is refused', (_, labels, margin, message) => {
    expect(() => simplifiedSilhouette({ labels, margin })).toThrow(message);
  });
});
