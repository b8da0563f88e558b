import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { kmeans as mlKMeans } from 'ml-kmeans';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { centersAt, seededStarts } from '../../../numeric/cluster/starts.ts';
import { layoutOf, PAGE_BYTES, writeBlock } from '../../../numeric/kernels/layout.mjs';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import { drawsOf, seedCenters, trialsOf } from '../../../numeric/kernels/seeding.mjs';
import type { FitTask, Kernels } from '../../../numeric/kernels/tasks.ts';
import { fillPartition, viewsOf } from '../../../numeric/kernels/tiles.mjs';
import { createMatrix, type Matrix, matrixFromRows, rowOf } from '../../../numeric/matrix.ts';
import { createRandom } from '../../../numeric/random/random.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../helpers/made-data.ts';

let module: WebAssembly.Module;
let pool: KernelPool;
beforeAll(async () => {
  const { path } = await buildKernels();
  module = new WebAssembly.Module(readFileSync(path));
  pool = createKernelPool({ threads: 1 });
});
afterAll(() => pool.close());

/** The first centres that the kernel chooses, or null where rows have too few different values. */
function seedsOf(
  x: Matrix,
  k: number,
  options: { draws: Float64Array; weights?: Float64Array },
): number[][] | null {
  const layout = layoutOf({ ...x, k, isWeighted: options.weights !== undefined, trials: trialsOf(k) });
  const pages = Math.ceil(layout.bytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = instance.exports as unknown as Kernels;
  const views = viewsOf({ layout, memory });
  writeBlock(layout, memory);
  const source = { x, rows: null, weights: options.weights ?? null };
  for (let p = 0; p < layout.partitions; p++) fillPartition(p, { source, crew: { layout, views, kernels } });
  const control = new Int32Array(new SharedArrayBuffer(64));
  if (!seedCenters(options.draws, { layout, kernels, control })) return null;
  return Array.from({ length: k }, (_, c) =>
    Array.from(views.centers.subarray(c * x.columns, (c + 1) * x.columns)),
  );
}

const drawsFrom = (seed: number, k: number) => {
  const random = createRandom(seed);
  return Float64Array.from({ length: drawsOf(k) }, () => random.float());
};

describe('greedy k-means++ in the kernel', () => {
  // Expected rows: scikit-learn 1.9, kmeans_plusplus(X, k, random_state=RandomState(…)) on the same data, with the
  // numbers which that generator gives
  const { X } = makeBlobs({ rows: 500, columns: 4, groups: 6, spread: 1.5 });
  const url = new URL('../fixtures/k-means-seeding.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(url, 'utf8')) as {
    cases: { k: number; weighted: boolean; draws: number[]; rows: number[] }[];
  };
  test.each(cases)('chooses the rows of scikit-learn: k = $k, weighted: $weighted', (expected) => {
    const { k, weighted, draws, rows } = expected;
    const random = createRandom(2);
    const weights = Float64Array.from({ length: 500 }, () => 1 + random.int(4));
    const options = { draws: Float64Array.from(draws), ...(weighted ? { weights } : {}) };
    expect(seedsOf(X, k, options)).toEqual(rows.map((row) => Array.from(rowOf(X, row))));
  });

  test('chooses different rows, all of them rows of the data', () => {
    const shapes = fc.record({
      rows: fc.integer({ min: 20, max: 300 }),
      columns: fc.integer({ min: 1, max: 9 }),
      k: fc.integer({ min: 1, max: 20 }),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(shapes, ({ rows, columns, k, seed }) => {
        const x = makeNoise(rows, columns, seed);
        const chosen = seedsOf(x, k, { draws: drawsFrom(seed, k) })!.map((row) => row.join());
        const all = new Set(Array.from({ length: rows }, (_, i) => Array.from(rowOf(x, i)).join()));
        expect(new Set(chosen).size).toBe(k);
        expect(chosen.every((row) => all.has(row))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('finds every different row when there are as many as centres, and says when there are fewer', () => {
    const x = matrixFromRows(Array.from({ length: 333 }, (_, i) => [i % 7, 0]));
    const chosen = seedsOf(x, 7, { draws: drawsFrom(1, 7) })!.map(([value]) => value);
    expect(chosen.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(seedsOf(x, 8, { draws: drawsFrom(1, 8) })).toBeNull();
  });

  test.each([0, 1 - 2 ** -53])('draws at the end of the range (%d) choose rows, not padding', (draw) => {
    const x = matrixFromRows(Array.from({ length: 21 }, (_, i) => [i + 100, i * i]));
    const chosen = seedsOf(x, 4, { draws: new Float64Array(drawsOf(4)).fill(draw) })!;
    for (const [value] of chosen) expect(value).toBeGreaterThanOrEqual(100);
  });

  test('one outlier far away takes one centre, and leaves the others their groups', () => {
    const { X: blobs } = makeBlobs({ rows: 400, columns: 2, groups: 3, spread: 0.1 });
    const x = createMatrix(401, 2);
    for (let j = 0; j < 2; j++) x.data.set(blobs.data.subarray(j * 400, j * 400 + 400), j * 401);
    x.data[400] = 1e12;
    const chosen = seedsOf(x, 4, { draws: drawsFrom(3, 4) })!;
    expect(chosen.filter(([value]) => value === Math.fround(1e12)).length).toBe(1);
    expect(new Set(chosen.map(([value]) => Math.round(value!))).size).toBe(4);
  });

  test('leads to fits as good as those of ml-kmeans from its own k-means++', async () => {
    const { X: x } = makeBlobs({ rows: 300, columns: 3, groups: 8, spread: 1 });
    const k = 8;
    const otherwise = centersAt(
      x,
      Int32Array.from({ length: k }, (_, i) => i),
    );
    const starts = seededStarts({ k, count: 60, random: createRandom(1), otherwise });
    const tasks = starts.map(
      (start): FitTask => ({
        ...{ kind: 'fit', x, rows: null, k, starts: [start] },
        ...{ maxIterations: 100, maxShift: 0 },
      }),
    );
    const fits = await pool.run(tasks);
    const ours = fits.reduce((sum, { inertia }) => sum + inertia / 60, 0);
    const rows = Array.from({ length: 300 }, (_, i) => Array.from(rowOf(x, i)));
    let theirs = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { clusters, centroids } = mlKMeans(rows, k, { seed, initialization: 'kmeans++' });
      clusters.forEach((label, i) => {
        theirs += rows[i]!.reduce((sum, value, j) => sum + (value - centroids[label]![j]!) ** 2, 0) / 60;
      });
    }
    expect(ours).toBeLessThan(theirs * 1.02);
  });
});
