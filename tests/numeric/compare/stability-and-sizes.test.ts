import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calinskiHarabasz } from '../../../numeric/compare/calinski-harabasz.ts';
import { daviesBouldin } from '../../../numeric/compare/davies-bouldin.ts';
import { inertia } from '../../../numeric/compare/inertia.ts';
import { jaccardStability } from '../../../numeric/compare/jaccard-stability.ts';
import { sizeEntropy } from '../../../numeric/compare/size-entropy.ts';
import { variationOfInformation } from '../../../numeric/compare/variation-of-information.ts';
import { matrixFromColumns, matrixFromRows } from '../../../numeric/matrix.ts';

describe('variationOfInformation', () => {
  const A = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3];
  const B = [0, 0, 1, 1, 1, 2, 2, 2, 2, 0, 3, 1];

  test('is that of scikit-learn and scipy', () => {
    // Expected values: scipy 1.17's entropies less twice scikit-learn 1.9's mutual_info_score
    expect(variationOfInformation(A, B)).toBeCloseTo(1.314373843006945, 12);
    const items = Array.from({ length: 100_000 }, (_, i) => i);
    const a = items.map((i) => ((i * 7919) % 100_003) % 7);
    const b = items.map((i) => (i % 10 === 0 ? (i * 31) % 5 : a[i]! % 5));
    expect(variationOfInformation(a, b)).toBeCloseTo(0.9020809289949643, 9);
  });

  test('is a metric, unchanged by renaming', () => {
    const triples = fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(triples, (labels) => {
        const [a, b, c] = [0, 1, 2].map((side) => labels.map((label) => label[side]!)) as [
          number[],
          number[],
          number[],
        ];
        const apart = variationOfInformation(a, b);
        expect(variationOfInformation(b, a)).toBeCloseTo(apart, 9);
        expect(variationOfInformation(a, a)).toBeCloseTo(0, 12);
        expect(apart).toBeLessThanOrEqual(Math.log(labels.length) + 1e-9);
        expect(apart).toBeLessThanOrEqual(variationOfInformation(a, c) + variationOfInformation(c, b) + 1e-9);
        const renamed = a.map((label) => 3 - label);
        expect(variationOfInformation(renamed, b)).toBeCloseTo(apart, 9);
      }),
    );
  });

  test('refuses what are not labels of the same items', () => {
    expect(() => variationOfInformation([0], [0, 1])).toThrow('found 1 and 2');
    expect(() => variationOfInformation([], [])).toThrow(RangeError);
    expect(() => variationOfInformation([Number.NaN], [0])).toThrow(RangeError);
  });
});

describe('sizeEntropy', () => {
  // Expected values: scipy 1.17, stats.entropy(sizes, base=k)
  test.each([
    [[50, 30, 20], 0.9372305632161295],
    [[1538, 1173, 901, 726], 0.9715719302716322],
    [[97, 1, 1, 1, 0], 0.10419820208297516],
  ])('%j is that of scipy', (sizes, expected) => {
    expect(sizeEntropy(sizes)).toBeCloseTo(expected, 12);
  });

  test('is 1 for equal sizes, 0 when one has all, 1 for a single one', () => {
    expect(sizeEntropy([7, 7, 7, 7, 7, 7])).toBeCloseTo(1, 12);
    expect(sizeEntropy([9, 0])).toBe(0);
    expect(sizeEntropy(Uint32Array.of(4))).toBe(1);
  });

  test('refuses what are no sizes', () => {
    expect(() => sizeEntropy([])).toThrow('at least 1 row, found 0');
    expect(() => sizeEntropy([0, 0])).toThrow('at least 1 row, found 0');
    expect(() => sizeEntropy([1, -1])).toThrow('at least 0, found -1');
    expect(() => sizeEntropy([1, Number.NaN])).toThrow(RangeError);
  });
});

describe('inertia', () => {
  const items = Array.from({ length: 60 }, (_, i) => i);
  const X = matrixFromColumns([
    items.map((i) => ((i * 37) % 17) + (i % 3) * 9),
    items.map((i) => ((i * 53) % 13) - (i % 3) * 5),
    items.map((i) => (i * 29) % 11),
  ]);

  test('is the sum of squares of numpy, of three clusters and of one', () => {
    // Expected values: numpy 2.4, sums of squared deviations from the means
    const labels = items.map((i) => i % 3);
    expect(inertia(X, labels)).toBeCloseTo(2853.1000000000004, 9);
    const one = items.map(() => 0);
    expect(inertia(X, one)).toBeCloseTo(7421.566666666667, 9);
  });

  test('is 0 when each row has a cluster of its own', () => {
    expect(inertia(matrixFromRows([[1], [5], [9]]), [2, 0, 1])).toBe(0);
  });
});

