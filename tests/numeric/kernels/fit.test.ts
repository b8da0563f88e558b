import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { centersAt, seededStarts } from '../../../numeric/cluster/starts.ts';
import { KernelMemoryError } from '../../../numeric/kernels/errors.mjs';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import type { Fit, FitTask, SilhouetteTask, TeamFitTask } from '../../../numeric/kernels/tasks.ts';
import { type Matrix, rowOf, takeRows } from '../../../numeric/matrix.ts';
import { createRandom } from '../../../numeric/random/random.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../helpers/made-data.ts';

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 1 });
});
afterAll(() => pool.close());

function task(x: Matrix, k: number, rest: Partial<FitTask> = {}): FitTask {
  const otherwise = centersAt(
    x,
    Int32Array.from({ length: k }, (_, i) => i),
  );
  const starts = seededStarts({ k, count: 1, random: createRandom(4), otherwise });
  return { kind: 'fit', x, rows: null, k, starts, maxIterations: 300, maxShift: 0, ...rest };
}

const shared = (rows: ArrayLike<number>) => {
  const copy = new Int32Array(new SharedArrayBuffer(rows.length * 4));
  copy.set(rows);
  return copy;
};

const sharedWeights = (weights: ArrayLike<number>) => {
  const copy = new Float64Array(new SharedArrayBuffer(weights.length * 8));
  copy.set(weights);
  return copy;
};

/** Lloyd's iterations as one would write them down, in double precision. */
function plainLloyd(
  x: Matrix,
  start: Float64Array,
  iterations: number,
): { labels: number[]; inertia: number } {
  const rows = Array.from({ length: x.rows }, (_, i) => Array.from(rowOf(x, i)));
  const k = start.length / x.columns;
  let centers = Array.from({ length: k }, (_, c) =>
    Array.from(start.subarray(c * x.columns, (c + 1) * x.columns)),
  );
  const square = (row: number[], c: number) =>
    row.reduce((sum, value, j) => sum + (value - centers[c]![j]!) ** 2, 0);
  let labels: number[] = [];
  for (let iteration = 0; iteration < iterations; iteration++) {
    labels = rows.map((row) => {
      const squares = centers.map((_, c) => square(row, c));
      return squares.indexOf(Math.min(...squares));
    });
    centers = centers.map((center, c) => {
      const own = rows.filter((_, i) => labels[i] === c);
      return center.map((_, j) => own.reduce((sum, row) => sum + row[j]!, 0) / own.length);
    });
  }
  return { labels, inertia: rows.reduce((sum, row, i) => sum + square(row, labels[i]!), 0) };
}

describe('a fit by a team of threads', () => {
  test('is the same bytes for 1, 2 and 4 threads, and the one-thread fit from the same centres', async () => {
    const k = 7;
    const x = makeNoise(20_011, 5);
    const centers = centersAt(
      x,
      Int32Array.from({ length: k }, (_, i) => i),
    );
    const found: Fit[] = [];
    for (const team of [1, 2, 4]) {
      const own = createKernelPool({ threads: team });
      const part: TeamFitTask = {
        ...{ kind: 'teamFit', x, k, centers, maxIterations: 60, maxShift: 0, team },
        memory: own.reserve({ ...x, k }),
      };
      const [fit] = await own.run(new Array<TeamFitTask>(team).fill(part));
      found.push(fit!);
      await own.close();
    }
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
    const [alone] = await pool.run([task(x, k, { starts: [{ centers }], maxIterations: 60 })]);
    expect(found[0]!.centers).toEqual(alone!.centers);
    expect(found[0]!.sizes).toEqual(alone!.sizes);
  });
});

