import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FitContext } from '../../../../numeric/cluster/algorithm.ts';
import { distanceMatrix, type Metric } from '../../../../numeric/cluster/medoids/distances.ts';
import { kMedoids } from '../../../../numeric/cluster/medoids/k-medoids.ts';
import { adjustedRand } from '../../../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { matrixFromRows, rowOf, takeRows } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';

let pools: KernelPool[];
let context: FitContext;
beforeAll(async () => {
  await buildKernels();
  pools = [1, 2, 4].map((threads) => createKernelPool({ threads }));
  context = { pool: pools[1]!, seed: 1 };
});
afterAll(() => Promise.all(pools.map((own) => own.close())));

const METRICS: Metric[] = ['euclidean', 'manhattan'];
const NOISE = makeNoise(600, 4);

describe('kMedoids', () => {
  // Expected values: kmedoids 0.5 (Python), fasterpam, best of 50 random starts on scikit-learn's distances
  test.each([
    ['euclidean', 787.5004885196686],
    ['manhattan', 1308.6745468974113],
  ] as const)('%s: costs what the best of fifty starts of its authors does', async (metric, loss) => {
    const { model } = await kMedoids.fit(NOISE, { nClusters: 6, metric, nInit: 30 }, context);
    expect(model.criteria.cost! / loss).toBeLessThan(1.001);
    expect(model.criteria.cost! / loss).toBeGreaterThan(0.999999);
  });

  test.each(METRICS)('%s: finds planted groups, among all rows and in samples', async (metric) => {
    const { X, groups } = makeBlobs({ rows: 2500, columns: 4, groups: 5, spread: 0.4 });
    for (const sampleRows of [300, 2500]) {
      const parameters = { nClusters: 5, metric, sampleRows, nInit: 2 };
      const { labels, fittedOn } = await kMedoids.fit(X, parameters, context);
      expect(adjustedRand(labels, groups)).toBeGreaterThan(0.999);
      expect(fittedOn.of).toBe(2500);
      expect(fittedOn.rows).toBeGreaterThanOrEqual(sampleRows);
      expect(fittedOn.rows).toBeLessThanOrEqual(5 * sampleRows + 20);
    }
  });

  test('samples cost hardly more than a search of all rows', async () => {
    const X = makeNoise(2000, 4);
    const whole = await kMedoids.fit(X, { nClusters: 5, nInit: 3 }, context);
    const samples = await kMedoids.fit(X, { nClusters: 5, sampleRows: 600 }, context);
    expect(samples.model.criteria.cost! / whole.model.criteria.cost!).toBeLessThan(1.02);
  });

  test.each(METRICS)('%s: every centre is the row it names, the largest cluster first', async (metric) => {
    const { model, labels } = await kMedoids.fit(NOISE, { nClusters: 6, metric }, context);
    model.medoids.forEach((row, c) => {
      expect(model.centers[c]).toEqual(Array.from(rowOf(NOISE, row)));
      expect(labels[row]).toBe(c);
    });
    const counts = model.sizes.map((_, c) => labels.filter((label) => label === c).length);
    expect(model.sizes).toEqual(counts);
    expect(model.sizes).toEqual(model.sizes.toSorted((a, b) => b - a));
  });

  test.each(METRICS)(
    '%s: assigning the rows of the fit gives its labels, though rows tie',
    async (metric) => {
      const random = createRandom(3);
      const X = matrixFromRows(Array.from({ length: 900 }, () => [random.int(5), random.int(4)]));
      const { model, labels } = await kMedoids.fit(X, { nClusters: 7, metric, nInit: 3 }, context);
      const assigned = await kMedoids.assign(X, model, context);
      expect(assigned.labels).toEqual(labels);
      expect(assigned.margin.some((margin) => margin === 0)).toBe(true);
    },
  );

  test.each(METRICS)('%s: a row is assigned by itself as it is among others', async (metric) => {
    const { model } = await kMedoids.fit(NOISE, { nClusters: 4, metric }, context);
    const all = await kMedoids.assign(NOISE, model, context);
    const few = await kMedoids.assign(takeRows(NOISE, [599, 7]), model, context);
    for (const name of ['labels', 'distance', 'margin'] as const)
      expect(Array.from(few[name])).toEqual([all[name][599], all[name][7]]);
  });

  test('margins and distances of manhattan are in its own units', async () => {
    const X = matrixFromRows([
      [0, 0],
      [0, 0],
      [0, 0],
      [1, 2],
      [8, 8],
      [8, 8],
    ]);
    const { model } = await kMedoids.fit(X, { nClusters: 2, metric: 'manhattan' }, context);
    const { labels, distance, margin } = await kMedoids.assign(X, model, context);
    expect(Array.from(labels)).toEqual([0, 0, 0, 0, 1, 1]);
    expect(Array.from(distance)).toEqual([0, 0, 0, 3, 0, 0]);
    expect(margin[3]).toBeCloseTo(1 - 3 / 13, 6);
    expect(model.criteria).toEqual({ cost: 3, meanDistance: 0.5, inertia: 5 });
  });

  test.each(METRICS)('%s: is the same for 1, 2 and 4 threads, and on a second fit', async (metric) => {
    const X = makeNoise(2500, 3);
    const parameters = { nClusters: 5, metric, sampleRows: 400, evaluationRows: 1000 };
    const fits = await Promise.all(
      [...pools, pools[0]!].map((pool) => kMedoids.fit(X, parameters, { pool, seed: 7 })),
    );
    for (const fit of fits) expect(fit).toEqual(fits[0]);
  });

  test('any rows with k different values give k clusters with rows, and each row its nearest medoid', async () => {
    const cases = fc.record({
      rows: fc.array(fc.tuple(fc.nat(3), fc.nat(2)), { minLength: 1, maxLength: 25 }),
      k: fc.integer({ min: 1, max: 5 }),
      metric: fc.constantFrom(...METRICS),
      sampleRows: fc.integer({ min: 5, max: 25 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ rows, k, metric, sampleRows }) => {
        fc.pre(new Set(rows.map(String)).size >= k);
        const parameters = { nClusters: k, metric, sampleRows, nInit: 1, nSamples: 2 };
        const { model, labels } = await kMedoids.fit(matrixFromRows(rows), parameters, context);
        expect(model.sizes.length).toBe(k);
        expect(Math.min(...model.sizes)).toBeGreaterThan(0);
        const apart = (row: readonly number[], center: readonly number[]) => {
          const differences = row.map((value, j) => Math.abs(value - center[j]!));
          return metric === 'euclidean' ? Math.hypot(...differences) : differences[0]! + differences[1]!;
        };
        let cost = 0;
        rows.forEach((row, i) => {
          const distances = model.centers.map((center) => apart(row, center));
          expect(distances[labels[i]!]).toBe(Math.min(...distances));
          cost += Math.min(...distances);
        });
        expect(model.criteria.cost).toBeCloseTo(cost, 4);
      }),
      { numRuns: 60 },
    );
  });

  test('one cluster has the most central row', async () => {
    const X = matrixFromRows([[1], [2], [6], [100]]);
    const { model } = await kMedoids.fit(X, { nClusters: 1 }, context);
    expect([model.medoids, model.criteria.cost]).toEqual([[1], 103]);
  });

  test('one row is one cluster', async () => {
    const { model, labels } = await kMedoids.fit(matrixFromRows([[3, 4]]), { nClusters: 1 }, context);
    expect([model.centers, Array.from(labels), model.criteria.cost]).toEqual([[[3, 4]], [0], 0]);
  });

  test('as many clusters as different rows: none is empty and nothing is left over', async () => {
    const X = matrixFromRows(Array.from({ length: 2000 }, (_, i) => [i % 400 ? 0 : i, 1]));
    for (const sampleRows of [20, 2000]) {
      const { model } = await kMedoids.fit(X, { nClusters: 5, sampleRows }, context);
      expect([model.criteria.cost, model.sizes]).toEqual([0, [1996, 1, 1, 1, 1]]);
    }
  });

  test('a giant outlier gets no more than a cluster of its own', async () => {
    const { X, groups } = makeBlobs({ rows: 500, columns: 3, groups: 3, spread: 0.3 });
    X.data[17] = 1e9;
    const { model, labels } = await kMedoids.fit(X, { nClusters: 4 }, context);
    expect(model.sizes.at(-1)).toBe(1);
    const others = Array.from(labels.keys()).filter((row) => row !== 17);
    const pick = (from: Uint8Array) => others.map((row) => from[row]!);
    expect(adjustedRand(pick(labels), pick(groups))).toBeGreaterThan(0.999);
  });

  test('a constant column changes nothing', async () => {
    const X = matrixFromRows(Array.from({ length: 300 }, (_, i) => [NOISE.data[i]!]));
    const wider = matrixFromRows(Array.from({ length: 300 }, (_, i) => [NOISE.data[i]!, 5]));
    const fits = await Promise.all([X, wider].map((own) => kMedoids.fit(own, { nClusters: 3 }, context)));
    expect(fits[1]!.labels).toEqual(fits[0]!.labels);
  });

  test.each([
    [{ nClusters: 0 }, 'k-medoids needs 1 to 64 clusters, found 0'],
    [{ nClusters: 65 }, 'k-medoids needs 1 to 64 clusters, found 65'],
    [{ nInit: 0 }, 'nInit needs to be at least 1, found 0'],
    [{ maxIter: 1.5 }, 'maxIter needs to be at least 1, found 1.5'],
    [{ sampleRows: 7 }, 'sampleRows needs to be from the 8 clusters to 10000, found 7'],
    [{ evaluationRows: 10 }, 'evaluationRows needs to be at least sampleRows, found 10'],
    [{ metric: 'cosine' as Metric }, 'metric needs to be euclidean or manhattan, found cosine'],
    [{ init: 'first' as 'lab' }, 'init needs to be build, lab or random, found first'],
  ])('%o is refused', async (parameters, message) => {
    await expect(kMedoids.fit(NOISE, parameters, context)).rejects.toThrow(message);
  });

  test('fewer different rows than clusters is refused', async () => {
    const X = matrixFromRows(Array.from({ length: 50 }, (_, i) => [i % 3]));
    await expect(kMedoids.fit(X, { nClusters: 4 }, context)).rejects.toThrow(
      '4 clusters need at least 4 different rows, found 3',
    );
    const equal = matrixFromRows(Array.from({ length: 50 }, () => [1, 1]));
    await expect(kMedoids.fit(equal, { nClusters: 2 }, context)).rejects.toThrow('different rows, found 1');
    await expect(kMedoids.fit(matrixFromRows([[1]]), { nClusters: 2 }, context)).rejects.toThrow(
      '2 clusters need at least 2 rows, found 1',
    );
  });

  test.each(METRICS)('%s: a value that is not finite is refused, wherever it is', async (metric) => {
    for (const wrong of [Number.NaN, Infinity]) {
      const X = makeNoise(1000, 3);
      X.data[1000 + 777] = wrong;
      for (const sampleRows of [100, 1000]) {
        const fit = kMedoids.fit(X, { nClusters: 3, metric, sampleRows }, context);
        await expect(fit).rejects.toThrow(`found ${wrong} in row 777, column 1`);
        await expect(fit).rejects.toThrow(RangeError);
      }
    }
  });

  test('stops when asked to, and says how far it is', async () => {
    const controller = new AbortController();
    const reports: number[][] = [];
    const work = kMedoids.fit(
      makeNoise(3000, 8),
      { nInit: 50 },
      {
        ...{ pool: pools[1]!, seed: 1, signal: controller.signal },
        onProgress: (done, of) => {
          reports.push([done, of]);
          if (done === 2) controller.abort(new Error('enough'));
        },
      },
    );
    await expect(work).rejects.toThrow('enough');
    expect(reports).toEqual([
      [1, 51],
      [2, 51],
    ]);
  });
});

describe('distanceMatrix', () => {
  test('is symmetric, in both metrics', async () => {
    const X = matrixFromRows([
      [0, 0],
      [3, 4],
      [3, 0],
    ]);
    const tables = await Promise.all(METRICS.map((metric) => distanceMatrix(X, metric)));
    expect(tables.map(({ data }) => Array.from(data))).toEqual([
      [0, 5, 3, 5, 0, 4, 3, 4, 0],
      [0, 7, 3, 7, 0, 4, 3, 4, 0],
    ]);
  });

  test('refuses more rows than memory is meant for', async () => {
    await expect(distanceMatrix(makeNoise(10_241, 1), 'euclidean')).rejects.toThrow(
      'distances of all pairs take at most 10240 rows, found 10241',
    );
  });
});
