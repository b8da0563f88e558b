import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawNull, fitNullModel } from '../../../../numeric/cluster/choice/null-model.ts';
import { pointsOf, shallowestValley } from '../../../../numeric/cluster/choice/valleys.ts';
import { fitKMeans } from '../../../../numeric/cluster/k-means.ts';
import { silhouette } from '../../../../numeric/compare/silhouette.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { columnOf, type Matrix, matrixFromColumns, matrixFromRows } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { correlation } from '../../../../numeric/statistics/moments.ts';
import { quantiles } from '../../../../numeric/statistics/quantile.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeBlobs } from '../../helpers/made-data.ts';

const ROWS = 3000;

const drawOf = async (X: Matrix, seed = 1) =>
  drawNull(await fitNullModel(X, createRandom('model')), createRandom(seed));

/** Spend, orders and recency that go together, of customers without groups. */
function makeCustomers(seed = 1): Matrix {
  const random = createRandom(seed);
  return matrixFromRows(
    Array.from({ length: ROWS }, () => {
      const shared = random.normal();
      const spend = Math.exp(0.8 * shared + 0.6 * random.normal());
      const orders = 1 + Math.floor(Math.exp(0.7 * shared + 0.5 * random.normal()));
      const recency = -shared + random.normal();
      return [spend, orders, recency];
    }),
  );
}

/** Mid-ranks, so that equal counts are equal. */
function ranksOf(column: Float32Array): Float64Array {
  const sorted = column.toSorted();
  return Float64Array.from(column, (value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
}

const spearman = (X: Matrix, a: number, b: number) =>
  correlation(ranksOf(columnOf(X, a)), ranksOf(columnOf(X, b)));

const deviationOf = (column: ArrayLike<number>) => {
  const values = Array.from(column);
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0));
};

describe('a draw from the null model', () => {
  test('keeps the margins of a base without groups: quantiles, tails and deviation', async () => {
    const X = makeCustomers();
    const drawn = await drawOf(X);
    for (const j of [0, 2]) {
      const deviation = deviationOf(columnOf(X, j));
      expect(deviationOf(columnOf(drawn, j)) / deviation).toBeCloseTo(1, 1);
      const shares = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999];
      const found = quantiles(columnOf(drawn, j), shares);
      for (const [i, expected] of quantiles(columnOf(X, j), shares).entries()) {
        // Every draw has the model's quantiles themselves: there is no chance of sampling in a margin
        expect(Math.abs(found[i]! - expected) / deviation).toBeLessThan(0.05);
      }
    }
  });

  test('has no value in a column of counts that the column has not, and each about as often', async () => {
    const X = makeCustomers();
    const [counts, drawn] = [columnOf(X, 1), columnOf(await drawOf(X), 1)];
    const values = new Set(counts);
    expect(drawn.every((value) => values.has(value))).toBe(true);
    for (const value of [1, 2, 3, 4]) {
      const share = (column: Float32Array) => column.filter((other) => other === value).length / ROWS;
      expect(Math.abs(share(drawn) - share(counts))).toBeLessThan(0.03);
    }
  });

  test('keeps the rank correlations of columns without repeats', async () => {
    const X = makeCustomers();
    const inData = spearman(X, 0, 2);
    expect(Math.abs(inData)).toBeGreaterThan(0.4);
    // Three standard errors of one correlation of 3,000 rows are .055
    for (const seed of [1, 2, 3])
      expect(Math.abs(spearman(await drawOf(X, seed), 0, 2) - inData)).toBeLessThan(0.055);
  });

  test('a column of few counts goes with the others as much as in the data', async () => {
    const X = makeCustomers();
    const drawn = await drawOf(X);
    for (const other of [0, 2]) {
      const ratio = spearman(drawn, 1, other) / spearman(X, 1, other);
      expect(ratio).toBeGreaterThan(0.93);
      expect(ratio).toBeLessThan(1.07);
    }
  });

  test('columns of counts go together as much as in the data, also when most customers have the same', async () => {
    const random = createRandom(4);
    const rows = Array.from({ length: ROWS }, () => {
      const shared = random.normal();
      return [0, 1, 2].map(() => 1 + Math.floor(Math.exp(0.8 * shared + 0.6 * random.normal() - 0.4)));
    });
    const X = matrixFromRows(rows);
    expect(columnOf(X, 0).filter((count) => count === 1).length / ROWS).toBeGreaterThan(0.6);
    const drawn = await drawOf(X);
    for (const [a, b] of [
      [0, 1],
      [1, 2],
    ] as const)
      expect(Math.abs(spearman(drawn, a, b) - spearman(X, a, b))).toBeLessThan(0.055);
  });

  test('identical columns of counts stay nearly so', async () => {
    const random = createRandom(5);
    const counts = Array.from({ length: 600 }, () => Math.floor(4 * random.float() ** 2));
    const drawn = await drawOf(matrixFromColumns([counts, counts, counts.map((count) => -count)]));
    expect(spearman(drawn, 0, 1)).toBeGreaterThan(0.95);
    expect(spearman(drawn, 0, 2)).toBeLessThan(-0.9);
  });

  test('is the same for the same seed, and another one for another', async () => {
    const X = makeCustomers();
    expect((await drawOf(X, 1)).data).toEqual((await drawOf(X, 1)).data);
    expect((await drawOf(X, 1)).data).not.toEqual((await drawOf(X, 2)).data);
  });

  test('leaves the data as they were', async () => {
    const X = makeCustomers();
    const before = X.data.slice();
    await drawOf(X);
    expect(X.data).toEqual(before);
  });
});

