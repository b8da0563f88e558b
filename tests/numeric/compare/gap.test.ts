import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GapOptions, gapStatistic } from '../../../numeric/compare/gap.ts';
import { gapChoice, gapCurve } from '../../../numeric/compare/gap-curve.ts';
import { principalAxes } from '../../../numeric/compare/principal-axes.ts';
import { type ReferenceBox, referenceBox } from '../../../numeric/compare/uniform-reference.ts';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import { matrixFromColumns, matrixFromRows } from '../../../numeric/matrix.ts';
import { createRandom } from '../../../numeric/random/random.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise, makeUniform } from '../helpers/made-data.ts';

let pools: KernelPool[];
let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pools = [1, 2, 4].map((threads) => createKernelPool({ threads }));
  pool = pools[1]!;
});
afterAll(() => Promise.all(pools.map((own) => own.close())));

const { X } = makeBlobs({ rows: 300, columns: 2, groups: 3, seed: 5, spread: 1.2 });

describe('gapStatistic', () => {
  // Expected values: numpy 2.4 by the formulas of R's clusGap, over scikit-learn 1.9's KMeans (best of 200 starts) of the
  // data above and of the same eight reference data sets
  const GAPS: Record<ReferenceBox, { gaps: number[]; errors: number[] }> = {
    principal: {
      gaps: [0.340905, 0.578495, 0.953291, 0.781927, 0.689601],
      errors: [0.036383, 0.058249, 0.050521, 0.032545, 0.054941],
    },
    columns: {
      gaps: [0.352637, 0.556379, 0.940854, 0.784893, 0.687784],
      errors: [0.053757, 0.032869, 0.041838, 0.045836, 0.032297],
    },
  };
  test.each(['principal', 'columns'] as const)('%s: is that of clusGap', async (box) => {
    const { curve, k } = await gapStatistic(pool, X, { seed: 1, kMax: 5, references: 8, nInit: 60, box });
    expect(k).toBe(3);
    curve.forEach(({ gap, error }, at) => {
      expect(gap).toBeCloseTo(GAPS[box].gaps[at]!, 3);
      expect(error).toBeCloseTo(GAPS[box].errors[at]!, 3);
    });
  });

  test('answers 1 where nothing is to be told apart, in a tilted strip too', async () => {
    const even = makeUniform(400, 2);
    const options = { seed: 1, kMax: 4, references: 15, nInit: 3 };
    expect((await gapStatistic(pool, even, options)).k).toBe(1);
    const tilted = matrixFromRows(
      Array.from({ length: 400 }, (_, i) => [
        even.data[i]! * 9 + even.data[400 + i]!,
        even.data[i]! * 9 - even.data[400 + i]!,
      ]),
    );
    expect((await gapStatistic(pool, tilted, options)).k).toBe(1);
  });

  test('is the same for 1, 2 and 4 threads; of larger data it takes a sample and says so', async () => {
    const large = makeBlobs({ rows: 3000, columns: 3, groups: 4, spread: 0.5 }).X;
    const options = { seed: 1, kMax: 5, references: 4, nInit: 2, sampleRows: 400 };
    const found = await Promise.all(pools.map((own) => gapStatistic(own, large, options)));
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
    expect([found[0]!.k, found[0]!.scoredOn]).toEqual([4, { rows: 400, of: 3000 }]);
  });

  test.each([
    [{ kMin: 0 }, 'kMin needs to be at least 1, found 0'],
    [{ kMin: 4, kMax: 3 }, 'kMax needs to be at least the 4 of kMin, found 3'],
    [{ references: 0 }, 'references needs to be at least 1, found 0'],
    [{ sampleRows: 10 }, 'sampleRows needs to be above the 10 clusters, found 10'],
  ] as [Partial<GapOptions>, string][])('%o is refused', async (options, message) => {
    await expect(gapStatistic(pool, X, { seed: 1, ...options })).rejects.toThrow(message);
  });

  test('refuses rows that are too much alike, and values that are not finite', async () => {
    const equal = matrixFromRows([[1], [1], [1]]);
    await expect(gapStatistic(pool, equal, { seed: 1, kMax: 2 })).rejects.toThrow('found an inertia of 0');
    const wrong = makeNoise(50, 2);
    wrong.data[3] = Number.NaN;
    await expect(gapStatistic(pool, wrong, { seed: 1, kMax: 2 })).rejects.toThrow(RangeError);
  });

  test('stops when asked to, and says how far it is', async () => {
    const controller = new AbortController();
    const reports: number[] = [];
    const work = gapStatistic(pool, X, {
      ...{ seed: 1, kMax: 3, signal: controller.signal },
      onProgress: (done, of) => {
        expect(of).toBe(51);
        reports.push(done);
        if (done === 3) controller.abort(new Error('enough'));
      },
    });
    await expect(work).rejects.toThrow('enough');
    expect(reports).toEqual([1, 2, 3]);
  });
});

