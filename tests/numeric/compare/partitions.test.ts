import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adjustedMutualInformation } from '../../../numeric/compare/adjusted-mutual-information.ts';
import { adjustedRand } from '../../../numeric/compare/adjusted-rand.ts';
import { contingency } from '../../../numeric/compare/contingency.ts';
import { bestJaccards, jaccardTable } from '../../../numeric/compare/jaccard.ts';

const A = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3];
const B = [0, 0, 1, 1, 1, 2, 2, 2, 2, 0, 3, 1];
const N = 100_000;
const items = Array.from({ length: N }, (_, i) => i);
const BIG_A = items.map((i) => ((i * 7919) % 100_003) % 7);
const BIG_B = items.map((i) => (i % 10 === 0 ? (i * 31) % 5 : BIG_A[i]! % 5));

describe('contingency', () => {
  test('counts every pair of labels', () => {
    const table = contingency([0, 0, 1, 1, 1], [0, 1, 1, 1, 2]);
    expect([table.rows, table.columns, table.total]).toEqual([2, 3, 5]);
    expect(Array.from(table.counts)).toEqual([1, 1, 0, 0, 2, 1]);
    expect(Array.from(table.rowTotals)).toEqual([2, 3]);
    expect(Array.from(table.columnTotals)).toEqual([1, 3, 1]);
  });

  test('refuses what are not labels of the same items', () => {
    expect(() => contingency([0], [0, 1])).toThrow('found 1 and 2');
    expect(() => contingency([], [])).toThrow(RangeError);
    expect(() => contingency([-1], [0])).toThrow('a label needs to be an integer from 0, found -1');
    expect(() => contingency([0.5], [0])).toThrow(RangeError);
    expect(() => contingency([1e6], [1e6])).toThrow(RangeError);
  });
});

const scores = { adjustedRand, adjustedMutualInformation };

describe('values', () => {
  // Expected values: scikit-learn 1.9, adjusted_rand_score and adjusted_mutual_info_score, the labels above
  test.each([
    ['twelve items', A, B, 0.18518518518518517, 0.21669369518860437],
    ['docstring example', [0, 0, 1, 2], [0, 0, 1, 1], 0.5714285714285714, 0.5714285714285714],
    ['100,000 items', BIG_A, BIG_B, 0.5668559893645035, 0.7388163500573905],
  ])('are those of scikit-learn: %s', (_, a, b, rand, information) => {
    expect(adjustedRand(a, b)).toBeCloseTo(rand, 12);
    expect(adjustedMutualInformation(a, b)).toBeCloseTo(information, 9);
  });

  test('two unrelated partitions agree as scikit-learn says: by chance', () => {
    const a = items.map((i) => (i * i) % 3);
    const b = items.map((i) => (i * 7 + Math.floor(i / 11)) % 4);
    // Expected value: scikit-learn 1.9, adjusted_mutual_info_score, the labels above
    expect(adjustedMutualInformation(a, b)).toBeCloseTo(-1.4861783085270824e-5, 9);
  });
});

describe.each(Object.entries(scores))('%s', (_, score) => {
  const pairs = fc.array(fc.tuple(fc.nat(4), fc.nat(3)), { minLength: 2, maxLength: 80 });

  test('is symmetric, at most 1, and unchanged by renaming labels', () => {
    fc.assert(
      fc.property(pairs, (labels) => {
        const a = labels.map(([x]) => x);
        const b = labels.map(([, y]) => y);
        const found = score(a, b);
        expect(found).toBeLessThanOrEqual(1 + 1e-9);
        expect(score(b, a)).toBeCloseTo(found, 9);
        expect(
          score(
            a.map((x) => 4 - x),
            b,
          ),
        ).toBeCloseTo(found, 9);
      }),
    );
  });

  test('is 1 for a partition and itself', () => {
    expect(
      score(
        A,
        A.map((x) => 3 - x),
      ),
    ).toBeCloseTo(1, 12);
    expect(score([0, 0, 0], [0, 0, 0])).toBe(1);
    expect(score([0, 1, 2], [2, 0, 1])).toBe(1);
  });

  test('is 0 when one side has only one group', () => {
    expect(score([0, 0, 0, 0], [0, 1, 0, 1])).toBeCloseTo(0, 12);
  });
});

describe('jaccard', () => {
  test('is common over either', () => {
    expect(Array.from(jaccardTable(contingency([0, 0, 1, 1], [0, 0, 0, 1])))).toEqual([
      2 / 3,
      0,
      1 / 4,
      1 / 2,
    ]);
  });

  test('finds for each group its nearest in the other partition', () => {
    expect(Array.from(bestJaccards([0, 0, 1, 1], [0, 0, 0, 1], 3))).toEqual([2 / 3, 1 / 2, 0]);
    expect(
      Array.from(
        bestJaccards(
          A,
          A.map((x) => 3 - x),
          4,
        ),
      ),
    ).toEqual([1, 1, 1, 1]);
  });
});
