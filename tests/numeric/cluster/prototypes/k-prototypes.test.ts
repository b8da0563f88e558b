import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fitKMeans } from '../../../../numeric/cluster/k-means.ts';
import {
  type KPrototypesParameters,
  kPrototypes,
} from '../../../../numeric/cluster/prototypes/k-prototypes.ts';
import { adjustedRand } from '../../../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { createMatrix, type Matrix, matrixFromRows, takeRows } from '../../../../numeric/matrix.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';
import { MIXED, makeMixed } from './mixed-data.ts';

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 1 });
});
afterAll(() => pool.close());

const CATEGORICAL = [1, 3];
const fit = (X: Matrix, parameters: Partial<KPrototypesParameters>, seed: number | string = 1) =>
  kPrototypes.fit(X, parameters, { pool, seed });

describe('kPrototypes', () => {
  // Expected values: kmodes 0.12, KPrototypes, best of 60 starts by Huang and by Cao
  const reference = JSON.parse(
    readFileSync(new URL('../../fixtures/mixture-prototypes.json', import.meta.url), 'utf8'),
  );

  test.each(['clear', 'blurred'] as const)('finds what kmodes finds: %s', async (name) => {
    const { X } = MIXED[name]();
    const { gamma, cost, costAtGamma3, labels } = reference[name];
    const found = await fit(X, { nClusters: 4, categorical: CATEGORICAL });
    const { criteria, parameters } = kPrototypes.describe(found.model);
    expect(parameters.gamma).toBeCloseTo(gamma, 10);
    expect(criteria.cost! / cost).toBeLessThan(1.001);
    expect(adjustedRand(found.labels, Array.from(labels as string, Number))).toBeGreaterThan(0.95);
    const other = await fit(X, { nClusters: 4, categorical: CATEGORICAL, gamma: 3 });
    expect(other.model.criteria.cost! / costAtGamma3).toBeLessThan(1.001);
  });

  test('without a category it is as good as k-means', async () => {
    for (const { X, nClusters } of [
      { X: makeBlobs({ rows: 900, columns: 3, groups: 5 }).X, nClusters: 5 },
      { X: makeNoise(900, 2), nClusters: 3 },
    ]) {
      const { inertia } = await fitKMeans(pool, X, { nClusters, seed: 1 });
      const { model } = await fit(X, { nClusters });
      expect(model.criteria.cost! / inertia).toBeCloseTo(1, 3);
      expect(model.parameters.gamma).toBeGreaterThan(0);
    }
  });

  test('categories alone: groups that never share a code are told apart', async () => {
    const X = matrixFromRows(Array.from({ length: 90 }, (_, i) => [i % 3, 7 - (i % 3), i % 2]));
    const { model, labels } = await fit(X, { nClusters: 3, categorical: [0, 1, 2] });
    expect(model.parameters.gamma).toBe(1);
    expect(
      adjustedRand(
        labels,
        Uint8Array.from({ length: 90 }, (_, i) => i % 3),
      ),
    ).toBe(1);
    expect(model.criteria.cost).toBe(45);
  });

  test('a larger gamma never makes more categories differ', async () => {
    const { X } = makeMixed({ rows: 300, groups: 4, spread: 1, faithful: 0.8, seed: 5 });
    const mismatches = await Promise.all(
      [0.01, 1, 100].map(async (gamma) => {
        const { model, labels } = await fit(X, { nClusters: 4, categorical: CATEGORICAL, gamma });
        return CATEGORICAL.flatMap((j) =>
          Array.from(labels, (label, i) => Number(X.data[j * 300 + i] !== model.prototypes[label]![j])),
        ).reduce((sum, one) => sum + one, 0);
      }),
    );
    expect(mismatches).toEqual(mismatches.toSorted((a, b) => b - a));
    expect(mismatches[0]).toBeGreaterThan(mismatches[2]!);
  });

  test('prototypes are means and modes, and the cost adds up', async () => {
    const { X } = MIXED.blurred();
    const { model, labels } = await fit(X, { nClusters: 4, categorical: CATEGORICAL });
    const at = (i: number, j: number) => X.data[j * X.rows + i]!;
    let cost = 0;
    model.prototypes.forEach((prototype, c) => {
      const rows = Array.from(labels.keys()).filter((i) => labels[i] === c);
      for (const j of [0, 2]) {
        const mean = rows.reduce((sum, i) => sum + at(i, j), 0) / rows.length;
        expect(prototype[j]).toBeCloseTo(mean, 10);
        cost += rows.reduce((sum, i) => sum + (at(i, j) - mean) ** 2, 0);
      }
      for (const j of CATEGORICAL) {
        const count = (code: number) => rows.filter((i) => at(i, j) === code).length;
        expect(count(prototype[j]!)).toBe(Math.max(...[0, 1, 2, 3, 4].map(count)));
        cost += model.parameters.gamma * (rows.length - count(prototype[j]!));
      }
    });
    expect(model.criteria.cost).toBeCloseTo(cost, 8);
    expect(kPrototypes.describe(model).centers).toEqual(model.prototypes);
    expect(kPrototypes.describe(model).parameters.categorical).toBe('1,3');
  });

  test('same rows and seed give the same bytes; assign gives the labels of the fit, the largest cluster first', async () => {
    const shapes = fc.record({
      rows: fc.integer({ min: 60, max: 400 }),
      nClusters: fc.integer({ min: 1, max: 6 }),
      seed: fc.nat(1000),
      onlyCategories: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(shapes, async ({ rows, nClusters, seed, onlyCategories }) => {
        const { X } = makeMixed({ rows, groups: 3, spread: 1, faithful: 0.5, seed });
        if (onlyCategories) for (let at = 0; at < X.data.length; at++) X.data[at] = Math.round(X.data[at]!);
        const categorical = onlyCategories ? [0, 1, 2, 3] : CATEGORICAL;
        const parameters = { nClusters, categorical, nInit: 2, sampleRows: 50 };
        const found = await fit(X, parameters, seed);
        expect(await fit(X, parameters, seed)).toEqual(found);
        const stored = JSON.parse(JSON.stringify(found.model));
        const assigned = await kPrototypes.assign(X, stored, { pool });
        expect(assigned.labels).toEqual(found.labels);
        const sizes = found.model.prototypes.map(
          (_, c) => found.labels.filter((label) => label === c).length,
        );
        expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
        expect(Math.min(...sizes)).toBeGreaterThan(0);
        expect(found.fittedOn).toEqual({ rows: 50, of: rows });
        const few = await kPrototypes.assign(takeRows(X, [7, 7, 0]), found.model, { pool });
        expect(few.margin).toEqual(Float32Array.from([7, 7, 0], (row) => assigned.margin[row]!));
      }),
      { numRuns: 15 },
    );
  });

  test('the order of the columns does not matter', async () => {
    const { X } = MIXED.clear();
    const turned = createMatrix(X.rows, 4);
    for (const [place, j] of [3, 0, 1, 2].entries())
      turned.data.set(X.data.subarray(j * X.rows, (j + 1) * X.rows), place * X.rows);
    const [one, other] = [
      await fit(X, { nClusters: 4, categorical: [1, 3] }),
      await fit(turned, { nClusters: 4, categorical: [2, 0] }),
    ];
    expect(adjustedRand(one.labels, other.labels)).toBe(1);
    expect(other.model.criteria.cost).toBeCloseTo(one.model.criteria.cost!, 8);
  });

  test('distance is the root of the cost, margin as for centres; an unseen code differs from every mode', async () => {
    const { model } = await fit(MIXED.clear().X, { nClusters: 2, categorical: CATEGORICAL });
    const own = {
      ...model,
      parameters: { ...model.parameters, gamma: 9 },
      prototypes: [
        [0, 1, 0, 1],
        [8, 1, 0, 2],
      ],
    };
    const X = matrixFromRows([
      [4, 1, 3, 2],
      [0, 99, 0, 1],
    ]);
    const { labels, distance, margin } = await kPrototypes.assign(X, own, { pool });
    expect(Array.from(labels)).toEqual([1, 0]);
    expect(Array.from(distance)).toEqual([5, 3]);
    expect(margin[0]).toBeCloseTo(1 - 5 / Math.sqrt(34), 6);
    expect(margin[1]).toBeCloseTo(1 - 3 / Math.sqrt(82), 6);
  });

  test('stops when asked to, and says how far it is', async () => {
    const controller = new AbortController();
    const work = kPrototypes.fit(
      makeNoise(5000, 4),
      { nClusters: 8, maxIter: 50, nInit: 4 },
      {
        ...{ pool, seed: 1, signal: controller.signal },
        onProgress: (done, of) => {
          expect(of).toBe(200);
          if (done > 2) controller.abort(new Error('enough'));
        },
      },
    );
    await expect(work).rejects.toThrow('enough');
  });
});

describe('bad input', () => {
  test.each([
    [{ nClusters: 0 }, 'k-prototypes needs 1 to 64 clusters, found 0'],
    [{ nClusters: 51 }, '51 clusters need at least 51 rows, found 50'],
    [{ categorical: [2] }, 'categorical needs different columns from 0 to 1, found 2'],
    [{ categorical: [1, 1] }, 'categorical needs different columns from 0 to 1, found 1, 1'],
    [{ categorical: [0] }, 'category column 0 needs integer codes, found'],
    [{ gamma: 0 }, 'gamma needs to be more than 0, found 0'],
    [{ maxIter: 0 }, 'maxIter needs to be at least 1, found 0'],
    [{ nInit: 0 }, 'nInit needs to be at least 1, found 0'],
    [{ sampleRows: 1 }, 'sampleRows needs to be at least the 4 clusters, found 1'],
  ])('%o is refused', async (parameters, message) => {
    const work = fit(makeNoise(50, 2), parameters);
    await expect(work).rejects.toThrow(RangeError);
    await expect(work).rejects.toThrow(message);
  });

  test.each([Number.NaN, -Infinity])('%s is refused by fit and by assign', async (value) => {
    const { X } = MIXED.clear();
    const { model } = await fit(X, { nClusters: 2, categorical: CATEGORICAL, nInit: 1 });
    for (const column of [0, 1]) {
      const bad = takeRows(
        X,
        Array.from({ length: X.rows }, (_, i) => i),
      );
      bad.data[column * X.rows + 5] = value;
      const message = `found ${value} in row 5, column ${column}`;
      await expect(fit(bad, { nClusters: 2, sampleRows: 3 })).rejects.toThrow(message);
      await expect(kPrototypes.assign(bad, model, { pool })).rejects.toThrow(message);
    }
    await expect(kPrototypes.assign(makeNoise(9, 3), model, { pool })).rejects.toThrow(
      'the prototypes have 4 columns, found rows of 3',
    );
  });

  test('fewer different rows than clusters are refused, as many cost nothing', async () => {
    const X = matrixFromRows(Array.from({ length: 60 }, (_, i) => [i % 2, i % 3]));
    await expect(fit(X, { nClusters: 7, categorical: [1] })).rejects.toThrow(
      '7 clusters need at least 7 different rows, found 6',
    );
    expect((await fit(X, { nClusters: 6, categorical: [1] })).model.criteria.cost).toBe(0);
  });

  test('equal rows, one row, constant columns, a giant row: a defined result', async () => {
    const { X } = MIXED.clear();
    const rows = Array.from({ length: 100 }, (_, i) => [0, 1, 2, 3].map((j) => X.data[j * 400 + i]!));
    const cases: [Matrix, number][] = [
      [matrixFromRows(rows.map(() => [1, 2, 3, 4])), 1],
      [matrixFromRows([[1, 2, 3, 4]]), 1],
      [matrixFromRows(rows.map((row) => [5, row[1]!, 6, 2])), 3],
      [matrixFromRows(rows.map((row) => [row[0]!, 2, row[2]!, 2])), 3],
      [matrixFromRows([...rows, [1e15, 16_777_216, -1e15, -16_777_216]]), 3],
    ];
    for (const [matrix, nClusters] of cases) {
      const { model } = await fit(matrix, { nClusters, categorical: CATEGORICAL });
      expect(model.prototypes).toHaveLength(nClusters);
      const values = [...model.prototypes.flat(), ...Object.values(model.criteria)];
      expect(values.every(Number.isFinite)).toBe(true);
      const { distance, margin } = await kPrototypes.assign(matrix, model, { pool });
      expect([...distance, ...margin].every(Number.isFinite)).toBe(true);
    }
  });

  test('a sample that misses rare rows is given them', async () => {
    const X = createMatrix(2000, 2);
    X.data[3] = 1;
    X.data[2000 + 4] = 1;
    const { labels } = await fit(X, { nClusters: 3, categorical: [1], sampleRows: 50 });
    expect([labels[0], new Set(labels).size]).toEqual([0, 3]);
  });
});
