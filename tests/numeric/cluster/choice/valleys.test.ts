import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pointsOf, shallowestValley } from '../../../../numeric/cluster/choice/valleys.ts';
import { fitKMeans } from '../../../../numeric/cluster/k-means.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { type Matrix, matrixFromRows, takeRows } from '../../../../numeric/matrix.ts';
import { createRandom, type Random } from '../../../../numeric/random/random.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeNoise, makeUniform } from '../../helpers/made-data.ts';

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 2 });
});
afterAll(() => pool.close());

const valleyOf = async (X: Matrix, labels: Uint8Array, k: number) =>
  shallowestValley(await pointsOf(X, createRandom(1)), labels, k);

async function valleyOfFit(X: Matrix, k: number): Promise<number> {
  const { labels } = await fitKMeans(pool, X, { nClusters: k, seed: 1 });
  return valleyOf(X, labels, k);
}

/** Equal normal groups of deviation 1 at the given places of the first column, with the group of each row. */
function makeRow(places: readonly number[], { rows = 3000, columns = 3, seed = 1 } = {}) {
  const random = createRandom(seed);
  const labels = Uint8Array.from({ length: rows }, (_, i) => i % places.length);
  const X = matrixFromRows(
    Array.from(labels, (group) =>
      Array.from({ length: columns }, (_, j) => random.normal() + (j === 0 ? places[group]! : 0)),
    ),
  );
  return { X, labels };
}

const makeFrom = (draw: (random: Random) => number[]) => (rows: number, seed: number) => {
  const random = createRandom(seed);
  return matrixFromRows(Array.from({ length: rows }, () => draw(random)));
};

const HEAPS: Record<string, (rows: number, seed: number) => Matrix> = {
  Gaussian: (rows, seed) => makeNoise(rows, 3, seed),
  'log-normal': makeFrom((random) => [0, 1, 2].map(() => Math.exp(0.8 * random.normal()))),
  correlated: makeFrom((random) => {
    const shared = random.normal();
    return [0, 1, 2].map(() => 0.8 * shared + 0.6 * random.normal());
  }),
  'of counts': makeFrom((random) => [0, 1, 2].map(() => 1 + Math.floor(-3 * Math.log(1 - random.float())))),
};

describe('between two normal groups', () => {
  // Theory: an equal mixture of two normal densities D apart, smoothed by a kernel of .17 (Silverman's rule for
  // 1,500 rows a side), is a mixture of variance s^2 = 1 + .17^2. Its value in the middle over its peak is
  // 2 exp(-D^2 / 8 s^2) / max_x [exp(-x^2 / 2 s^2) + exp(-(x - D)^2 / 2 s^2)]; the tube does not change it.
  test.each([
    [3, 0.661],
    [3.5, 0.45],
    [4, 0.286],
    [5, 0.096],
    [6, 0.025],
  ])('%d deviations apart, the valley is what theory says', async (apart, expected) => {
    for (const columns of [1, 3, 6]) {
      let mean = 0;
      for (const seed of [1, 2, 3]) {
        const { X, labels } = makeRow([0, apart], { columns, seed });
        mean += (await valleyOf(X, labels, 2)) / 3;
      }
      expect(Math.abs(mean - expected)).toBeLessThan(0.08);
    }
  });

  test('cut by k-means the valley is the same as between the groups themselves', async () => {
    const { X, labels } = makeRow([0, 4]);
    expect(Math.abs((await valleyOfFit(X, 2)) - (await valleyOf(X, labels, 2)))).toBeLessThan(0.02);
  });

  test('nothing between them is 0', async () => {
    const { X, labels } = makeRow([0, 30]);
    expect(await valleyOf(X, labels, 2)).toBe(0);
  });
});

describe('one heap', () => {
  test.each(Object.entries(HEAPS))('%s: has no valley, however k-means cuts it', async (_, make) => {
    for (const seed of [1, 2, 3, 4]) {
      const X = make(1500, seed);
      // For k = 2 a single border is looked at, and a density of so few rows wavers
      expect(await valleyOfFit(X, 2)).toBeGreaterThan(0.85);
      for (const k of [3, 5, 8]) expect(await valleyOfFit(X, k)).toBeGreaterThan(0.95);
    }
  });

  test('counts of few values: the gaps between whole numbers are no valleys', async () => {
    const random = createRandom(1);
    const counts = Array.from({ length: 2000 }, () =>
      [0, 0, 0, 0, 0, 0].reduce((sum) => sum + random.int(2), 0),
    );
    const X = matrixFromRows(counts.map((count) => [count]));
    for (const k of [2, 3, 4]) {
      const { labels } = await fitKMeans(pool, X, { nClusters: k, seed: 1 });
      expect(await valleyOf(X, labels, k)).toBeGreaterThan(0.9);
      const asTheyAre = {
        ...{ rows: 2000, columns: 1, values: Float64Array.from(X.data) },
        tieWidths: Float64Array.of(0),
      };
      expect(await shallowestValley(asTheyAre, labels, k)).toBeLessThan(0.5);
    }
  });

  test('evenly filled cube: no more of a valley than the chance of a level density', async () => {
    for (const seed of [1, 2, 3, 4]) {
      const X = makeUniform(1500, 3, seed);
      // Of a level stretch the highest and the lowest place are compared
      expect(await valleyOfFit(X, 2)).toBeGreaterThan(0.7);
      for (const k of [3, 5, 8]) expect(await valleyOfFit(X, k)).toBeGreaterThan(0.85);
    }
  });
});

