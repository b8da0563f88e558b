import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { midRanks, rankCorrelation } from '../../../numeric/statistics/ranks.ts';

const A = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
const B = [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4];

describe('ranks', () => {
  test('equal values share the mean of their places', () => {
    // Expected values: scipy 1.17, stats.rankdata
    expect(Array.from(midRanks(A))).toEqual([4.5, 1.5, 6, 1.5, 8, 11, 3, 10, 8, 4.5, 8]);
  });

  test('their correlation is that of Spearman', () => {
    // Expected value: scipy 1.17, stats.spearmanr
    expect(rankCorrelation(midRanks(A), midRanks(B))).toBeCloseTo(0.1384567651467695, 12);
  });

  test('a rising transform changes none of them, a falling one turns the sign', () => {
    const columns = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(columns, (column) => {
        const ranks = midRanks(column);
        expect(midRanks(column.map((x) => x ** 3 + 2 * x))).toEqual(ranks);
        const turned = rankCorrelation(ranks, midRanks(column.map((x) => -x)));
        expect(turned).toSatisfy((value: number) => Number.isNaN(value) || Math.abs(value + 1) < 1e-12);
      }),
    );
  });

  test('a column that does not vary has no correlation', () => {
    expect(rankCorrelation(midRanks([1, 2, 3]), midRanks([4, 4, 4]))).toBeNaN();
  });
});
