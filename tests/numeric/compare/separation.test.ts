import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { separationOf } from '../../../numeric/compare/separation.ts';
import { createRandom } from '../../../numeric/random/random.ts';

/** Spend in cents, as customers spend: most nothing, few a lot; `lift` raises the chances of the later groups. */
function madeSpend({ n, k, lift, seed }: { n: number; k: number; lift: number; seed: number }) {
  const random = createRandom(seed);
  const labels = Int32Array.from({ length: n }, () => random.int(k));
  const outcome = Float64Array.from(labels, (label) => {
    const isBuying = random.float() < 0.2 + lift * label;
    return isBuying ? Math.round(1000 * Math.exp(2 * random.normal() + lift * label)) : 0;
  });
  return { labels, outcome };
}

describe('values', () => {
  // Expected values: scipy 1.17, stats.kruskal, and stats.mannwhitneyu summed over the pairs of groups; the data above
  test.each([
    [{ n: 5_000, k: 5, lift: 0.1, seed: 1 }, 432.5041874034814, 0.6058631229493743],
    [{ n: 5_000, k: 5, lift: 0, seed: 2 }, 1.3311430395967652, 0.5044171524779375],
    [{ n: 3_000, k: 2, lift: 0.3, seed: 3 }, 261.4641290548734, 0.6458549767996872],
    [{ n: 200_000, k: 8, lift: 0.05, seed: 4 }, 11104.322350582095, 0.5774985444450008],
  ])('are those of scipy: %o', (made, h, concordance) => {
    const { labels, outcome } = madeSpend(made);
    const found = separationOf(labels, outcome, made.k);
    expect(found.h).toBeCloseTo(h, 7);
    expect(found.epsilonSquared).toBeCloseTo(h / (made.n - 1), 12);
    expect(found.concordance).toBeCloseTo(concordance, 12);
    expect(found.groups).toBe(made.k);
  });

  test('without ties, of scipy’s docstring example', () => {
    // Expected value: scipy 1.17, stats.kruskal([1, 3, 5, 7, 9], [2, 4, 6, 8, 10])
    const found = separationOf([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], [1, 3, 5, 7, 9, 2, 4, 6, 8, 10], 2);
    expect(found.h).toBeCloseTo(0.2727272727272734, 12);
  });

  test('are 1 when each group has a value of its own', () => {
    expect(separationOf([2, 2, 2, 0, 0, 0, 1, 1], [0, 0, 0, 5, 5, 5, 9, 9], 3)).toMatchObject({
      epsilonSquared: 1,
      concordance: 1,
    });
  });

  test('come to the expected one on average where labels were dealt out by chance', () => {
    const { outcome } = madeSpend({ n: 400, k: 4, lift: 0.2, seed: 7 });
    const random = createRandom(8);
    const rounds = 400;
    let sum = 0;
    for (let round = 0; round < rounds; round++) {
      const labels = Int32Array.from({ length: 400 }, () => random.int(4));
      sum += separationOf(labels, outcome, 4).epsilonSquared;
    }
    // Mean of rounds chi-square(3) / 399: its standard error is sqrt(6 / rounds) / 399.
    const expected = 3 / 399;
    expect(Math.abs(sum / rounds - expected)).toBeLessThan((4 * Math.sqrt(6 / rounds)) / 399);
    expect(separationOf([0, 1, 2, 3, 0], [1, 2, 3, 4, 5], 4).expected).toBe(3 / 4);
  });
});

describe('what says nothing', () => {
  test('an outcome that is the same for all separates nothing', () => {
    expect(separationOf([0, 1, 1, 2], [0, 0, 0, 0], 3)).toEqual({
      epsilonSquared: 0,
      expected: 2 / 3,
      h: 0,
      concordance: 0.5,
      groups: 3,
    });
  });

  test('a single group separates nothing, and groups without an item do not count', () => {
    expect(separationOf([1, 1, 1], [3, 1, 2], 4)).toMatchObject({
      epsilonSquared: 0,
      expected: 0,
      groups: 1,
    });
    const [few, many] = [2, 9].map((k) => separationOf([0, 0, 1, 1], [1, 2, 2, 7], k));
    expect(many).toEqual(few);
  });

  test('zero and minus zero are one value', () => {
    expect(separationOf([0, 0, 1, 1], [0, -0, -0, 0], 2).epsilonSquared).toBe(0);
  });

  test.each<[string, number[], number[], number, string]>([
    ['fewer labels than values', [0], [1, 2], 2, 'found 1 and 2'],
    ['a single item', [0], [1], 1, '2 or more values'],
    ['no item', [], [], 1, '2 or more values'],
    ['a label beyond k', [0, 2], [1, 2], 2, 'from 0 to 1, found 2'],
    ['a label that is none', [0, -1], [1, 2], 2, 'found -1'],
    ['NaN', [0, 1], [1, Number.NaN], 2, 'finite values, found NaN in row 1'],
    ['infinity', [0, 1], [Number.POSITIVE_INFINITY, 1], 2, 'found Infinity in row 0'],
    ['no group', [0, 0], [1, 2], 0, 'a k from 1, found 0'],
  ])('%s is refused', (_, labels, outcome, k, message) => {
    expect(() => separationOf(labels, outcome, k)).toThrow(RangeError);
    expect(() => separationOf(labels, outcome, k)).toThrow(message);
  });
});

describe('laws', () => {
  const items = fc.array(fc.tuple(fc.nat(4), fc.oneof(fc.constant(0), fc.integer({ min: -50, max: 50 }))), {
    minLength: 2,
    maxLength: 60,
  });
  const separate = (rows: [number, number][], k = 5) =>
    separationOf(
      rows.map(([label]) => label),
      rows.map(([, value]) => value),
      k,
    );

  test('both measures stay in their ranges', () => {
    fc.assert(
      fc.property(items, (rows) => {
        const { epsilonSquared, concordance } = separate(rows);
        expect(epsilonSquared).toBeGreaterThanOrEqual(0);
        expect(epsilonSquared).toBeLessThanOrEqual(1);
        expect(concordance).toBeGreaterThanOrEqual(0);
        expect(concordance).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('the order of the rows changes nothing, nor does any rising transform of the outcome', () => {
    fc.assert(
      fc.property(items, (rows) => {
        const found = separate(rows);
        expect(separate(rows.toReversed())).toEqual(found);
        expect(separate(rows.map(([label, value]) => [label, value ** 3 + value]))).toEqual(found);
      }),
    );
  });

  test('renamed groups separate as much', () => {
    fc.assert(
      fc.property(items, (rows) => {
        const renamed = separate(rows.map(([label, value]) => [4 - label, value]));
        expect(renamed.epsilonSquared).toBeCloseTo(separate(rows).epsilonSquared, 12);
      }),
    );
  });

  test('one giant outlier moves nothing once it is the largest, and the input stays as it was', () => {
    const { labels, outcome } = madeSpend({ n: 500, k: 3, lift: 0.2, seed: 9 });
    const before = outcome.slice();
    const largest = outcome.indexOf(Math.max(...outcome));
    const found = separationOf(labels, outcome, 3);
    expect(outcome).toEqual(before);
    outcome[largest] = 1e300;
    expect(separationOf(labels, outcome, 3)).toEqual(found);
  });
});
