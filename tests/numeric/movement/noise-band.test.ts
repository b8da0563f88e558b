import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { noiseBand, noiseBands } from '../../../numeric/movement/noise-band.ts';

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

describe('noiseBands', () => {
  // Cluster 0 agrees from a margin of .2 on, cluster 1 from .6 on, cluster 2 is small.
  const labels = Array.from({ length: 2020 }, (_, i) => (i < 1000 ? 0 : i < 2000 ? 1 : 2));
  const margins = labels.map((_, i) => (i % 1000) / 1000);
  const agreed = labels.map((label, i) => (margins[i]! >= [0.2, 0.6, 0][label]! ? 10 : 5));
  const drawn = new Array<number>(2020).fill(10);

  test('are those of each cluster, and of all for a small one', () => {
    const [low, high, small] = noiseBands({ labels, margins, agreed, drawn }, { k: 3 });
    expect(Math.abs(low! - 0.2)).toBeLessThan(0.05);
    expect(Math.abs(high! - 0.6)).toBeLessThan(0.05);
    expect(small).toBeGreaterThan(low!);
    expect(small).toBeLessThan(high!);
  });

  test('rows that no resample drew do not count, and some have to be drawn', () => {
    const rows = { labels, margins, agreed, drawn: drawn.map((times, i) => (i < 1000 ? 0 : times)) };
    const bands = noiseBands(rows, { k: 3 });
    expect(bands[0]).toBe(bands[2]);
    expect(() => noiseBands({ labels, margins, agreed, drawn: drawn.map(() => 0) }, { k: 3 })).toThrow(
      RangeError,
    );
    expect(() => noiseBands({ labels, margins, agreed, drawn }, { k: 2 })).toThrow(
      'labels below it, found 2',
    );
  });
});
