import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DensityOptions,
  densityClusters,
} from '../../../../numeric/cluster/density/density-clusters.ts';
import { coreDistances } from '../../../../numeric/cluster/density/reachability-tree.ts';
import { readPoints } from '../../../../numeric/cluster/hierarchy/points.ts';
import { adjustedRand } from '../../../../numeric/compare/adjusted-rand.ts';
import { matrixFromRows } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';
import { onlineRetailFeatures, realData } from '../../helpers/real-data.ts';
import { densityCases } from './density-cases.ts';

const DEFAULTS: Omit<DensityOptions, 'minClusterSize' | 'minSamples'> = {
  clusterSelectionMethod: 'eom',
  clusterSelectionEpsilon: 0,
  allowSingleCluster: false,
};

/** scikit-learn's labels, one letter per row, and its probabilities, summed. */
const reference: { cases: Record<string, { labels: string; strength: number }> } = JSON.parse(
  readFileSync('tests/numeric/fixtures/density.json', 'utf8'),
);
const lettersOf = (labels: string) =>
  Array.from(labels, (letter) => (letter === '.' ? 0 : letter.charCodeAt(0)));
/** Noise as a label of its own. */
const withNoise = (labels: Int32Array) => labels.map((label) => label + 1);

const clustersOf = (rows: readonly (readonly number[])[], options: Partial<DensityOptions>) =>
  densityClusters(readPoints(matrixFromRows(rows), null), {
    ...DEFAULTS,
    ...{ minClusterSize: 5, minSamples: options.minClusterSize ?? 5 },
    ...options,
  });

