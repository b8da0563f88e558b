import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findClusters, type Search } from '../../activities/cluster.ts';
import { withKernelCodes } from '../../activities/kernel-errors.ts';
import { assignNearest } from '../../numeric/cluster/assign.ts';
import { fitKMeans } from '../../numeric/cluster/k-means.ts';
import { adjustedRand } from '../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../numeric/kernels/pool.ts';
import { type Matrix, matrixFromRows } from '../../numeric/matrix.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { buildKernels } from '../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../numeric/helpers/made-data.ts';

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 2 });
});
afterAll(() => pool.close());

const CLUSTERING = {
  ...{ k: { min: 3, max: 4 }, smallestShare: 0.02, starts: 3 },
  ...{ bootstraps: 10, nullDraws: 19, sampleRows: 1000 },
};

function searchIn(
  matrix: Matrix,
  {
    clustering,
    ...other
  }: Partial<Pick<Search, 'pool' | 'fixedK' | 'outcome'>> & { clustering?: Partial<typeof CLUSTERING> } = {},
): Search {
  const work = { signal: new AbortController().signal, onProgress: () => undefined };
  return {
    pool,
    matrix,
    definition: { clustering: { ...CLUSTERING, ...clustering } },
    seed: 1,
    work,
    ...other,
  };
}

/** The code that the work's error has when it leaves the activity. */
async function codeOf(work: () => Promise<unknown>): Promise<string> {
  const error: unknown = await withKernelCodes({ rows: 100, columns: 2 }, work).catch((caught) => caught);
  return error instanceof PipelineError ? error.code : `not a PipelineError: ${error}`;
}

describe('the clusters that are published', () => {
  test('are those that were scored, carried to all customers', async () => {
    const matrix = makeNoise(30_000, 3);
    const found = await findClusters(searchIn(matrix));
    if ('none' in found) throw new Error(found.none.join());
    const { choice, fit, agreement } = found;
    const chosen = choice.candidates.find(({ k }) => k === choice.k)!;
    const carried = await assignNearest(pool, matrix, chosen.centers);
    expect(adjustedRand(carried.labels, fit.labels)).toBeGreaterThan(0.9);
    expect(agreement.passed).toBe(true);
    // On data without groups a fit from starts of its own is another one
    const other = await fitKMeans(pool, matrix, { nClusters: fit.sizes.length, seed: 1 });
    expect(adjustedRand(carried.labels, other.labels)).toBeLessThan(0.8);
  });

  test('are the scored ones to the last label when all customers were scored', async () => {
    const { X } = makeBlobs({ rows: 900, columns: 3, groups: 4 });
    const found = await findClusters(searchIn(X));
    expect(found).toMatchObject({ agreement: { adjustedRand: 1, passed: true } });
  });
});

describe('no clusters are a verdict about the data', () => {
  test('when too few customers differ', async () => {
    const matrix = matrixFromRows(Array.from({ length: 200 }, (_, i) => [i % 3]));
    expect(await findClusters(searchIn(matrix))).toEqual({
      none: ['choosing from 3 clusters on needs at least 4 different rows, found 3'],
      choice: null,
    });
  });

  test('when at every k some cluster is too small', async () => {
    const search = searchIn(makeNoise(500, 2), { clustering: { smallestShare: 0.45 } });
    expect(await findClusters(search)).toMatchObject({
      none: expect.arrayContaining([expect.stringContaining('every cluster needs 45.0 %')]),
      choice: { k: null, verdict: 'none', candidates: [{ k: 3 }, { k: 4 }] },
    });
  });

  test('when no cluster is found again on resamples, not even nearly', async () => {
    const clustering = { k: { min: 7, max: 8 }, bootstraps: 20 };
    const search = searchIn(makeNoise(1500, 8), { clustering });
    expect(await findClusters(search)).toMatchObject({
      none: expect.arrayContaining([
        expect.stringMatching(/^there is no reproducible segmentation for k from 7 to 8/),
      ]),
      choice: { k: null, verdict: 'none' },
    });
  });
});

describe('a k that a person fixed', () => {
  test('is what is made of all customers, whatever the evidence says, and whatever the range', async () => {
    const { X } = makeBlobs({ rows: 900, columns: 3, groups: 4 });
    for (const fixedK of [3, 6]) {
      const found = await findClusters(searchIn(X, { fixedK }));
      if ('none' in found) throw new Error(found.none.join());
      expect([found.fit.sizes.length, found.choice.decidedBy]).toEqual([fixedK, 'person']);
      expect(found.choice.reasons[0]).toBe(
        `k = ${fixedK} was fixed by a person; the evidence would choose k = 4, which is natural`,
      );
    }
  });
});

describe('what is a fault stays one', () => {
  test.each([
    ['a value that is not finite', (X: Matrix) => X.data.fill(Number.NaN, 3, 4), RangeError],
    ['an array that is too long', () => new Float32Array(2 ** 45), RangeError],
  ])('%s is an error, not a verdict', async (_, fault, kind) => {
    const matrix = makeNoise(500, 2);
    const faulty: KernelPool = {
      ...pool,
      run: (tasks, options) => {
        fault(matrix);
        return pool.run(tasks, options);
      },
    };
    await expect(findClusters(searchIn(matrix, { pool: faulty }))).rejects.toBeInstanceOf(kind);
  });

  test('a matrix beyond the memory of the kernels has its code, and says what fits', async () => {
    const shape = { rows: 200_000_000, columns: 12 };
    const work = withKernelCodes(shape, async () => pool.reserve({ ...shape, k: 8 }));
    await expect(work).rejects.toMatchObject({
      code: 'TOO_MANY_CUSTOMERS',
      message: expect.stringMatching(
        /by 12 features needs at most 80\d{6} customers, found 200000000: set clustering.coresetRows, cluster fewer/,
      ),
      details: { customers: 200_000_000, features: 12 },
    });
  });

  test('a kernel thread that dies has its code', async () => {
    const threads = createKernelPool({ threads: 1 });
    const dying: KernelPool = {
      ...threads,
      run: (tasks, options) => {
        setTimeout(() => threads.close(), 20);
        return threads.run(tasks, options);
      },
    };
    const search = searchIn(makeNoise(20_000, 8), { pool: dying, clustering: { sampleRows: 20_000 } });
    expect(await codeOf(() => findClusters(search))).toBe('KERNEL_FAILED');
  });

  test('other errors pass as they are', async () => {
    const refused = new RangeError('needs 2, found 1');
    const work = withKernelCodes({ rows: 1, columns: 1 }, () => Promise.reject(refused));
    await expect(work).rejects.toBe(refused);
  });
});
