import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOISE } from '../../../../numeric/cluster/algorithm.ts';
import { densityClusters } from '../../../../numeric/cluster/density/density-clusters.ts';
import { hdbscan } from '../../../../numeric/cluster/density/hdbscan.ts';
import { readPoints } from '../../../../numeric/cluster/hierarchy/points.ts';
import { adjustedRand } from '../../../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { matrixFromRows, takeRows } from '../../../../numeric/matrix.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';
import { densityCases } from './density-cases.ts';

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 1 });
});
afterAll(() => pool.close());

const BLOBS = { rows: 4000, columns: 3, groups: 4, spread: 0.5, seed: 3 };

describe('hdbscan', () => {
  test('finds planted groups and their number, on a sample and on all rows', async () => {
    const { X, groups } = makeBlobs(BLOBS);
    for (const sampleRows of [500, 4000]) {
      const { labels, model, fittedOn } = await hdbscan.fit(X, { sampleRows }, { pool, seed: 1 });
      expect(model.clusters.length).toBe(4);
      expect(adjustedRand(labels, groups)).toBeGreaterThan(0.95);
      expect(fittedOn).toEqual({ rows: sampleRows, of: 4000 });
      const rows = model.clusters.map((cluster) => cluster.rows);
      expect(rows).toEqual(rows.toSorted((a, b) => b - a));
    }
  });

  test('assign gives every row of the fit its label again, with its strength in the sample', async () => {
    for (const { X, options } of densityCases()) {
      const { model, labels } = await hdbscan.fit(X, options, { pool, seed: 1 });
      const kept = JSON.parse(JSON.stringify(model));
      const assigned = await hdbscan.assign(X, kept, { pool });
      expect(assigned.labels).toEqual(labels);
      const { probabilities } = await densityClusters(readPoints(X, null), {
        ...{ ...hdbscan.defaults, minSamples: options.minClusterSize, ...options },
      });
      expect(assigned.margin).toEqual(Float32Array.from(probabilities));
    }
    const { X } = makeBlobs(BLOBS);
    const { model, labels } = await hdbscan.fit(X, { sampleRows: 300 }, { pool, seed: 1 });
    expect((await hdbscan.assign(X, model, { pool })).labels).toEqual(labels);
  });

  test('a row gets the same in any batch', async () => {
    const { X } = makeBlobs(BLOBS);
    const { model } = await hdbscan.fit(X, { sampleRows: 300 }, { pool, seed: 1 });
    const whole = await hdbscan.assign(X, model, { pool });
    const some = Int32Array.of(3999, 17, 512);
    const few = await hdbscan.assign(takeRows(X, some), model, { pool });
    some.forEach((row, i) => {
      expect([few.labels[i], few.distance[i], few.margin[i]]).toEqual([
        whole.labels[row],
        whole.distance[row],
        whole.margin[row],
      ]);
    });
  });

  test('what lies between the clusters or far from all is noise', async () => {
    const { X } = makeBlobs(BLOBS);
    const { model } = await hdbscan.fit(X, {}, { pool, seed: 1 });
    const [one, other] = model.clusters.map(({ center }) => center);
    const between = one!.map((value, j) => (value + other![j]!) / 2);
    const rows = matrixFromRows([Array.from(one!), between, [1e6, 0, 0]]);
    const { labels, margin } = await hdbscan.assign(rows, model, { pool });
    expect(Array.from(labels)).toEqual([0, NOISE, NOISE]);
    expect(Array.from(margin.subarray(1))).toEqual([0, 0]);
    expect(margin[0]).toBeGreaterThan(0.5);
  });

  test('the same seed gives the same bytes', async () => {
    const { X } = makeBlobs(BLOBS);
    const [a, b] = await Promise.all(
      [1, 2].map(() => hdbscan.fit(X, { sampleRows: 400 }, { pool, seed: 'one' })),
    );
    expect(b).toEqual(a);
    expect(JSON.stringify(b!.model)).toBe(JSON.stringify(a!.model));
  });

  test('rows without groups have no cluster, and that is a result', async () => {
    const { model, labels } = await hdbscan.fit(makeNoise(1500, 4), {}, { pool, seed: 1 });
    expect(labels.every((label) => label === NOISE)).toBe(true);
    expect(hdbscan.describe(model)).toEqual({
      algorithm: 'hdbscan',
      nClusters: 0,
      parameters: { ...hdbscan.defaults, minClusterSize: 30, minSamples: 30 },
      centers: [],
      criteria: { noiseShare: 1, persistence: 0, leastPersistence: 0 },
    });
    const assigned = await hdbscan.assign(makeNoise(10, 4, 2), model, { pool });
    expect(assigned.labels).toEqual(new Uint8Array(10).fill(NOISE));
  });

  test('centres are the means of the rows, and the model is plain finite data', async () => {
    const { X } = makeBlobs(BLOBS);
    const { model, labels } = await hdbscan.fit(X, { sampleRows: 1000 }, { pool, seed: 1 });
    const ofFirst = Array.from(labels.keys()).filter((row) => labels[row] === 0);
    const mean = ofFirst.reduce((sum, row) => sum + X.data[row]!, 0) / ofFirst.length;
    expect(hdbscan.describe(model).centers![0]![0]).toBeCloseTo(mean, 10);
    expect(JSON.parse(JSON.stringify(model))).toEqual(model);
    expect(model.criteria.noiseShare).toBe(labels.filter((label) => label === NOISE).length / 4000);
  });

  test('repeated rows are assigned like the first of them', async () => {
    const rows = Array.from({ length: 600 }, (_, i) => [Math.floor(i / 100), (i % 4) * 0.01]);
    const X = matrixFromRows(rows);
    const { model, labels } = await hdbscan.fit(X, { minClusterSize: 30 }, { pool, seed: 1 });
    expect(model.clusters.length).toBeGreaterThan(1);
    expect((await hdbscan.assign(X, model, { pool })).labels).toEqual(labels);
    expect(Object.values(model.criteria).every(Number.isFinite)).toBe(true);
  });

  test('more clusters than a label has room for are refused', async () => {
    const X = matrixFromRows(Array.from({ length: 1000 }, (_, i) => [Math.floor(i / 10) * 100 + (i % 10)]));
    await expect(hdbscan.fit(X, { minClusterSize: 5 }, { pool, seed: 1 })).rejects.toThrow(
      'hdbscan needs a minClusterSize that leaves at most 64 clusters, found 100 with 5',
    );
  });

  test('what cannot be fitted or assigned is refused', async () => {
    const tiny = matrixFromRows([[1]]);
    await expect(hdbscan.fit(tiny, {}, { pool, seed: 1 })).rejects.toThrow(
      'minSamples needs at most the 1 rows, found 5',
    );
    for (const value of [NaN, Infinity, 2e15]) {
      const X = makeNoise(2000, 3);
      X.data[2000 + 1234] = value;
      for (const sampleRows of [50, 4000]) {
        await expect(hdbscan.fit(X, { sampleRows }, { pool, seed: 1 })).rejects.toThrow(
          `found ${Math.fround(value)} in row 1234, column 1`,
        );
      }
    }
    const { model } = await hdbscan.fit(makeNoise(100, 3), {}, { pool, seed: 1 });
    await expect(hdbscan.assign(makeNoise(10, 2), model, { pool })).rejects.toThrow(
      'assigning needs rows of 3 columns, found 2',
    );
  });

  test('says how far it is, and stops when asked to', async () => {
    const { X } = makeBlobs(BLOBS);
    const steps: number[] = [];
    await hdbscan.fit(
      X,
      { sampleRows: 500 },
      {
        ...{ pool, seed: 1 },
        onProgress: (done, of) => steps.push(done / of),
      },
    );
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(steps.at(-1)).toBe(1);
    const controller = new AbortController();
    const work = hdbscan.fit(
      X,
      { sampleRows: 500 },
      {
        ...{ pool, seed: 1, signal: controller.signal },
        onProgress: (done) => done > 1500 && controller.abort(new Error('enough')),
      },
    );
    await expect(work).rejects.toThrow('enough');
  });
});
