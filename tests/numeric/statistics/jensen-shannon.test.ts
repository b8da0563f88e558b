import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jensenShannon } from '../../../numeric/statistics/jensen-shannon.ts';

describe('jensenShannon', () => {
  // Expected values: scipy 1.17, spatial.distance.jensenshannon(base=2)
  test.each([
    ['three categories', [50, 30, 20], [30, 30, 40], 0.20673086033214078],
    ['nothing in common', [1, 0, 0], [0, 1, 0], 1],
    ['empty categories and other totals', [10, 0, 5, 3], [2, 8, 0, 7], 0.7241847241960302],
  ])('is that of scipy: %s', (_, a, b, distance) => {
    const found = jensenShannon(a, b);
    expect(found.distance).toBeCloseTo(distance, 12);
    expect(found.divergence).toBeCloseTo(distance ** 2, 12);
  });

  test('refuses other categories, an empty side and what is no count', () => {
    expect(() => jensenShannon([1, 2], [1])).toThrow('the same categories on both sides, found 2 and 1');
    expect(() => jensenShannon([0, 0], [1, 1])).toThrow('needs a total above 0 on both sides, found 0');
    expect(() => jensenShannon([1, -1], [1, 1])).toThrow('needs counts of at least 0, found -1');
  });

  test('is a metric: symmetric, 0 for the same shares, with the triangle inequality', () => {
    const counts = fc
      .array(fc.nat(50), { minLength: 4, maxLength: 4 })
      .filter((all) => all.some((count) => count > 0));
    const distanceOf = (a: number[], b: number[]) => jensenShannon(a, b).distance;
    fc.assert(
      fc.property(counts, counts, counts, (a, b, c) => {
        expect(distanceOf(a, b)).toBeCloseTo(distanceOf(b, a), 7);
        expect(
          distanceOf(
            a,
            a.map((count) => count * 8),
          ),
        ).toBe(0);
        expect(distanceOf(a, c)).toBeLessThanOrEqual(distanceOf(a, b) + distanceOf(b, c) + 1e-7);
        expect(distanceOf(a.toReversed(), b.toReversed())).toBeCloseTo(distanceOf(a, b), 7);
        expect(distanceOf(a, b)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
