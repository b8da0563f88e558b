import { describe, expect, test } from 'vitest';
import { matrixFromRows } from '../../../numeric/matrix.ts';
import { createRandom } from '../../../numeric/random/random.ts';
import { hopkins, hopkinsOf } from '../../../numeric/statistics/hopkins.ts';

const points = (count: number, draw: (i: number) => number[]) =>
  matrixFromRows(Array.from({ length: count }, (_, i) => draw(i)));

describe('the Hopkins statistic', () => {
  test('of given draws is what the nearest distances make', async () => {
    const X = points(30, (i) => [((i * 7) % 11) + (i % 3) * 0.5, (i * 5) % 13]);
    const places = [
      [1.5, 2.25],
      [10.25, 12.5],
      [4.75, 6],
      [7.125, 0.5],
    ].map((place) => Float64Array.from(place));
    // Expected value: scipy 1.17, cKDTree, sums of squared distances
    expect(await hopkinsOf(X, { chosen: Int32Array.of(0, 7, 19, 28), places })).toBeCloseTo(
      0.5773584905660377,
      12,
    );
  });

  test('is about a half for evenly strewn points and near 1 for two far heaps', async () => {
    const random = createRandom(3);
    const even = points(2_000, () => [random.float(), random.float()]);
    expect(await hopkins(even, { seed: 1 })).toBeCloseTo(0.5, 1);
    const heaps = points(2_000, (i) => [(i % 2) * 50 + random.normal(), (i % 2) * 50 + random.normal()]);
    expect(await hopkins(heaps, { seed: 1 })).toBeGreaterThan(0.95);
  });

  test('is high for a single hump too: it says nothing of groups', async () => {
    const random = createRandom(4);
    const hump = points(2_000, () => [random.normal(), random.normal(), random.normal()]);
    expect(await hopkins(hump, { seed: 1 })).toBeGreaterThan(0.7);
  });

  test('depends on the seed alone', async () => {
    const random = createRandom(5);
    const X = points(500, () => [random.normal(), random.normal()]);
    expect(await hopkins(X, { seed: 7 })).toBe(await hopkins(X, { seed: 7 }));
    expect(await hopkins(X, { seed: 7 })).not.toBe(await hopkins(X, { seed: 8 }));
  });

  test('of equal points is a half; of two points it cannot be told', async () => {
    expect(
      await hopkins(
        points(20, () => [1, 1]),
        { seed: 1 },
      ),
    ).toBe(0.5);
    await expect(
      hopkins(
        points(2, (i) => [i]),
        { seed: 1 },
      ),
    ).rejects.toThrow('at least 3 points, found 2');
  });
});
