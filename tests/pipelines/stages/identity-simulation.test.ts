import { afterAll, beforeAll, expect, test } from 'vitest';
import { changingShop } from '../../../benchmarks/bases/changing-shop.ts';
import { simulate } from '../../../benchmarks/identity-months.ts';
import { EVENT_KINDS } from '../../../benchmarks/identity-score.ts';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';

// What `npm run bench -- identity` measures over years and shops, for some months of one.

let pool: KernelPool;
beforeAll(() => {
  pool = createKernelPool({ threads: 1 });
});
afterAll(() => pool.close());

test('in a shop that changes by plan, every event is told, keys and names stay, and moves have their causes', async () => {
  const { score, moves } = await simulate(pool, changingShop, {
    ...{ seed: 59, months: 5, customers: 3000, bootstraps: 30, refits: 10, choose: false },
  });
  const faults = EVENT_KINDS.flatMap((kind) => score.events[kind].wrong);
  expect(faults).toEqual([]);
  expect(score.quiet.wrong).toEqual([]);
  expect(score.renamed).toEqual([]);
  expect(score.reused).toEqual([]);
  // The plan of this seed has all of them.
  const right = EVENT_KINDS.map((kind) => [kind, score.events[kind].right]);
  expect(Object.fromEntries(right)).toEqual({ split: 1, merge: 1, birth: 1, retirement: 2, drift: 1 });
  expect(moves).toHaveLength(4);
  for (const { planted, found } of moves)
    for (const cause of ['behaviour', 'model', 'border'] as const)
      expect(Math.abs(found[cause] - planted[cause])).toBeLessThanOrEqual(0.01);
}, 120_000);

test('the key goes with the larger part of a split also when that is the one that leaves', async () => {
  const { score } = await simulate(pool, changingShop, {
    ...{ seed: 179, months: 3, customers: 3000, bootstraps: 5, refits: 2, choose: false },
  });
  expect(EVENT_KINDS.flatMap((kind) => score.events[kind].wrong)).toEqual([]);
  expect(score.quiet.wrong).toEqual([]);
  expect(score.events.split.right).toBe(1);
}, 120_000);
