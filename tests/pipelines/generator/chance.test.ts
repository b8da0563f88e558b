import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../numeric/random/random.ts';
import { shelfPrice } from '../../../pipelines/generator/catalogue.ts';
import { poisson, weighted } from '../../../pipelines/generator/chance.ts';
import { customerNumber } from '../../../pipelines/generator/population.ts';

const DRAWS = 40_000;

describe('chance', () => {
  test.each([0, 0.02, 1.1, 7, 30])('a Poisson count of mean %d has that mean and variance', (mean) => {
    const random = createRandom('poisson');
    const counts = Array.from({ length: DRAWS }, () => poisson(random, mean));
    const found = counts.reduce((sum, count) => sum + count, 0) / DRAWS;
    const variance = counts.reduce((sum, count) => sum + (count - found) ** 2, 0) / DRAWS;
    // Five standard errors.
    const tolerance = 5 * Math.sqrt(mean / DRAWS);
    expect(Math.abs(found - mean)).toBeLessThanOrEqual(tolerance);
    expect(Math.abs(variance - mean)).toBeLessThanOrEqual(tolerance * Math.sqrt(1 + 2 * mean));
  });

  test('weights are shares, and a weight of 0 is never drawn', () => {
    const random = createRandom('weighted');
    const draw = weighted([3, 0, 1, 0]);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < DRAWS; i++) counts[draw(random)]!++;
    expect(counts[0]! / DRAWS).toBeCloseTo(0.75, 1);
    expect([counts[1], counts[3]]).toEqual([0, 0]);
  });
});

test('prices look like prices on a shelf', () => {
  expect([3, 120, 1210, 1237, 1280, 6180].map(shelfPrice)).toEqual([49, 99, 1199, 1249, 1295, 6199]);
});

test('customer numbers have eight digits and differ', () => {
  const numbers = Array.from({ length: 200_000 }, (_, customer) => customerNumber(customer));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.every((number) => /^\d{8}$/.test(String(number)))).toBe(true);
  // The last customer that a definition allows.
  expect(customerNumber(9_999_999)).toBeLessThan(100_000_000);
});
