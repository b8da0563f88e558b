import { describe, expect, test } from 'vitest';
import { distanceMatrix } from '../../../../numeric/cluster/medoids/distances.ts';
import { fasterPam } from '../../../../numeric/cluster/medoids/faster-pam.ts';
import { initialMedoids } from '../../../../numeric/cluster/medoids/initial-medoids.ts';
import { matrixFromRows } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';

const DATA = {
  blobs: makeBlobs({ rows: 400, columns: 3, groups: 5, spread: 1.5 }).X,
  noise: makeNoise(600, 4),
};
const first = (k: number) => Int32Array.from({ length: k }, (_, i) => i);
const sorted = (rows: Int32Array) => Array.from(rows).sort((a, b) => a - b);

describe('fasterPam', () => {
  // Expected values: kmedoids 0.5 (Python), fasterpam from the first k rows, on scikit-learn's distances of the data
  // above in single precision
  test.each([
    ['blobs', 'euclidean', 923.2925980687141, [52, 65, 102, 154, 364], 25],
    ['blobs', 'manhattan', 1381.4805682897568, [14, 52, 65, 231, 364], 21],
    ['noise', 'euclidean', 795.1465366482735, [6, 43, 90, 157, 162, 375], 21],
    ['noise', 'manhattan', 1315.4236342906952, [32, 246, 286, 375, 405, 455], 27],
  ] as const)('%s, %s: swap by swap as the authors do', async (name, metric, loss, medoids, swaps) => {
    const distances = await distanceMatrix(DATA[name], metric);
    const found = await fasterPam(distances, first(medoids.length), { maxIter: 100 });
    expect(found.loss).toBeCloseTo(loss, 6);
    expect(sorted(found.medoids)).toEqual(medoids);
    expect([found.swaps, found.converged]).toEqual([swaps, true]);
  });

  test('no swap of a medoid with another row lowers the loss', async () => {
    const distances = await distanceMatrix(makeNoise(60, 2), 'euclidean');
    const { data, n } = distances;
    const lossOf = (medoids: readonly number[]) => {
      let total = 0;
      for (let i = 0; i < n; i++) total += Math.min(...medoids.map((row) => data[row * n + i]!));
      return total;
    };
    const found = await fasterPam(distances, first(4), { maxIter: 100 });
    const medoids = Array.from(found.medoids);
    expect(found.loss).toBeCloseTo(lossOf(medoids), 9);
    for (let place = 0; place < 4; place++) {
      for (let row = 0; row < n; row++) {
        expect(lossOf(medoids.with(place, row))).toBeGreaterThan(found.loss - 1e-6);
      }
    }
  });

  test('one medoid is the most central row', async () => {
    // Expected values: kmedoids 0.5 (Python), fasterpam with one medoid
    const distances = await distanceMatrix(DATA.blobs, 'euclidean');
    const { medoids, loss } = await fasterPam(distances, first(1), { maxIter: 1 });
    expect(Array.from(medoids)).toEqual([367]);
    expect(loss).toBeCloseTo(2879.6619766950607, 5);
  });

  test('as many medoids as rows cost nothing', async () => {
    const distances = await distanceMatrix(matrixFromRows([[1], [5], [9]]), 'manhattan');
    expect(await fasterPam(distances, first(3), { maxIter: 5 })).toMatchObject({ loss: 0, swaps: 0 });
  });

  test('says when its passes were used up', async () => {
    const distances = await distanceMatrix(DATA.noise, 'euclidean');
    const { converged } = await fasterPam(distances, first(6), { maxIter: 1 });
    expect(converged).toBe(false);
  });

  test('leaves what it is given unchanged', async () => {
    const distances = await distanceMatrix(makeNoise(60, 2), 'euclidean');
    const before = distances.data.slice();
    const initial = first(6);
    await fasterPam(distances, initial, { maxIter: 100 });
    expect([distances.data, initial]).toEqual([before, first(6)]);
  });

  test.each([
    ['none', []],
    ['repeated', [1, 1]],
    ['out of range', [0, 3]],
  ])('initial medoids that are %s are refused', async (_, rows) => {
    const distances = await distanceMatrix(matrixFromRows([[1], [5], [9]]), 'manhattan');
    await expect(fasterPam(distances, Int32Array.from(rows), { maxIter: 5 })).rejects.toThrow(
      'FasterPAM needs 1 or more different rows of 3 to begin from',
    );
  });
});

describe('initialMedoids', () => {
  test('build has the loss of the authors', async () => {
    const distances = await distanceMatrix(DATA.noise, 'euclidean');
    const medoids = await initialMedoids(distances, 6, { init: 'build', random: createRandom(1) });
    // Expected value: kmedoids 0.5 (Python), pam_build
    expect(sorted(medoids)).toEqual([43, 139, 253, 346, 374, 422]);
  });

  test.each(['build', 'lab', 'random'] as const)(
    '%s gives k different rows, all of them if need be',
    async (init) => {
      const distances = await distanceMatrix(
        matrixFromRows(Array.from({ length: 12 }, () => [1])),
        'euclidean',
      );
      for (const k of [1, 5, 12]) {
        const medoids = await initialMedoids(distances, k, { init, random: createRandom(2) });
        expect(new Set(medoids).size).toBe(k);
      }
      const tooMany = initialMedoids(distances, 13, { init, random: createRandom(2) });
      await expect(tooMany).rejects.toThrow('medoids need 1 to 12 clusters, found 13');
    },
  );
});
