import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnOf } from '../../../numeric/matrix.ts';
import {
  applyTransforms,
  applyTransformsInTurns,
  applyTransformsToOne,
  fitAndApplyInTurns,
  fitTransforms,
} from '../../../pipelines/stages/transform.ts';

const settings = [
  { feature: 'orders', transforms: ['log1p', 'standard'] },
  { feature: 'spend', transforms: ['winsorise', 'yeo-johnson', 'robust'] },
] satisfies Parameters<typeof fitTransforms>[1];

describe('transforms of the clustered features', () => {
  test('log1p and standard give what scikit-learn gives', () => {
    const columns = { orders: Float64Array.of(1, 2, 5, 10) };
    const fitted = fitTransforms(columns, [settings[0]!]);
    // scikit-learn 1.9.1 with numpy 2.4.6: StandardScaler().fit_transform(np.log1p([[1], [2], [5], [10]]))
    const expected = [-1.2293081181262173, -0.6079698113586004, 0.4542150398098344, 1.3830628896749837];
    const matrix = applyTransforms(columns, fitted);
    for (const [row, value] of expected.entries()) expect(matrix.data[row]).toBeCloseTo(value, 6);
  });

  test('a constant feature becomes 0 and stays 0', () => {
    const columns = { same: new Float64Array(5).fill(3.1) };
    const fitted = fitTransforms(columns, [
      { feature: 'same', transforms: ['log1p', 'standard'] },
      { feature: 'same', transforms: ['robust'] },
    ]);
    expect([...applyTransforms(columns, fitted).data]).toEqual(new Array(10).fill(0));
  });

  test('new customers are measured by the fitted scale', () => {
    const fitted = fitTransforms({ x: Float64Array.of(0, 10) }, [{ feature: 'x', transforms: ['standard'] }]);
    expect([...applyTransforms({ x: Float64Array.of(5, 15, 100) }, fitted).data]).toEqual([0, 2, 19]);
  });

  test('fitted transforms survive JSON', () => {
    const columns = { orders: Float64Array.of(1, 2, 5, 10), spend: Float64Array.of(3, 900, 20, 55) };
    const fitted = fitTransforms(columns, settings);
    const kept = JSON.parse(JSON.stringify(fitted));
    expect(applyTransforms(columns, kept).data).toEqual(applyTransforms(columns, fitted).data);
  });

  test('one customer gets the bits it gets in a batch', () => {
    const value = fc.double({ min: 0, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 30 }), (rows) => {
        const columns = {
          orders: Float64Array.from(rows, ([orders]) => orders),
          spend: Float64Array.from(rows, ([, spend]) => spend),
        };
        const fitted = fitTransforms(columns, settings);
        const matrix = applyTransforms(columns, fitted);
        rows.forEach(([orders, spend], row) => {
          const one = applyTransformsToOne({ orders, spend }, fitted);
          expect([...one]).toEqual([columnOf(matrix, 0)[row], columnOf(matrix, 1)[row]]);
        });
      }),
    );
  });

  test('a value that a transform cannot take is refused with its feature', () => {
    const fit = () =>
      fitTransforms({ net: Float64Array.of(-5, 3) }, [{ feature: 'net', transforms: ['log1p'] }]);
    expect(fit).toThrow(expect.objectContaining({ code: 'FEATURE_INVALID' }));
    expect(fit).toThrow('feature net, transform log1p: log1p needs values above -1, found -5');
  });

  test('a feature that is not there is refused', () => {
    expect(() => applyTransforms({ b: Float64Array.of(1) }, [{ feature: 'a', steps: [] }])).toThrow(
      'the model needs feature a, found b',
    );
  });

  test('in turns they are the same bits, and a cancel ends them at the next turn', async () => {
    const columns = { orders: Float64Array.of(1, 2, 5, 9), spend: Float64Array.of(10, 0, 400, 35) };
    const { transforms: fitted, matrix } = await fitAndApplyInTurns(columns, settings);
    expect(fitted).toEqual(fitTransforms(columns, settings));
    expect(matrix).toEqual(applyTransforms(columns, fitted));
    expect(await applyTransformsInTurns(columns, fitted)).toEqual(matrix);
    const controller = new AbortController();
    const onTurn = () => controller.signal.throwIfAborted();
    setImmediate(() => controller.abort());
    await expect(fitAndApplyInTurns(columns, settings, onTurn)).rejects.toThrow(/abort/);
    await expect(applyTransformsInTurns(columns, fitted, onTurn)).rejects.toThrow(/abort/);
  });
});
