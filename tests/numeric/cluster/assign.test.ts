import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assignNearest, nearestCenter } from '../../../numeric/cluster/assign.ts';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import { matrixFromRows, rowOf, takeRows } from '../../../numeric/matrix.ts';
import { createRandom } from '../../../numeric/random/random.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import { makeNoise } from '../helpers/made-data.ts';

let pools: KernelPool[];
beforeAll(async () => {
  await buildKernels();
  pools = [1, 2, 4].map((threads) => createKernelPool({ threads }));
});
afterAll(() => Promise.all(pools.map((pool) => pool.close())));

const centersFor = (k: number, columns: number, seed: number) => {
  const random = createRandom(seed);
  return Float64Array.from({ length: k * columns }, () => random.normal());
};

describe('assignNearest', () => {
  test('gives label, distance and margin', async () => {
    const X = matrixFromRows([
      [0, 0],
      [3, 4],
      [6, 8],
    ]);
    const found = await assignNearest(pools[0]!, X, Float64Array.of(0, 0, 6, 8));
    // The middle row is equally far from both: the lower label, no margin
    expect(Array.from(found.labels)).toEqual([0, 0, 1]);
    expect(Array.from(found.distance)).toEqual([0, 5, 0]);
    expect(Array.from(found.margin)).toEqual([1, 0, 1]);
    expect(found.inertia).toBe(25);
  });

  test('with one centre the margin is 1; between equal centres it is 0', async () => {
    const X = matrixFromRows([[1], [2]]);
    const one = await assignNearest(pools[0]!, X, Float64Array.of(1));
    expect(Array.from(one.margin)).toEqual([1, 1]);
    const equal = await assignNearest(pools[0]!, X, Float64Array.of(1, 1));
    expect(Array.from(equal.margin)).toEqual([0, 0]);
    expect(Array.from(equal.labels)).toEqual([0, 0]);
  });

  test('is the same bytes for 1, 2 and 4 threads, for one row alone, and in another batch', async () => {
    const shapes = fc.record({
      rows: fc.integer({ min: 1, max: 9000 }),
      columns: fc.integer({ min: 1, max: 20 }),
      k: fc.integer({ min: 1, max: 64 }),
      seed: fc.nat(1000),
    });
    await fc.assert(
      fc.asyncProperty(shapes, async ({ rows, columns, k, seed }) => {
        const X = makeNoise(rows, columns, seed);
        const centers = centersFor(k, columns, seed);
        const [one, two, four] = await Promise.all(pools.map((pool) => assignNearest(pool, X, centers)));
        expect(two).toEqual(one);
        expect(four).toEqual(one);
        const last = rows - 1;
        const alone = nearestCenter(rowOf(X, last), centers);
        expect(alone).toEqual({
          label: one!.labels[last],
          distance: one!.distance[last],
          margin: one!.margin[last],
        });
        const part = await assignNearest(pools[0]!, takeRows(X, [last]), centers);
        expect([part.labels[0], part.distance[0], part.margin[0]]).toEqual([
          alone.label,
          alone.distance,
          alone.margin,
        ]);
      }),
      { numRuns: 25 },
    );
  });

  test('finds what comparing all distances in double precision finds', async () => {
    const X = makeNoise(1000, 7);
    const centers = centersFor(9, 7, 3);
    const { labels, distance, margin } = await assignNearest(pools[1]!, X, centers);
    for (let i = 0; i < X.rows; i++) {
      const all = Array.from({ length: 9 }, (_, c) =>
        Math.sqrt(rowOf(X, i).reduce((sum, x, j) => sum + (x - centers[c * 7 + j]!) ** 2, 0)),
      );
      const [first, second] = all.toSorted((a, b) => a - b) as [number, number];
      expect(all[labels[i]!]).toBeCloseTo(first, 5);
      expect(distance[i]).toBeCloseTo(first, 5);
      expect(margin[i]).toBeCloseTo((second - first) / second, 5);
    }
  });

  test('keeps its precision far from the origin', async () => {
    const X = matrixFromRows([[100_000], [100_001], [100_003]]);
    const { labels, distance } = await assignNearest(pools[0]!, X, Float64Array.of(100_000.5, 100_003));
    expect(Array.from(labels)).toEqual([0, 0, 1]);
    expect(Array.from(distance)).toEqual([0.5, 0.5, 0]);
  });

  test.each([Number.NaN, Infinity, -Infinity])(
    '%d among the values is refused, with its place',
    async (wrong) => {
      const X = makeNoise(5000, 3);
      X.data[2 * 5000 + 4321] = wrong;
      await expect(assignNearest(pools[1]!, X, centersFor(4, 3, 1))).rejects.toThrow(
        `found ${wrong} in row 4321, column 2`,
      );
      expect(() => nearestCenter([1, wrong, 2], centersFor(4, 3, 1))).toThrow(RangeError);
    },
  );

  test('refuses centres that are not finite, and does not blame a row', async () => {
    const centers = centersFor(4, 3, 1);
    centers[5] = Number.NaN;
    await expect(assignNearest(pools[0]!, makeNoise(10, 3), centers)).rejects.toThrow(
      'assigning needs finite centres, found NaN',
    );
  });

  test('refuses centres that do not fit', async () => {
    const X = makeNoise(10, 3);
    for (const centers of [new Float64Array(0), new Float64Array(4), new Float64Array(65 * 3)]) {
      await expect(assignNearest(pools[0]!, X, centers)).rejects.toThrow('assigning needs 1 to 64 centres');
    }
  });
});
