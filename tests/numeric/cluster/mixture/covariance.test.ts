import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { varianceFloors, withFloor } from '../../../../numeric/cluster/mixture/covariance.ts';
import {
  cholesky,
  eigen,
  invertLower,
  packedLength,
  raiseEigenvalues,
} from '../../../../numeric/cluster/mixture/packed-symmetric.ts';
import { matrixFromColumns } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';

const entry = (packed: Float64Array, i: number, j: number) =>
  packed[packedLength(Math.max(i, j)) + Math.min(i, j)]!;

/** A positive definite matrix of that size: B Bᵀ and a little on the diagonal. */
function makeCovariance(size: number, seed: number): Float64Array {
  const random = createRandom(seed);
  const B = Array.from({ length: size }, () => Float64Array.from({ length: size }, () => random.normal()));
  const packed: number[] = [];
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++)
      packed.push(B[i]!.reduce((sum, b, m) => sum + b * B[j]![m]!, i === j ? 0.1 : 0));
  return Float64Array.from(packed);
}

const shapes = fc.record({ size: fc.integer({ min: 1, max: 12 }), seed: fc.nat(10_000) });

describe('packed symmetric matrices', () => {
  test('the inverse of the Cholesky factor whitens the matrix', () => {
    fc.assert(
      fc.property(shapes, ({ size, seed }) => {
        const S = makeCovariance(size, seed);
        const W = invertLower(cholesky(S, size)!, size);
        for (let i = 0; i < size; i++) {
          for (let j = 0; j <= i; j++) {
            let product = 0;
            for (let a = 0; a <= i; a++)
              for (let b = 0; b <= j; b++) product += entry(W, i, a) * entry(S, a, b) * entry(W, j, b);
            expect(product).toBeCloseTo(Number(i === j), 8);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test('eigenvalues and eigenvectors give the matrix back', () => {
    fc.assert(
      fc.property(shapes, ({ size, seed }) => {
        const S = makeCovariance(size, seed);
        const { values, vectors } = eigen(S, size);
        for (let i = 0; i < size; i++) {
          for (let j = 0; j <= i; j++) {
            const sum = values.reduce(
              (total, value, c) => total + value * vectors[i * size + c]! * vectors[j * size + c]!,
              0,
            );
            expect(sum).toBeCloseTo(entry(S, i, j), 8);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test('small eigenvalues are raised, the others stay', () => {
    fc.assert(
      fc.property(shapes, ({ size, seed }) => {
        const S = makeCovariance(size, seed);
        const sorted = (packed: Float64Array) => eigen(packed, size).values.sort();
        const raised = sorted(raiseEigenvalues(S, size, 2));
        sorted(S).forEach((value, at) => {
          expect(raised[at]).toBeCloseTo(Math.max(2, value), 8);
        });
      }),
      { numRuns: 30 },
    );
  });

  test('what is not positive definite has no factor', () => {
    expect(cholesky(Float64Array.of(1, 2, 1), 2)).toBeNull();
    expect(cholesky(Float64Array.of(0), 1)).toBeNull();
    expect(cholesky(Float64Array.of(Number.NaN), 1)).toBeNull();
  });
});

describe('withFloor', () => {
  const floors = Float64Array.of(0.5, 0.5);

  test('a covariance that is thick enough is returned as it is', () => {
    const thick = Float64Array.of(2, 0.3, 1);
    expect(withFloor(thick, 'full', floors)).toEqual({ covariance: thick, isRaised: false });
    expect(withFloor(Float64Array.of(2, 0.5), 'diag', floors).isRaised).toBe(false);
  });

  test('a thin direction is widened whatever way it points, the wide one stays', () => {
    // Variance 4 along (1, 1), 0.1 along (1, -1)
    const thin = Float64Array.of(2.05, 1.95, 2.05);
    const { covariance, isRaised } = withFloor(thin, 'full', floors);
    expect(isRaised).toBe(true);
    [2.25, 1.75, 2.25].forEach((value, at) => {
      expect(covariance[at]).toBeCloseTo(value, 10);
    });
    expect(withFloor(Float64Array.of(2, 0.1), 'diag', floors)).toEqual({
      covariance: Float64Array.of(2, 0.5),
      isRaised: true,
    });
  });

  test('floors are in the units of their columns', () => {
    const { covariance } = withFloor(Float64Array.of(1e-9, 0, 1e9), 'full', Float64Array.of(1e-6, 1e6));
    expect(covariance[0]).toBeCloseTo(1e-6, 12);
    expect(covariance[2]! / 1e9).toBeCloseTo(1, 10);
  });
});

describe('varianceFloors', () => {
  const parameters = { varianceFloor: 0.001, pointMassFloor: 0.15, regCovar: 1e-6 };
  const even = Float64Array.from({ length: 1000 }, (_, i) => i / 100);
  // Between its 1 % and 99 % quantiles; by numpy
  const variance = 8.3225;

  test('a column with a point mass has the higher floor, one without has not', async () => {
    const almost = even.map((value, i) => (i < 99 ? 0 : value));
    const enough = even.map((value, i) => (i < 101 ? 0 : value));
    const [plain, below, above] = await varianceFloors(matrixFromColumns([even, almost, enough]), parameters);
    expect(plain! / 0.001).toBeCloseTo(variance, 1);
    expect(below! / 0.001).toBeCloseTo(variance, 0);
    expect(above! / 0.15).toBeCloseTo(variance, 0);
  });

  test('a few equal values among few rows are no point mass', async () => {
    const few = Float64Array.from({ length: 40 }, (_, i) => Math.max(0, i - 8));
    const [floor] = await varianceFloors(matrixFromColumns([few]), parameters);
    expect(floor).toBeLessThan(0.2);
  });

  test('a giant value does not move it, and a constant column has one that never acts', async () => {
    const wild = even.map((value, i) => (i === 0 ? 1e9 : value));
    const constant = even.map(() => 3);
    const [giant, none] = await varianceFloors(matrixFromColumns([wild, constant]), parameters);
    expect(giant! / 0.001).toBeCloseTo(variance, 0);
    expect(none).toBe(5e-7);
  });

  test('a column that varies in few rows alone still has one', async () => {
    const rare = even.map((_, i) => Number(i < 4));
    const [floor] = await varianceFloors(matrixFromColumns([rare]), parameters);
    expect(floor).toBeCloseTo(0.15 * 0.004 * 0.996, 8);
  });
});
