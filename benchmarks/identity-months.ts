import type { KernelPool } from '../numeric/kernels/pool.ts';
import { createRandom, type Random } from '../numeric/random/random.ts';
import type { Month } from './bases/changing-shop.ts';
import { runStages, type SimulatedRun } from './identity-run.ts';
import { createScorer, type IdentityScore } from './identity-score.ts';
import { type KnownMonth, plantedMoves, type Shares, truthOf } from './identity-truth.ts';
import { columnsOf } from './simulated-definition.ts';

export const CAUSES = ['behaviour', 'model', 'border'] as const;

export interface MonthOfMoves {
  seed: number;
  month: number;
  planted: Shares;
  found: Shares;
}

export interface SimulationOptions {
  seed: number;
  months: number;
  /** In the first month. */
  customers: number;
  bootstraps: number;
  /** Fits on fresh customers that say how wide the borders truly are. */
  refits: number;
  /** As many segments as the evidence says, not as many as are planted. */
  choose: boolean;
}

export interface Simulated {
  score: IdentityScore;
  moves: MonthOfMoves[];
}

/** One shop from its first month to its last. */
export async function simulate(
  pool: KernelPool,
  shopOf: (random: Random, size: { months: number; size: number }) => Iterable<Month>,
  options: SimulationOptions,
): Promise<Simulated> {
  const { seed, months, customers: size, bootstraps, refits, choose } = options;
  const random = createRandom(seed);
  const { score, add } = createScorer();
  const moves: MonthOfMoves[] = [];
  let run: SimulatedRun | null = null;
  let before: KnownMonth | null = null;
  for (const month of shopOf(random.fork('plan'), { months, size })) {
    const columns = columnsOf(month.figures(random.fork('figures').fork(month.month)));
    const ids = month.customers.map(({ id }) => id);
    const found = await runStages({ ids, columns, k: choose ? null : month.places.size }, run, {
      ...{ pool, bootstraps, seed: month.month },
    });
    add(month, found);
    const truth = await truthOf(month, columns, {
      ...{ pool, refits, random: random.fork('truth').fork(month.month) },
    });
    const known = { month, columns, truth };
    const moved = found?.movements?.moved;
    if (before && found && moved) {
      const common = found.identities.commonCustomers;
      const shares = (cause: (typeof CAUSES)[number]) => moved[cause].customers / common;
      const planted = await plantedMoves(pool, before, known);
      const told = { behaviour: shares('behaviour'), model: shares('model'), border: shares('border') };
      moves.push({ seed, month: month.month, planted, found: told });
    }
    if (found) run = found;
    before = known;
    if (process.stdout.isTTY)
      process.stdout.write(`\rseed ${seed}, month ${month.month + 1} of ${months}\x1b[K\r`);
  }
  return { score, moves };
}
