import { describe, expect, test } from 'vitest';
import { effectiveDimensions, varianceInflation } from '../../../numeric/statistics/collinearity.ts';

const R = [1, 0.8, 0.3, -0.2, 0.8, 1, 0.5, 0, 0.3, 0.5, 1, 0.4, -0.2, 0, 0.4, 1];

describe('varianceInflation', () => {
  test('is the diagonal of the inverse', () => {
    // Expected values: numpy 2.4, linalg.inv
    const expected = [3.1316348195329096, 3.5138004246284518, 1.6985138004246287, 1.3800424628450108];
    for (const [i, value] of varianceInflation(R, 4).entries()) expect(value).toBeCloseTo(expected[i]!, 10);
  });

  test('a column that repeats one before it is infinite, and inflates no other', () => {
    expect([...varianceInflation([1, 1, 0, 1, 1, 0, 0, 0, 1], 3)]).toEqual([1, Infinity, 1]);
  });

  test('columns that have nothing in common have 1', () => {
    expect([...varianceInflation([1, 0, 0, 1], 2)]).toEqual([1, 1]);
  });

  test('leaves the matrix as it was', () => {
    expect(varianceInflation(Object.freeze([...R]), 4).length).toBe(4);
  });
});

describe('effectiveDimensions', () => {
  test('is the participation ratio of the eigenvalues', () => {
    // Expected value: numpy 2.4, linalg.eigvalsh
    expect(effectiveDimensions(R, 4)).toBeCloseTo(2.5157232704402515, 12);
  });

  test('is 1 when all columns say the same, d when none says anything of another', () => {
    expect(effectiveDimensions([1, -1, 1, -1, 1, -1, 1, -1, 1], 3)).toBe(1);
    expect(effectiveDimensions([1, 0, 0, 0, 1, 0, 0, 0, 1], 3)).toBe(3);
  });
});

test('a matrix that is not square is refused', () => {
  expect(() => varianceInflation([1, 0, 0], 2)).toThrow('needs 4 entries, found 3');
  expect(() => effectiveDimensions([1, 0, 0], 2)).toThrow(RangeError);
});
