import { describe, expect, test } from 'vitest';
import { createRandom, xoshiro128 } from '../../../numeric/random/random.ts';

describe('xoshiro128', () => {
  test('draws what the published generator draws', () => {
    const next = xoshiro128([1, 2, 3, 4]);
    // Expected values: xoshiro128starstar.c 1.1 by Blackman & Vigna, state {1, 2, 3, 4}
    const expected = [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ];
    expect(Array.from(expected, () => next())).toEqual(expected);
  });
});

describe('createRandom', () => {
  test('gives the same numbers for the same seed, others for another', () => {
    const draw = (seed: number | string) => Array.from({ length: 8 }, createRandom(seed).uint32);
    expect(draw(7)).toEqual(draw(7));
    expect(draw('2011-12-10')).toEqual(draw('2011-12-10'));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(7)).not.toEqual(draw('7'));
  });

  test('refuses a seed that is not a number', () => {
    expect(() => createRandom(Number.NaN)).toThrow(RangeError);
  });

  test('a fork depends on seed and label, not on what was drawn before', () => {
    const fresh = createRandom(3);
    const used = createRandom(3);
    used.uint32();
    expect(used.fork('a').uint32()).toBe(fresh.fork('a').uint32());
    expect(fresh.fork('a').uint32()).not.toBe(fresh.fork('b').uint32());
    expect(fresh.fork(1).uint32()).not.toBe(fresh.fork('1').uint32());
  });

  test('float covers [0, 1) evenly', () => {
    const random = createRandom(1);
    const tenths = new Float64Array(10);
    for (let i = 0; i < 100_000; i++) tenths[Math.floor(random.float() * 10)]! += 1;
    // Three and a half standard deviations of a binomial count
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(335);
  });

  test('int stays below its bound and reaches all of it', () => {
    const random = createRandom(2);
    const seen = new Set(Array.from({ length: 500 }, () => random.int(7)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(() => random.int(0)).toThrow('a random integer needs a bound from 1 to 2^32, found 0');
  });

  test('normal has mean 0 and deviation 1', () => {
    const random = createRandom(3);
    const values = Array.from({ length: 50_000 }, random.normal);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const square = values.reduce((sum, x) => sum + x * x, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.016);
    expect(Math.abs(square - 1)).toBeLessThan(0.023);
  });

  test('shuffle keeps every item', () => {
    const items = createRandom(4).shuffle([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(items).not.toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(items.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('sample draws different integers, ascending, all of them when asked for all', () => {
    const random = createRandom(5);
    const drawn = random.sample(1000, 50);
    expect(new Set(drawn).size).toBe(50);
    expect(drawn).toEqual(drawn.toSorted());
    expect(Array.from(random.sample(5, 5))).toEqual([0, 1, 2, 3, 4]);
    expect(() => random.sample(3, 4)).toThrow(RangeError);
  });

  test('sample gives every item the same chance', () => {
    const random = createRandom(6);
    const counts = new Float64Array(10);
    for (let i = 0; i < 20_000; i++) for (const item of random.sample(10, 3)) counts[item]! += 1;
    for (const count of counts) expect(Math.abs(count - 6000)).toBeLessThan(227);
  });
});
