import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assignNearest, nearestCenter } from '../../../../numeric/cluster/assign.ts';
import { fitKMeans } from '../../../../numeric/cluster/k-means.ts';
import { drawCoreset } from '../../../../numeric/cluster/scale/drawn-coreset.ts';
import { type CoresetFit, fitOnCoreset } from '../../../../numeric/cluster/scale/fit-on-coreset.ts';
import { adjustedRand } from '../../../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { type Matrix, matrixFromRows, rowOf, takeRows } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';

let pools: KernelPool[];
let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pools = [1, 4].map((threads) => createKernelPool({ threads }));
  pool = pools[1]!;
});
afterAll(() => Promise.all(pools.map((own) => own.close())));

interface Wish {
  nClusters: number;
  size: number;
  seed?: number;
}

async function fit(X: Matrix, { nClusters, size, seed = 1 }: Wish, own = pool): Promise<CoresetFit> {
  const coreset = await drawCoreset(X, { size, clusters: nClusters, seed });
  return fitOnCoreset(own, X, { nClusters, seed, coreset });
}

/** Inertia of rows at centres that are given to each by its label, or else the nearest; in double precision. */
function inertiaOf(
  X: Matrix,
  centers: Float64Array,
  { labels, weights }: { labels?: Uint8Array; weights?: Float64Array } = {},
): number {
  let total = 0;
  for (let i = 0; i < X.rows; i++) {
    const row = rowOf(X, i);
    const label = labels?.[i] ?? nearestCenter(row, centers).label;
    const square = row.reduce((sum, value, j) => sum + (value - centers[label * X.columns + j]!) ** 2, 0);
    total += (weights?.[i] ?? 1) * square;
  }
  return total;
}

/** The mean of each cluster's rows, row-major. */
function meansOf(X: Matrix, labels: Uint8Array, k: number): Float64Array {
  const sums = new Float64Array(k * X.columns);
  const counts = new Float64Array(k);
  labels.forEach((label, i) => {
    counts[label]! += 1;
    rowOf(X, i).forEach((value, j) => {
      sums[label * X.columns + j]! += value;
    });
  });
  return sums.map((sum, at) => sum / counts[Math.floor(at / X.columns)]!);
}

