import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../numeric/random/random.ts';
import { latentCorrelation, stepsOf } from '../../../numeric/statistics/latent-correlation.ts';
import { correlation } from '../../../numeric/statistics/moments.ts';

const ROWS = 20_000;

/** Two columns made of normal deviates of a known correlation, and their rank correlation. */
function makeColumns(rho: number, stepOf: (z: number) => number) {
  const random = createRandom(1);
  const a = new Float64Array(ROWS);
  const b = new Float64Array(ROWS);
  for (let i = 0; i < ROWS; i++) {
    const z = random.normal();
    a[i] = stepOf(z);
    b[i] = stepOf(rho * z + Math.sqrt(1 - rho * rho) * random.normal());
  }
  return { a, b, ranks: correlation(midRanks(a), midRanks(b)) };
}

function midRanks(column: Float64Array): Float64Array {
  const sorted = column.toSorted();
  const places = new Map<number, [number, number]>();
  sorted.forEach((value, i) => {
    places.set(value, [places.get(value)?.[0] ?? i, i]);
  });
  return column.map((value) => {
    const [first, last] = places.get(value)!;
    return (first + last) / 2;
  });
}

describe('latentCorrelation', () => {
  test.each<[string, (z: number) => number, number]>([
    ['continuous columns', (z) => z, 0.02],
    ['counts', (z) => Math.floor(Math.exp(0.8 * z)), 0.04],
    // Little is left of a deviate in yes and no
    ['yes and no', (z) => Number(z > 0.7), 0.09],
  ])('%s: finds what the deviates behind them had', (_, stepOf, tolerance) => {
    for (const rho of [-0.8, -0.3, 0, 0.4, 0.9]) {
      const { a, b, ranks } = makeColumns(rho, stepOf);
      expect(Math.abs(latentCorrelation(stepsOf(a), stepsOf(b), ranks) - rho)).toBeLessThan(tolerance);
    }
  });

  test('counts go together less than what is behind them', () => {
    const { ranks } = makeColumns(0.7, (z) => Math.floor(Math.exp(0.6 * z)));
    expect(ranks).toBeLessThan(0.62);
  });

  test('what no correlation gives is answered by the nearest end', () => {
    const { a, b } = makeColumns(0.5, (z) => Number(z > 1.5));
    expect(latentCorrelation(stepsOf(a), stepsOf(b), 1)).toBeGreaterThan(0.99);
    // Rare in both: they cannot be opposites
    expect(latentCorrelation(stepsOf(a), stepsOf(b), -1)).toBeLessThan(-0.99);
  });

  test('a constant column is one step', () => {
    const steps = stepsOf([3, 3, 3]);
    expect([steps.thresholds.length, Array.from(steps.scores)]).toEqual([0, [0.5]]);
  });

  test('steps are those of the values, with their shares', () => {
    const { thresholds, scores } = stepsOf([5, 1, 1, 2]);
    expect(Array.from(scores)).toEqual([0.25, 0.625, 0.875]);
    // Expected values: scipy 1.17, norm.ppf of .5 and .75
    expect(thresholds[0]).toBeCloseTo(0, 12);
    expect(thresholds[1]).toBeCloseTo(0.6744897501960817, 12);
  });
});
