import { nextTurn } from '../../kernels/turn.ts';
import type { Random } from '../../random/random.ts';
import type { RowMajor } from '../mixture/row-major.ts';
import { emptyNearest, findNearest, type MixedColumns } from './mixed-rows.ts';

export interface StartOptions {
  readonly k: number;
  readonly mixed: MixedColumns;
  readonly random: Random;
  readonly signal?: AbortSignal | undefined;
}

/**
 * k rows as first prototypes, row-major: each drawn with a chance in proportion to its cost under those before it, the
 * best of a few draws (greedy k-means++, Arthur & Vassilvitskii 2007).
 *
 * @param data at least k different rows, numbers first
 *
 * O(rows * k * log k * columns).
 */
export async function drawPrototypes(data: RowMajor, options: StartOptions): Promise<Float64Array> {
  const { k, mixed, random, signal } = options;
  const { rows, columns, values } = data;
  const prototypes = new Float64Array(k * columns);
  const draws = 2 + Math.floor(Math.log(k));
  let costs = new Float64Array(rows).fill(Infinity);
  for (let c = 0; c < k; c++) {
    let best: { total: number; costs: Float64Array<ArrayBuffer>; row: number } | undefined;
    for (let draw = 0; draw < (c === 0 ? 1 : draws); draw++) {
      const row = c === 0 ? random.int(rows) : drawInProportion(costs, random);
      const lowered = lowerCosts(data, row, { mixed, costs });
      const total = lowered.reduce((sum, cost) => sum + cost, 0);
      if (best === undefined || total < best.total) best = { total, costs: lowered, row };
      await nextTurn();
      signal?.throwIfAborted();
    }
    prototypes.set(values.subarray(best!.row * columns, (best!.row + 1) * columns), c * columns);
    costs = best!.costs;
  }
  return prototypes;
}

/** Costs of all rows with row `row` as one more prototype. */
function lowerCosts(
  data: RowMajor,
  row: number,
  { mixed, costs }: { mixed: MixedColumns; costs: Float64Array },
): Float64Array<ArrayBuffer> {
  const { rows, columns, values } = data;
  const into = emptyNearest(rows);
  const prototypes = values.subarray(row * columns, (row + 1) * columns);
  findNearest(data, [0, rows], { mixed, prototypes, into });
  return Float64Array.from(into.costs, (cost, i) => Math.min(cost, costs[i]!));
}

function drawInProportion(costs: Float64Array, random: Random): number {
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  let rest = random.float() * total;
  let last = 0;
  for (let i = 0; i < costs.length; i++) {
    if (costs[i] === 0) continue;
    last = i;
    rest -= costs[i]!;
    if (rest < 0) break;
  }
  return last;
}
