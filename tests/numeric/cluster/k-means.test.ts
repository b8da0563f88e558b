import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assignNearest } from '../../../numeric/cluster/assign.ts';
import { fitKMeans } from '../../../numeric/cluster/k-means.ts';
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
      const fit = await fitKMeans(pool, X, { k: 6, seed: 1, sampleRows });
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
        // Below the number of rows, so that the threads also work together
        const options = { k, seed, starts: 2, sampleRows: Math.max(k, rows >> 1) };
        const fits = await Promise.all(pools.map((own) => fitKMeans(own, X, options)));
        expect(fits[1]).toEqual(fits[0]);
        expect(fits[2]).toEqual(fits[0]);
        expect(await fitKMeans(pool, X, options)).toEqual(fits[0]);
      }),
      { numRuns: 20 },
    );
  });

  test('labels are what assignNearest gives for the centres, and centres the means of their rows', async () => {
    const X = makeNoise(5003, 6);
    const fit = await fitKMeans(pool, X, {
      k: 7,
      seed: 2,
      sampleRows: 1000,
      tolerance: 0,
      maxIterations: 2000,
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
    const [a, b] = await Promise.all([1, 2].map((seed) => fitKMeans(pool, X, { k: 5, seed })));
    expect(a!.sizes).toEqual(a!.sizes.toSorted((x, y) => y - x));
    expect(b!.labels).toEqual(a!.labels);
  });

  test('far from the origin it finds the same groups', async () => {
    const { X, groups } = makeBlobs({ rows: 2000, columns: 3, groups: 4 });
    const moved = createMatrix(2000, 3);
    moved.data.set(X.data.map((x) => x + 30_000));
    const fit = await fitKMeans(pool, moved, { k: 4, seed: 1 });
    expect(adjustedRand(fit.labels, groups)).toBeGreaterThan(0.999);
  });

  test('from centres of its own it finds nothing to change', async () => {
    const X = makeNoise(4000, 3);
    for (const sampleRows of [1000, 5000]) {
      const options = { k: 6, seed: 1, sampleRows, tolerance: 0, maxIterations: 3000 };
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
    const known = await fitKMeans(pool, takeRows(X, rows), { k, seed: 7 });
    const labelsThere = ({ labels }: { labels: Uint8Array }) => Uint8Array.from(rows, (row) => labels[row]!);
    const options = { k, seed: 1, initialCenters: known.centers };
    const carried = await Promise.all(pools.map((own) => fitKMeans(own, X, options)));
    expect(adjustedRand(known.labels, labelsThere(carried[0]!))).toBeGreaterThan(0.9);
    expect(carried[1]).toEqual(carried[0]);
    expect(carried[2]).toEqual(carried[0]);
    const elsewhere = await fitKMeans(pool, X, { k, seed: 1 });
    expect(adjustedRand(known.labels, labelsThere(elsewhere))).toBeLessThan(0.8);
  });

  test('one cluster is the mean', async () => {
    const X = matrixFromRows([[1], [2], [6]]);
    const { centers, inertia } = await fitKMeans(pool, X, { k: 1, seed: 1 });
    expect([centers[0], inertia]).toEqual([3, 14]);
  });

  test('as many clusters as different rows: none is empty and nothing is left over', async () => {
    const X = matrixFromRows(Array.from({ length: 100 }, (_, i) => [i % 10 ? 0 : i, 1]));
    const { inertia, sizes } = await fitKMeans(pool, X, { k: 10, seed: 1 });
    expect(inertia).toBe(0);
    expect(Array.from(sizes)).toEqual([91, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  test('rows that hardly differ give no empty cluster and no NaN', async () => {
    const random = createRandom(1);
    const X = createMatrix(30_000, 2);
    for (let at = 0; at < 60_000; at++) X.data[at] = random.float() < 0.9995 ? 0 : random.int(4);
    const fit = await fitKMeans(pool, X, { k: 6, seed: 1, sampleRows: 300 });
    expect(Math.min(...fit.sizes)).toBeGreaterThan(0);
    expect(fit.centers.some(Number.isNaN)).toBe(false);
    const rows = new Set(Array.from({ length: 30_000 }, (_, i) => `${X.data[i]},${X.data[30_000 + i]}`));
    expect(rows.size).toBeGreaterThanOrEqual(6);
  });

  test('fewer different rows than clusters is refused', async () => {
    const X = matrixFromRows(Array.from({ length: 50 }, (_, i) => [i % 3]));
    await expect(fitKMeans(pool, X, { k: 4, seed: 1 })).rejects.toThrow(
      '4 clusters need at least 4 different rows, found 3',
    );
    await expect(fitKMeans(pool, matrixFromRows([[1], [2]]), { k: 3, seed: 1 })).rejects.toThrow(
      '3 clusters need at least 3 rows, found 2',
    );
  });

  test.each([
    [{ k: 0 }, 'k-means needs 1 to 64 clusters, found 0'],
    [{ k: 65 }, 'k-means needs 1 to 64 clusters, found 65'],
    [{ k: 2, starts: 0 }, 'starts needs to be at least 1, found 0'],
    [{ k: 2, sampleRows: 1 }, 'sampleRows needs to be at least the 2 clusters, found 1'],
    [{ k: 2, tolerance: Number.NaN }, 'tolerance needs to be 0 or more, found NaN'],
    [{ k: 2, initialCenters: new Float64Array(2) }, '2 centres of 2 columns need 4 values, found 2'],
    [{ k: 2, initialCenters: new Float64Array(4).fill(NaN) }, 'initialCenters need to be finite'],
  ])('%o is refused', async (options, message) => {
    await expect(fitKMeans(pool, makeNoise(100, 2), { seed: 1, ...options })).rejects.toThrow(message);
  });

  test('a value that is not finite is refused, on a sample too', async () => {
    const X = makeNoise(3000, 3);
    X.data[3000 + 1234] = Number.NaN;
    for (const sampleRows of [100, 5000]) {
      await expect(fitKMeans(pool, X, { k: 3, seed: 1, sampleRows })).rejects.toThrow('found NaN in row');
    }
  });

  test('stops when asked to, and says how far it is', async () => {
    const X = makeNoise(200_000, 10);
    const controller = new AbortController();
    const work = fitKMeans(pool, X, {
      ...{ k: 30, seed: 1, tolerance: 0, maxIterations: 100_000, signal: controller.signal },
      onProgress: (done, of) => {
        expect(done).toBeLessThanOrEqual(of);
        if (done > 10) controller.abort(new Error('enough'));
      },
    });
    await expect(work).rejects.toThrow('enough');
  });
});

describe.skipIf(!realData)('on real data', () => {
  // Expected values: scikit-learn 1.9, KMeans, best of 200 starts (Online Retail, log RFM scaled) and of 20
  // (Mall)
  test('is within 0.1 % of the best inertia known for Online Retail', async () => {
    const X = await onlineRetailFeatures();
    const best = [6474.137, 4856.327, 3924.471, 3268.009, 2840.144, 2533.024, 2325.518];
    for (const [i, inertia] of best.entries()) {
      const fit = await fitKMeans(pool, X, { k: i + 2, seed: 1 });
      expect(fit.inertia / inertia).toBeLessThan(1.001);
    }
  });

  test('is within 0.1 % of the best inertia known for Mall customers, k = 5', async () => {
    const fit = await fitKMeans(pool, await mallCustomers(), { k: 5, seed: 1 });
    expect(fit.inertia / 44448.4554).toBeLessThan(1.001);
    expect(Array.from(fit.sizes)).toEqual([81, 39, 35, 23, 22]);
  });
});