describe('jaccardStability', () => {
  const VALUES = [0.81, 0.92, 0.75, 0.5, 0.66, 0.97, 0.88, 0.42, 0.79, 0.9];

  test.each([
    [0.95, [0.6467660126730438, 0.8732339873269562], [0.438, 0.95875]],
    [0.8, [0.6859602753538492, 0.8340397246461508], [0.492, 0.925]],
  ])('intervals of level %d are those of scipy and numpy', (level, ofMean, percentiles) => {
    // Expected values: scipy 1.17, stats.norm.interval; numpy 2.4, quantile
    const found = jaccardStability(VALUES, level);
    expect(found.mean).toBeCloseTo(0.76, 12);
    expect(found.error).toBeCloseTo(0.057773504115448786, 12);
    expect(found.meanInterval.low).toBeCloseTo(ofMean[0]!, 9);
    expect(found.meanInterval.high).toBeCloseTo(ofMean[1]!, 9);
    expect(found.percentileInterval.low).toBeCloseTo(percentiles[0]!, 12);
    expect(found.percentileInterval.high).toBeCloseTo(percentiles[1]!, 12);
  });

  test('counts recoveries from .75 on and dissolutions up to .5', () => {
    expect(jaccardStability(VALUES)).toMatchObject({ recovered: 7, dissolved: 2, resamples: 10 });
  });

  test('a cluster that is always found has an interval without width', () => {
    const found = jaccardStability([1, 1, 1]);
    expect([found.meanInterval, found.percentileInterval]).toEqual([
      { low: 1, high: 1 },
      { low: 1, high: 1 },
    ]);
  });

  test('one resample tells nothing about the mean', () => {
    const found = jaccardStability([0.8]);
    expect([found.error, found.meanInterval]).toEqual([Infinity, { low: 0, high: 1 }]);
  });

  test('intervals lie in [0, 1] around the mean, and a higher level is no narrower', () => {
    const similarities = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(similarities, (values) => {
        const [narrow, wide] = [0.5, 0.99].map((level) => jaccardStability(values, level));
        for (const name of ['meanInterval', 'percentileInterval'] as const) {
          expect(wide![name].low).toBeLessThanOrEqual(narrow![name].low);
          expect(wide![name].high).toBeGreaterThanOrEqual(narrow![name].high);
          expect(wide![name].low).toBeGreaterThanOrEqual(0);
          expect(wide![name].high).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test.each([
    ['none', [], 0.95, 'found none'],
    ['NaN', [Number.NaN], 0.95, 'found NaN'],
    ['above 1', [0.5, 1.01], 0.95, 'found 1.01'],
    ['a level of 1', [0.5], 1, 'a level needs to be between 0 and 1, found 1'],
  ])('%s is refused', (_, values, level, message) => {
    expect(() => jaccardStability(values, level)).toThrow(message);
  });
});

describe('indices of bad input', () => {
  const X = matrixFromRows([[1], [2], [3], [4]]);
  const INDICES = { inertia, calinskiHarabasz, daviesBouldin };

  test.each(Object.entries(INDICES))('%s refuses labels and values that are none', (_, index) => {
    expect(() => index(X, [0, 1, Number.NaN, 0])).toThrow('an integer from 0, found NaN');
    expect(() => index(X, [0, 1, -1, 0])).toThrow('an integer from 0, found -1');
    expect(() => index(X, [0, 1, 0.5, 0])).toThrow(RangeError);
    expect(() => index(X, [0, 1, 255, 0])).toThrow('found 256 for 4 rows');
    expect(() => index(X, [0, 2, 2, 0])).toThrow('found none in cluster 1');
    expect(() => index(X, [0, 1])).toThrow('4 rows need as many labels, found 2');
    for (const wrong of [Number.NaN, Infinity])
      expect(() => index(matrixFromRows([[1], [wrong], [3]]), [0, 1, 1])).toThrow('in column 0');
  });
});
