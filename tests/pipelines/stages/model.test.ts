import { describe, expect, test } from 'vitest';
import { canRead, centersOf, createModel, parseModel } from '../../../pipelines/stages/model.ts';
import { applyTransforms, fitTransforms } from '../../../pipelines/stages/transform.ts';

const about = { unit: 'x', why: 'y' };
const definition = {
  pipeline: 'shop',
  version: 3,
  features: {
    aggregate: [
      { name: 'orders', sql: 'count(*)', ...about },
      { name: 'spend', sql: 'sum(amount)', ...about },
    ],
    derive: [{ name: 'each', expression: 'd.spend / d.orders', ...about }],
    cluster: [{ feature: 'orders', transforms: ['log1p' as const, 'standard' as const] }],
  },
};
const columns = { orders: Float64Array.from({ length: 100 }, (_, row) => row + 1) };
const transforms = fitTransforms(columns, definition.features.cluster);
const fit = { definition, seed: 7, transforms, centers: Float64Array.of(1, -1), sizes: [60, 40], columns };

describe('the model', () => {
  test('keeps what assigns a customer and what later runs are compared with', () => {
    const model = createModel(fit);
    expect(model).toMatchObject({
      model: 2,
      pipeline: 'shop',
      definitionVersion: 3,
      seed: 7,
      sizes: [60, 40],
    });
    expect(model.centers).toEqual([[1], [-1]]);
    expect([...centersOf(model)]).toEqual([1, -1]);
    // numpy 2.4.6: np.quantile(np.arange(1, 101), 0.1 ... 0.9) = 10.9, 20.8, ..., 90.1
    const [reference] = model.references;
    expect(reference!.edges[0]).toBeCloseTo(10.9, 9);
    expect(reference!.edges[8]).toBeCloseTo(90.1, 9);
    expect(reference!.counts).toEqual(new Array(10).fill(10));
    expect(reference!.mean).toBe(50.5);
  });

  test('is the same JSON for the same fit, and comes back from it', () => {
    const text = JSON.stringify(createModel(fit));
    expect(JSON.stringify(createModel({ ...fit, columns: { orders: columns.orders.slice() } }))).toBe(text);
    const model = parseModel(JSON.parse(text));
    expect(applyTransforms(columns, model.transforms)).toEqual(applyTransforms(columns, transforms));
  });

  test.each([
    [{ ...createModel(fit), model: 3 }, /model: model/],
    [{ ...createModel(fit), centers: [[null]] }, /centers\.0\.0/],
    [null, /\(whole\)/],
  ])('another form is refused with its place', (value, message) => {
    expect(() => parseModel(value)).toThrow(expect.objectContaining({ code: 'ARTIFACT_CORRUPT' }));
    expect(() => parseModel(value)).toThrow(message);
  });

  test('a centre that is no number never becomes a model', () => {
    expect(() => createModel({ ...fit, centers: Float64Array.of(1, Number.NaN) })).toThrow(/centers\.1\.0/);
  });

  test('quantiles that coincide share a bin', () => {
    const { references } = createModel({
      ...fit,
      columns: { orders: Float64Array.of(1, 1, 1, 1, 1, 1, 1, 1, 1, 5) },
    });
    expect(references[0]!.edges).toHaveLength(2);
    expect(references[0]!.counts.reduce((sum, count) => sum + count)).toBe(10);
  });

  test('reads definitions that make its features the same way, with more beside them', () => {
    const model = createModel(fit);
    const { aggregate, derive } = definition.features;
    const more = {
      ...definition.features,
      aggregate: [...aggregate, { name: 'new', sql: 'max(x)', ...about }],
    };
    expect(canRead(model, { ...definition, features: more })).toBe(true);
    const other = {
      ...definition.features,
      aggregate: [{ ...aggregate[0]!, sql: 'count(x)' }, aggregate[1]!],
    };
    expect(canRead(model, { ...definition, features: other })).toBe(false);
    expect(canRead(model, { ...definition, features: { ...definition.features, derive: [] } })).toBe(false);
    expect(canRead(model, { ...definition, pipeline: 'other' })).toBe(false);
    expect(derive).toHaveLength(1);
  });

  test('reads no definition that makes a feature of other rows, or fills it otherwise', () => {
    const { aggregate, derive, cluster } = definition.features;
    const ruled = [{ ...aggregate[0]!, whenMissing: 5, over: 'orders' as const }, ...aggregate.slice(1)];
    const features = { aggregate: ruled, derive, cluster };
    const model = createModel({ ...fit, definition: { ...definition, features } });
    expect(model.features.aggregate[0]).toEqual({
      name: aggregate[0]!.name,
      sql: aggregate[0]!.sql,
      over: 'orders',
      whenMissing: 5,
    });
    expect(parseModel(JSON.parse(JSON.stringify(model)))).toEqual(model);
    expect(canRead(model, { ...definition, features })).toBe(true);
    for (const other of [{ whenMissing: 6 }, { whenMissing: undefined }, { over: 'lines' as const }]) {
      const changed = { ...features, aggregate: [{ ...ruled[0]!, ...other }, ...ruled.slice(1)] };
      expect(canRead(model, { ...definition, features: changed })).toBe(false);
    }
    expect(
      canRead(createModel(fit), {
        ...definition,
        features: {
          ...definition.features,
          aggregate: [{ ...aggregate[0]!, whenMissing: 0 }, ...aggregate.slice(1)],
        },
      }),
    ).toBe(true);
  });

  test('learns how far its clusters reach from the customers of the fit', () => {
    const members = {
      labels: Uint8Array.from({ length: 100 }, (_, row) => (row < 60 ? 0 : 1)),
      distance: Float32Array.from({ length: 100 }, (_, row) => (row < 60 ? row / 100 : (row - 60) / 10)),
    };
    const { reaches } = createModel({ ...fit, members });
    expect(reaches![0]).toBeGreaterThan(0.59);
    expect(reaches![1]! / reaches![0]!).toBeCloseTo(390 / 59, 0);
    expect(createModel(fit).reaches).toBeNull();
  });

  test('carries what the definition says of assigning', () => {
    const assignment = { abstainBelowMargin: 0.05, noveltyQuantile: 1 };
    const members = { labels: new Uint8Array(100), distance: new Float32Array(100).fill(2) };
    const model = createModel({ ...fit, definition: { ...definition, assignment }, members });
    expect(model.assignment).toEqual({ ...assignment, abstainBelowConfidence: 0 });
    expect(model.reaches).toBeNull();
  });

  test('of the first version is still read: nobody is novel, nothing is known of confidence', () => {
    const { reaches: _, confidence: __, assignment: ___, ...first } = createModel(fit);
    const model = parseModel({ ...first, model: 1 });
    expect(model).toMatchObject({ model: 1, reaches: null, confidence: null });
    expect(model.assignment).toEqual({
      abstainBelowMargin: 0,
      abstainBelowConfidence: 0,
      noveltyQuantile: 0.999,
    });
  });

  test.each([
    [{ reaches: [1] }, /reaches: needs a reach per centre/],
    [{ reaches: [1, -1] }, /reaches\.1/],
    [{ sizes: [100] }, /sizes: needs a size per centre/],
    [{ centers: [[1], [1, 2]] }, /centers: needs a value per transformed feature/],
    [{ confidence: { margins: [0, 0.5], shares: [1] } }, /needs a share per margin/],
    [{ confidence: { margins: [0.5, 0.5], shares: [0.8, 1] } }, /needs margins in ascending order/],
    [{ confidence: { margins: [0, 0.5], shares: [1, 0.8] } }, /needs shares that never fall/],
    [{ confidence: { margins: [], shares: [] } }, /confidence\.margins/],
  ])('whose parts do not fit together is refused: %j', (wrong, message) => {
    const value = { ...createModel(fit), ...wrong };
    expect(() => parseModel(value)).toThrow(expect.objectContaining({ code: 'ARTIFACT_CORRUPT' }));
    expect(() => parseModel(value)).toThrow(message);
  });
});
