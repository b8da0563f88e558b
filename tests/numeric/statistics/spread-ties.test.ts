import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../numeric/random/random.ts';
import { spreadTies, tieWidth } from '../../../numeric/statistics/spread-ties.ts';

/** Orders of customers: geometric, with a mean of 4. */
function orderCounts(rows: number): Float64Array {
  const random = createRandom('orders');
  return Float64Array.from({ length: rows }, () => 1 + Math.floor(-4 * Math.log(1 - random.float())));
}

describe('spreadTies', () => {
  test('no two values change places, and those that stand alone stay', () => {
    const values = fc.array(
      fc.oneof(fc.integer({ min: -4, max: 4 }), fc.double({ min: -9, max: 9, noNaN: true })),
      {
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(values, fc.integer(), (column, seed) => {
        const spread = spreadTies(column, createRandom(seed));
        for (const [i, a] of column.entries()) {
          if (column.filter((other) => other === a).length === 1) expect(spread[i]).toBe(a);
          for (const [j, b] of column.entries()) if (a < b) expect(spread[i]).toBeLessThanOrEqual(spread[j]!);
        }
      }),
    );
  });

  test('each value fills the cell that is nearest to it, evenly', () => {
    const column = Float64Array.from({ length: 6000 }, (_, i) => [0, 1, 5][i % 3]!);
    const spread = spreadTies(column, createRandom(1));
    // Half way to the next value; at the ends as far outside as inside
    for (const [value, from, to] of [
      [0, -0.5, 0.5],
      [1, 0.5, 3],
      [5, 3, 7],
    ] as const) {
      const own = spread.filter((_, i) => column[i] === value).sort();
      expect(own[0]).toBeGreaterThanOrEqual(from);
      expect(own.at(-1)).toBeLessThan(to);
      // Quartiles of 2,000 even values have a standard error of .01 of the width
      for (const share of [0.25, 0.5, 0.75]) {
        expect(Math.abs((own[share * 2000]! - from) / (to - from) - share)).toBeLessThan(0.04);
      }
    }
  });

  test('counts become smooth: no gap between a number and the next', () => {
    const spread = spreadTies(orderCounts(8000), createRandom(1));
    const counts = new Array<number>(40).fill(0);
    for (const value of spread) {
      const bin = Math.floor((value - 0.5) * 5);
      if (bin < 40) counts[bin]! += 1;
    }
    const next = counts.slice(1).map((count, bin) => count / counts[bin]!);
    // From one order to two the frequency falls by exp(-1/4)
    expect(Math.min(...next)).toBeGreaterThan(0.55);
    expect(Math.max(...next)).toBeLessThan(1.6);
  });

  test('a constant column stays, and an empty one', () => {
    expect(spreadTies([7, 7, 7], createRandom(1))).toEqual(Float64Array.of(7, 7, 7));
    expect(spreadTies([], createRandom(1))).toEqual(new Float64Array(0));
  });

  test('a column without repeats stays to the last bit', () => {
    const random = createRandom(4);
    const column = Float64Array.from({ length: 500 }, () => random.normal());
    expect(spreadTies(column, createRandom(1))).toEqual(column);
  });

  test('the same seed gives the same values, another one others; the column stays as it was', () => {
    const column = orderCounts(300);
    const before = column.slice();
    const spread = spreadTies(column, createRandom(1));
    expect(spreadTies(column, createRandom(1))).toEqual(spread);
    expect(spreadTies(column, createRandom(2))).not.toEqual(spread);
    expect(column).toEqual(before);
  });
});

describe('tieWidth', () => {
  test.each<[string, number[], number]>([
    ['values that stand alone have none', [3, 1, 2], 0],
    ['whole numbers lie one apart', [1, 1, 2, 2, 3, 3], 1],
    ['the cell of most rows counts', [0, 0, 0, 0, 4, 4, 5], 4],
    ['half of the rows and more have to repeat', [1, 1, 2, 3, 4, 5], 0],
    ['the largest value looks back', [0, 7, 7, 7, 7], 7],
    ['a constant column has none', [2, 2, 2], 0],
  ])('%s', (_, column, expected) => {
    expect(tieWidth(column)).toBe(expected);
  });
});
