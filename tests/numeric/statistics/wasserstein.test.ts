import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sortSample } from '../../../numeric/statistics/sorted-sample.ts';
import { wassersteinDistance } from '../../../numeric/statistics/wasserstein.ts';

const SMALL = [3, 1, 4, 1, 5, 9, 2, 6];
const OTHER = [2, 7, 1, 8, 2, 8];
const MANY = Float64Array.from({ length: 1000 }, (_, i) => ((i * 7919) % 1009) / 10);
const MORE = Float64Array.from({ length: 700 }, (_, i) => ((i * 104_729) % 997) / 9.5);

describe('wassersteinDistance', () => {
  // Expected values: scipy 1.17, stats.wasserstein_distance, and numpy 2's std of the first sample
  test.each([
    ['a few values', SMALL, OTHER, 1.2916666666666667, 2.5708704751503917],
    ['many, of different numbers', MANY, MORE, 1.5746255639097744, 29.1359071106427],
  ])('is that of scipy: %s', (_, reference, current, distance, deviation) => {
    const found = wassersteinDistance(reference, current);
    expect(found.distance).toBeCloseTo(distance, 12);
    expect(found.standardised).toBeCloseTo(distance / deviation, 12);
    expect([found.referenceCount, found.currentCount]).toEqual([reference.length, current.length]);
  });

  test('missing values are left out', () => {
    const { distance, referenceCount } = wassersteinDistance([...SMALL, Number.NaN], OTHER);
    expect([distance, referenceCount]).toEqual([wassersteinDistance(SMALL, OTHER).distance, 8]);
  });

  test('what is sorted already gives the same', () => {
    const once = wassersteinDistance(sortSample(MANY), sortSample(MORE));
    expect(once).toEqual(wassersteinDistance(MANY, MORE));
  });

  test('has no standard deviations where the reference does not vary', () => {
    expect(wassersteinDistance([2, 2], [3, 3])).toMatchObject({ distance: 1, standardised: Number.NaN });
  });

  test('refuses a side without values, and infinite ones', () => {
    expect(() => wassersteinDistance([1], [Number.NaN])).toThrow('needs at least 1 value in each, found 0');
    expect(() => wassersteinDistance([1, Infinity], [1])).toThrow('needs finite values, found Infinity');
  });
});

describe('laws', () => {
  const sample = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 40 });
  const distanceOf = (a: number[], b: number[]) => wassersteinDistance(a, b).distance;

  test('is symmetric, 0 against itself in any order, and keeps the triangle inequality', () => {
    fc.assert(
      fc.property(sample, sample, sample, (a, b, c) => {
        expect(distanceOf(a, b)).toBeCloseTo(distanceOf(b, a), 10);
        expect(distanceOf(a, a.toReversed())).toBe(0);
        expect(distanceOf(a, c)).toBeLessThanOrEqual(distanceOf(a, b) + distanceOf(b, c) + 1e-9);
      }),
    );
  });

  test('a shift of everybody is the distance, and values twice are the same sample', () => {
    fc.assert(
      fc.property(sample, fc.integer({ min: -9, max: 9 }), (a, shift) => {
        const moved = a.map((value) => value + shift);
        expect(distanceOf(a, moved)).toBeCloseTo(Math.abs(shift), 10);
        expect(distanceOf([...a, ...a], moved)).toBeCloseTo(Math.abs(shift), 10);
      }),
    );
  });

  test('leaves what it is given as it was', () => {
    const frozen = Object.freeze([3, 1, 2]);
    wassersteinDistance(frozen, frozen);
    expect(frozen).toEqual([3, 1, 2]);
  });
});
