import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../numeric/random/random.ts';
import { countsBetween, populationStability, stabilityOfCounts } from '../../../numeric/statistics/psi.ts';

const normals = (count: number, seed: number, shift = 0) => {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => random.normal() + shift);
};

describe('stabilityOfCounts', () => {
  test('is the sum of (a - e) ln(a / e)', () => {
    const { psi } = stabilityOfCounts([50, 30, 20], [30, 30, 40]);
    // By hand: (.3 - .5) ln(.3 / .5) + 0 + (.4 - .2) ln(.4 / .2)
    expect(psi).toBeCloseTo(-0.2 * Math.log(0.6) + 0.2 * Math.log(2), 12);
  });

  test('is symmetric', () => {
    const there = stabilityOfCounts([50, 30, 20], [10, 60, 30]).psi;
    expect(stabilityOfCounts([10, 60, 30], [50, 30, 20]).psi).toBeCloseTo(there, 14);
  });

  test('an empty bin counts as the floor, not as infinity', () => {
    const { psi, floor } = stabilityOfCounts([50, 50], [100, 0]);
    expect(psi).toBeCloseTo(0.5 * Math.log(2) + (0.0001 - 0.5) * Math.log(0.0001 / 0.5), 12);
    expect(floor).toBe(1e-4);
  });

  test('the critical value is chi-square over the sample sizes', () => {
    const { criticalValue } = stabilityOfCounts(
      new Float64Array(10).fill(20),
      new Float64Array(10).fill(100),
    );
    // scipy 1.17, stats.chi2.ppf(0.95, 9) = 16.918977604620448, with N = 200 and M = 1000
    expect(criticalValue).toBeCloseTo(16.918977604620448 * (1 / 200 + 1 / 1000), 9);
  });

  test('refuses bins that do not match, and an empty side', () => {
    expect(() => stabilityOfCounts([1, 2], [1])).toThrow(
      'PSI needs the same bins on both sides, found 2 and 1',
    );
    expect(() => stabilityOfCounts([0, 0], [1, 1])).toThrow(RangeError);
  });
});

describe('countsBetween', () => {
  test('values at an edge lie below it, missing ones nowhere', () => {
    expect([...countsBetween([0, 1, 1.5, 2, 3, Number.NaN], [1, 2])]).toEqual([2, 2, 1]);
    expect([...countsBetween([4, 5], [])]).toEqual([2]);
  });
});

describe('populationStability', () => {
  test('is 0 against itself, over ten bins of a tenth each', () => {
    const values = normals(1000, 1);
    const { psi, isSignificant, magnitude, bins } = populationStability(values, values);
    expect([psi, isSignificant, magnitude]).toEqual([0, false, 'none']);
    expect(bins.map((bin) => bin.expectedShare)).toEqual(new Array(10).fill(0.1));
    expect([bins[0]!.from, bins[9]!.to]).toEqual([null, null]);
  });

  // Means over many draws: definitions of the project, .0900 / .0180 expected at N = 200 / 1000
  test('without a change it is as large as theory says, and rarely significant', () => {
    const psis = Array.from({ length: 200 }, (_, i) =>
      populationStability(normals(1000, i), normals(1000, i + 5000)),
    );
    const mean = psis.reduce((sum, { psi }) => sum + psi, 0) / psis.length;
    expect(Math.abs(mean - 0.018)).toBeLessThan(0.002);
    expect(psis.filter(({ isSignificant }) => isSignificant).length).toBeLessThan(22);
  });

  test('a shift of half a deviation is moderate, of a whole one major', () => {
    const found = populationStability(normals(5000, 1), normals(5000, 2, 0.5));
    expect(found.isSignificant).toBe(true);
    expect(found.magnitude).toBe('moderate');
    expect(populationStability(normals(5000, 1), normals(5000, 2, 1)).magnitude).toBe('major');
  });

  test('values beyond the reference fall into the open bins', () => {
    const { bins, currentCount } = populationStability(normals(1000, 1), [-1e9, 1e9, Number.NaN]);
    expect([bins[0]!.actualShare, bins[9]!.actualShare, currentCount]).toEqual([0.5, 0.5, 2]);
  });

  test('a column of few values has fewer bins, and a constant one still shows a move', () => {
    const flags = Float64Array.from({ length: 100 }, (_, i) => (i < 70 ? 0 : 1));
    expect(populationStability(flags, flags).bins.length).toBeLessThan(10);
    expect(populationStability([1, 1, 1], [2, 2, 2]).magnitude).toBe('major');
  });

  test('needs two bins', () => {
    expect(() => populationStability([1], [1], { bins: 1 })).toThrow('PSI needs at least 2 bins, found 1');
  });
});