describe('densityClusters', () => {
  // Merges of equal distance leave several results open. scikit-learn takes them in the order of its sort: on
  // these two, its own labels for the same rows in another order agree with its first at .75 and .95 only.
  const hasTies = ['uneven density, leaves', 'repeated rows, minSamples 3'];

  test.each(densityCases())('$name: the labels of scikit-learn', async ({ name, X, options }) => {
    const minSamples = options.minClusterSize;
    const found = await densityClusters(readPoints(X, null), { ...DEFAULTS, minSamples, ...options });
    const { labels, strength } = reference.cases[name]!;
    const agreement = adjustedRand(withNoise(found.labels), lettersOf(labels));
    expect(agreement).toBeGreaterThan(hasTies.includes(name) ? 0.95 : 0.98);
    const strengths = found.probabilities.reduce((sum, probability) => sum + probability, 0);
    expect(Math.abs(strengths - strength) / X.rows).toBeLessThan(0.06);
  });

  test('without ties they are equal to scikit-learn, and so is the strength', async () => {
    const name = 'blobs with noise, minSamples 1';
    const { X, options } = densityCases().find((one) => one.name === name)!;
    const found = await densityClusters(readPoints(X, null), { ...DEFAULTS, minSamples: 1, ...options });
    expect(adjustedRand(withNoise(found.labels), lettersOf(reference.cases[name]!.labels))).toBe(1);
    const strength = found.probabilities.reduce((sum, probability) => sum + probability, 0);
    expect(strength).toBeCloseTo(reference.cases[name]!.strength, 6);
  });

  test('the order of the rows does not matter, however many are equal', async () => {
    for (const { X, options } of densityCases()) {
      const order = createRandom(1).shuffle(Int32Array.from({ length: X.rows }, (_, i) => i));
      const all = { ...DEFAULTS, minSamples: options.minClusterSize, ...options };
      const found = await densityClusters(readPoints(X, null), all);
      const shuffled = await densityClusters(readPoints(X, order), all);
      const expected = Int32Array.from(order, (row) => found.labels[row]!);
      expect(adjustedRand(withNoise(shuffled.labels), withNoise(expected))).toBe(1);
      shuffled.probabilities.forEach((probability, i) => {
        expect(probability).toBeCloseTo(found.probabilities[order[i]!]!, 12);
      });
    }
  });

  test('rows that are equal are in one cluster, or all noise', async () => {
    const { X, options } = densityCases().find(({ name }) => name === 'repeated rows')!;
    const points = readPoints(X, null);
    const { labels } = await densityClusters(points, { ...DEFAULTS, minSamples: 10, ...options });
    const labelOf = new Map<string, number>();
    labels.forEach((label, i) => {
      const row = points.values.subarray(2 * i, 2 * i + 2).join();
      expect(labelOf.get(row) ?? label).toBe(label);
      labelOf.set(row, label);
    });
  });

  test('what it finds obeys its own words', async () => {
    const shape = fc.record({
      rows: fc.integer({ min: 2, max: 120 }),
      columns: fc.integer({ min: 1, max: 3 }),
      minClusterSize: fc.integer({ min: 2, max: 10 }),
      minSamples: fc.integer({ min: 1, max: 10 }),
      steps: fc.constantFrom(2, 5, 1000),
      clusterSelectionMethod: fc.constantFrom('eom' as const, 'leaf' as const),
      allowSingleCluster: fc.boolean(),
      clusterSelectionEpsilon: fc.constantFrom(0, 0.3),
      seed: fc.nat(1000),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ rows, columns, steps, seed, ...options }) => {
        const X = makeNoise(rows, columns, seed);
        // Few steps make many equal rows and equal distances.
        X.data.forEach((value, at) => {
          X.data[at] = Math.round(value * steps) / steps;
        });
        const minSamples = Math.min(options.minSamples, rows);
        const found = await densityClusters(readPoints(X, null), { ...options, minSamples });
        const { labels, probabilities, nClusters, reach, persistence } = found;
        const sizes = new Uint32Array(nClusters);
        for (const label of labels) if (label >= 0) sizes[label]! += 1;
        // All rows as one cluster: those beyond its reach are noise, and those left may be few.
        const least = options.allowSingleCluster && nClusters === 1 ? 1 : options.minClusterSize;
        for (const size of sizes) expect(size).toBeGreaterThanOrEqual(least);
        if (!options.allowSingleCluster) expect(nClusters).not.toBe(1);
        labels.forEach((label, i) => {
          expect(probabilities[i]).toBeLessThanOrEqual(1);
          if (label < 0) expect(probabilities[i]).toBe(0);
          else expect(found.core[i]).toBeLessThanOrEqual(reach[label]!);
        });
        for (const share of persistence) expect(share >= 0 && share <= 1).toBe(true);
        for (const distance of reach) expect(distance).toBeLessThan(Infinity);
      }),
      { numRuns: 150 },
    );
  });

  test('rows without groups are noise, far groups persist, near ones hardly', async () => {
    const noise = await densityClusters(readPoints(makeNoise(1000, 4), null), {
      ...{ ...DEFAULTS, minClusterSize: 20, minSamples: 20 },
    });
    expect([noise.nClusters, noise.labels.every((label) => label === -1)]).toEqual([0, true]);
    const random = createRandom(1);
    const [far, near] = await Promise.all(
      [12, 4].map((apart) =>
        clustersOf(
          Array.from({ length: 800 }, (_, i) => [(i % 2) * apart + random.normal(), random.normal()]),
          { minClusterSize: 20 },
        ),
      ),
    );
    expect([far!.nClusters, near!.nClusters]).toEqual([2, 2]);
    expect(Math.min(...far!.persistence)).toBeGreaterThan(0.8);
    expect(Math.min(...near!.persistence)).toBeLessThan(0.6);
  });

  test('a row is its own first neighbour', async () => {
    const line = readPoints(matrixFromRows([[0], [1], [3], [7]]), null);
    expect(Array.from(await coreDistances(line, 1))).toEqual([0, 0, 0, 0]);
    expect(Array.from(await coreDistances(line, 2))).toEqual([1, 1, 2, 4]);
    expect(Array.from(await coreDistances(line, 4))).toEqual([7, 6, 4, 7]);
  });

  test('all rows equal are noise, or one cluster where that is allowed', async () => {
    const rows = new Array(40).fill([1, 2]);
    const apart = await clustersOf(rows, {});
    expect(apart.labels.every((label) => label === -1)).toBe(true);
    const single = await clustersOf(rows, { allowSingleCluster: true });
    expect(single.labels).toEqual(new Int32Array(40));
    expect([single.probabilities[0], single.persistence[0]]).toEqual([1, 1]);
  });

  test('a giant outlier and a constant column change nothing else', async () => {
    const { X } = makeBlobs({ rows: 300, columns: 2, groups: 3, spread: 0.2, seed: 2 });
    const rows = Array.from({ length: 300 }, (_, i) => [X.data[i]!, X.data[300 + i]!, 7]);
    const [before, after] = [await clustersOf(rows, {}), await clustersOf([...rows, [1e14, 0, 7]], {})];
    expect(after.labels.subarray(0, 300)).toEqual(before.labels);
    expect(after.labels[300]).toBe(-1);
  });

  test('one row and fewer rows than make a cluster are noise', async () => {
    const one = await clustersOf([[5]], { minSamples: 1 });
    expect([one.nClusters, one.labels[0]]).toEqual([0, -1]);
    const few = await clustersOf([[1], [2], [3]], { minSamples: 2, minClusterSize: 5 });
    expect(Array.from(few.labels)).toEqual([-1, -1, -1]);
  });

  test.each([
    [{ minClusterSize: 1 }, 'minClusterSize needs to be an integer of at least 2, found 1'],
    [{ minSamples: 0 }, 'minSamples needs to be an integer of at least 1, found 0'],
    [{ minSamples: 4 }, 'minSamples needs at most the 3 rows, found 4'],
    [
      { minSamples: 2, clusterSelectionEpsilon: -1 },
      'clusterSelectionEpsilon needs to be 0 or more, found -1',
    ],
    [
      { minSamples: 2, clusterSelectionMethod: 'best' as 'eom' },
      'clusterSelectionMethod needs to be eom or leaf, found best',
    ],
  ])('%o is refused for three rows', async (options, message) => {
    await expect(clustersOf([[1], [2], [3]], options)).rejects.toThrow(message);
  });

  test('stops when asked to', async () => {
    const controller = new AbortController();
    const work = densityClusters(
      readPoints(makeNoise(6000, 8), null),
      { ...DEFAULTS, minClusterSize: 10, minSamples: 10 },
      { signal: controller.signal, onProgress: (done) => done > 10 && controller.abort(new Error('enough')) },
    );
    await expect(work).rejects.toThrow('enough');
  });
});

describe.skipIf(!realData)('on real data', () => {
  test.each([
    ['Online Retail', { minClusterSize: 15, minSamples: 15 }],
    ['Online Retail, minSamples 10', { minClusterSize: 50, minSamples: 10 }],
  ])('%s: the labels of scikit-learn', async (name, options) => {
    const points = readPoints(await onlineRetailFeatures(), null);
    const { labels } = await densityClusters(points, { ...DEFAULTS, ...options });
    expect(adjustedRand(withNoise(labels), lettersOf(reference.cases[name]!.labels))).toBe(1);
  });
});
