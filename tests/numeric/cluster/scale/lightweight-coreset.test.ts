import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lightweightCoreset } from '../../../../numeric/cluster/scale/lightweight-coreset.ts';
import { type Matrix, matrixFromRows, rowOf } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';

const draw = (X: Matrix, size: number, seed: number | string = 1) =>
  lightweightCoreset(X, { size, random: createRandom(seed) });

/** Inertia of the rows for some centres, weighted or not. */
function costOf(
  X: Matrix,
  centers: number[][],
  { rows, weights }: { rows: ArrayLike<number>; weights?: Float64Array },
) {
  let cost = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rowOf(X, rows[i]!);
    const squares = centers.map((center) =>
      center.reduce((sum, value, j) => sum + (row[j]! - value) ** 2, 0),
    );
    cost += (weights?.[i] ?? 1) * Math.min(...squares);
  }
  return cost;
}

describe('lightweightCoreset', () => {
  test('weighs each draw by one over how likely it is', async () => {
    const X = matrixFromRows([[0], [0], [0], [0], [0], [0], [0], [0], [0], [10]]);
    // The mean is 1: nine rows at 1, one at 81, so q is .05 + .5 / 90 and .05 + .5 * 81 / 90
    const q = [0.05 + 0.5 / 90, 0.5];
    const { rows, weights } = await draw(X, 8);
    const counts = Array.from(weights, (weight, i) => weight * 8 * q[rows[i] === 9 ? 1 : 0]!);
    for (const count of counts) expect(count).toBeCloseTo(Math.round(count), 9);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeCloseTo(8, 9);
    expect(rows).toContain(9);
  });

  test('stands for all rows: weights sum to them, and any centres cost the same, on average', async () => {
    const { X } = makeBlobs({ rows: 2000, columns: 3, groups: 5 });
    const all = Array.from({ length: 2000 }, (_, i) => i);
    const centers = [0, 500, 1000].map((row) => Array.from(rowOf(X, row)));
    const exact = costOf(X, centers, { rows: all });
    let mass = 0;
    let cost = 0;
    for (let seed = 0; seed < 100; seed++) {
      const coreset = await draw(X, 100, seed);
      mass += coreset.weights.reduce((sum, weight) => sum + weight, 0) / 100;
      cost += costOf(X, centers, coreset) / 100;
    }
    expect(mass / 2000).toBeCloseTo(1, 1);
    expect(cost / exact).toBeCloseTo(1, 1);
  });

  test('the error shrinks with its size', async () => {
    const X = makeNoise(5000, 4);
    const centers = [0, 1, 2, 3].map((row) => Array.from(rowOf(X, row)));
    const exact = costOf(X, centers, { rows: Array.from({ length: 5000 }, (_, i) => i) });
    const errorAt = async (size: number) => {
      let total = 0;
      for (let seed = 0; seed < 20; seed++) {
        total += Math.abs(costOf(X, centers, await draw(X, size, seed)) / exact - 1) / 20;
      }
      return total;
    };
    const [small, large] = [await errorAt(50), await errorAt(2000)];
    expect(large).toBeLessThan(0.02);
    expect(large).toBeLessThan(small / 3);
  });

  test('rows are different and ascending, weights positive; the same seed draws the same', async () => {
    const shapes = fc.record({
      rows: fc.integer({ min: 2, max: 500 }),
      size: fc.integer({ min: 1, max: 600 }),
    });
    await fc.assert(
      fc.asyncProperty(shapes, fc.nat(1000), async ({ rows, size }, seed) => {
        const X = makeNoise(rows, 2, seed);
        const coreset = await draw(X, size, seed);
        expect(Array.from(coreset.rows)).toEqual(Array.from(new Set(coreset.rows)).toSorted((a, b) => a - b));
        expect(coreset.rows.length).toBeLessThanOrEqual(Math.min(rows, size));
        expect(coreset.weights.every((weight) => weight > 0 && weight < Infinity)).toBe(true);
        expect(await draw(X, size, seed)).toEqual(coreset);
      }),
      { numRuns: 50 },
    );
  });

  test('as many rows as there are, or more, is all of them with weight 1', async () => {
    const { rows, weights } = await draw(makeNoise(5, 2), 5);
    expect([Array.from(rows), Array.from(weights)]).toEqual([
      [0, 1, 2, 3, 4],
      [1, 1, 1, 1, 1],
    ]);
  });

  test('rows that are all equal are drawn alike', async () => {
    const X = matrixFromRows(new Array(50).fill([3, 4]));
    const { weights } = await draw(X, 10);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(50, 9);
  });

  test('an outlier that holds all the variance is in it, and leaves room for the others', async () => {
    const X = makeNoise(1000, 2);
    X.data[123] = 1e12;
    const { rows } = await draw(X, 100);
    expect(rows).toContain(123);
    expect(rows.length).toBeGreaterThan(30);
  });

  test.each([Number.NaN, Infinity, -Infinity])(
    '%d among the values is refused, with its place',
    async (wrong) => {
      const X = makeNoise(100, 3);
      X.data[142] = wrong;
      await expect(draw(X, 10)).rejects.toThrow(`found ${wrong} in row 42, column 1`);
    },
  );

  test('a size that is no count is refused; an aborted one stops', async () => {
    const X = makeNoise(100, 3);
    for (const size of [0, 1.5, Number.NaN]) await expect(draw(X, size)).rejects.toThrow(`found ${size}`);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(lightweightCoreset(X, { size: 5, random: createRandom(1), signal })).rejects.toThrow(
      'enough',
    );
  });
});