describe('fitOnCoreset', () => {
  test('finds planted groups of which it sees a fiftieth', async () => {
    const { X, groups } = makeBlobs({ rows: 50_000, columns: 4, groups: 6 });
    const { labels, sizes, inertia, error } = await fit(X, { nClusters: 6, size: 1000 });
    expect(adjustedRand(labels, groups)).toBeGreaterThan(0.99);
    expect(Array.from(sizes)).toEqual(Array.from(sizes).toSorted((a, b) => b - a));
    const all = await fitKMeans(pool, X, { nClusters: 6, seed: 1 });
    expect(inertia / all.inertia).toBeLessThan(1.02);
    // What is missing to the fit on all rows is little more than one step, where groups stand apart
    expect(error.stepGain).toBeCloseTo(1 - all.inertia / inertia, 4);
    expect(error.stepGain).toBeGreaterThan(0);
  });

  test('what it says of all rows is what all rows say, and its error is that of a count by hand', async () => {
    for (const X of [makeNoise(6000, 3), makeBlobs({ rows: 6000, columns: 3, groups: 4, spread: 2 }).X]) {
      const coreset = await drawCoreset(X, { size: 300, clusters: 5, seed: 1 });
      const found = await fitOnCoreset(pool, X, { nClusters: 5, seed: 1, coreset });
      const { centers, labels, distance, margin, sizes, inertia, error } = found;
      const assigned = await assignNearest(pool, X, centers);
      expect({ labels, distance, margin, inertia }).toEqual(assigned);
      expect(Array.from(sizes)).toEqual(
        [0, 1, 2, 3, 4].map((c) => labels.filter((label) => label === c).length),
      );
      const truth = inertiaOf(X, centers);
      expect(inertia / truth).toBeCloseTo(1, 6);
      const onSample = inertiaOf(coreset.points, centers, { weights: coreset.weights });
      expect(error.inertiaError).toBeCloseTo(onSample / truth - 1, 6);
      const moved = inertiaOf(X, meansOf(X, labels, 5), { labels });
      expect(error.stepGain).toBeCloseTo(1 - moved / truth, 8);
    }
  });

  test.each([
    ['names change', { low: 2, middle: 0, high: 7 }, [7, 2]],
    [
      'rows in the middle change to the cluster that is now the first',
      { low: 1, middle: 4, high: 9 },
      [13, 1],
    ],
  ])(
    'where the larger cluster of the coreset is the smaller one of all rows, %s',
    async (_, counts, sizes) => {
      const values = Object.entries({ low: -1, middle: 0, high: 1 }).flatMap(([name, value]) =>
        new Array<number[]>(counts[name as 'low']).fill([value]),
      );
      const X = matrixFromRows(values);
      const coreset = { points: matrixFromRows([[-1], [1]]), weights: Float64Array.of(5, 1) };
      const found = await fitOnCoreset(pool, X, { nClusters: 2, seed: 1, coreset });
      expect(Array.from(found.centers)).toEqual([1, -1]);
      expect(Array.from(found.sizes)).toEqual(sizes);
      const { labels, distance, margin, inertia } = found;
      expect({ labels, distance, margin, inertia }).toEqual(await assignNearest(pool, X, found.centers));
    },
  );

  test('a full step of k-means on all rows gains no less than is stated', async () => {
    const X = makeNoise(8000, 4);
    const { centers, inertia, error } = await fit(X, { nClusters: 6, size: 400 });
    const step = await fitKMeans(pool, X, { nClusters: 6, seed: 1, initialCenters: centers, maxIter: 1 });
    const gained = 1 - step.inertia / inertia;
    expect(error.stepGain).toBeGreaterThan(0);
    expect(gained).toBeGreaterThan(error.stepGain * 0.999);
  });

  test('both figures shrink with the coreset', async () => {
    const X = makeNoise(40_000, 3);
    const meanAt = async (size: number) => {
      const sum = { error: 0, gain: 0 };
      for (let seed = 1; seed <= 5; seed++) {
        const { error } = await fit(X, { nClusters: 5, size, seed });
        sum.error += Math.abs(error.inertiaError) / 5;
        sum.gain += error.stepGain / 5;
      }
      return sum;
    };
    const [small, large] = [await meanAt(200), await meanAt(10_000)];
    expect(large.error).toBeLessThan(small.error / 2);
    expect(large.gain).toBeLessThan(small.gain / 5);
  });

  test('a coreset of all rows is k-means, and has no error', async () => {
    const X = makeNoise(2000, 3);
    const { centers, inertia, error } = await fit(X, { nClusters: 4, size: 2000 });
    const all = await fitKMeans(pool, X, { nClusters: 4, seed: 1 });
    expect(inertia / all.inertia).toBeCloseTo(1, 6);
    centers.forEach((value, at) => {
      expect(value).toBeCloseTo(all.centers[at]!, 4);
    });
    expect([Math.abs(error.inertiaError) < 1e-9, error.stepGain < 1e-6]).toEqual([true, true]);
  });

  test('is the same bytes for 1 and 4 threads and for the same seed again, others for another seed', async () => {
    const X = makeNoise(20_000, 4);
    const wish = { nClusters: 6, size: 800 };
    const first = await fit(X, wish, pools[0]);
    expect(await fit(X, wish, pools[1])).toEqual(first);
    expect(await fit(X, wish, pools[1])).toEqual(first);
    expect((await fit(X, { ...wish, seed: 2 })).centers).not.toEqual(first.centers);
  });

  test('in whatever order the rows stand, it costs little more than k-means on all of them', async () => {
    const X = makeNoise(10_000, 3);
    const best = await fitKMeans(pool, X, { nClusters: 5, seed: 1 });
    await fc.assert(
      fc.asyncProperty(fc.nat(10_000), async (seed) => {
        const order = createRandom(seed).sample(X.rows, X.rows);
        const shuffled = takeRows(X, order);
        const { inertia, error } = await fit(shuffled, { nClusters: 5, size: 1500, seed });
        expect(inertia / best.inertia).toBeLessThan(1.05);
        expect(Math.abs(error.inertiaError)).toBeLessThan(0.15);
        expect(error.stepGain).toBeGreaterThanOrEqual(0);
        expect(error.stepGain).toBeLessThan(0.03);
      }),
      { numRuns: 15 },
    );
  });

  test('goes on from centres that are given, and leaves the rows as they are', async () => {
    const X = makeNoise(5000, 2);
    const before = X.data.slice();
    const coreset = await drawCoreset(X, { size: 2000, clusters: 3, seed: 1 });
    const initialCenters = Float64Array.of(-1, 0, 1, 0, 0, 3);
    const from = await fitOnCoreset(pool, X, { nClusters: 3, seed: 1, coreset, initialCenters, maxIter: 1 });
    const again = await fitOnCoreset(pool, X, { nClusters: 3, seed: 9, coreset, initialCenters, maxIter: 1 });
    expect(again).toEqual(from);
    expect(from.iterations).toBe(1);
    expect(X.data).toEqual(before);
  });

  test('rows that hardly differ have no error, fewer different ones than clusters are refused', async () => {
    const random = createRandom(1);
    const rare = matrixFromRows(Array.from({ length: 5000 }, () => [random.float() < 0.999 ? 0 : 5]));
    const { inertia, sizes, error } = await fit(rare, { nClusters: 2, size: 100 });
    expect([inertia, error]).toEqual([0, { inertiaError: 0, stepGain: 0 }]);
    expect(Array.from(sizes)).toEqual([
      rare.data.filter((value) => value === 0).length,
      rare.data.filter((value) => value === 5).length,
    ]);
    await expect(fit(rare, { nClusters: 3, size: 100 })).rejects.toThrow('3 clusters need at least 3');
  });

  test('stops when asked to', async () => {
    const X = makeNoise(3000, 3);
    const coreset = await drawCoreset(X, { size: 500, clusters: 3, seed: 1 });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(fitOnCoreset(pool, X, { nClusters: 3, seed: 1, coreset, signal })).rejects.toThrow('enough');
    await expect(drawCoreset(X, { size: 500, clusters: 3, seed: 1, signal })).rejects.toThrow('enough');
  });
});
