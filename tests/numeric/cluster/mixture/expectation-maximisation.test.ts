import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assignToMixture } from '../../../../numeric/cluster/mixture/assign-to-mixture.ts';
import { varianceFloors } from '../../../../numeric/cluster/mixture/covariance.ts';
import { type EmOptions, fitMixture } from '../../../../numeric/cluster/mixture/expectation-maximisation.ts';
import { toRowMajor } from '../../../../numeric/cluster/mixture/row-major.ts';
import { columnOf, createMatrix, type Matrix, matrixFromRows, takeRows } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { onlineRetailFeatures, realData } from '../../helpers/real-data.ts';
import { MADE } from './mixture-data.ts';

const FLOORS = { varianceFloor: 1e-3, pointMassFloor: 0.15, regCovar: 1e-6 };
const NO_FLOORS = { varianceFloor: 0, pointMassFloor: 0, regCovar: 1e-6 };

async function climb(X: Matrix, labels: Uint8Array, options: Partial<EmOptions & typeof FLOORS> = {}) {
  const settings = { covarianceType: 'full', tol: 1e-3, maxIter: 200, ...FLOORS, ...options } as const;
  return fitMixture(await toRowMajor(X), labels, { floors: await varianceFloors(X, settings), ...settings });
}

describe('fitMixture', () => {
  // Expected values: scikit-learn 1.9, GaussianMixture whose first responsibilities are the planted groups
  const reference = JSON.parse(readFileSync(new URL('../../fixtures/mixture.json', import.meta.url), 'utf8'));

  test.each(
    Object.keys(MADE).flatMap((name) => (['diag', 'full'] as const).map((type) => [name, type] as const)),
  )('climbs step by step as scikit-learn does: %s, %s', async (name, covarianceType) => {
    const { X, groups } = MADE[name]!();
    const expected = reference[name][covarianceType].fromGroups;
    const fit = await climb(X, groups, { covarianceType });
    expect(fit.logLikelihood).toBeCloseTo(expected.logLikelihood, 8);
    expect(fit.iterations).toBe(expected.iterations);
    expected.weights.forEach((weight: number, c: number) => {
      expect(fit.weights[c]).toBeCloseTo(weight, 8);
    });
    expected.means.forEach((mean: number, at: number) => {
      expect(fit.means[at]).toBeCloseTo(mean, 7);
    });
    const { labels } = await assignToMixture(X, fit, undefined);
    expect(Array.from(labels).join('')).toBe(expected.labels);
    expect(Array.from(fit.raised)).toEqual([0, 0, 0]);
  });

  test('floors that hold nothing up change no bit', async () => {
    const { X, groups } = MADE.overlapping!();
    expect(await climb(X, groups)).toEqual(await climb(X, groups, NO_FLOORS));
  });

  test('each iteration is likelier than the one before, also where a floor acts', async () => {
    const { X, groups } = MADE.stretched!();
    columnOf(X, 1).forEach((value, i, column) => {
      if (value < 0) column[i] = 0;
    });
    for (const covarianceType of ['diag', 'full'] as const) {
      let before = -Infinity;
      for (let maxIter = 1; maxIter <= 12; maxIter++) {
        const fit = await climb(X, groups, { covarianceType, maxIter, tol: 0 });
        expect(fit.logLikelihood).toBeGreaterThan(before - 1e-6);
        expect(fit.raised).toContain(1);
        before = fit.logLikelihood;
      }
    }
  });

  test('far from the origin it finds the same as near it', async () => {
    const { X, groups } = MADE.overlapping!();
    const near = createMatrix(X.rows, X.columns);
    const far = createMatrix(X.rows, X.columns);
    // Multiples of 1/64 lose nothing when 2^16 is added to them.
    X.data.forEach((value, at) => {
      near.data[at] = Math.round(value * 64) / 64;
      far.data[at] = near.data[at]! + 2 ** 16;
    });
    const [here, there] = await Promise.all([climb(near, groups), climb(far, groups)]);
    expect(there.logLikelihood).toBeCloseTo(here.logLikelihood, 6);
    here.covariances.forEach((value, at) => {
      expect(there.covariances[at]).toBeCloseTo(value, 6);
    });
  });

  test('the order of the rows does not matter', async () => {
    const { X, groups } = MADE.stretched!();
    const rows = createRandom(3).shuffle(Int32Array.from({ length: X.rows }, (_, i) => i));
    const shuffled = await climb(
      takeRows(X, rows),
      Uint8Array.from(rows, (row) => groups[row]!),
    );
    const { means, covariances, logLikelihood } = await climb(X, groups);
    expect(shuffled.logLikelihood).toBeCloseTo(logLikelihood, 10);
    means.forEach((mean, at) => {
      expect(shuffled.means[at]).toBeCloseTo(mean, 10);
    });
    covariances.forEach((value, at) => {
      expect(shuffled.covariances[at]).toBeCloseTo(value, 10);
    });
  });

  test('a component that dies out, or wins no row, is left out', async () => {
    const X = matrixFromRows([...Array.from({ length: 40 }, (_, i) => [i % 4]), [100], [101]]);
    // The third component starts on one row of many like it, and ends as the likeliest of none.
    const labels = Uint8Array.from({ length: 42 }, (_, i) => (i > 39 ? 1 : i === 1 ? 2 : 0));
    const fit = await climb(X, labels, { varianceFloor: 1 });
    expect(fit.weights).toHaveLength(2);
    expect(fit.weights[0]! + fit.weights[1]!).toBeCloseTo(1, 12);
    expect(Array.from(fit.wins)).toEqual([40, 2]);
  });
});