describe('gapCurve and gapChoice', () => {
  const REFERENCES = [
    [5, 4, 3.5],
    [5.2, 4.4, 3.7],
  ];

  test('gap is expected less found, its error the deviation times sqrt(1 + 1 / B)', () => {
    const curve = gapCurve([4, 3, 2.9], REFERENCES);
    expect(curve.map(({ k }) => k)).toEqual([1, 2, 3]);
    const gaps = [1.1, 1.2, 0.7];
    const errors = [0.02, 0.08, 0.02].map((variance) => Math.sqrt(variance * 1.5));
    curve.forEach(({ gap, error }, at) => {
      expect(gap).toBeCloseTo(gaps[at]!, 12);
      expect(error).toBeCloseTo(errors[at]!, 12);
    });
  });

  test('the smallest k that its successor does not beat by more than an error', () => {
    const point = (k: number, gap: number, error: number) => ({
      ...{ k, gap, error, logInertia: 0, expectedLogInertia: gap },
    });
    expect(gapChoice([point(1, 1, 0), point(2, 1.5, 0.5), point(3, 3, 0)])).toBe(1);
    expect(gapChoice([point(1, 1, 0), point(2, 1.5, 0.4), point(3, 1.4, 0)])).toBe(2);
    expect(gapChoice([point(1, 1, 0), point(2, 2, 0), point(3, 3, 0)])).toBe(null);
    expect(gapChoice([point(1, 1, 0)])).toBe(null);
  });

  test('one reference has no error, and none is refused', () => {
    expect(gapCurve([1], [[2]])[0]).toMatchObject({ gap: 1, error: 0 });
    expect(() => gapCurve([1], [])).toThrow('a gap needs at least 1 reference, found 0');
    expect(() => gapCurve([1, 2], [[1]])).toThrow('a gap needs 2 finite logarithms');
    expect(() => gapCurve([-Infinity], [[1]])).toThrow(RangeError);
  });
});

describe('referenceBox', () => {
  test('principal: fills the box along the principal axes of numpy', async () => {
    // Expected values: numpy 2.4, linalg.svd of the centred data above: axes, extent along them, means
    const axes = [
      [0.02401038798552406, 0.9997117090785649],
      [-0.9997117090785649, 0.02401038798552406],
    ];
    const low = [-6.497060468858922, -5.284001371474803];
    const high = [6.477050597824483, 4.023770495626337];
    const means = [0.5202552146961291, 1.6968412577205647];
    const drawn = await (await referenceBox(X, 'principal')).draw(5000, createRandom(1));
    axes.forEach((axis, a) => {
      const along = Array.from({ length: 5000 }, (_, i) =>
        axis.reduce((sum, weight, j) => sum + weight * (drawn.data[j * 5000 + i]! - means[j]!), 0),
      ).sort((x, y) => x - y);
      expect(along[0]).toBeGreaterThan(low[a]! - 1e-5);
      expect(along.at(-1)).toBeLessThan(high[a]! + 1e-5);
      for (const share of [0, 0.25, 0.5, 0.75, 1]) {
        const place = (along[Math.round(share * 4999)]! - low[a]!) / (high[a]! - low[a]!);
        expect(Math.abs(place - share)).toBeLessThan(0.03);
      }
    });
  });

  test('columns: fills the extent of each column; a constant one stays so', async () => {
    const rows = matrixFromRows([
      [1, 7],
      [3, 7],
      [2, 7],
    ]);
    const box = await (await referenceBox(rows, 'columns')).draw(1000, createRandom(1));
    const first = box.data.slice(0, 1000);
    expect(Math.min(...first)).toBeCloseTo(1, 1);
    expect(Math.max(...first)).toBeCloseTo(3, 1);
    expect(new Set(box.data.slice(1000))).toEqual(new Set([7]));
  });

  test('refuses a value that is not finite', async () => {
    await expect(referenceBox(matrixFromColumns([[1], [Infinity]]), 'principal')).rejects.toThrow(
      'in column 1',
    );
  });
});

describe('principalAxes', () => {
  test('are orthonormal and make the matrix diagonal, by falling entry', async () => {
    const random = createRandom(4);
    const size = 9;
    const factors = Float64Array.from({ length: size * size }, () => random.normal());
    const at = (values: Float64Array, i: number, j: number) => values[i * size + j]!;
    const sumOf = (term: (k: number) => number) =>
      Array.from({ length: size }, (_, k) => term(k)).reduce((sum, value) => sum + value, 0);
    const matrix = Float64Array.from({ length: size * size }, (_, place) =>
      sumOf((k) => at(factors, Math.floor(place / size), k) * at(factors, place % size, k)),
    );
    const axes = await principalAxes(matrix, size);
    const values: number[] = [];
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++) {
        expect(sumOf((j) => at(axes, a, j) * at(axes, b, j))).toBeCloseTo(a === b ? 1 : 0, 12);
        const entry = sumOf((i) => at(axes, a, i) * sumOf((j) => at(matrix, i, j) * at(axes, b, j)));
        if (a === b) values.push(entry);
        else expect(entry).toBeCloseTo(0, 9);
      }
    }
    expect(values).toEqual(values.toSorted((a, b) => b - a));
  });

  test('of a diagonal matrix are the columns', async () => {
    expect(Array.from(await principalAxes(Float64Array.of(1, 0, 0, 3), 2))).toEqual([0, 1, 1, 0]);
    expect(Array.from(await principalAxes(new Float64Array(4), 2))).toEqual([1, 0, 0, 1]);
  });
});