describe('which pairs are looked at', () => {
  test('of three groups in a row the neighbours only', async () => {
    // Half the rows are in the middle one: on the line between the outer two its peak would fill the valley
    const { X, labels } = makeRow([0, 8, 8, 16]);
    expect(
      await valleyOf(
        X,
        labels.map((place) => [0, 1, 1, 2][place]!),
        3,
      ),
    ).toBeLessThan(0.03);
  });

  test('what lies beside the line between two centres does not fill the valley', async () => {
    const { X, labels } = makeRow([0, 8, 4], { columns: 2 });
    // The third group, as large as the others, half way and far aside
    labels.forEach((group, i) => {
      if (group === 2) X.data[labels.length + i]! += 20;
    });
    expect(await valleyOf(X, labels, 3)).toBeLessThan(0.03);
  });

  test('one border without a valley is enough', async () => {
    const { X, labels } = makeRow([0, 12]);
    expect(await valleyOf(X, labels, 2)).toBeLessThan(0.001);
    const halves = labels.map((group, i) => (group === 1 ? 1 + Number(X.data[i]! > 12) : 0));
    expect(await valleyOf(X, halves, 3)).toBeGreaterThan(0.95);
  });

  test('stops at the first as shallow as asked for, the least separated first', async () => {
    const { X, labels } = makeRow([0, 3, 8]);
    const points = await pointsOf(X, createRandom(1));
    const all = await shallowestValley(points, labels, 3);
    expect(await shallowestValley(points, labels, 3, { enough: 0.1 })).toBe(all);
    expect(all).toBeGreaterThan(0.5);
  });

  test('a single cluster has no neighbour: 0', async () => {
    expect(await valleyOf(makeNoise(100, 2), new Uint8Array(100), 1)).toBe(0);
  });
});

describe('unchanged', () => {
  const { X, labels } = makeRow([0, 3.5, 8], { rows: 600, columns: 2 });
  let valley: number;
  beforeAll(async () => {
    valley = await valleyOf(X, labels, 3);
  });

  test('by the order of the rows and the names of the clusters', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.constantFrom([0, 1, 2], [1, 2, 0], [2, 1, 0]),
        async (seed, names) => {
          const order = createRandom(seed).shuffle(Array.from(labels.keys()));
          const renamed = Uint8Array.from(order, (i) => names[labels[i]!]!);
          expect(await valleyOf(takeRows(X, order), renamed, 3)).toBeCloseTo(valley, 9);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('by one scale and one shift for all columns', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -12, max: 12 }),
        fc.integer({ min: -3, max: 3 }),
        async (power, shift) => {
          const moved = matrixFromRows(
            Array.from(labels, (_, i) => [0, 1].map((j) => (X.data[j * 600 + i]! + shift) * 2 ** power)),
          );
          expect(await valleyOf(moved, labels, 3)).toBeCloseTo(valley, 4);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('and the data are left as they were', async () => {
    const before = X.data.slice();
    await valleyOf(X, labels, 3);
    expect(X.data).toEqual(before);
  });
});

describe('unusual data', () => {
  test('rows that all lie on their centres are steps of a count, and not apart for that', async () => {
    const labels = Uint8Array.from({ length: 90 }, (_, i) => i % 2);
    const X = matrixFromRows(Array.from(labels, (group) => [group * 10]));
    expect(await valleyOf(X, labels, 2)).toBeGreaterThan(0.9);
  });

  test('counts that two columns repeat show no valley at the corners of their cells', async () => {
    const random = createRandom(1);
    const ratings = Array.from({ length: 2000 }, () => 1 + random.int(5));
    const nearly = (rating: number) => (random.float() < 0.9 ? rating : 1 + random.int(5));
    for (const other of [(rating: number) => rating, nearly]) {
      const X = matrixFromRows(ratings.map((rating) => [rating, other(rating), random.normal()]));
      for (const k of [2, 3, 4]) expect(await valleyOfFit(X, k)).toBeGreaterThan(0.8);
    }
  });

  const sixty = Array.from({ length: 60 }, (_, i) => i);
  test.each<[string, number[][], (i: number) => number]>([
    ['a constant column', sixty.map((i) => [i, 4]), (i) => Number(i < 30)],
    ['duplicate rows', sixty.map((i) => [i % 4, (i % 4) ** 2]), (i) => i % 4],
    ['one giant outlier', sixty.map((i) => [i === 59 ? 1e18 : i / 60]), (i) => Number(i === 59)],
    ['two rows', [[0], [1]], (i) => i],
  ])('%s: a figure from 0 to 1', async (_, rows, labelOf) => {
    const labels = Uint8Array.from(rows.keys(), labelOf);
    const valley = await valleyOf(matrixFromRows(rows), labels, Math.max(...labels) + 1);
    expect(valley).toBeGreaterThanOrEqual(0);
    expect(valley).toBeLessThanOrEqual(1);
  });

  test('two clusters of one centre are not neighbours', async () => {
    const X = matrixFromRows([[-1], [1], [-1.5], [1.5]]);
    expect(await valleyOf(X, Uint8Array.of(0, 0, 1, 1), 2)).toBe(0);
  });
});
