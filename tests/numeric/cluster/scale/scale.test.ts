import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fitKMeans } from '../../../../numeric/cluster/k-means.ts';
import { coresetKMeans } from '../../../../numeric/cluster/scale/coreset-k-means.ts';
import { miniBatchKMeans } from '../../../../numeric/cluster/scale/mini-batch-k-means.ts';
import { adjustedRand } from '../../../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { type Matrix, matrixFromRows } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';

let pools: KernelPool[];
let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pools = [1, 2, 4].map((threads) => createKernelPool({ threads }));
  pool = pools[1]!;
});
afterAll(() => Promise.all(pools.map((own) => own.close())));

// What both promise: small parameters make them work on few of the rows.
const ALGORITHMS = {
  'coreset-k-means': (
    X: Matrix,
    own: KernelPool,
    rest: { nClusters: number; seed?: number; signal?: AbortSignal },
  ) =>
    coresetKMeans.fit(X, { nClusters: rest.nClusters, coresetRows: 1000 }, { pool: own, seed: 1, ...rest }),
  'mini-batch-k-means': (
    X: Matrix,
    own: KernelPool,
    rest: { nClusters: number; seed?: number; signal?: AbortSignal },
  ) => miniBatchKMeans.fit(X, { nClusters: rest.nClusters, batchSize: 256 }, { pool: own, seed: 1, ...rest }),
};

describe.each(Object.entries(ALGORITHMS))('%s', (name, fit) => {
  test('finds planted groups, and reports the inertia of all rows', async () => {
    const { X, groups } = makeBlobs({ rows: 20_000, columns: 4, groups: 5 });
    const { model, labels, fittedOn } = await fit(X, pool, { nClusters: 5 });
    expect(adjustedRand(labels, groups)).toBeGreaterThan(0.99);
    const best = await fitKMeans(pool, X, { nClusters: 5, seed: 1 });
    expect(model.criteria.inertia! / best.inertia).toBeGreaterThanOrEqual(1);
    expect(model.criteria.inertia! / best.inertia).toBeLessThan(1.02);
    expect(model.algorithm).toBe(name);
    expect(fittedOn.of).toBe(20_000);
    expect(fittedOn.rows).toBeLessThan(20_000);
    expect(model.sizes.reduce((sum, size) => sum + size)).toBe(20_000);
    expect((await coresetKMeans.assign(X, model, { pool })).labels).toEqual(labels);
  });

  test('without groups it costs little more than k-means on all rows', async () => {
    const X = makeNoise(20_000, 3);
    const { model } = await fit(X, pool, { nClusters: 8 });
    const best = await fitKMeans(pool, X, { nClusters: 8, seed: 1 });
    expect(model.criteria.inertia! / best.inertia).toBeLessThan(1.05);
  });

  test('is the same bytes for 1, 2 and 4 threads', async () => {
    const X = makeNoise(5000, 4);
    const fits = await Promise.all(pools.map((own) => fit(X, own, { nClusters: 6 })));
    expect(fits[1]).toEqual(fits[0]);
    expect(fits[2]).toEqual(fits[0]);
  });

  test('rows that hardly differ, and one giant outlier, give finite centres', async () => {
    const random = createRandom(1);
    const rare = matrixFromRows(
      Array.from({ length: 5000 }, () => [random.float() < 0.999 ? 0 : 1 + random.int(3)]),
    );
    const far = makeNoise(5000, 2);
    far.data[17] = 1e10;
    for (const X of [rare, far]) {
      const { model } = await fit(X, pool, { nClusters: 3 });
      expect(model.centers.flat().every(Number.isFinite)).toBe(true);
      expect(model.centers.length).toBeGreaterThanOrEqual(1);
    }
  });

  test('one row is one cluster; fewer different rows than clusters are refused', async () => {
    const one = matrixFromRows([[1, 2]]);
    if (name === 'mini-batch-k-means')
      expect((await fit(one, pool, { nClusters: 1 })).model.centers).toEqual([[1, 2]]);
    const equal = matrixFromRows(new Array(3000).fill([1, 2]));
    await expect(fit(equal, pool, { nClusters: 2 })).rejects.toThrow(
      '2 clusters need at least 2 different rows',
    );
  });

  test('a value that is not finite, and a number of clusters out of range, are refused', async () => {
    const X = makeNoise(3000, 3);
    for (const nClusters of [0, 65, 2.5])
      await expect(fit(X, pool, { nClusters })).rejects.toThrow(RangeError);
    X.data[3000 + 1234] = Number.NaN;
    await expect(fit(X, pool, { nClusters: 3 })).rejects.toThrow('found NaN in row 1234, column 1');
  });

  test('stops when asked to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(fit(makeNoise(3000, 3), pool, { nClusters: 3, signal })).rejects.toThrow('enough');
  });
});