describe.skipIf(!realData)('on real data', () => {
  // Expected values: scikit-learn 1.9, GaussianMixture whose first responsibilities are the same four quarters
  test.each([
    ['diag', -0.49350118, [834, 1492, 758, 1254]],
    ['full', -0.40400706, [835, 1493, 1112, 898]],
  ] as const)(
    'without floors it is scikit-learn, run off, on Online Retail: %s',
    async (covarianceType, logLikelihood, sizes) => {
      const { X, labels } = await quarters();
      const fit = await climb(X, labels, { ...NO_FLOORS, covarianceType });
      expect(fit.logLikelihood).toBeCloseTo(logLikelihood, 4);
      expect(Array.from(fit.wins)).toEqual(sizes);
      // One component is as thin as regCovar in the column of frequencies.
      const entries = covarianceType === 'diag' ? 3 : 6;
      const variances = Array.from(
        { length: 4 },
        (_, c) => fit.covariances[c * entries + (covarianceType === 'diag' ? 1 : 2)]!,
      );
      expect(Math.min(...variances)).toBeLessThan(1e-5);
    },
  );

  test.each(['diag', 'full'] as const)(
    'with floors no component is thinner than they are: %s',
    async (covarianceType) => {
      const { X, labels } = await quarters();
      const fit = await climb(X, labels, { covarianceType });
      expect(fit.logLikelihood).toBeLessThan(-3);
      expect(fit.raised).toContain(1);
      const entries = covarianceType === 'diag' ? 3 : 6;
      for (let c = 0; c < fit.weights.length; c++) {
        const variance = fit.covariances[c * entries + (covarianceType === 'diag' ? 1 : 2)]!;
        expect(variance).toBeGreaterThan(0.1);
      }
    },
  );
});

/** The customers by whether their recency and their spend are above average. */
async function quarters(): Promise<{ X: Matrix; labels: Uint8Array }> {
  const X = await onlineRetailFeatures();
  const recency = columnOf(X, 0);
  const labels = Uint8Array.from(
    columnOf(X, 2),
    (spend, i) => 2 * Number(spend > 0) + Number(recency[i]! > 0),
  );
  return { X, labels };
}
