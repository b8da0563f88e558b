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
    ...{ seed: 3, months: 10, customers: 2500, bootstraps: 10, choose: false },
  });
  const faults = EVENT_KINDS.flatMap((kind) => score.events[kind].wrong);
  expect(faults).toEqual([]);
  expect(score.quiet.wrong).toEqual([]);
  expect(score.renamed).toEqual([]);
  expect(score.reused).toEqual([]);
  // The plan of this seed has something to be found.
  for (const kind of ['split', 'merge', 'birth', 'drift'] as const)
    expect(score.events[kind].right).toBeGreaterThan(0);
  expect(moves).toHaveLength(9);
  for (const { planted, found } of moves)
    for (const cause of ['behaviour', 'model', 'border'] as const)
      expect(Math.abs(found[cause] - planted[cause])).toBeLessThanOrEqual(0.01);
}, 120_000);
