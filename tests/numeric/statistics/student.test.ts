import { describe, expect, test } from 'vitest';
import { twoSidedStudent } from '../../../numeric/statistics/student.ts';

describe('twoSidedStudent', () => {
  // Expected values: 2 * scipy.stats.t.sf(abs(t), degrees).
  test.each([
    [0, 5, 1],
    [1, 1, 0.5],
    [2.5, 6, 0.0465282322841673],
    [-3.2, 11, 0.00845467449644256],
    [40, 3, 3.4380680789158506e-5],
  ])('of %d with %d degrees is %d', (t, degrees, expected) => {
    expect(twoSidedStudent(t, degrees)).toBeCloseTo(expected, 12);
  });

  test('of what never happened before is 0', () => {
    expect(twoSidedStudent(Number.POSITIVE_INFINITY, 6)).toBe(0);
  });

  test('refuses what is no number, and no degrees', () => {
    expect(() => twoSidedStudent(Number.NaN, 3)).toThrow(/NaN/);
    expect(() => twoSidedStudent(1, 0)).toThrow(/degrees/);
  });
});
