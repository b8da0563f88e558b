import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { betaQuantile, logBeta, regularisedBeta } from '../../../numeric/statistics/beta.ts';

describe('values', () => {
  // Expected values: scipy 1.17, stats.beta.ppf(p, a, b)
  test.each([
    [0.5, 3.5, 0.025, 0.00015063602543656843],
    [0.5, 3.5, 0.975, 0.5355832430429502],
    [12.5, 40, 0.025, 0.13415493032803605],
    [12.5, 40, 0.975, 0.360908711035477],
    [340.5, 661.5, 0.025, 0.3108179947682315],
    [0.5, 1e6, 0.025, 4.910346812257256e-10],
    [0.5, 1e6, 0.975, 2.5119405667151758e-6],
    [123_456.5, 1e6, 0.025, 0.10931221516768179],
    [2.5, 0.5, 0.025, 0.3331782455987909],
    [9.5, 0.5, 0.5, 0.9757188125257648],
  ])('betaQuantile of (%d, %d) at %d', (a, b, p, quantile) => {
    expect(Math.abs(betaQuantile(p, a, b) / quantile - 1)).toBeLessThan(1e-10);
  });

  // Expected values: scipy 1.17, special.betaln and special.betainc; of (3.5, 1e6), where betaln has 11 digits, by
  // Stirling's series in decimals of 40 digits
  test.each([
    [0.5, 0.5, 1.1447298858494],
    [3.5, 1e6, -47.15331772552351],
    [1e6, 2e6, -1909548.2909685448],
    [12.5, 4, -8.751647533876314],
  ])('logBeta(%d, %d)', (a, b, value) => {
    expect(Math.abs(logBeta(a, b) / value - 1)).toBeLessThan(1e-14);
  });

  test.each([
    [0.5, 3.5, 0.1, 0.592916177934411],
    [1e6, 2e6, 0.3335, 0.7298824325036775],
    [12.5, 4, 0.9, 0.9381952947625675],
    [2, 0.5, 0.25, 0.025721420742506513],
  ])('regularisedBeta of (%d, %d) at %d', (a, b, x, share) => {
    expect(regularisedBeta(x, a, b)).toBeCloseTo(share, 12);
  });
});

describe('laws', () => {
  const shape = fc.double({ min: 0.5, max: 5000, noNaN: true });
  const share = fc.double({ min: 0.001, max: 0.999, noNaN: true });

  test('the quantile is the inverse of the share', () => {
    fc.assert(
      fc.property(shape, shape, share, (a, b, p) => {
        const x = betaQuantile(p, a, b);
        // At (5000, .5) the last digit of x is worth 1e-7 of the share.
        expect(Math.abs(regularisedBeta(x, a, b) - p)).toBeLessThan(a > 100 * b ? 1e-6 : 1e-10);
      }),
    );
  });

  test('what is above x for (a, b) is below 1 - x for (b, a)', () => {
    fc.assert(
      fc.property(shape, shape, share, (a, b, x) => {
        expect(regularisedBeta(x, a, b) + regularisedBeta(1 - x, b, a)).toBeCloseTo(1, 10);
      }),
    );
  });

  test('quantiles rise, from 0 to 1', () => {
    fc.assert(
      fc.property(shape, shape, share, (a, b, p) => {
        expect(betaQuantile(p * 0.9, a, b)).toBeLessThanOrEqual(betaQuantile(p, a, b));
        expect([betaQuantile(0, a, b), betaQuantile(1, a, b)]).toEqual([0, 1]);
      }),
    );
  });

  test('refuses shares and shapes out of range', () => {
    expect(() => betaQuantile(1.2, 1, 1)).toThrow('a beta quantile needs a share in [0, 1], found 1.2');
    expect(() => regularisedBeta(0.5, 0, 1)).toThrow('needs numbers above 0, found 0 and 1');
    expect(() => regularisedBeta(-1, 1, 1)).toThrow('needs x in [0, 1], found -1');
  });
});
