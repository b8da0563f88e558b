import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { benjaminiHochberg } from '../../../numeric/statistics/false-discovery.ts';
import { gTest, gTestOfCounts } from '../../../numeric/statistics/g-test.ts';

describe('gTest', () => {
  // Expected values: scipy 1.17, stats.power_divergence(lambda_='log-likelihood')
  test.each([
    [[50, 30, 20], [0.3, 0.3, 0.4], 23.35667515420126, 8.475443487988918e-6],
    [[12, 0, 3, 9], [0.4, 0.1, 0.2, 0.3], 6.552007379722394, 0.08763387232484239],
    [[980, 15, 5], [0.97, 0.02, 0.01], 4.540806348537681, 0.10327053566597577],
  ])('of %j against %j is that of scipy', (counts, shares, statistic, pValue) => {
    const found = gTest(counts, shares);
    expect(found.statistic).toBeCloseTo(statistic, 10);
    expect(found.pValue).toBeCloseTo(pValue, 12);
    expect(found.degrees).toBe(counts.length - 1);
  });

  test('a category that cannot be is none, and one that was counted nevertheless settles it', () => {
    expect(gTest([5, 5, 0], [0.5, 0.5, 0])).toEqual({ statistic: 0, degrees: 1, pValue: 1 });
    expect(gTest([5, 5, 1], [0.5, 0.5, 0])).toMatchObject({ statistic: Infinity, pValue: 0 });
  });

  test('refuses what is not counted over the same categories', () => {
    expect(() => gTest([1], [0.5, 0.5])).toThrow('the same categories on both sides, found 1 and 2');
    expect(() => gTest([1, -1], [0.5, 0.5])).toThrow('needs numbers of at least 0, found -1');
    expect(() => gTest([1, 1], [0, 0])).toThrow(RangeError);
  });
});

describe('gTestOfCounts', () => {
  // Expected values: scipy 1.17, stats.chi2_contingency(lambda_='log-likelihood', correction=False)
  test.each([
    [[50, 30, 20], [30, 30, 40], 11.849392256130013, 0.0026726196959380695],
    [[12, 0, 3, 9], [40, 10, 21, 29], 5.979661059041099, 0.11260396262056808],
  ])('of %j and %j is that of scipy', (a, b, statistic, pValue) => {
    const found = gTestOfCounts(a, b);
    expect(found.statistic).toBeCloseTo(statistic, 10);
    expect(found.pValue).toBeCloseTo(pValue, 12);
  });

  test('is symmetric, and against very many counts the test against their shares', () => {
    const counts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        expect(gTestOfCounts(a, b).statistic).toBeCloseTo(gTestOfCounts(b, a).statistic, 8);
        const many = b.map((count) => count * 1e9);
        expect(gTestOfCounts(a, many).statistic).toBeCloseTo(gTest(a, b).statistic, 3);
      }),
    );
  });

  test('nothing counted on one side, or one category alone, is no difference', () => {
    expect(gTestOfCounts([0, 0], [3, 4])).toEqual({ statistic: 0, degrees: 0, pValue: 1 });
    expect(gTestOfCounts([3, 0], [4, 0])).toEqual({ statistic: 0, degrees: 0, pValue: 1 });
  });
});

describe('benjaminiHochberg', () => {
  test('is that of scipy', () => {
    const adjusted = benjaminiHochberg([0.01, 0.04, 0.03, 0.005, 0.2, 0.04, 1]);
    // Expected values: scipy 1.17, stats.false_discovery_control
    const expected = [0.035, 0.056, 0.056, 0.035, 0.23333333333333336, 0.056, 1];
    expected.forEach((value, i) => {
      expect(adjusted[i]).toBeCloseTo(value, 14);
    });
  });

  test('what was not tested stays so and counts for none', () => {
    expect([...benjaminiHochberg([Number.NaN, 0.01, 0.02])]).toEqual([Number.NaN, 0.02, 0.02]);
  });

  test('never falls below a p-value, keeps their order, and follows a permutation', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (pValues) => {
        const adjusted = benjaminiHochberg(pValues);
        pValues.forEach((p, i) => {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p);
          expect(adjusted[i]).toBeLessThanOrEqual(1);
          pValues.forEach((q, j) => {
            if (p < q) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]!);
          });
        });
        expect([...benjaminiHochberg(pValues.toReversed())]).toEqual([...adjusted].reverse());
      }),
    );
  });

  test('refuses what is no p-value', () => {
    expect(() => benjaminiHochberg([0.5, 1.5])).toThrow('a p-value needs to be in [0, 1], found 1.5');
  });
});