describe('coreset-k-means', () => {
  test('on all rows it is k-means', async () => {
    const X = makeNoise(900, 3);
    const { model } = await coresetKMeans.fit(X, { nClusters: 5, coresetRows: 900 }, { pool, seed: 1 });
    const { inertia } = await fitKMeans(pool, X, { nClusters: 5, seed: 1 });
    expect(model.criteria.inertia! / inertia).toBeCloseTo(1, 6);
    expect(model.criteria.coresetInertia! / inertia).toBeCloseTo(1, 6);
  });

  test('its own idea of the inertia is near that of all rows', async () => {
    const X = makeNoise(50_000, 5);
    const { model } = await coresetKMeans.fit(X, { nClusters: 8, coresetRows: 5000 }, { pool, seed: 1 });
    expect(model.criteria.coresetInertia! / model.criteria.inertia!).toBeCloseTo(1, 1);
  });

  test('says how far it is', async () => {
    const reports: [number, number][] = [];
    const onProgress = (done: number, of: number) => reports.push([done, of]);
    const X = makeNoise(20_000, 3);
    await coresetKMeans.fit(X, { nClusters: 4, coresetRows: 2000 }, { pool, seed: 1, onProgress });
    expect(reports.at(-1)).toEqual([10, 10]);
  });

  test('no more rows than clusters is refused', async () => {
    const fit = coresetKMeans.fit(makeNoise(100, 2), { nClusters: 5, coresetRows: 5 }, { pool, seed: 1 });
    await expect(fit).rejects.toThrow('coresetRows needs to be more than the 5 clusters, found 5');
  });
});

describe('mini-batch-k-means', () => {
  test('takes no more batches than maxIter allows, and says how many', async () => {
    const X = makeNoise(10_000, 3);
    const parameters = { nClusters: 4, batchSize: 100, maxIter: 1, maxNoImprovement: 1e6 };
    const { model, fittedOn } = await miniBatchKMeans.fit(X, parameters, { pool, seed: 1 });
    expect(model.criteria.batches).toBe(100);
    expect(fittedOn).toEqual({ rows: 10_000, of: 10_000 });
    const short = await miniBatchKMeans.fit(X, { ...parameters, maxNoImprovement: 3 }, { pool, seed: 1 });
    expect(short.model.criteria.batches).toBeLessThan(100);
  });

  test('stops in the middle of its batches, and says how far it is', async () => {
    const X = makeNoise(200_000, 10);
    const controller = new AbortController();
    const reports: number[] = [];
    const work = miniBatchKMeans.fit(
      X,
      { nClusters: 30, batchSize: 5000, maxIter: 1000, maxNoImprovement: 1e6 },
      {
        ...{ pool, seed: 1, signal: controller.signal },
        onProgress: (done, of) => {
          expect(done).toBeLessThanOrEqual(of);
          reports.push(done);
          if (reports.length === 3) controller.abort(new Error('enough'));
        },
      },
    );
    await expect(work).rejects.toThrow('enough');
  });

  test.each(['batchSize', 'maxIter', 'nInit', 'maxNoImprovement'])('%s of 0 is refused', async (name) => {
    const fit = miniBatchKMeans.fit(makeNoise(100, 2), { [name]: 0 }, { pool, seed: 1 });
    await expect(fit).rejects.toThrow(`${name} needs to be at least 1, found 0`);
  });
});
