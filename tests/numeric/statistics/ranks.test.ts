import { describe, expect, test } from 'vitest';
import { correlation } from '../../../numeric/statistics/moments.ts';
import { midRanks, spearman } from '../../../numeric/statistics/ranks.ts';

const A = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
const B = [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4];

describe('midRanks', () => {
  test('are those of scipy', () => {
    // Expected values: scipy 1.17, rankdata
    expect([...midRanks(A)]).toEqual([4.5, 1.5, 6, 1.5, 8, 11, 3, 10, 8, 4.5, 8]);
  });

  test('a missing value has none and counts for none', () => {
    expect([...midRanks([5, Number.NaN, 3])]).toEqual([2, Number.NaN, 1]);
  });
});

describe('spearman', () => {
  test('is that of scipy', () => {
    // Expected value: scipy 1.17, spearmanr
    expect(spearman(A, B)).toBeCloseTo(0.1384567651467695, 12);
  });

  test('is 1 along any rising curve, -1 along a falling one, whatever is missing on one side', () => {
    const X = [...A, Number.NaN];
    expect(
      spearman(
        X,
        X.map((x) => Math.exp(x)),
      ),
    ).toBeCloseTo(1, 12);
    expect(spearman([...A, 1], [...A.map((x) => -(x ** 3)), Number.NaN])).toBeCloseTo(-1, 12);
  });

  test('without missing values it is the correlation of the ranks', () => {
    expect(spearman(A, B)).toBe(correlation(midRanks(A), midRanks(B)));
  });

  test('needs equally many values', () => {
    expect(() => spearman([1, 2, 3], [1, 2])).toThrow(RangeError);
  });
});