describe('groups', () => {
  let pool: KernelPool;
  beforeAll(async () => {
    await buildKernels();
    pool = createKernelPool({ threads: 2 });
  });
  afterAll(() => pool.close());

  test.each([3, 4, 5])('of %i planted ones nothing is left in a draw', async (groups) => {
    const { X } = makeBlobs({ rows: 1500, columns: 4, groups, seed: groups });
    const measure = async (matrix: Matrix) => {
      const { labels } = await fitKMeans(pool, matrix, { nClusters: groups, seed: 1 });
      const { mean } = await silhouette(pool, matrix, labels);
      const points = await pointsOf(matrix, createRandom(1));
      return { valley: await shallowestValley(points, labels, groups), mean };
    };
    const planted = await measure(X);
    expect(planted.valley).toBeLessThan(0.05);
    for (const seed of [1, 2]) {
      const drawn = await measure(await drawOf(X, seed));
      expect(drawn.valley).toBeGreaterThan(0.75);
      expect(drawn.mean).toBeLessThan(planted.mean - 0.3);
    }
  });
});

describe('of unusual data', () => {
  const normals = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 200 }, () => random.normal());
  };

  test('a constant column stays constant', async () => {
    const drawn = await drawOf(
      matrixFromColumns([new Array(200).fill(3), normals(1), new Array(200).fill(-1)]),
    );
    expect(new Set(columnOf(drawn, 0))).toEqual(new Set([3]));
    expect(new Set(columnOf(drawn, 2))).toEqual(new Set([-1]));
    expect(deviationOf(columnOf(drawn, 1))).toBeGreaterThan(0.8);
  });

  test.each([4, 16, 100])('a constant column of %i rows leaves the others free', async (rows) => {
    const drawn = await drawOf(matrixFromColumns([new Array(rows).fill(3), normals(1).slice(0, rows)]));
    expect(new Set(columnOf(drawn, 1)).size).toBe(rows);
  });

  test('identical and opposite columns stay so', async () => {
    const column = normals(1);
    const drawn = await drawOf(matrixFromColumns([column, column, column.map((value) => -value)]));
    const [one, same, opposite] = [0, 1, 2].map((j) => columnOf(drawn, j));
    expect(correlation(one!, same!)).toBeGreaterThan(0.9999);
    expect(correlation(one!, opposite!)).toBeLessThan(-0.98);
  });

  test.each<[string, number[][]]>([
    [
      'two rows',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['rows that are all equal', new Array(20).fill([4, 4, 0])],
    ['few different values', Array.from({ length: 100 }, (_, i) => [i % 3, (i % 2) * 10])],
    ['one giant outlier', Array.from({ length: 100 }, (_, i) => [i === 0 ? 1e30 : i % 7, i])],
    ['more columns than rows', [normals(1).slice(0, 9), normals(2).slice(0, 9), normals(3).slice(0, 9)]],
  ])('%s: numbers within the range of each column', async (_, rows) => {
    const X = matrixFromRows(rows);
    const drawn = await drawOf(X);
    expect([drawn.rows, drawn.columns]).toEqual([X.rows, X.columns]);
    for (let j = 0; j < X.columns; j++) {
      const own = columnOf(X, j).toSorted();
      for (const value of columnOf(drawn, j)) {
        expect(value).toBeGreaterThanOrEqual(own[0]!);
        expect(value).toBeLessThanOrEqual(own.at(-1)!);
      }
    }
  });

  test('two columns of two values keep to them', async () => {
    const drawn = await drawOf(
      matrixFromRows(Array.from({ length: 300 }, (_, i) => [i % 2, i % 3 === 0 ? 5 : 9])),
    );
    expect(new Set(columnOf(drawn, 0))).toEqual(new Set([0, 1]));
    expect(new Set(columnOf(drawn, 1))).toEqual(new Set([5, 9]));
  });
});
