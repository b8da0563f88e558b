import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type GaussianMixtureParameters,
  gaussianMixture,
} from '../../../../numeric/cluster/mixture/gaussian-mixture.ts';
import { adjustedRand } from '../../../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { createMatrix, type Matrix, matrixFromRows, takeRows } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';
import { onlineRetailFeatures, realData } from '../../helpers/real-data.ts';
import { MADE, makeWithPointMass } from './mixture-data.ts';

let pools: KernelPool[];
let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pools = [1, 2, 4].map((threads) => createKernelPool({ threads }));
  pool = pools[1]!;
});
afterAll(() => Promise.all(pools.map((own) => own.close())));

const fit = (X: Matrix, parameters: Partial<GaussianMixtureParameters>) =>
  gaussianMixture.fit(X, parameters, { pool, seed: 1 });

const TYPES = ['diag', 'full'] as const;

describe('gaussianMixture', () => {
  // Expected values: scikit-learn 1.9, GaussianMixture(3, covariance_type=…, random_state=0)
  const reference = JSON.parse(readFileSync(new URL('../../fixtures/mixture.json', import.meta.url), 'utf8'));

  test.each(Object.keys(MADE).flatMap((name) => TYPES.map((type) => [name, type] as const)))(
    'finds what scikit-learn finds: %s, %s',
    async (name, covarianceType) => {
      const { X } = MADE[name]!();
      const { bic, icl, labels } = reference[name][covarianceType];
      const found = await fit(X, { nClusters: 3, covarianceType });
      expect(adjustedRand(found.labels, Array.from(labels as string, Number))).toBeGreaterThan(0.98);
      const { criteria } = gaussianMixture.describe(found.model);
      expect(Math.abs(criteria.bic! / bic - 1)).toBeLessThan(1e-3);
      expect(Math.abs(criteria.icl! / icl - 1)).toBeLessThan(5e-3);
      expect(criteria.atFloor).toBe(0);
    },
  );

  test('ICL counts the planted groups although a column has point masses; without a floor it never stops', async () => {
    const { X } = makeWithPointMass(2000, 11);
    const iclOf = async (nClusters: number, pointMassFloor?: number) => {
      const floor = pointMassFloor === undefined ? {} : { pointMassFloor };
      const { model } = await fit(X, { nClusters, covarianceType: 'diag', ...floor });
      return gaussianMixture.describe(model).criteria.icl!;
    };
    const counts = [1, 2, 3, 4, 5, 6];
    const withFloor = await Promise.all(counts.map((k) => iclOf(k)));
    expect(counts[withFloor.indexOf(Math.min(...withFloor))]).toBe(3);
    const without = await Promise.all(counts.map((k) => iclOf(k, 0)));
    expect(without.indexOf(Math.min(...without))).toBeGreaterThan(3);
  });

  test('is the same bytes for 1, 2 and 4 threads, and on a second fit', async () => {
    const X = makeNoise(3000, 4);
    for (const covarianceType of TYPES) {
      const parameters = { nClusters: 4, covarianceType, sampleRows: 1500, nInit: 2 };
      const fits = await Promise.all(
        [...pools, pool].map((own) => gaussianMixture.fit(X, parameters, { pool: own, seed: 'a' })),
      );
      for (const other of fits.slice(1)) expect(other).toEqual(fits[0]);
    }
  });

  test('assign gives the labels of the fit, also from a model that was stored, whatever the batch', async () => {
    const X = makeNoise(4001, 3, 5);
    for (const covarianceType of TYPES) {
      const { model, labels, fittedOn } = await fit(X, { nClusters: 5, covarianceType, sampleRows: 2500 });
      expect(fittedOn).toEqual({ rows: 2500, of: 4001 });
      const stored = JSON.parse(JSON.stringify(model));
      expect(stored).toEqual(model);
      const assigned = await gaussianMixture.assign(X, stored, { pool });
      expect(assigned.labels).toEqual(labels);
      const rows = [4000, 17, 17, 3];
      const few = await gaussianMixture.assign(takeRows(X, rows), model, { pool });
      expect(few.labels).toEqual(Uint8Array.from(rows, (row) => labels[row]!));
      expect(few.distance).toEqual(Float32Array.from(rows, (row) => assigned.distance[row]!));
      expect(few.margin).toEqual(Float32Array.from(rows, (row) => assigned.margin[row]!));
    }
  });

  test('the largest cluster comes first, and describe has its centres', async () => {
    const { X } = makeBlobs({ rows: 900, columns: 2, groups: 4, seed: 3 });
    const { model, labels } = await fit(X, { nClusters: 4, covarianceType: 'diag' });
    const sizes = [0, 1, 2, 3].map((c) => labels.filter((label) => label === c).length);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    const { nClusters, centers, parameters, algorithm } = gaussianMixture.describe(model);
    expect([algorithm, nClusters, parameters.covarianceType]).toEqual(['gaussian-mixture', 4, 'diag']);
    sizes.forEach((size, c) => {
      for (let j = 0; j < 2; j++) {
        const sum = labels.reduce((total, label, i) => total + (label === c ? X.data[j * 900 + i]! : 0), 0);
        expect(centers![c]![j]).toBeCloseTo(sum / size, 0);
      }
    });
  });

  test('the largest of all rows comes first, though it was not the largest of the sample', async () => {
    const X = createMatrix(2000, 1);
    for (let i = 0; i < X.rows; i++) X.data[i] = (i < 1020 ? 0 : 10) + (i % 7) / 10;
    const found = await Promise.all(
      [1, 2, 3, 4, 5, 6].map(async (seed) => {
        const { model, labels } = await gaussianMixture.fit(
          X,
          { nClusters: 2, sampleRows: 40 },
          { pool, seed },
        );
        expect(labels.filter((label) => label === 0)).toHaveLength(1020);
        return { isFirst: model.means[0]![0]! < 5, weight: model.weights[0]! };
      }),
    );
    expect(found.every(({ isFirst }) => isFirst)).toBe(true);
    expect(found.some(({ weight }) => weight < 0.5)).toBe(true);
  });

  test('distance is that of Mahalanobis, margin the gap between the two likeliest', async () => {
    const model = {
      ...(await fit(makeNoise(50, 2), { nClusters: 2 })).model,
      ...{ weights: [0.5, 0.5], means: [[0, 0], [4, 0]], covariances: [[4, 0, 1], [4, 0, 1]] }, // biome-ignore format: a table
    };
    const X = matrixFromRows([[2, 0], [0, 3], [4, 0]]); // biome-ignore format: a table
    const { labels, distance, margin } = await gaussianMixture.assign(X, model, { pool });
    expect(Array.from(labels)).toEqual([0, 0, 1]);
    expect(Array.from(distance)).toEqual([1, 3, 0]);
    // Log-densities two standard deviations apart differ by 2.
    const gap = (1 - Math.exp(-2)) / (1 + Math.exp(-2));
    expect(margin[0]).toBeCloseTo(0, 6);
    expect(margin[1]).toBeCloseTo(gap, 6);
    expect(margin[2]).toBeCloseTo(gap, 6);
  });

  test('more starts are never less likely', async () => {
    const X = makeNoise(800, 3, 2);
    const [one, many] = await Promise.all([1, 5].map((nInit) => fit(X, { nClusters: 5, nInit })));
    expect(many!.model.criteria.logLikelihood).toBeGreaterThanOrEqual(one!.model.criteria.logLikelihood!);
  });

  test('a sample that misses rare rows is given them', async () => {
    const X = createMatrix(3000, 1);
    X.data[1] = 5;
    X.data[2] = 9;
    const { labels } = await fit(X, { nClusters: 3, sampleRows: 100 });
    expect(labels[0]).toBe(0);
    expect(new Set(labels).size).toBe(3);
  });

  test('stops when asked to, and says how far it is', async () => {
    const X = makeNoise(20_000, 8);
    const controller = new AbortController();
    const work = gaussianMixture.fit(
      X,
      { nClusters: 6, tol: 0, maxIter: 1000 },
      {
        ...{ pool, seed: 1, signal: controller.signal },
        onProgress: (done, of) => {
          expect(of).toBe(1000);
          if (done === 3) controller.abort(new Error('enough'));
        },
      },
    );
    await expect(work).rejects.toThrow('enough');
  });
});

