import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { profileSegments } from '../../../pipelines/stages/segment-profile.ts';

const labels = Uint8Array.of(0, 1, 0, 1, 0, 1);

describe('profileSegments', () => {
  test('figures of each segment stand beside those of all', () => {
    const profiles = profileSegments({
      columns: { orders: Float64Array.of(2, 8, 4, 10, 6, 12) },
      labels,
      k: 2,
      spend: 'orders',
    });
    // numpy 2.4.6: np.mean, np.median, np.std of [2, 8, 4, 10, 6, 12] = 7, 7, 3.415650255319866
    expect(profiles.all.orders).toEqual({
      median: 7,
      mean: 7,
      center: 7,
      deviation: expect.closeTo(3.415650255319866, 12),
      scale: 'raw',
    });
    expect(profiles.segments.map(({ customers, share }) => [customers, share])).toEqual([
      [3, 0.5],
      [3, 0.5],
    ]);
    expect(profiles.segments[1]!.features.orders).toEqual({
      median: 10,
      mean: 10,
      difference: expect.closeTo(3 / 3.415650255319866, 12),
      lift: expect.closeTo(10 / 7, 12),
    });
    expect(profiles.segments.map(({ spendShare }) => spendShare)).toEqual([12 / 42, 30 / 42]);
  });

  test('heavy-tailed figures are compared on the logarithm, so that one giant does not hide the rest', () => {
    const spend = Float64Array.of(1, 10, 2, 12, 3, 100_000);
    const { all, segments } = profileSegments({ columns: { spend }, labels, k: 2 });
    expect(all.spend!.scale).toBe('log1p');
    expect(segments[0]!.features.spend!.difference).toBeLessThan(-0.5);
  });

  test('a constant separates nobody', () => {
    const { all, segments } = profileSegments({
      columns: { one: new Float64Array(6).fill(0.1) },
      labels,
      k: 2,
    });
    expect(all.one!.deviation).toBe(0);
    expect(segments.map(({ features }) => features.one!.difference)).toEqual([0, 0]);
  });

  test('there is no lift over a mean of 0, and no share of a spend that is partly owed', () => {
    const columns = { net: Float64Array.of(-3, 3, -3, 3, -3, 3) };
    const { segments } = profileSegments({ columns, labels, k: 2, spend: 'net' });
    expect(segments.map(({ features, spendShare }) => [features.net!.lift, spendShare])).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  test('segments are weighted parts of all', () => {
    const row = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 1000 }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 50 }), (rows) => {
        const whole: [number, number][] = [[0, 1], [1, 2], [2, 3], ...rows];
        const { all, segments } = profileSegments({
          columns: { x: Float64Array.from(whole, ([, x]) => x) },
          labels: Uint8Array.from(whole, ([label]) => label),
          k: 3,
        });
        const mean = segments.reduce((sum, { share, features }) => sum + share * features.x!.mean, 0);
        const difference = segments.reduce(
          (sum, { share, features }) => sum + share * features.x!.difference,
          0,
        );
        expect(mean).toBeCloseTo(all.x!.mean, 9);
        expect(difference).toBeCloseTo(0, 9);
      }),
    );
  });
});
