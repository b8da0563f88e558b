import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClusterActivities, findClusters, type Search } from '../../activities/cluster.ts';
import { readLabels } from '../../activities/columns.ts';
import { adjustedRand } from '../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../numeric/kernels/pool.ts';
import type { Matrix } from '../../numeric/matrix.ts';
import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type { Definition } from '../../pipelines/contracts/definition.ts';
import type { Clustering } from '../../pipelines/contracts/stages.ts';
import { coresetSentence } from '../../pipelines/stages/coreset-words.ts';
import { decodeJson } from '../../store/artifacts/json.ts';
import { writeFeatures } from '../helpers/activity-features.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { assertRepeatable } from '../helpers/repeatable.ts';
import { makeBlobs, makeNoise } from '../numeric/helpers/made-data.ts';

const CLUSTERING = {
  ...{ k: { min: 3, max: 5 }, smallestShare: 0.02, starts: 3 },
  ...{ bootstraps: 10, nullDraws: 19, sampleRows: 1000, coresetRows: 2000 },
} satisfies Partial<Definition['clustering']>;

describe('clusters fitted on a weighted sample', () => {
  let pools: KernelPool[];
  beforeAll(() => {
    pools = [1, 4].map((threads) => createKernelPool({ threads }));
  });
  afterAll(() => Promise.all(pools.map((pool) => pool.close())));

  async function findIn(
    matrix: Matrix,
    {
      clustering = {},
      ...other
    }: Partial<Pick<Search, 'pool' | 'seed' | 'fixedK' | 'earlierCenters' | 'outcome'>> & {
      clustering?: Partial<Definition['clustering']>;
    } = {},
  ) {
    const work = { signal: new AbortController().signal, onProgress: () => undefined };
    const definition = { clustering: { ...CLUSTERING, ...clustering } };
    const found = await findClusters({ pool: pools[1]!, matrix, definition, seed: 1, work, ...other });
    if ('none' in found) throw new Error(found.none.join());
    return found;
  }
  const onAll = { clustering: { coresetRows: undefined } };

  test('are the planted ones, of all customers, and nearly those of a fit on all', async () => {
    const { X, groups } = makeBlobs({ rows: 40_000, columns: 3, groups: 4 });
    const found = await findIn(X);
    const all = await findIn(X, onAll);
    expect(adjustedRand(found.fit.labels, groups)).toBeGreaterThan(0.99);
    expect(adjustedRand(found.fit.labels, all.fit.labels)).toBeGreaterThan(0.99);
    expect(found.fit.sizes.reduce((sum, size) => sum + size, 0)).toBe(40_000);
    expect(found.fit.inertia / all.fit.inertia).toBeLessThan(1.01);
    expect(found.agreement.passed).toBe(true);
    expect(found.coreset).toMatchObject({ of: 40_000 });
    expect(found.coreset!.rows).toBeGreaterThan(1800);
    expect(found.coreset!.rows).toBeLessThanOrEqual(2000);
    expect(Math.abs(found.coreset!.inertiaError)).toBeLessThan(0.1);
    expect(found.coreset!.stepGain).toBeLessThan(0.01);
    expect(all.coreset).toBeUndefined();
  });

  test('with no more customers than the sample may have, all is as without the setting', async () => {
    const same = makeNoise(2000, 3);
    const found = await findIn(same, { fixedK: 4 });
    expect(found).toEqual(await findIn(same, { fixedK: 4, ...onAll }));
    expect(found.coreset).toBeUndefined();
    const { coreset } = await findIn(makeNoise(2001, 3), { fixedK: 4 });
    expect(coreset).toMatchObject({ of: 2001 });
  });

  test('are the same for 1 and 4 threads, and others for another seed', async () => {
    const X = makeNoise(20_000, 3);
    const found = await findIn(X, { fixedK: 4 });
    expect(await findIn(X, { fixedK: 4, pool: pools[0]! })).toEqual(found);
    const other = await findIn(X, { fixedK: 4, seed: 2 });
    expect(other.coreset).not.toEqual(found.coreset);
  });

  test('are as many as a person fixed, beyond the range too, and go on from earlier centres and later spend', async () => {
    const { X, groups } = makeBlobs({ rows: 10_000, columns: 3, groups: 4 });
    expect((await findIn(X, { fixedK: 7 })).fit.sizes.length).toBe(7);
    const outcome = Float64Array.from(groups, (group, row) => 100 * group + (row % 50));
    const earlierCenters = (await findIn(X)).fit.centers;
    const { fit, choice, coreset } = await findIn(X, { earlierCenters, outcome });
    expect(adjustedRand(fit.labels, groups)).toBeGreaterThan(0.99);
    expect(choice.candidates.find(({ k }) => k === 4)!.outcomeSeparation).toBeGreaterThan(0.9);
    expect(coreset).toMatchObject({ of: 10_000 });
  });

  test('need no memory of the kernels for all customers, so that none is asked for', async () => {
    const asked: number[] = [];
    const watched: KernelPool = {
      ...pools[1]!,
      reserve: (shape) => {
        asked.push(shape.rows);
        return pools[1]!.reserve(shape);
      },
    };
    const X = makeNoise(30_000, 3);
    await findIn(X, { fixedK: 4, pool: watched });
    expect(asked).toEqual([]);
    await findIn(X, { fixedK: 4, pool: watched, ...onAll });
    expect(asked).toContain(30_000);
  });
});

describe('a run of a definition with coresetRows', () => {
  const ROWS = 20_000;
  let shop: ActivityShop;
  beforeAll(async () => {
    const clustering = { ...CLUSTERING, sampleRows: 500, coresetRows: 1000 };
    shop = await openActivityShop({ definition: { clustering } });
  }, 60_000);
  afterAll(() => shop?.close());

  const readJson = async (ref: ArtifactRef) => decodeJson(await shop.context.artifacts.read(ref)) as never;

  test('says in its quality, reasons and record what the sample costs; twice it is the same, with any threads', async () => {
    const { execution: workflow } = await shop.openWorkflow();
    const { run } = await shop.perform('openRun', { input: {}, workflow, scheduledAt: null });
    const features = await writeFeatures(shop.context.artifacts, run, ROWS);
    const clustering = await assertRepeatable(
      async () => {
        await shop.forgetSteps(run.runId);
        const { ms: _, ...found } = (await shop.perform('fitClusters', { run, features })) as Clustering;
        return found;
      },
      () => shop.snapshot(),
    );
    const { quality, reasons, sizes } = clustering;
    expect(quality.coreset).toMatchObject({ of: ROWS });
    expect(reasons).toContain(coresetSentence(quality.coreset!));
    const record: { published: object } = await readJson(clustering.candidates!);
    expect(record.published).toMatchObject({ coreset: quality.coreset });
    const { labels } = await readLabels(shop.context.artifacts, clustering.labels);
    expect(labels.length).toBe(ROWS);
    expect(sizes.map((_, c) => labels.filter((label) => label === c).length)).toEqual(sizes);
    await shop.forgetSteps(run.runId);
    const { fitClusters } = createClusterActivities({ ...shop.context, threads: 1 });
    const { ms: _, ...onOneThread } = (await shop
      .environment()
      .run(fitClusters as (input: unknown) => Promise<Clustering>, { run, features })) as Clustering;
    expect(onOneThread).toEqual(clustering);
  });
});