describe('bad input', () => {
  test.each([
    [{ nClusters: 0 }, 'a Gaussian mixture needs 1 to 64 clusters, found 0'],
    [{ nClusters: 65 }, 'a Gaussian mixture needs 1 to 64 clusters, found 65'],
    [{ nClusters: 51 }, '51 clusters need at least 51 rows, found 50'],
    [{ covarianceType: 'tied' as 'diag' }, 'covarianceType needs to be diag or full, found tied'],
    [{ tol: Number.NaN }, 'tol needs to be 0 or more, found NaN'],
    [{ regCovar: 0 }, 'regCovar needs to be more than 0, found 0'],
    [{ varianceFloor: 2 }, 'varianceFloor needs to be from 0 to 1, found 2'],
    [{ pointMassFloor: -1 }, 'pointMassFloor needs to be from 0 to 1, found -1'],
    [{ maxIter: 0 }, 'maxIter needs to be at least 1, found 0'],
    [{ nInit: 1.5 }, 'nInit needs to be at least 1, found 1.5'],
    [{ sampleRows: 3 }, 'sampleRows needs to be at least the 4 clusters, found 3'],
  ])('%o is refused', async (parameters, message) => {
    const work = fit(makeNoise(50, 2), parameters);
    await expect(work).rejects.toThrow(RangeError);
    await expect(work).rejects.toThrow(message);
  });

  test('more columns than full covariances are made for are refused, and taken by diagonal ones', async () => {
    const X = makeNoise(60, 65);
    await expect(fit(X, { nClusters: 2 })).rejects.toThrow('takes at most 64 columns, found 65');
    expect((await fit(X, { nClusters: 2, covarianceType: 'diag' })).labels).toHaveLength(60);
  });

  test.each([Number.NaN, Infinity, 2 ** 50])('%s is refused, in a sample and outside it', async (value) => {
    const X = makeNoise(300, 2);
    X.data[300 + 123] = value;
    for (const sampleRows of [10, 300]) {
      await expect(fit(X, { nClusters: 2, sampleRows })).rejects.toThrow(
        `clustering needs finite values within 1000000000000000, found ${value} in row 123, column 1`,
      );
    }
    const { model } = await fit(makeNoise(30, 2), { nClusters: 2 });
    await expect(gaussianMixture.assign(X, model, { pool })).rejects.toThrow(RangeError);
    await expect(gaussianMixture.assign(makeNoise(30, 3), model, { pool })).rejects.toThrow(
      'the mixture has 2 columns, found rows of 3',
    );
  });

  test('fewer different rows than clusters are refused, as many are one cluster each', async () => {
    const X = matrixFromRows(Array.from({ length: 60 }, (_, i) => [i % 3, 2]));
    await expect(fit(X, { nClusters: 4 })).rejects.toThrow(
      '4 clusters need at least 4 different rows, found 3',
    );
    for (const covarianceType of TYPES) {
      const { labels, model } = await fit(X, { nClusters: 3, covarianceType });
      expectFinite(model);
      expect(
        adjustedRand(
          labels,
          Uint8Array.from({ length: 60 }, (_, i) => i % 3),
        ),
      ).toBe(1);
    }
  });

  test.each(TYPES)(
    'equal rows, one row, constant and repeated columns, a giant row: never NaN (%s)',
    async (covarianceType) => {
      const random = createRandom(9);
      const noise = Array.from({ length: 200 }, () => [random.normal(), random.normal()]);
      const cases: [Matrix, number][] = [
      [matrixFromRows(Array.from({ length: 20 }, () => [3, 4])), 1],
      [matrixFromRows([[3, 4]]), 1],
      [matrixFromRows(noise.map(([a]) => [a!, 7])), 3],
      [matrixFromRows(noise.map(([a]) => [a!, a!, -2 * a!])), 3],
      [matrixFromRows([...noise, ...noise, ...noise]), 3],
      [matrixFromRows([...noise, [1e12, 1e-3]]), 3],
      [matrixFromRows([...noise, [1e15, -1e15]]), 2],
      [matrixFromRows(noise.map(([a, b]) => [a! * 1e14, b! * 1e-15])), 3],
    ]; // biome-ignore format: one case per line
      for (const [X, nClusters] of cases) {
        const { model, labels } = await fit(X, { nClusters, covarianceType });
        expectFinite(model);
        const { distance, margin } = await gaussianMixture.assign(X, model, { pool });
        expect([...distance, ...margin].every(Number.isFinite)).toBe(true);
        expect(margin.every((value) => value >= 0 && value <= 1)).toBe(true);
        expect(labels).toContain(model.means.length - 1);
      }
    },
  );

  test('one giant row does not hide the groups of the others', async () => {
    const { X, groups } = makeBlobs({ rows: 500, columns: 2, groups: 3, seed: 4, spread: 0.4 });
    const wild = matrixFromRows([
      ...Array.from({ length: 500 }, (_, i) => [X.data[i]!, X.data[500 + i]!]),
      [1e6, 1e6],
    ]);
    const { labels } = await fit(wild, { nClusters: 4 });
    expect(adjustedRand(labels.slice(0, 500), groups)).toBeGreaterThan(0.95);
  });
});

