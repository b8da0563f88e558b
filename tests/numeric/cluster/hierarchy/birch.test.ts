import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { birch } from '../../../../numeric/cluster/hierarchy/birch.ts';
import { createCfTree } from '../../../../numeric/cluster/hierarchy/cf-tree.ts';
import { readPoints } from '../../../../numeric/cluster/hierarchy/points.ts';
import { adjustedRand } from '../../../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { matrixFromRows } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';

const OPTIONS = { columns: 3, threshold: 0, branchingFactor: 50, maxLeaves: 2000 };

let pools: KernelPool[];
let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pools = [1, 2, 4].map((threads) => createKernelPool({ threads }));
  pool = pools[1]!;
});
afterAll(() => Promise.all(pools.map((own) => own.close())));

function treeOf(values: Float64Array, options: Partial<typeof OPTIONS>) {
  const tree = createCfTree({ ...OPTIONS, ...options });
  for (let at = 0; at < values.length; at += 3) tree.insert(values, at);
  return tree;
}

describe('createCfTree', () => {
  test('leaf entries together hold all rows, their mean and their squared deviations', () => {
    const shape = fc.record({
      rows: fc.integer({ min: 1, max: 400 }),
      branchingFactor: fc.integer({ min: 2, max: 9 }),
      maxLeaves: fc.integer({ min: 1, max: 60 }),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(shape, ({ rows, seed, ...options }) => {
        const { values } = readPoints(makeNoise(rows, 3, seed), null);
        const tree = treeOf(values, options);
        const { count, weights, means, deviations } = tree.leaves();
        expect(count).toBe(tree.leafCount);
        expect(count).toBeLessThanOrEqual(options.maxLeaves);
        expect(weights.reduce((sum, weight) => sum + weight)).toBe(rows);
        for (let j = 0; j < 3; j++) {
          const inEntries = weights.reduce((sum, weight, i) => sum + weight * means[i * 3 + j]!, 0);
          expect(inEntries).toBeCloseTo(sumOfColumn(values, j), 8);
        }
        // Squares about the origin: within the entries and of their means
        const squares = values.reduce((sum, value) => sum + value * value, 0);
        const within = deviations.reduce((sum, deviation) => sum + deviation, 0);
        const between = means.reduce((sum, mean, at) => sum + weights[Math.floor(at / 3)]! * mean * mean, 0);
        expect(within + between).toBeCloseTo(squares, 8);
      }),
      { numRuns: 60 },
    );
  });

  test('no entry that has joined rows is wider than the threshold', () => {
    const { values } = readPoints(makeNoise(3000, 3), null);
    const { weights, deviations } = treeOf(values, { threshold: 0.4 }).leaves();
    deviations.forEach((deviation, i) => {
      expect(Math.sqrt(deviation / weights[i]!)).toBeLessThanOrEqual(0.4);
    });
    expect(weights.length).toBeLessThan(1500);
  });

  test('threshold 0 lets only equal rows join, and misses few of them', () => {
    const values = Float64Array.from({ length: 900 }, (_, at) => Math.floor(at / 3) % 40);
    const { weights, means, deviations } = treeOf(values, { branchingFactor: 4 }).leaves();
    expect(deviations).toEqual(new Float64Array(weights.length));
    expect(new Set(means).size).toBe(40);
    expect(weights.length).toBeLessThan(50);
    expect(treeOf(values, {}).leafCount).toBe(40);
  });

  // The classic features (n, sum, sum of squares) are left with no digit here.
  test('far from the origin it is the same tree', () => {
    const { values } = readPoints(makeBlobs({ rows: 2000, columns: 3, groups: 4 }).X, null);
    // Steps of 2^-20, so that moving the data rounds nothing away
    const near = values.map((value) => Math.round(value * 2 ** 20) / 2 ** 20);
    const here = treeOf(near, { threshold: 0.5 }).leaves();
    const there = treeOf(
      near.map((value) => value + 1e6),
      { threshold: 0.5 },
    ).leaves();
    expect(there.weights).toEqual(here.weights);
    there.deviations.forEach((deviation, i) => {
      expect(deviation).toBeCloseTo(here.deviations[i]!, 6);
    });
    there.means.forEach((mean, at) => {
      expect(mean - 1e6).toBeCloseTo(here.means[at]!, 6);
    });
  });

  test('rows that move on and on, or lie as far apart as numbers go, leave few entries', () => {
    const random = createRandom(1);
    const streams = [(i: number) => i, (i: number) => 1.05 ** i, () => Math.exp(20 * random.normal())];
    for (const stream of streams) {
      const values = Float64Array.from({ length: 9000 }, (_, at) => stream(Math.floor(at / 3)));
      for (const branchingFactor of [2, 50]) {
        const tree = treeOf(values, { branchingFactor, maxLeaves: 40 });
        expect(tree.leafCount).toBeLessThanOrEqual(40);
        expect(tree.leafCount).toBeGreaterThan(4);
        expect(tree.leaves().means.every(Number.isFinite)).toBe(true);
      }
    }
  });

  test('options out of range are refused', () => {
    expect(() => createCfTree({ ...OPTIONS, branchingFactor: 1 })).toThrow('found 1');
    expect(() => createCfTree({ ...OPTIONS, maxLeaves: 0 })).toThrow('found 0');
    expect(() => createCfTree({ ...OPTIONS, threshold: NaN })).toThrow('found NaN');
  });
});

describe('birch', () => {
  test('finds the groups that scikit-learn finds', async () => {
    // Expected values: scikit-learn 1.9, Birch(threshold=1, n_clusters=6) on the same data
    const reference = JSON.parse(readFileSync('tests/numeric/fixtures/hierarchy.json', 'utf8'));
    const expected = Array.from(reference.birchLabels as string, (letter) => letter.charCodeAt(0) - 97);
    const { X, groups } = makeBlobs({ rows: 2000, columns: 4, groups: 6, spread: 1, seed: 5 });
    for (const threshold of [null, 1]) {
      const { labels } = await birch.fit(X, { nClusters: 6, threshold }, { pool, seed: 1 });
      expect(adjustedRand(labels, expected)).toBeGreaterThan(0.95);
      expect(adjustedRand(labels, groups)).toBeGreaterThan(0.95);
    }
  });

  test('reads all rows through few leaf entries', async () => {
    const { X, groups } = makeBlobs({ rows: 60_000, columns: 5, groups: 7 });
    const { labels, model, fittedOn } = await birch.fit(
      X,
      { nClusters: 7, maxLeaves: 300 },
      { pool, seed: 1 },
    );
    expect(adjustedRand(labels, groups)).toBe(1);
    expect(fittedOn).toEqual({ rows: 60_000, of: 60_000 });
    expect(model.criteria.leaves).toBeLessThanOrEqual(300);
    expect(model.criteria.leaves).toBeGreaterThan(30);
    expect(model.criteria.threshold).toBeGreaterThan(0);
  });

  test('labels are what assign gives, and all is the same bytes for 1, 2 and 4 threads', async () => {
    const X = makeNoise(5000, 3);
    const parameters = { nClusters: 5, maxLeaves: 200 };
    const fits = await Promise.all(pools.map((own) => birch.fit(X, parameters, { pool: own, seed: 3 })));
    expect(fits[1]).toEqual(fits[0]);
    expect(fits[2]).toEqual(fits[0]);
    const { model, labels } = fits[0]!;
    expect((await birch.assign(X, JSON.parse(JSON.stringify(model)), { pool })).labels).toEqual(labels);
    expect(birch.describe(model)).toMatchObject({ algorithm: 'birch', nClusters: 5, parameters });
  });

  test('as many clusters as different rows', async () => {
    const X = matrixFromRows(Array.from({ length: 100 }, (_, i) => [i % 10 ? 0 : i, 1]));
    const { model } = await birch.fit(X, { nClusters: 10 }, { pool, seed: 1 });
    expect(model.sizes).toEqual([91, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(model.criteria.inertia).toBe(0);
  });

  test('a constant column and a giant outlier give finite centres', async () => {
    const rows = Array.from({ length: 500 }, (_, i) => [Math.sin(i), 4]);
    rows[17] = [1e9, 4];
    const { model } = await birch.fit(
      matrixFromRows(rows),
      { nClusters: 3, maxLeaves: 50 },
      { pool, seed: 1 },
    );
    expect(model.centers.flat().every(Number.isFinite)).toBe(true);
    expect(model.sizes.at(-1)).toBe(1);
  });

  test.each([
    [{ nClusters: 65 }, 'nClusters needs to be 1 to 64, found 65'],
    [{ nClusters: 4 }, '4 clusters need at least 4 different rows, found 3'],
    [{ nClusters: 3, maxLeaves: 2 }, 'maxLeaves needs to be an integer of at least 3, found 2'],
    [{ nClusters: 3, threshold: -1 }, 'threshold needs to be 0 or more, found -1'],
    [
      { nClusters: 3, threshold: 100 },
      '3 clusters need at least as many leaf entries, found 1 with threshold 100',
    ],
  ])('%o is refused for three different rows', async (parameters, message) => {
    const X = matrixFromRows(Array.from({ length: 30 }, (_, i) => [i % 3]));
    await expect(birch.fit(X, parameters, { pool, seed: 1 })).rejects.toThrow(message);
  });

  test('a value that is not finite, or beyond what the kernels take, is refused', async () => {
    for (const value of [NaN, Infinity, 2e15]) {
      const X = makeNoise(3000, 3);
      X.data[3000 + 1234] = value;
      await expect(birch.fit(X, { nClusters: 3 }, { pool, seed: 1 })).rejects.toThrow(
        `found ${Math.fround(value)} in row 1234, column 1`,
      );
    }
  });

  test('stops when asked to', async () => {
    const controller = new AbortController();
    const work = birch.fit(
      makeNoise(200_000, 4),
      { nClusters: 3 },
      {
        ...{ pool, seed: 1, signal: controller.signal },
        onProgress: () => controller.abort(new Error('enough')),
      },
    );
    await expect(work).rejects.toThrow('enough');
  });
});

function sumOfColumn(values: Float64Array, j: number): number {
  let sum = 0;
  for (let at = j; at < values.length; at += 3) sum += values[at]!;
  return sum;
}
