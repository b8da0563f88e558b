import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { solveAssignment } from '../../../numeric/compare/assignment.ts';

const made = (rows: number, columns: number) =>
  Float64Array.from({ length: rows * columns }, (_, at) => {
    const i = Math.floor(at / columns);
    const j = at % columns;
    return (i * 7919 + j * 104729 + i * j * 31) % 1009;
  });

const totalOf = (costs: ArrayLike<number>, columns: number, pairs: Int32Array) =>
  pairs.reduce((sum, j, i) => (j < 0 ? sum : sum + costs[i * columns + j]!), 0);

/** Tries every pairing. */
function bruteForce(costs: ArrayLike<number>, rows: number, columns: number): number {
  const visit = (i: number, used: number, skips: number): number => {
    if (i === rows) return 0;
    let best = skips > 0 ? visit(i + 1, used, skips - 1) : Infinity;
    for (let j = 0; j < columns; j++) {
      if (!(used & (1 << j)))
        best = Math.min(best, costs[i * columns + j]! + visit(i + 1, used | (1 << j), skips));
    }
    return best;
  };
  return visit(0, 0, Math.max(0, rows - columns));
}

describe('solveAssignment', () => {
  test('pairs as scipy does', () => {
    // Expected value: scipy 1.17, linear_sum_assignment, docstring example
    expect(Array.from(solveAssignment([4, 1, 3, 2, 0, 5, 3, 2, 2], { rows: 3, columns: 3 }))).toEqual([
      1, 0, 2,
    ]);
  });

  // Expected values: scipy 1.17, linear_sum_assignment, the made costs above
  test.each([
    [5, 8, 1056, 4345],
    [8, 5, 452, 3266],
    [12, 12, 2053, 10641],
    [30, 40, 971, 28954],
  ])('%d x %d has the totals of scipy', (rows, columns, smallest, largest) => {
    const costs = made(rows, columns);
    expect(totalOf(costs, columns, solveAssignment(costs, { rows, columns }))).toBe(smallest);
    expect(totalOf(costs, columns, solveAssignment(costs, { rows, columns, maximise: true }))).toBe(largest);
  });

  test('no pairing is cheaper, and no column is used twice', () => {
    const tables = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
      .chain(([rows, columns]) =>
        fc.record({
          rows: fc.constant(rows),
          columns: fc.constant(columns),
          costs: fc.array(fc.integer({ min: -9, max: 9 }), {
            minLength: rows * columns,
            maxLength: rows * columns,
          }),
        }),
      );
    fc.assert(
      fc.property(tables, ({ rows, columns, costs }) => {
        const pairs = solveAssignment(costs, { rows, columns });
        const used = Array.from(pairs).filter((j) => j >= 0);
        expect(new Set(used).size).toBe(Math.min(rows, columns));
        expect(used.length).toBe(Math.min(rows, columns));
        expect(totalOf(costs, columns, pairs)).toBe(bruteForce(costs, rows, columns));
      }),
    );
  });

  test('equal costs give the diagonal', () => {
    expect(Array.from(solveAssignment(new Float64Array(9), { rows: 3, columns: 3 }))).toEqual([0, 1, 2]);
  });

  test('nothing to pair is no pair', () => {
    expect(Array.from(solveAssignment([], { rows: 2, columns: 0 }))).toEqual([-1, -1]);
  });

  test('refuses a table of another size, and what is not a number', () => {
    expect(() => solveAssignment([1, 2], { rows: 2, columns: 2 })).toThrow(
      'assignment needs 2 x 2 costs, found 2',
    );
    expect(() => solveAssignment([Number.NaN], { rows: 1, columns: 1 })).toThrow(RangeError);
  });
});
