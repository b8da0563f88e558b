import { describe, expect, test } from 'vitest';
import { matrixFromRows } from '../../../numeric/matrix.ts';
import { createRandom } from '../../../numeric/random/random.ts';
import { scatterOf } from '../../../pipelines/stages/compare-scatter.ts';
import { shownSegments } from '../../../pipelines/stages/compare-segments.ts';
import { makeNoise } from '../../numeric/helpers/made-data.ts';

describe('the picture', () => {
  test('lies along the two directions in which the rows differ most', () => {
    const random = createRandom(1);
    // Along (1, 2, 0) / sqrt 5 with deviation 5, across it with 2, and 0.1 in the third column.
    const rows = Array.from({ length: 800 }, () => {
      const [a, b] = [random.normal() * 5, random.normal() * 2];
      return [(a + 2 * -b) / Math.sqrt(5), (2 * a + b) / Math.sqrt(5), random.normal() * 0.1];
    });
    const { axes, rows: shown } = scatterOf(matrixFromRows(rows), new Uint8Array(800), 1)!;
    expect(axes[0].weights[0]! / axes[0].weights[1]!).toBeCloseTo(0.5, 1);
    expect(axes[1].weights[0]! / axes[1].weights[1]!).toBeCloseTo(-2, 0);
    expect(axes[0].share).toBeCloseTo(25 / 29, 1);
    expect(axes[0].share + axes[1].share).toBeCloseTo(1, 2);
    expect(shown).toEqual({ shown: 800, of: 800 });
  });

  test('shows at most 1,500 rows, each with its own cluster', () => {
    const X = makeNoise(4_000, 2);
    const clusters = Uint8Array.from({ length: X.rows }, (_, i) => (X.data[i]! > 0 ? 1 : 0));
    const { x, y, clusters: shown, axes } = scatterOf(X, clusters, 1)!;
    expect([x.length, y.length, shown.length]).toEqual([1_500, 1_500, 1_500]);
    const first = (i: number) => axes[0].weights[0]! * x[i]! + axes[1].weights[0]! * y[i]!;
    expect(shown.every((cluster, i) => Math.abs(first(i)) < 0.01 || (first(i) > 0 ? 1 : 0) === cluster)).toBe(
      true,
    );
  });

  test('of one column there is none, and constant columns make no broken figure', () => {
    expect(scatterOf(makeNoise(10, 1), new Uint8Array(10), 1)).toBeNull();
    const flat = scatterOf(matrixFromRows(Array.from({ length: 5 }, () => [1, 1])), new Uint8Array(5), 1)!;
    expect([...flat.x, ...flat.y, ...flat.axes.map(({ share }) => share)].every(Number.isFinite)).toBe(true);
  });
});

test('segments are shown in their own figures; customers in none are left out, and still count as customers', () => {
  const definition = {
    currency: 'EUR',
    features: {
      aggregate: [
        { name: 'orders', unit: 'orders', why: 'w', sql: 's' },
        { name: 'spendCents', unit: 'cents', why: 'w', sql: 's' },
      ],
      derive: [],
      cluster: [
        { feature: 'orders', transforms: [] },
        { feature: 'spendCents', transforms: [] },
      ],
    },
    naming: { spend: 'spendCents' } as never,
  };
  const columns = {
    orders: Float64Array.of(1, 2, 3, 90),
    spendCents: Float64Array.of(1_000, 2_000, 3_000, 9_000),
  };
  const shown = shownSegments({ columns, labels: Uint8Array.of(0, 0, 1, 255), names: null, definition });
  expect(shown).toEqual([
    { name: null, customers: 2, share: 0.5, spendShare: 0.5, typical: ['orders 1.5', 'spend €15'] },
    { name: null, customers: 1, share: 0.25, spendShare: 0.5, typical: ['orders 3', 'spend €30'] },
  ]);
});
