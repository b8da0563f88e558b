import { expect, test } from 'vitest';
import { mixedColumns } from '../../../../numeric/cluster/prototypes/mixed-rows.ts';
import { categoriesOf, descend } from '../../../../numeric/cluster/prototypes/prototype-descent.ts';

const mixed = mixedColumns(2, [1], 1);
/** Five pairs of a number and a code, one after the other: two clusters, and a row by itself. */
const values = Float64Array.of(0, 0, 0.1, 0, 5, 1, 5.1, 1, 50, 2);
const data = { rows: 5, columns: 2, values };
const categories = categoriesOf(data, mixed);
const rounded = (of: ArrayLike<number>) => Array.from(of, (value) => Math.round(value * 1e9) / 1e9);

test.each([
  ['lies where no row is', [0, 0, 5, 1, -900, 9]],
  ['is the same as another one', [0, 0, 5, 1, 0, 0]],
])(
  'a prototype that no row is nearest to, since it %s, starts again at the row that costs most',
  async (_, start) => {
    const found = await descend(data, Float64Array.from(start), { mixed, categories, maxIter: 20 });
    expect(rounded(found.prototypes)).toEqual([0.05, 0, 5.05, 1, 50, 2]);
    expect(found.cost).toBeCloseTo(0.01, 12);
    expect(found.converged).toBe(true);
  },
);

test('two prototypes that run empty at once get different rows', async () => {
  const start = Float64Array.of(0, 0, -900, 9, -800, 9);
  const { prototypes } = await descend(data, start, { mixed, categories, maxIter: 20 });
  expect(prototypes.every(Number.isFinite)).toBe(true);
  expect(new Set([prototypes[0], prototypes[2], prototypes[4]]).size).toBe(3);
});
