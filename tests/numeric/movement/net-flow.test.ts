import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { netFlow, twoSidedNormal } from '../../../numeric/movement/net-flow.ts';

describe('netFlow', () => {
  // Expected values: McNemar's (b - c) / sqrt(b + c) by hand, p-value from scipy.stats.norm.
  test('without growth is McNemar’s statistic of those who came and those who left', () => {
    const z = netFlow({ before: 1000, now: 940, arrived: 90, left: 150 }, 1);
    expect(z).toBeCloseTo(-3.872983346207417, 12);
    expect(twoSidedNormal(z)).toBeCloseTo(0.00010751117672950066, 12);
  });

  test('is 0 for a segment that keeps its share, however much all grow', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 1000 }), (growth, before) => {
        const now = before * growth;
        expect(netFlow({ before, now, arrived: now - before + 5, left: 5 }, growth)).toBe(0);
      }),
    );
  });

  test('changes its sign with the direction', () => {
    const there = netFlow({ before: 100, now: 90, arrived: 10, left: 20 }, 1);
    expect(netFlow({ before: 90, now: 100, arrived: 20, left: 10 }, 1)).toBeCloseTo(-there, 12);
  });

  test('is 0 where nobody came or went', () => {
    expect(netFlow({ before: 7, now: 7, arrived: 0, left: 0 }, 1)).toBe(0);
  });

  test.each([
    [{ before: 10, now: 10, arrived: 0, left: 11 }, 1, /no more moves/],
    [{ before: 10, now: 10, arrived: 11, left: 0 }, 1, /no more moves/],
    [{ before: -1, now: 10, arrived: 0, left: 0 }, 1, /at least 0/],
    [{ before: 10, now: Number.NaN, arrived: 0, left: 0 }, 1, /at least 0/],
    [{ before: 10, now: 10, arrived: 0, left: 0 }, 0, /growth/],
  ])('refuses %j with growth %d', (flow, growth, words) => {
    expect(() => netFlow(flow, growth)).toThrow(words);
  });
});