describe('a fit on one thread', () => {
  test.each([2, 5, 12])(
    'takes the steps of plain loops: rows left alone would not have moved, k = %i',
    async (k) => {
      const x = makeNoise(700, 3, k);
      const centers = centersAt(
        x,
        Int32Array.from({ length: k }, (_, i) => i * 7),
      );
      for (const maxIterations of [1, 2, 5, 15, 40]) {
        const [fit] = await pool.run([task(x, k, { starts: [{ centers }], maxIterations, maxShift: -1 })]);
        const plain = plainLloyd(x, centers, fit!.iterations);
        expect(Array.from(fit!.labels)).toEqual(plain.labels);
        expect(fit!.inertia / plain.inertia).toBeCloseTo(1, 6);
      }
    },
  );

  test('is the same alone and among fits on the same and on other rows', async () => {
    const x = makeNoise(1500, 4);
    const { X: other } = makeBlobs({ rows: 900, columns: 6, groups: 4 });
    const rows = shared(createRandom(1).sample(1500, 900));
    const weights = sharedWeights(Array.from({ length: 1500 }, (_, i) => 1 + (i % 3)));
    const tasks = [
      ...[task(x, 3), task(x, 8), task(x, 8, { rows }), task(x, 3, { rows }), task(other, 9), task(other, 2)],
      ...[task(x, 5, { weights }), task(x, 5, { rows, weights }), task(x, 6, { rows, weights }), task(x, 8)],
    ];
    const together = await pool.run(tasks);
    for (const [i, one] of tasks.entries()) expect(await pool.run([one])).toEqual([together[i]]);
    expect(together[9]).toEqual(together[1]);
  });

  test('on some rows it is the fit on a matrix of them', async () => {
    const x = makeNoise(1000, 3);
    const rows = shared(createRandom(2).sample(1000, 333));
    const [onRows, onMatrix] = await pool.run([task(x, 6, { rows }), task(takeRows(x, rows), 6)]);
    expect(onRows).toEqual(onMatrix);
  });

  test('sees rows that were changed since the last operation', async () => {
    const x = makeNoise(200, 2);
    const [before] = await pool.run([task(x, 3)]);
    x.data.fill(5, 0, 100);
    const [after] = await pool.run([task(x, 3)]);
    expect(after!.labels).not.toEqual(before!.labels);
    const [fresh] = await pool.run([
      task(
        takeRows(
          x,
          Array.from({ length: 200 }, (_, i) => i),
        ),
        3,
      ),
    ]);
    expect(after).toEqual(fresh);
  });

  test('a refused fit leaves nothing behind for the next one', async () => {
    const x = makeNoise(200, 2);
    x.data[300] = Number.NaN;
    await expect(pool.run([task(x, 3), task(x, 3)])).rejects.toThrow('found NaN in row 100, column 1');
    x.data[300] = 0.5;
    expect((await pool.run([task(x, 3)]))[0]!.inertia).toBeGreaterThan(0);
  });

  test('rows with fewer different values than clusters begin from the centres given', async () => {
    const x = makeNoise(50, 1);
    x.data.fill(1, 2);
    const otherwise = Float64Array.of(0, 1, 2, 30);
    const starts = seededStarts({ k: 4, count: 1, random: createRandom(1), otherwise });
    const [fit] = await pool.run([task(x, 4, { starts })]);
    expect(fit!.centers.every(Number.isFinite)).toBe(true);
    expect(fit!.sizes.reduce((sum, size) => sum + size)).toBe(50);
  });

  test('weights that are whole numbers count as repeated rows', async () => {
    const x = makeNoise(400, 3, 5);
    const random = createRandom(6);
    const weights = sharedWeights(Array.from({ length: 400 }, () => 1 + random.int(4)));
    const repeated = takeRows(
      x,
      Array.from(weights).flatMap((weight, row) => new Array<number>(weight).fill(row)),
    );
    for (const k of [1, 4, 9]) {
      const starts = [
        {
          centers: centersAt(
            x,
            Int32Array.from({ length: k }, (_, i) => i),
          ),
        },
      ];
      const [weighted, plain] = await pool.run([
        task(x, k, { starts, weights }),
        task(repeated, k, { starts }),
      ]);
      expect(weighted!.inertia / plain!.inertia).toBeCloseTo(1, 9);
      weighted!.centers.forEach((value, at) => {
        expect(value).toBeCloseTo(plain!.centers[at]!, 9);
      });
      expect(weighted!.iterations).toBe(plain!.iterations);
      // Repeated rows are drawn as often as heavy ones: the starts are the same, too.
      const [seeded, other] = await pool.run([task(x, k, { weights }), task(repeated, k)]);
      expect(seeded!.inertia / other!.inertia).toBeCloseTo(1, 9);
    }
  });

  test('a cluster that empties gets the farthest row, with its weight', async () => {
    const x = makeNoise(64, 2);
    x.data[10] = 40;
    const weights = sharedWeights(new Array<number>(64).fill(2.5));
    const centers = Float64Array.of(0, 0, 900, 900);
    const [fit] = await pool.run([task(x, 2, { starts: [{ centers }], weights })]);
    expect(Array.from(fit!.sizes)).toEqual([63, 1]);
    expect(fit!.labels[10]).toBe(1);
    expect(fit!.centers[2]).toBeCloseTo(40, 5);
  });

  test.each([0, -1, Number.NaN, Infinity])('the weight %d is refused, with its row', async (wrong) => {
    const x = makeNoise(100, 2);
    const weights = sharedWeights(new Array<number>(100).fill(1));
    weights[42] = wrong;
    await expect(pool.run([task(x, 2, { weights })])).rejects.toThrow(`found ${wrong} for row 42`);
  });

  test('what a thread cannot hold is refused before work, with the rows that it can', async () => {
    const x = { rows: 200_000_000, columns: 12, data: new Float32Array(0) };
    const centers = new Float64Array(24);
    const given = pool.run([task(x, 2, { starts: [{ centers }] })]);
    await expect(given).rejects.toThrow(KernelMemoryError);
    await expect(given).rejects.toThrow(/at most 80\d{6} rows fit/);
    const [seeded] = seededStarts({ k: 2, count: 1, random: createRandom(1), otherwise: centers });
    // What the starts need beside the rows counts too
    await expect(pool.run([task(x, 2, { starts: [seeded!] })])).rejects.toThrow(/at most 6\d{7} rows fit/);
    const silhouettes: SilhouetteTask = {
      ...{ kind: 'silhouette', x: { ...x, rows: 90_000_000 }, k: 2 },
      ...{ labels: new Uint8Array(0), values: new Float64Array(0) },
    };
    await expect(pool.run([silhouettes])).rejects.toThrow(KernelMemoryError);
    await expect(pool.run([silhouettes])).rejects.toThrow(/at most 89\d{6} rows fit, or take a sample/);
  });
});
