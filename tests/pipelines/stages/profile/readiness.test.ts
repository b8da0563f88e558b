import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '../../../../numeric/random/random.ts';
import { adviseFeature } from '../../../../pipelines/stages/profile/advice.ts';
import { rankCorrelations } from '../../../../pipelines/stages/profile/correlations.ts';
import type { Readiness } from '../../../../pipelines/stages/profile/readiness.ts';
import { type WarehouseFixture, warehouseFixture } from '../../../store/warehouse/fixture.ts';
import { FEATURES, profileOf, shopSql } from './fixture.ts';

const column = (draw: (normal: number, i: number) => number) => {
  const random = createRandom(1);
  return Float64Array.from({ length: 2_000 }, (_, i) => draw(random.normal(), i));
};
const advise = (values: Float64Array, transforms: Parameters<typeof adviseFeature>[1]['transforms'] = null) =>
  adviseFeature(values, { feature: 'f', unit: 'u', transforms });

describe('adviseFeature', () => {
  test.each<[string, Float64Array, string[]]>([
    ['an even column is left as it is', column((normal) => 50 + normal), ['none']],
    ['a constant is left as it is', column(() => 3), ['none']],
    ['a log-normal column takes log1p', column((normal) => Math.exp(4 + normal)), ['log1p']],
    ['a long tail to the left takes a power', column((normal) => -Math.exp(normal)), ['yeo-johnson']],
    [
      'heavy tails on both sides are scaled by the middle half',
      column((normal, i) => (i % 200 === 0 ? 30 : i % 200 === 100 ? -30 : normal)),
      ['robust'],
    ],
    [
      'a heap of most customers cannot be spread',
      column((normal, i) => (i % 3 === 0 ? Math.exp(normal) : 0)),
      ['none'],
    ],
  ])('%s', (_, values, advice) => {
    const found = advise(values);
    expect(found.advice).toEqual(advice);
    expect(Math.abs(found.after.skewness)).toBeLessThanOrEqual(Math.abs(found.before.skewness) + 1e-9);
    expect(found.reason.length).toBeGreaterThan(10);
  });

  test('tells the most frequent value, zeros and the steps of the plot', () => {
    const found = advise(Float64Array.of(0, 0, 1, 1, 1, 2, 3, 9));
    expect(found.mode).toEqual({ value: 1, share: 0.375 });
    expect(found.zeroShare).toBe(0.25);
    expect(found.before.steps!.rows.reduce((sum, rows) => sum + rows, 0)).toBe(8);
  });

  test('says whether what the definition does is as good', () => {
    const skewed = column((normal) => Math.exp(4 + normal));
    expect(advise(skewed, ['log1p', 'standard']).now).toMatchObject({ agrees: true });
    expect(advise(skewed, ['standard']).now).toMatchObject({ agrees: false });
    expect(advise(skewed, ['yeo-johnson', 'standard']).now).toMatchObject({ agrees: true });
  });
});

test('correlations are the same in any order of the rows', async () => {
  const a = column((normal) => Math.round(normal * 5));
  const b = column((_, i) => (i % 7 === 0 ? Number.NaN : i % 13));
  const c = column((normal, i) => normal + i / 500);
  const forward = await rankCorrelations({ a, b, c });
  const backward = await rankCorrelations({ a: a.toReversed(), b: b.toReversed(), c: c.toReversed() });
  expect(backward).toEqual(forward);
  expect(forward[0]![0]).toBe(1);
});

describe('readiness of an extract', () => {
  let fixture: WarehouseFixture;
  beforeAll(async () => {
    fixture = await warehouseFixture();
  });
  afterAll(() => fixture.remove());

  async function readinessOf(from: string): Promise<Readiness> {
    return (await profileOf(await fixture.open(), from)).readiness;
  }

  test('is of the accepted rows of all customers while they are few', async () => {
    const readiness = await readinessOf(shopSql());
    expect(readiness).toMatchObject({
      missing: null,
      customers: { sampled: 300, of: 300, isSample: false },
      redundant: [{ first: 'spendCents', second: 'spend', correlation: 1 }],
    });
    expect(readiness.features.map(({ feature, now }) => [feature, now !== null])).toEqual([
      ['orders', true],
      ['spend', true],
      ['spendCents', false],
    ]);
    expect(readiness.inflation.map(({ feature }) => feature)).toEqual(
      FEATURES.cluster.map(({ feature }) => feature),
    );
    const { hopkins, effectiveDimensions } = readiness.clusterability!;
    expect(hopkins).toBeGreaterThan(0);
    expect(hopkins).toBeLessThan(1);
    expect(effectiveDimensions).toBeGreaterThanOrEqual(1);
    expect(effectiveDimensions).toBeLessThanOrEqual(2);
  });

  test('is of at most 20,000 customers, chosen by their ids, of more', async () => {
    const many = shopSql({ rows: 150_000 }).replace('hash(range) % 300', 'range // 2');
    const readiness = await readinessOf(many);
    expect(readiness.customers).toMatchObject({ of: 75_000, isSample: true });
    expect(readiness.customers.sampled).toBeGreaterThan(15_000);
    expect(readiness.customers.sampled).toBeLessThanOrEqual(20_000);
  });
});
