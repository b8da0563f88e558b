import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../numeric/random/random.ts';
import { kolmogorovTail } from '../../../numeric/statistics/kolmogorov-distribution.ts';
import { kolmogorovSmirnov } from '../../../numeric/statistics/kolmogorov-smirnov.ts';

const SMALL = [3, 1, 4, 1, 5, 9, 2, 6];
const MANY = Array.from({ length: 1000 }, (_, i) => ((i * 7919) % 1009) / 10);
const MORE = Array.from({ length: 700 }, (_, i) => ((i * 104_729) % 997) / 9.5);

describe('kolmogorovSmirnov', () => {
  // Expected values: scipy 1.17, stats.ks_2samp(method='asymp'), the samples above
  test.each([
    ['a few values', SMALL, [2, 7, 1, 8, 2, 8], 0.375, 0.6640625],
    ['many, alike', MANY, MORE, 0.03885714285714281, 0.5494034219482996],
    ['many, a little apart', MANY, MANY.map((x) => x + 5), 0.050000000000000044, 0.15866260223815332],
    ['many, far apart', MANY, MANY.map((x) => x + 20), 0.19900000000000007, 7.89576385867047e-18],
    ['the same', SMALL, SMALL, 0, 1],
    ['nothing in common', [1, 2], [3, 4, 5], 1, 0],
  ])('is that of scipy: %s', (_, reference, current, statistic, pValue) => {
    const found = kolmogorovSmirnov(reference, current);
    expect(found.statistic).toBeCloseTo(statistic, 12);
    expect(Math.abs(found.pValue - pValue)).toBeLessThanOrEqual(1e-9 * pValue);
  });

  test('one value a side says nothing', () => {
    expect(kolmogorovSmirnov([1], [2])).toMatchObject({ statistic: 1, pValue: 1 });
  });

  test('missing values are left out, and a side needs one value', () => {
    expect(kolmogorovSmirnov([...SMALL, Number.NaN], SMALL)).toMatchObject({
      statistic: 0,
      referenceCount: 8,
    });
    expect(() => kolmogorovSmirnov([], [1])).toThrow(RangeError);
  });

  test('without a difference a p-value below .05 is as rare as it says', () => {
    const pValues = Array.from({ length: 400 }, (_, i) => {
      const random = createRandom(i);
      const draw = (n: number) => Float64Array.from({ length: n }, () => random.normal());
      return kolmogorovSmirnov(draw(300), draw(200)).pValue;
    });
    const alarms = pValues.filter((p) => p < 0.05).length;
    expect(alarms).toBeGreaterThan(5);
    expect(alarms).toBeLessThan(33);
  });
});

describe('laws', () => {
  const sample = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 40 });

  test('symmetric, in range, and unchanged by any rising transform', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const { statistic, pValue } = kolmogorovSmirnov(a, b);
        expect(statistic).toBeGreaterThanOrEqual(0);
        expect(statistic).toBeLessThanOrEqual(1);
        expect(pValue).toBeGreaterThanOrEqual(0);
        expect(pValue).toBeLessThanOrEqual(1);
        expect(kolmogorovSmirnov(b, a)).toMatchObject({ statistic, pValue });
        const rising = (values: number[]) => values.map((x) => Math.exp(x / 5)).reverse();
        expect(kolmogorovSmirnov(rising(a), rising(b))).toMatchObject({ statistic, pValue });
      }),
    );
  });
});

describe('kolmogorovTail', () => {
  // Expected values: scipy 1.17, stats.kstwo.sf(x, n)
  test.each([
    [1, 0.7, 0.6000000000000001],
    [5, 0.3, 0.664],
    [20, 0.05, 0.9999999767980384],
    [20, 0.2, 0.352720173623415],
    [20, 0.6, 2.0483011649719853e-7],
    [140, 0.1, 0.11353657290090946],
    [140, 0.17, 0.0005246108687519814],
    [141, 0.03, 0.9992107601012719],
    [1000, 0.005, 1],
    [1000, 0.04, 0.07933956059000224],
    [1000, 0.06, 0.001428597887952891],
    [200_000, 0.0015, 0.758498392324318],
    [200_000, 0.004, 0.003314212822560255],
  ])('of %d values, %d apart', (n, x, tail) => {
    expect(Math.abs(kolmogorovTail(x, n) - tail)).toBeLessThanOrEqual(1e-11 * tail);
  });

  test('falls with the distance, from 1 to 0', () => {
    const anyCase = fc.tuple(fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(anyCase, fc.double({ min: 0, max: 1, noNaN: true }), ([n, x], y) => {
        const [near, far] = x < y ? [x, y] : [y, x];
        // Where one way takes over from another they differ in the sixth digit.
        expect(kolmogorovTail(far, n)).toBeLessThanOrEqual(kolmogorovTail(near, n) + 1e-5);
        expect([kolmogorovTail(0, n), kolmogorovTail(1, n)]).toEqual([1, 0]);
      }),
    );
  });

  test('refuses what is no distance or no number of values', () => {
    expect(() => kolmogorovTail(1.1, 5)).toThrow('needs a distance in [0, 1], found 1.1');
    expect(() => kolmogorovTail(0.5, 0)).toThrow('needs at least 1 value, found 0');
  });
});
