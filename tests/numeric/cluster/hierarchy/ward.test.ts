import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPoints } from '../../../../numeric/cluster/hierarchy/points.ts';
import { ward } from '../../../../numeric/cluster/hierarchy/ward.ts';
import { cutTree, wardTree, weightedMeans } from '../../../../numeric/cluster/hierarchy/ward-tree.ts';
import { adjustedRand } from '../../../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { matrixFromRows, takeRows } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';

// Expected values: scipy's linkage and scikit-learn's AgglomerativeClustering; the file says of which data.
const reference = JSON.parse(readFileSync('tests/numeric/fixtures/hierarchy.json', 'utf8'));
const lettersOf = (labels: string) => Array.from(labels, (letter) => letter.charCodeAt(0) - 97);
const points = (rows: readonly (readonly number[])[]) => readPoints(matrixFromRows(rows), null);

let pools: KernelPool[];
let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pools = [1, 2, 4].map((threads) => createKernelPool({ threads }));
  pool = pools[1]!;
});
afterAll(() => Promise.all(pools.map((own) => own.close())));

describe('wardTree', () => {
  test('heights are those of scipy, and cuts those of scikit-learn', async () => {
    const tree = await wardTree(readPoints(makeNoise(300, 4, 7), null));
    expect(tree.height.length).toBe(reference.noiseHeights.length);
    tree.height.forEach((height, i) => {
      expect(height / reference.noiseHeights[i]).toBeCloseTo(1, 8);
    });
    expect(adjustedRand(cutTree(tree, 6), lettersOf(reference.noiseLabels))).toBe(1);
    const { X } = makeBlobs({ rows: 400, columns: 3, groups: 5, spread: 1.5, seed: 3 });
    const ofBlobs = await wardTree(readPoints(X, null));
    expect(adjustedRand(cutTree(ofBlobs, 5), lettersOf(reference.blobLabels))).toBe(1);
  });

  test('is the linkage matrix that can be worked out by hand', async () => {
    const tree = await wardTree(points([[0], [1], [5], [5.5]]));
    expect(Array.from(tree.left)).toEqual([2, 0, 4]);
    expect(Array.from(tree.right)).toEqual([3, 1, 5]);
    expect(Array.from(tree.height)).toEqual([0.5, 1, Math.sqrt(2) * 4.75]);
    expect(Array.from(tree.weight)).toEqual([2, 2, 4]);
  });

  test('squared heights sum to twice the squared deviations from the mean', async () => {
    const X = makeNoise(200, 3, 5);
    const { values } = readPoints(X, null);
    const labels = new Int32Array(200);
    const mean = weightedMeans({ rows: 200, columns: 3, values }, { labels, weights: null, k: 1 });
    const deviations = values.reduce((sum, value, at) => sum + (value - mean[at % 3]!) ** 2, 0);
    const tree = await wardTree({ rows: 200, columns: 3, values });
    const squares = tree.height.reduce((sum, height) => sum + height ** 2, 0);
    expect(squares / (2 * deviations)).toBeCloseTo(1, 10);
  });

  test('a weight is that many equal rows', async () => {
    const shape = fc.record({ rows: fc.integer({ min: 2, max: 30 }), seed: fc.nat(1000) });
    await fc.assert(
      fc.asyncProperty(shape, async ({ rows, seed }) => {
        const X = makeNoise(rows, 2, seed);
        const random = createRandom(seed);
        const weights = Float64Array.from({ length: rows }, () => 1 + random.int(3));
        const repeated = Array.from(weights).flatMap((weight, row) => new Array<number>(weight).fill(row));
        const weighted = await wardTree(readPoints(X, null), weights);
        const whole = await wardTree(readPoints(takeRows(X, repeated), null));
        const ofRepeats = repeated.length - rows;
        expect(whole.height.subarray(0, ofRepeats)).toEqual(new Float64Array(ofRepeats));
        weighted.height.forEach((height, i) => {
          expect(height / whole.height[ofRepeats + i]!).toBeCloseTo(1, 10);
        });
        const cut = cutTree(weighted, Math.min(3, rows));
        const ofWhole = cutTree(whole, Math.min(3, rows));
        expect(
          adjustedRand(
            repeated.map((row) => cut[row]!),
            ofWhole,
          ),
        ).toBe(1);
      }),
      { numRuns: 30 },
    );
  });

  test('the order of the rows does not matter', async () => {
    const X = makeNoise(150, 3, 2);
    const order = createRandom(1).shuffle(Int32Array.from({ length: 150 }, (_, i) => i));
    const tree = await wardTree(readPoints(X, null));
    const shuffled = await wardTree(readPoints(X, order));
    const labels = cutTree(tree, 7);
    const ofShuffled = cutTree(shuffled, 7);
    expect(
      adjustedRand(
        Array.from(order, (row) => labels[row]!),
        ofShuffled,
      ),
    ).toBe(1);
    shuffled.height.forEach((height, i) => {
      expect(height).toBeCloseTo(tree.height[i]!, 10);
    });
  });

  test('rows that are all equal merge at height 0, many ties come to an end, one row is a tree', async () => {
    const equal = await wardTree(points(new Array(50).fill([0.1, 0.2])));
    expect(equal.height).toEqual(new Float64Array(49));
    const grid = await wardTree(points(Array.from({ length: 400 }, (_, i) => [i % 20, Math.floor(i / 20)])));
    expect(grid.height.every((height, i) => height >= (grid.height[i - 1] ?? 1))).toBe(true);
    const one = await wardTree(points([[3]]));
    expect(one.height.length).toBe(0);
    expect(cutTree(one, 1)).toEqual(new Int32Array(1));
  });

  test('does not change its input', async () => {
    const given = readPoints(makeNoise(40, 2), null);
    const weights = new Float64Array(40).fill(2);
    await wardTree(given, weights);
    expect(given).toEqual(readPoints(makeNoise(40, 2), null));
    expect(weights).toEqual(new Float64Array(40).fill(2));
  });

  test('values, weights and cuts that make no sense are refused', async () => {
    const two = points([[1], [2]]);
    await expect(wardTree({ ...two, rows: 3 })).rejects.toThrow('found 2 values for 3 rows');
    await expect(wardTree(two, Float64Array.of(1))).rejects.toThrow('2 rows need as many weights, found 1');
    for (const wrong of [0, -1, NaN, Infinity])
      await expect(wardTree(two, Float64Array.of(1, wrong))).rejects.toThrow(`found ${wrong}`);
    const nan = { rows: 2, columns: 1, values: Float64Array.of(1, NaN) };
    await expect(wardTree(nan)).rejects.toThrow('finite values');
    const tree = await wardTree(two);
    expect(() => cutTree(tree, 3)).toThrow('cutting a tree needs 1 to 2 clusters, found 3');
  });

  test('stops when asked to', async () => {
    const controller = new AbortController();
    const work = wardTree(readPoints(makeNoise(20_000, 8), null), null, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await expect(work).rejects.toThrow('enough');
  });
});

describe('ward', () => {
  test('finds planted groups, on a coreset and on all rows', async () => {
    const { X, groups } = makeBlobs({ rows: 3000, columns: 5, groups: 6 });
    for (const sampleRows of [500, 4000]) {
      const { labels, fittedOn, model } = await ward.fit(X, { nClusters: 6, sampleRows }, { pool, seed: 1 });
      expect(adjustedRand(labels, groups)).toBe(1);
      expect(fittedOn.of).toBe(3000);
      // A row drawn twice is there once, with twice the weight.
      if (sampleRows > 3000) expect(fittedOn.rows).toBe(3000);
      else expect(fittedOn.rows).toBeLessThanOrEqual(sampleRows);
      expect(model.sizes).toEqual(model.sizes.toSorted((a, b) => b - a));
      expect(model.criteria.treeAgreement).toBe(1);
    }
  });

  test('says how far nearest centres are from the tree', async () => {
    const X = makeNoise(600, 4);
    const fitted = await ward.fit(X, { nClusters: 5 }, { pool, seed: 1 });
    const tree = cutTree(await wardTree(readPoints(X, null)), 5);
    expect(fitted.model.criteria.treeAgreement).toBeCloseTo(adjustedRand(tree, fitted.labels), 12);
    expect(fitted.model.criteria.treeAgreement).toBeLessThan(1);
  });

  test('labels are what assign gives, and all is the same bytes for 1, 2 and 4 threads', async () => {
    const X = makeNoise(2000, 3);
    const parameters = { nClusters: 7, sampleRows: 400 };
    const fits = await Promise.all(pools.map((own) => ward.fit(X, parameters, { pool: own, seed: 3 })));
    expect(fits[1]).toEqual(fits[0]);
    expect(fits[2]).toEqual(fits[0]);
    const { model, labels } = fits[0]!;
    expect((await ward.assign(X, JSON.parse(JSON.stringify(model)), { pool })).labels).toEqual(labels);
    expect(ward.describe(model)).toMatchObject({ algorithm: 'ward', nClusters: 7, parameters });
  });

  test('rare rows that a coreset misses still make the clusters asked for', async () => {
    const X = matrixFromRows(Array.from({ length: 1000 }, (_, i) => [i < 3 ? 10 * i : 50]));
    const { model } = await ward.fit(X, { nClusters: 4, sampleRows: 10 }, { pool, seed: 1 });
    expect(model.sizes).toEqual([997, 1, 1, 1]);
  });

  test('a constant column and a giant outlier give finite centres', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => [Math.sin(i), 4]);
    rows[17] = [1e9, 4];
    const { model } = await ward.fit(matrixFromRows(rows), { nClusters: 3 }, { pool, seed: 1 });
    expect(model.centers.flat().every(Number.isFinite)).toBe(true);
    expect(model.sizes.at(-1)).toBe(1);
  });

  test.each([
    [{ nClusters: 0 }, 'nClusters needs to be 1 to 64, found 0'],
    [{ nClusters: 65 }, 'nClusters needs to be 1 to 64, found 65'],
    [{ nClusters: 4 }, '4 clusters need at least 4 different rows, found 3'],
    [{ nClusters: 3, sampleRows: 2 }, 'sampleRows needs to be an integer of at least 3, found 2'],
  ])('%o is refused for three different rows', async (parameters, message) => {
    const X = matrixFromRows(Array.from({ length: 30 }, (_, i) => [i % 3]));
    await expect(ward.fit(X, parameters, { pool, seed: 1 })).rejects.toThrow(message);
  });

  test('a value that is not finite is refused, outside the coreset too', async () => {
    for (const value of [NaN, Infinity]) {
      const X = makeNoise(3000, 3);
      X.data[3000 + 1234] = value;
      for (const sampleRows of [20, 5000]) {
        const fit = ward.fit(X, { nClusters: 3, sampleRows }, { pool, seed: 1 });
        await expect(fit).rejects.toThrow(RangeError);
      }
    }
  });
});