describe.skipIf(!realData)('on real data', () => {
  test.each([
    ['diag', 3],
    ['full', 1],
  ] as const)(
    'on Online Retail BIC and ICL have a least value: %s, ICL at %d',
    async (covarianceType, best) => {
      const X = await onlineRetailFeatures();
      const counts = [1, 2, 3, 4, 5, 6, 7, 8];
      const criteria = await Promise.all(
        counts.map(async (nClusters) => (await fit(X, { nClusters, covarianceType })).model.criteria),
      );
      const leastOf = (name: string) => {
        const values = criteria.map((own) => own[name]!);
        return counts[values.indexOf(Math.min(...values))];
      };
      expect(leastOf('icl')).toBe(best);
      expect(leastOf('bic')).toBeLessThan(8);
      // Without floors it is above 0 by then.
      for (const { logLikelihood } of criteria) expect(logLikelihood).toBeLessThan(-3);
    },
  );

  test('on Online Retail two diagonal components need no floor, and are those of scikit-learn', async () => {
    // Expected value: scikit-learn 1.9, GaussianMixture from the same partition by k-means
    const { model } = await fit(await onlineRetailFeatures(), { nClusters: 2, covarianceType: 'diag' });
    expect(model.criteria.atFloor).toBe(0);
    expect(model.criteria.bic! / 31762.308).toBeCloseTo(1, 3);
  });
});

function expectFinite({ weights, means, covariances, criteria }: Awaited<ReturnType<typeof fit>>['model']) {
  const values = [...weights, ...means.flat(), ...covariances.flat(), ...Object.values(criteria)];
  expect(values.filter((value) => !Number.isFinite(value))).toEqual([]);
}
