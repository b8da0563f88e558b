import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { noiseBand } from '../../../numeric/movement/noise-band.ts';

describe('noiseBand', () => {
  const table = { margins: [0.1, 0.3, 0.7], shares: [0.5, 0.8, 1] };

  test('is the margin from which on refits agree as often', () => {
    // By hand: half way from .8 to 1 is half way from .3 to .7
    expect(noiseBand(table, 0.9)).toBeCloseTo(0.5, 12);
    expect(noiseBand(table, 0.8)).toBeCloseTo(0.3, 12);
  });

  test('all sure: 0; none: 1', () => {
    expect(noiseBand(table, 0.5)).toBe(0);
    expect(noiseBand({ margins: [0.1], shares: [0.5] })).toBe(1);
  });

  test('never falls when more agreement is asked for', () => {
    const level = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(level, level, (a, b) => {
        expect(noiseBand(table, Math.min(a, b))).toBeLessThanOrEqual(noiseBand(table, Math.max(a, b)));
      }),
    );
    expect(() => noiseBand(table, 1)).toThrow('needs a level in (0, 1), found 1');
  });
});
