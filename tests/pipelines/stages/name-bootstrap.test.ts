import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../numeric/random/random.ts';
import { createResample } from '../../../pipelines/stages/name-bootstrap.ts';
import { profileSegments } from '../../../pipelines/stages/segment-profile.ts';

function resampleOf(column: Float64Array, labels: Uint8Array, k = 2) {
  const columns = { x: column };
  const profiles = profileSegments({ columns, labels, k });
  return { profiles, resample: createResample({ columns, labels, profiles }) };
}

const spread = (values: readonly number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) };
};

describe('figures of a segment drawn again', () => {
  test('means scatter around the mean by deviation / root of n, medians by what is known of normal values', () => {
    const random = createRandom(5);
    const n = 400;
    const column = Float64Array.from({ length: 2 * n }, () => 10 + random.normal());
    const labels = Uint8Array.from({ length: 2 * n }, (_, row) => row % 2);
    const { profiles, resample } = resampleOf(column, labels);
    const drawn = resample(0, 'x');
    expect(drawn).toHaveLength(200);
    const means = spread(drawn.map(({ mean }) => mean));
    expect(means.mean).toBeCloseTo(profiles.segments[0]!.features.x!.mean, 2);
    expect(means.deviation).toBeCloseTo(1 / Math.sqrt(n), 2);
    // The asymptotic deviation of the median of n standard normal values: sqrt(pi / 2n), here 0.0627.
    expect(spread(drawn.map(({ median }) => median)).deviation).toBeCloseTo(0.0627, 1);
  });

  test('a large segment is drawn as one of 1,000, around its own mean', () => {
    const random = createRandom(6);
    const n = 30_000;
    const column = Float64Array.from({ length: n }, (_, row) => (row % 2) + Math.exp(random.normal()));
    const { profiles, resample } = resampleOf(
      column,
      Uint8Array.from(column, (_, row) => row % 2),
    );
    const { mean, difference } = profiles.segments[1]!.features.x!;
    const means = spread(resample(1, 'x').map((figures) => figures.mean));
    // The deviation of exp(normal) is 2.161; the topmost block's values are averaged, which takes a little of it.
    expect(means.mean).toBeCloseTo(mean, 1);
    expect(means.deviation).toBeGreaterThan(0.8 * (2.161 / Math.sqrt(1_000)));
    expect(means.deviation).toBeLessThan(1.2 * (2.161 / Math.sqrt(1_000)));
    const differences = spread(resample(1, 'x').map((figures) => figures.difference));
    expect(differences.mean).toBeCloseTo(difference, 1);
  });

  test('a segment of equal customers is the same whoever is drawn', () => {
    const labels = Uint8Array.of(0, 0, 0, 1, 1);
    const { profiles, resample } = resampleOf(Float64Array.of(0.1, 0.1, 0.1, 7, 9), labels);
    for (const figures of resample(0, 'x')) {
      const own = profiles.segments[0]!.features.x!;
      expect(figures.median).toBe(0.1);
      expect(figures.mean).toBeCloseTo(own.mean, 12);
      expect(figures.lift).toBeCloseTo(own.lift!, 12);
      expect(figures.difference).toBeCloseTo(own.difference, 12);
    }
  });

  test('of one customer there is one draw; of a feature that there is not, none', () => {
    const { resample } = resampleOf(Float64Array.of(3, 5, 7), Uint8Array.of(0, 1, 1));
    expect(new Set(resample(0, 'x').map(({ median }) => median))).toEqual(new Set([3]));
    expect(resample(0, 'y')).toEqual([]);
    expect(resample(0, 'constructor')).toEqual([]);
  });

  test('neither the order of rows nor the numbers of clusters change a draw', () => {
    const values = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 6, maxLength: 60 });
    fc.assert(
      fc.property(values, fc.infiniteStream(fc.integer({ min: 0, max: 1_000 })), (column, keys) => {
        const rows = column.map((x, row) => ({ x, label: row % 2, key: keys.next().value as number }));
        const figures = (of: typeof rows, label: (own: number) => number) => {
          const labels = Uint8Array.from(of, (row) => label(row.label));
          const { resample } = resampleOf(
            Float64Array.from(of, ({ x }) => x),
            labels,
          );
          return resample(label(0), 'x').map(({ median, mean }) => [median, mean]);
        };
        const shuffled = rows.toSorted((left, right) => left.key - right.key);
        expect(figures(shuffled, (own) => 1 - own)).toEqual(figures(rows, (own) => own));
      }),
      { numRuns: 30 },
    );
  });
});
