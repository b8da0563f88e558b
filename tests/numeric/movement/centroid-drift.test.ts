import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { centroidDrift, rmsRadii } from '../../../numeric/movement/centroid-drift.ts';

const reference = { centers: [0, 0, 3, 4], radii: [2, 0] };

describe('centroidDrift', () => {
  test('is the way of the centre in radii of its segment, and each feature in deviations', () => {
    const found = centroidDrift({ centers: [0, 0, 3, 4], radii: [2, 5] }, [3, 4, 3, -4], {
      continuedBy: [1, 0],
      deviations: [1, 2],
    });
    expect([...found.distance]).toEqual([5, 0]);
    expect([...found.delta]).toEqual([2.5, 0]);
    expect([...found.differences]).toEqual([3, -2, 0, 0]);
  });

  test('a segment that is no more has none, one of radius 0 a distance alone', () => {
    const found = centroidDrift(reference, [3, 6], { continuedBy: [-1, 0] });
    expect([...found.distance]).toEqual([Number.NaN, 2]);
    expect([...found.delta]).toEqual([Number.NaN, Number.NaN]);
    expect([...found.differences]).toEqual([Number.NaN, Number.NaN, 0, 2]);
  });

  test('refuses shapes that do not fit', () => {
    expect(() => centroidDrift(reference, [1, 2, 3], { continuedBy: [0, 0] })).toThrow(
      'found 2 heirs and 3 values',
    );
    expect(() => centroidDrift(reference, [1, 2], { continuedBy: [0, 1] })).toThrow('from -1 to 0, found 1');
    expect(() => centroidDrift(reference, [1, 2], { continuedBy: [0, 0], deviations: [1, 0] })).toThrow(
      'column 1 needs a deviation above 0, found 0',
    );
    expect(() => centroidDrift({ centers: [1], radii: [1, 2] }, [1], { continuedBy: [0, 0] })).toThrow(
      'need equally many values, found 1',
    );
  });

  test('identical centres do not drift, and a change of units leaves delta as it is', () => {
    const centers = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(centers, centers, fc.integer({ min: 1, max: 9 }), (before, after, unit) => {
        const continuedBy = [2, 0, 1];
        const driftOf = (scale: number) =>
          centroidDrift(
            { centers: before.map((x) => x * scale), radii: [1 * scale, 2 * scale, 3 * scale] },
            after.map((x) => x * scale),
            { continuedBy },
          );
        driftOf(1).delta.forEach((delta, i) => {
          expect(driftOf(unit).delta[i]).toBeCloseTo(delta, 9);
        });
        const same = centroidDrift({ centers: before, radii: [1, 2, 3] }, before, { continuedBy: [0, 1, 2] });
        expect([...same.delta]).toEqual([0, 0, 0]);
      }),
    );
  });
});

describe('rmsRadii', () => {
  test('is the root of the mean square distance of the members', () => {
    expect([...rmsRadii({ labels: [0, 0, 1], distance: [3, 4, 0] }, 3)]).toEqual([
      Math.sqrt(12.5),
      0,
      Number.NaN,
    ]);
    expect(() => rmsRadii({ labels: [2], distance: [1] }, 2)).toThrow('need labels below it, found 2');
    expect(() => rmsRadii({ labels: [0], distance: [] }, 1)).toThrow(RangeError);
  });
});
