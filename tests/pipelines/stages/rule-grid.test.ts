import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FitContext } from '../../../numeric/cluster/algorithm.ts';
import { adjustedRand } from '../../../numeric/compare/adjusted-rand.ts';
import { createMatrix, type Matrix, matrixFromColumns } from '../../../numeric/matrix.ts';
import { createRandom } from '../../../numeric/random/random.ts';
import { gridParameters, type RuleGridParameters, ruleGrid } from '../../../pipelines/stages/rule-grid.ts';
import { applyTransforms, fitTransforms } from '../../../pipelines/stages/transform.ts';
import { makeNoise } from '../../numeric/helpers/made-data.ts';

// The grid needs neither threads nor a seed.
const context = { seed: 1 } as FitContext;

const NAMING = {
  stage: {
    feature: 'recencyDays',
    bands: [
      { word: 'Active', below: 30 },
      { word: 'Lapsing', atLeast: 30, below: 90 },
      { word: 'Lapsed', atLeast: 90 },
    ],
  },
  value: {
    feature: 'spend',
    bands: [
      { word: 'low', below: 100 },
      { word: 'high', atLeast: 100 },
    ],
  },
};

function shop(rows: number, seed = 1) {
  const random = createRandom(seed);
  const columns = {
    recencyDays: Float64Array.from({ length: rows }, () => 1 + random.int(180)),
    spend: Float64Array.from(
      { length: rows },
      () => Math.round(Math.exp(2 + random.float() * 6) * 100) / 100,
    ),
  };
  const transforms = fitTransforms(columns, [
    { feature: 'spend', transforms: ['log1p', 'standard'] },
    { feature: 'recencyDays', transforms: ['winsorise', 'yeo-johnson', 'robust'] },
  ]);
  return { columns, transforms, matrix: applyTransforms(columns, transforms) };
}

describe('the rule grid', () => {
  test('cuts the transformed matrix where the bands cut the figures, edges included', async () => {
    const { columns, transforms, matrix } = shop(2_000);
    columns.recencyDays.set([29, 30, 89, 90]);
    columns.spend.set([99.99, 100, 99.99, 100]);
    const cut = applyTransforms(columns, transforms);
    const grid = gridParameters(NAMING, transforms, 0)!;
    const { labels, model } = await ruleGrid.fit(cut, grid, context);
    const nameOf = (i: number) => {
      const recency = columns.recencyDays[i]!;
      const stage = recency < 30 ? 'Active' : recency < 90 ? 'Lapsing' : 'Lapsed';
      return `${stage} ${columns.spend[i]! < 100 ? 'low' : 'high'}`;
    };
    expect(Array.from(labels, (label) => model.names[label])).toEqual(
      Array.from(labels, (_, i) => nameOf(i)),
    );
    expect(matrix.rows).toBe(2_000);
  });

  test('is none when its features are not among the clustered ones', () => {
    const { transforms } = shop(100);
    expect(
      gridParameters({ ...NAMING, stage: { ...NAMING.stage, feature: 'tenureDays' } }, transforms, 0.02),
    ).toBeNull();
  });

  test('a cell with too few customers goes with its neighbour of the same stage, never of another', async () => {
    const grid: RuleGridParameters = {
      stage: { column: 0, cuts: [0], words: ['Active', 'Lapsed'] },
      value: { column: 1, cuts: [0, 1], words: ['low', 'mid', 'high'] },
      smallestShare: 0.1,
    };
    // Active: 40 low, 2 mid, 20 high; Lapsed: 3 low, 2 mid, 1 high.
    const counts = [40, 2, 20, 3, 2, 1];
    const rows = counts.flatMap((count, cell) => new Array<number>(count).fill(cell));
    const X = matrixFromColumns([
      rows.map((cell) => (cell < 3 ? -1 : 1)),
      rows.map((cell) => [-1, 0.5, 2][cell % 3]!),
    ]);
    const { model, labels } = await ruleGrid.fit(X, grid, context);
    expect(model.names).toEqual(['Active low', 'Active mid or high', 'Lapsed']);
    expect([0, 1, 2].map((cluster) => labels.filter((label) => label === cluster).length)).toEqual([
      40, 22, 6,
    ]);
  });

  test('a stage without customers is no cluster, and later customers in it have one all the same', async () => {
    const grid: RuleGridParameters = {
      stage: { column: 0, cuts: [0, 5], words: ['Active', 'Lapsing', 'Lapsed'] },
      value: { column: 0, cuts: [], words: ['any'] },
      smallestShare: 0,
    };
    const { model } = await ruleGrid.fit(matrixFromColumns([[-1, -2, 9]]), grid, context);
    expect(model.names).toHaveLength(2);
    const { labels } = await ruleGrid.assign(matrixFromColumns([[1]]), model, context);
    expect(model.names[labels[0]!]).toContain('Active');
  });

  test('assign gives the labels of the fit; largest cluster first; none empty; order of rows is nothing to it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 20, max: 400 }),
        fc.double({ min: 0, max: 0.3, noNaN: true }),
        async (rows, share) => {
          const X = makeNoise(rows, 2, rows);
          const grid = {
            stage: { column: 0, cuts: [-0.5, 0.5], words: ['a', 'b', 'c'] },
            value: { column: 1, cuts: [0], words: ['x', 'y'] },
            smallestShare: share,
          };
          const { model, labels } = await ruleGrid.fit(X, grid, context);
          const sizes = model.names.map((_, cluster) => labels.filter((label) => label === cluster).length);
          expect(Math.min(...sizes)).toBeGreaterThan(0);
          expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
          expect((await ruleGrid.assign(X, model, context)).labels).toEqual(labels);
          const turned = await ruleGrid.fit(reversed(X), grid, context);
          expect(adjustedRand(turned.labels.toReversed(), labels)).toBe(1);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('more cells than labels of one byte can tell apart are no grid', () => {
    const { transforms } = shop(50);
    const ladder = (words: number) =>
      Array.from({ length: words }, (_, i) => ({ word: `w${i}`, atLeast: i, below: i + 1 }));
    const naming = (words: number) => ({
      stage: { feature: 'recencyDays', bands: ladder(words) },
      value: { feature: 'spend', bands: ladder(words) },
    });
    // Two words more on each axis: below the first band and above the last.
    expect(gridParameters(naming(13), transforms, 0.02)).not.toBeNull();
    expect(gridParameters(naming(14), transforms, 0.02)).toBeNull();
  });

  test('describes itself with finite centres, one per cell', async () => {
    const { transforms, matrix } = shop(500);
    const { model } = await ruleGrid.fit(matrix, gridParameters(NAMING, transforms, 0.02)!, context);
    const { centers, nClusters } = ruleGrid.describe(model);
    expect(centers).toHaveLength(nClusters);
    expect(centers!.flat().every(Number.isFinite)).toBe(true);
  });
});

function reversed(X: Matrix): Matrix {
  const turned = createMatrix(X.rows, X.columns);
  for (let j = 0; j < X.columns; j++)
    turned.data.set(X.data.slice(j * X.rows, (j + 1) * X.rows).reverse(), j * X.rows);
  return turned;
}
