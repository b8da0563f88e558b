import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assignNearest } from '../../../numeric/cluster/assign.ts';
import { fitKMeans } from '../../../numeric/cluster/k-means.ts';
import { kMeans } from '../../../numeric/cluster/k-means-algorithm.ts';
import { centersAt } from '../../../numeric/cluster/starts.ts';
import { adjustedRand } from '../../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import { createMatrix, matrixFromRows, takeRows } from '../../../numeric/matrix.ts';
import { createRandom } from '../../../numeric/random/random.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../helpers/made-data.ts';
import { mallCustomers, onlineRetailFeatures, realData } from '../helpers/real-data.ts';

let pools: KernelPool[];
let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pools = [1, 2, 4].map((threads) => createKernelPool({ threads }));
  pool = pools[1]!;
});
afterAll(() => Promise.all(pools.map((own) => own.close())));

describe('fitKMeans', () => {
  test('finds planted groups, on a sample and on all rows', async () => {
    const { X, groups } = makeBlobs({ rows: 30_011, columns: 5, groups: 6 });
    for (const sampleRows of [2000, 40_000]) {
      const fit = await fitKMeans(pool, X, { nClusters: 6, seed: 1, sampleRows });
      expect(adjustedRand(fit.labels, groups)).toBeGreaterThan(0.999);
      expect(fit.converged).toBe(true);
    }
  });

  test('is the same bytes for 1, 2 and 4 threads, and on a second fit', async () => {
    const shapes = fc.record({
      rows: fc.integer({ min: 70, max: 4000 }),
      columns: fc.integer({ min: 1, max: 20 }),
      k: fc.integer({ min: 1, max: 20 }),
      seed: fc.nat(1000),
    });
    await fc.assert(
      fc.asyncProperty(shapes, async ({ rows, columns, k, seed }) => {
        const X = makeNoise(rows, columns, seed);
        // Below the number of rows, so that the fit also goes on over all rows
        const options = { nClusters: k, seed, nInit: 2, sampleRows: Math.max(k, rows >> 1) };
        const fits = await Promise.all(pools.map((own) => fitKMeans(own, X, options)));
        expect(fits[1]).toEqual(fits[0]);
        expect(fits[2]).toEqual(fits[0]);
        expect(await fitKMeans(pool, X, options)).toEqual(fits[0]);
      }),
      { numRuns: 20 },
    );
  });

  test('is the same bytes when the rows are many enough for all threads', async () => {
    const X = makeNoise(80_000, 20);
    const options = { nClusters: 15, seed: 1, nInit: 1, maxIter: 8 };
    const fits = await Promise.all(pools.map((own) => fitKMeans(own, X, options)));
    expect(fits[1]).toEqual(fits[0]);
    expect(fits[2]).toEqual(fits[0]);
  });

  test('labels are what assignNearest gives for the centres, and centres the means of their rows', async () => {
    const X = makeNoise(5003, 6);
    const fit = await fitKMeans(pool, X, {
      nClusters: 7,
      seed: 2,
      sampleRows: 1000,
      tol: 0,
      maxIter: 2000,
    });
    const assigned = await assignNearest(pool, X, fit.centers);
    expect(assigned.labels).toEqual(fit.labels);
    expect(assigned.inertia).toBe(fit.inertia);
    const sums = new Float64Array(7 * 6);
    fit.labels.forEach((label, i) => {
      for (let j = 0; j < 6; j++) sums[label * 6 + j]! += X.data[j * 5003 + i]!;
    });
    sums.forEach((sum, at) => {
      expect(fit.centers[at]).toBeCloseTo(sum / fit.sizes[Math.floor(at / 6)]!, 5);
    });
  });

  test('the largest cluster comes first, whatever the seed', async () => {
    const { X } = makeBlobs({ rows: 3000, columns: 3, groups: 5, spread: 0.2 });
    const [a, b] = await Promise.all([1, 2].map((seed) => fitKMeans(pool, X, { nClusters: 5, seed })));
    expect(a!.sizes).toEqual(a!.sizes.toSorted((x, y) => y - x));
    expect(b!.labels).toEqual(a!.labels);
  });

  test('far from the origin it finds the same groups', async () => {
    const { X, groups } = makeBlobs({ rows: 2000, columns: 3, groups: 4 });
    const moved = createMatrix(2000, 3);
    moved.data.set(X.data.map((x) => x + 30_000));
    const fit = await fitKMeans(pool, moved, { nClusters: 4, seed: 1 });
    expect(adjustedRand(fit.labels, groups)).toBeGreaterThan(0.999);
  });

  test('from centres of its own it finds nothing to change', async () => {
    const X = makeNoise(4000, 3);
    for (const sampleRows of [1000, 5000]) {
      const options = { nClusters: 6, seed: 1, sampleRows, tol: 0, maxIter: 3000 };
      const fit = await fitKMeans(pool, X, options);
      const again = await fitKMeans(pool, X, { ...options, initialCenters: fit.centers });
      expect(again.labels).toEqual(fit.labels);
      expect(again.iterations).toBeLessThanOrEqual(2);
    }
  });

  test('carries given centres to all rows, where starts of its own would end elsewhere', async () => {
    const X = makeNoise(60_000, 3);
    const rows = createRandom(7).sample(X.rows, 5000);
    const k = 4;
    const known = await fitKMeans(pool, takeRows(X, rows), { nClusters: k, seed: 7 });
    const labelsThere = ({ labels }: { labels: Uint8Array }) => Uint8Array.from(rows, (row) => labels[row]!);
    const options = { nClusters: k, seed: 1, initialCenters: known.centers };
    const carried = await Promise.all(pools.map((own) => fitKMeans(own, X, options)));
    expect(adjustedRand(known.labels, labelsThere(carried[0]!))).toBeGreaterThan(0.9);
    expect(carried[1]).toEqual(carried[0]);
    expect(carried[2]).toEqual(carried[0]);
    const elsewhere = await fitKMeans(pool, X, { nClusters: k, seed: 1 });
    expect(adjustedRand(known.labels, labelsThere(elsewhere))).toBeLessThan(0.8);
  });

  test('one cluster is the mean', async () => {
    const X = matrixFromRows([[1], [2], [6]]);
    const { centers, inertia } = await fitKMeans(pool, X, { nClusters: 1, seed: 1 });
    expect([centers[0], inertia]).toEqual([3, 14]);
  });

  test('one row, and rows that are all equal, are one cluster', async () => {
    for (const rows of [1, 16, 25_000]) {
      const X = matrixFromRows(new Array(rows).fill([3, -4]));
      const fit = await fitKMeans(pool, X, { nClusters: 1, seed: 1 });
      expect([Array.from(fit.centers), fit.inertia, Array.from(fit.sizes)]).toEqual([[3, -4], 0, [rows]]);
      expect(fit.margin.every((margin) => margin === 1)).toBe(true);
    }
  });

  test('as many clusters as different rows: none is empty and nothing is left over', async () => {
    const X = matrixFromRows(Array.from({ length: 100 }, (_, i) => [i % 10 ? 0 : i, 1]));
    const { inertia, sizes } = await fitKMeans(pool, X, { nClusters: 10, seed: 1 });
    expect(inertia).toBe(0);
    expect(Array.from(sizes)).toEqual([91, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  test('one giant outlier is a cluster of its own, and the others are found', async () => {
    const { X, groups } = makeBlobs({ rows: 3000, columns: 2, groups: 3, spread: 0.2 });
    X.data[77] = 1e9;
    const others = Array.from(groups.keys()).filter((row) => row !== 77);
    const at = (labels: Uint8Array) => Uint8Array.from(others, (row) => labels[row]!);
    const fit = await fitKMeans(pool, X, { nClusters: 4, seed: 1 });
    expect(adjustedRand(at(fit.labels), at(groups))).toBeGreaterThan(0.99);
    expect(fit.sizes[3]).toBe(1);
    // A sample may not hold it: then it takes a centre from the others when it comes
    const sampled = await fitKMeans(pool, X, { nClusters: 4, seed: 1, sampleRows: 1000 });
    expect(sampled.centers.every(Number.isFinite)).toBe(true);
    expect(sampled.sizes[3]).toBe(1);
  });

  test('a constant column changes nothing', async () => {
    const { X, groups } = makeBlobs({ rows: 2000, columns: 3, groups: 4, spread: 0.3 });
    X.data.fill(7, 2 * 2000);
    const fit = await fitKMeans(pool, X, { nClusters: 4, seed: 1, sampleRows: 500 });
    expect(adjustedRand(fit.labels, groups)).toBeGreaterThan(0.95);
    for (let c = 0; c < 4; c++) expect(fit.centers[c * 3 + 2]).toBe(7);
  });

  test('rows that hardly differ give no empty cluster and no NaN', async () => {
    const random = createRandom(1);
    const X = createMatrix(30_000, 2);
    for (let at = 0; at < 60_000; at++) X.data[at] = random.float() < 0.9995 ? 0 : random.int(4);
    const fit = await fitKMeans(pool, X, { nClusters: 6, seed: 1, sampleRows: 300 });
    expect(Math.min(...fit.sizes)).toBeGreaterThan(0);
    expect(fit.centers.some(Number.isNaN)).toBe(false);
    const rows = new Set(Array.from({ length: 30_000 }, (_, i) => `${X.data[i]},${X.data[30_000 + i]}`));
    expect(rows.size).toBeGreaterThanOrEqual(6);
  });

  test('fewer different rows than clusters is refused', async () => {
    const X = matrixFromRows(Array.from({ length: 50 }, (_, i) => [i % 3]));
    await expect(fitKMeans(pool, X, { nClusters: 4, seed: 1 })).rejects.toThrow(
      '4 clusters need at least 4 different rows, found 3',
    );
    await expect(fitKMeans(pool, matrixFromRows([[1], [2]]), { nClusters: 3, seed: 1 })).rejects.toThrow(
      '3 clusters need at least 3 rows, found 2',
    );
  });

  test.each([
    [{ nClusters: 0 }, 'k-means needs 1 to 64 clusters, found 0'],
    [{ nClusters: 65 }, 'k-means needs 1 to 64 clusters, found 65'],
    [{ nClusters: 2, nInit: 0 }, 'nInit needs to be at least 1, found 0'],
    [{ nClusters: 2, sampleRows: 1 }, 'sampleRows needs to be at least the 2 clusters, found 1'],
    [{ nClusters: 2, tol: Number.NaN }, 'tol needs to be 0 or more, found NaN'],
    [{ nClusters: 2, initialCenters: new Float64Array(2) }, '2 centres of 2 columns need 4 values, found 2'],
    [{ nClusters: 2, initialCenters: new Float64Array(4).fill(NaN) }, 'initialCenters need to be finite'],
  ])('%o is refused', async (options, message) => {
    await expect(fitKMeans(pool, makeNoise(100, 2), { seed: 1, ...options })).rejects.toThrow(message);
  });

  test('a value that is not finite is refused, on a sample too', async () => {
    const X = makeNoise(3000, 3);
    X.data[3000 + 1234] = Number.NaN;
    for (const sampleRows of [100, 5000]) {
      await expect(fitKMeans(pool, X, { nClusters: 3, seed: 1, sampleRows })).rejects.toThrow(
        'found NaN in row',
      );
    }
  });

  test('stops when asked to, and says how far it is', async () => {
    const X = makeNoise(200_000, 10);
    const controller = new AbortController();
    const work = fitKMeans(pool, X, {
      ...{ nClusters: 30, seed: 1, tol: 0, maxIter: 100_000, signal: controller.signal },
      onProgress: (done, of) => {
        expect(done).toBeLessThanOrEqual(of);
        if (done > 10) controller.abort(new Error('enough'));
      },
    });
    await expect(work).rejects.toThrow('enough');
  });
});

describe('fitKMeans of weighted rows', () => {
  const X = makeNoise(400, 3, 5);
  const weightsFrom = (seed: number) => {
    const random = createRandom(seed);
    return Float64Array.from({ length: 400 }, () => 1 + random.int(4));
  };
  const firstRows = centersAt(X, Int32Array.of(0, 1, 2, 3, 4));

  test('finds what scikit-learn finds with sample_weight', async () => {
    const weights = weightsFrom(6);
    const options = { nClusters: 5, seed: 1, initialCenters: firstRows, weights, tol: 0, maxIter: 1000 };
    const fit = await fitKMeans(pool, X, options);
    // Expected values: scikit-learn 1.9, KMeans(5, init=X[:5], n_init=1, tol=0).fit(X, sample_weight=weights)
    expect(fit.inertia).toBeCloseTo(1373.2537998863324, 3);
    expect(Array.from(fit.sizes)).toEqual([92, 89, 88, 70, 61]);
    const largest = [-0.8881334469835296, 0.2627858299340791, -1.0265737551330165];
    largest.forEach((value, j) => {
      expect(fit.centers[j]).toBeCloseTo(value, 6);
    });
    expect(fit.iterations).toBe(11);
  });

  test('a weight of 2 is as good as the row twice', async () => {
    const weights = weightsFrom(7);
    const rows = Array.from(weights).flatMap((weight, row) => new Array<number>(weight).fill(row));
    for (const initialCenters of [undefined, firstRows]) {
      const options = { nClusters: 5, seed: 3, initialCenters, tol: 0 };
      const weighted = await fitKMeans(pool, X, { ...options, weights });
      const repeated = await fitKMeans(pool, takeRows(X, rows), options);
      expect(weighted.inertia / repeated.inertia).toBeCloseTo(1, 9);
    }
  });

  test('is the same bytes for 1, 2 and 4 threads, however many rows, and leaves the weights as they are', async () => {
    const large = makeNoise(30_000, 3);
    const weights = Float64Array.from({ length: 30_000 }, (_, i) => 0.1 + (i % 17));
    const kept = weights.slice();
    const options = { nClusters: 6, seed: 1, nInit: 2, weights };
    const fits = await Promise.all(pools.map((own) => fitKMeans(own, large, options)));
    expect(fits[1]).toEqual(fits[0]);
    expect(fits[2]).toEqual(fits[0]);
    expect(weights).toEqual(kept);
    const { distance, inertia } = fits[0]!;
    expect(distance.reduce((sum, own, i) => sum + weights[i]! * own ** 2, 0) / inertia).toBeCloseTo(1, 6);
  });

  test('weights that do not fit are refused', async () => {
    const options = { nClusters: 2, seed: 1 };
    const few = fitKMeans(pool, X, { ...options, weights: new Float64Array(7).fill(1) });
    await expect(few).rejects.toThrow('400 rows need as many weights, found 7');
    for (const wrong of [0, -2, Number.NaN, Infinity]) {
      const weights = new Float64Array(400).fill(1);
      weights[9] = wrong;
      await expect(fitKMeans(pool, X, { ...options, weights })).rejects.toThrow(`found ${wrong} for row 9`);
    }
  });

  test('stops when asked to', async () => {
    const large = makeNoise(200_000, 8);
    const weights = new Float64Array(200_000).fill(2);
    const controller = new AbortController();
    const work = fitKMeans(pool, large, { nClusters: 40, seed: 1, weights, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 100);
    await expect(work).rejects.toThrow('enough');
  });
});

describe('the k-means algorithm', () => {
  test('labels all rows, largest cluster first, as assign does with the model', async () => {
    const { X } = makeBlobs({ rows: 4000, columns: 3, groups: 5, spread: 1.5 });
    const context = { pool, seed: 1 };
    const { model, labels, fittedOn } = await kMeans.fit(X, { nClusters: 5, sampleRows: 1000 }, context);
    expect(model.sizes).toEqual(model.sizes.toSorted((a, b) => b - a));
    expect((await kMeans.assign(X, model, { pool })).labels).toEqual(labels);
    expect(fittedOn).toEqual({ rows: 4000, of: 4000 });
    const { inertia } = await fitKMeans(pool, X, { nClusters: 5, seed: 1, sampleRows: 1000 });
    const { nClusters, criteria, parameters } = kMeans.describe(model);
    expect([nClusters, criteria.inertia]).toEqual([5, inertia]);
    expect(parameters).toMatchObject({ nClusters: 5, nInit: 10, sampleRows: 1000, maxIter: 300, tol: 1e-4 });
  });
});

describe.skipIf(!realData)('on real data', () => {
  // Expected values: scikit-learn 1.9, KMeans, best of 200 starts (Online Retail, log RFM scaled) and of 20
  // (Mall)
  test('is within 0.1 % of the best inertia known for Online Retail', async () => {
    const X = await onlineRetailFeatures();
    const best = [6474.137, 4856.327, 3924.471, 3268.009, 2840.144, 2533.024, 2325.518];
    for (const [i, inertia] of best.entries()) {
      const fit = await fitKMeans(pool, X, { nClusters: i + 2, seed: 1 });
      expect(fit.inertia / inertia).toBeLessThan(1.001);
    }
  });

  test('is within 0.1 % of the best inertia known for Mall customers, k = 5', async () => {
    const fit = await fitKMeans(pool, await mallCustomers(), { nClusters: 5, seed: 1 });
    expect(fit.inertia / 44448.4554).toBeLessThan(1.001);
    expect(Array.from(fit.sizes)).toEqual([81, 39, 35, 23, 22]);
  });
});
