import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom, type Random } from '../../../numeric/random/random.ts';
import { unimodalQuantiles } from '../../../numeric/statistics/unimodal.ts';

const ROWS = 4000;

const sampleOf = (draw: (random: Random, i: number) => number, rows = ROWS) => {
  const random = createRandom(1);
  return Float64Array.from({ length: rows }, (_, i) => draw(random, i)).sort();
};

const HEAPS: Record<string, (random: Random) => number> = {
  normal: (random) => random.normal(),
  exponential: (random) => -Math.log(1 - random.float()),
  uniform: (random) => random.float(),
  'log-normal': (random) => Math.exp(1.5 * random.normal()),
  'of heavy tails': (random) => random.normal() / Math.abs(random.normal()),
};

const GROUPS: Record<string, (random: Random, i: number) => number> = {
  'two groups': (random, i) => random.normal() + (i % 2) * 8,
  'three groups': (random, i) => random.normal() + (i % 3) * 8,
  'a large and a small group': (random, i) => random.normal() + (i % 6 === 0 ? 12 : 0),
};

/** Largest distance between the distribution functions of two ascending samples (Kolmogorov). */
function kolmogorov(a: Float64Array, b: Float64Array): number {
  let largest = 0;
  let below = 0;
  a.forEach((value, i) => {
    while (below < b.length && b[below]! < value) below++;
    largest = Math.max(largest, Math.abs(below / b.length - i / a.length));
  });
  return largest;
}

/** Falls that a rise follows again, in 30 bins of one width over the middle 98 % of the values. */
function valleysOf(sorted: Float64Array): number {
  const from = sorted[Math.floor(sorted.length * 0.01)]!;
  const to = sorted[Math.floor(sorted.length * 0.99)]!;
  const counts = new Array<number>(30).fill(0);
  for (const value of sorted) {
    const bin = Math.floor(((value - from) / (to - from)) * 30);
    if (bin >= 0 && bin < 30) counts[bin]! += 1;
  }
  // Two counts are what it takes to put a border between evenly spaced values
  const differs = (a: number, b: number) => Math.abs(a - b) > 2;
  let last = counts[0]!;
  let isFalling = false;
  let valleys = 0;
  for (const count of counts) {
    if (!differs(count, last)) continue;
    if (count > last && isFalling) valleys++;
    isFalling = count < last;
    last = count;
  }
  return valleys;
}

describe('unimodalQuantiles', () => {
  test.each(Object.entries(GROUPS))('levels %s to one hump', (_, draw) => {
    const sorted = sampleOf(draw);
    expect(valleysOf(sorted)).toBeGreaterThan(0);
    expect(valleysOf(unimodalQuantiles(sorted))).toBe(0);
  });

  test.each(Object.entries(HEAPS))('leaves what is one hump near itself: %s', (_, draw) => {
    const sorted = sampleOf(draw);
    const quantiles = unimodalQuantiles(sorted);
    expect(valleysOf(quantiles)).toBe(0);
    // Two samples of one distribution are .043 apart in 5 % of all cases (1.36 * sqrt(2 / ROWS))
    expect(kolmogorov(sorted, quantiles)).toBeLessThan(0.015);
  });

  test.each(Object.entries(HEAPS))('keeps range, tails and deviation: %s', (_, draw) => {
    const sorted = sampleOf(draw);
    const quantiles = unimodalQuantiles(sorted);
    for (const share of [0, 0.002, 0.005, 0.995, 0.998, 1]) {
      const at = Math.round(share * (ROWS - 1));
      const room = Math.max(0.02 * Math.abs(sorted[at]!), 0.01 * deviationOf(sorted));
      expect(Math.abs(quantiles[at]! - sorted[at]!)).toBeLessThan(room);
    }
    expect(deviationOf(quantiles) / deviationOf(sorted)).toBeCloseTo(1, 1);
  });

  test('a giant value stays one value', () => {
    const sorted = sampleOf((random, i) => (i === 0 ? 1e9 : random.normal()));
    const quantiles = unimodalQuantiles(sorted);
    expect(quantiles.at(-1)! / 1e9).toBeCloseTo(1, 6);
    expect(quantiles.at(-2)).toBeLessThan(10);
  });

  test('of an even sample takes the middle of each step', () => {
    // One bin for fewer than 20 values: uniform over their range
    expect(Array.from(unimodalQuantiles(Float64Array.of(0, 1, 1, 8)))).toEqual([1, 3, 5, 7]);
  });

  test('values that are all equal stay, and one alone', () => {
    expect(unimodalQuantiles(new Float64Array(50).fill(3))).toEqual(new Float64Array(50).fill(3));
    expect(unimodalQuantiles(Float64Array.of(-2))).toEqual(Float64Array.of(-2));
  });

  test('ascend within the range of any sample, and leave it as it was', () => {
    const value = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        (some, times) => {
          const sorted = Float64Array.from(
            { length: some.length * times },
            (_, i) => some[i % some.length]!,
          ).sort();
          const before = sorted.slice();
          const quantiles = unimodalQuantiles(sorted);
          expect(quantiles.length).toBe(sorted.length);
          expect(quantiles).toEqual(quantiles.toSorted());
          expect(quantiles[0]).toBeGreaterThanOrEqual(sorted[0]!);
          expect(quantiles.at(-1)).toBeLessThanOrEqual(sorted.at(-1)!);
          expect(sorted).toEqual(before);
        },
      ),
    );
  });
});

function deviationOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0));
}
