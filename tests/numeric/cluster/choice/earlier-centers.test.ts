import { afterAll, beforeAll, expect, test } from 'vitest';
import { chooseK } from '../../../../numeric/cluster/choice/choose-k.ts';
import { adjustedRand } from '../../../../numeric/compare/adjusted-rand.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { matrixFromRows } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 1 });
});
afterAll(() => pool.close());

/**
 * Four like blobs at the corners of a rectangle: two clusters are left and right, or low and high, and both are as good
 * in a square.
 */
function corners(width: number) {
  const random = createRandom(1);
  const offsets = Array.from({ length: 50 }, () => [0.3 * random.normal(), 0.3 * random.normal()] as const);
  const blob = offsets.flatMap(([a, b]) => [
    [a, b],
    [b, a],
  ]);
  const places = [0, 1, 2, 3].flatMap((corner) => blob.map(([a, b]) => ({ corner, a: a!, b: b! })));
  return {
    X: matrixFromRows(places.map(({ corner, a, b }) => [(corner % 2) * width + a, (corner >> 1) * 4 + b])),
    right: Uint8Array.from(places, ({ corner }) => corner % 2),
  };
}

const OPTIONS = { seed: 1, kMin: 2, kMax: 3, bootstraps: 10, nullDraws: 1 };
const [beside, above] = [
  (width: number) => Float64Array.of(0, 2, width, 2),
  (width: number) => Float64Array.of(width / 2, 0, width / 2, 4),
];

test('among near ties the one that goes on from the earlier centres is taken', async () => {
  const { X, right } = corners(4);
  const found = async (earlierCenters: Float64Array) => {
    const { candidates } = await chooseK(pool, X, { ...OPTIONS, earlierCenters });
    return adjustedRand(candidates.find(({ k }) => k === 2)!.labels, right);
  };
  expect(await found(beside(4))).toBe(1);
  expect(await found(above(4))).toBeLessThan(0.1);
});

test('and is not called stable for it', async () => {
  const { X } = corners(4);
  const { candidates } = await chooseK(pool, X, { ...OPTIONS, earlierCenters: beside(4) });
  expect(candidates.find(({ k }) => k === 2)!.gates.stability.passed).toBe(false);
});

test('a better clustering is taken all the same', async () => {
  const { X, right } = corners(5);
  const { candidates } = await chooseK(pool, X, { ...OPTIONS, earlierCenters: above(5) });
  expect(adjustedRand(candidates.find(({ k }) => k === 2)!.labels, right)).toBe(1);
});

test('where both come to the same clusters it changes not a byte', async () => {
  const { X } = corners(5);
  const fresh = await chooseK(pool, X, OPTIONS);
  expect(await chooseK(pool, X, { ...OPTIONS, earlierCenters: beside(5) })).toEqual(fresh);
});

test('centres that do not fit are refused', async () => {
  const { X } = corners(5);
  await expect(chooseK(pool, X, { ...OPTIONS, earlierCenters: Float64Array.of(1) })).rejects.toThrow(
    RangeError,
  );
  const broken = Float64Array.of(0, Number.NaN);
  await expect(chooseK(pool, X, { ...OPTIONS, earlierCenters: broken })).rejects.toThrow('need to be finite');
});
