import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../numeric/random/random.ts';
import { dispersionOf } from '../../../numeric/statistics/dispersion.ts';

describe('dispersionOf', () => {
  const squares = (scale: number, degrees: number) => {
    const random = createRandom(1);
    return Array.from({ length: 4_000 }, () => {
      let sum = 0;
      for (let i = 0; i < degrees; i++) sum += (scale * random.normal()) ** 2;
      return sum / degrees;
    });
  };

  test.each([1, 3, 8])('finds how much wider than chance figures of %d degrees lie', (degrees) => {
    const ratios = squares(2, degrees);
    const all = ratios.map(() => degrees);
    expect(dispersionOf(ratios, all) / 4).toBeGreaterThan(0.9);
    expect(dispersionOf(ratios, all) / 4).toBeLessThan(1.1);
  });

  test('is never below chance', () => {
    expect(dispersionOf(squares(0.1, 1))).toBe(1);
  });

  test('says nothing of fewer than eight figures, and does not count what was not tested', () => {
    expect(dispersionOf(Array(7).fill(50))).toBe(1);
    expect(dispersionOf([...Array(7).fill(50), Number.NaN])).toBe(1);
    expect(dispersionOf(Array(8).fill(50), [...Array(7).fill(1), 0])).toBe(1);
  });

  test('one event among past runs does not make the next look usual', () => {
    expect(dispersionOf([...squares(1, 1).slice(0, 20), 900])).toBeLessThan(3);
  });
});
