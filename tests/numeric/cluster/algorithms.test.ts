import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOISE } from '../../../numeric/cluster/algorithm.ts';
import { CONTENDERS } from '../../../numeric/cluster/algorithms.ts';
import { randomGroups, YARDSTICK } from '../../../numeric/cluster/random-groups.ts';
import { adjustedRand } from '../../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../helpers/made-data.ts';

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 2 });
});
afterAll(() => pool.close());

describe.each(CONTENDERS.map((own) => [own.name, own] as const))('%s', (name, candidate) => {
  const { X, groups } = makeBlobs({ rows: 600, columns: 3, groups: 4, spread: 0.3 });
  const k = candidate.takesClusters ? 4 : null;

  test('keeps what the interface promises: labels without gaps, largest first, described as found', async () => {
    const { labels, description, fittedOn } = await candidate.fit(X, k, { pool, seed: 1 });
    const sizes = new Array<number>(description.nClusters).fill(0);
    for (const label of labels) if (label !== NOISE) sizes[label]! += 1;
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(Object.values(description.criteria).every(Number.isFinite)).toBe(true);
    expect(fittedOn.of).toBe(600);
    expect(Object.keys(description.parameters).length).toBeGreaterThan(0);
  });

  test('gives the same bytes on 1, 2 and 4 threads, and leaves its rows as they were', async () => {
    const before = X.data.slice();
    const found: Uint8Array[] = [];
    for (const threads of [1, 2, 4]) {
      const own = createKernelPool({ threads });
      found.push((await candidate.fit(X, k, { pool: own, seed: 'same' })).labels);
      await own.close();
    }
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
    expect(X.data).toEqual(before);
  });

  if (name === YARDSTICK) return;

  test('finds plain groups, and assigns their rows as it fitted them', async () => {
    const { labels, assign } = await candidate.fit(X, k, { pool, seed: 1 });
    expect(adjustedRand(labels, groups)).toBeGreaterThan(0.9);
    const again = await assign(X, { pool });
    expect(adjustedRand(again.labels, labels)).toBeGreaterThan(0.95);
  });
});

describe('random groups', () => {
  test('are as large as the clusters of k-means, and agree with nothing', async () => {
    const { X, groups } = makeBlobs({ rows: 2_000, columns: 3, groups: 4 });
    const { labels, model } = await randomGroups.fit(X, { nClusters: 4 }, { pool, seed: 1 });
    const counts = [0, 1, 2, 3].map((group) => groups.filter((own) => own === group).length);
    expect(model.sizes).toEqual(counts.toSorted((a, b) => b - a));
    expect(Math.abs(adjustedRand(labels, groups))).toBeLessThan(0.02);
  });

  test('assign draws by lot in the same shares, the same for the same row', async () => {
    const { model } = await randomGroups.fit(makeNoise(500, 2), { nClusters: 3 }, { pool, seed: 1 });
    const others = makeNoise(3_000, 2, 9);
    const { labels } = await randomGroups.assign(others, model, { pool });
    expect((await randomGroups.assign(others, model, { pool })).labels).toEqual(labels);
    model.sizes.forEach((size, group) => {
      expect(labels.filter((label) => label === group).length / 3_000).toBeCloseTo(size / 500, 1);
    });
  });
});
