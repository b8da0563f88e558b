import { expect } from 'vitest';
import type { ActivityName, ActivityShop, InputOf, ResultOf } from './activity-shop.ts';

/**
 * Once, again after an answer that was lost, and again after a crash that came before the result was kept: the same result,
 * rows and files each time.
 *
 * @param performed takes the activity's name
 */
export async function performThreeTimes<N extends ActivityName>(
  shop: ActivityShop,
  name: N,
  input: InputOf<N>,
  performed?: Set<string>,
): Promise<ResultOf<N>> {
  performed?.add(name);
  const first = await shop.perform(name, input, shop.environment(1));
  const left = await shop.snapshot();
  // Soft, so that one fault does not hide those of the stages behind it.
  const second = await shop.perform(name, input, shop.environment(2));
  expect.soft(withoutMs(second), `${name} after a lost answer`).toEqual(withoutMs(first));
  // What PostgreSQL keeps is asked of it again, and takes its time.
  if (name !== 'loadMemberships') expect.soft(second).toEqual(first);
  expect.soft(await shop.snapshot(), `what ${name} leaves after a lost answer`).toEqual(left);
  const runId = runIdOf(input, first);
  if (runId !== undefined) await shop.forgetSteps(runId);
  const again = await shop.perform(name, input, shop.environment(3));
  expect.soft(withoutMs(again), `${name} done anew`).toEqual(withoutMs(first));
  const { rows, files } = await shop.snapshot();
  expect.soft(rows, `rows of ${name} done anew`).toEqual(left.rows);
  expect.soft(lasting(files), `files of ${name} done anew`).toEqual(lasting(left.files));
  return again as ResultOf<N>;
}

/** The time a piece of work took is the one thing that may differ when the work is done again. */
function withoutMs(result: unknown): unknown {
  if (result === null || typeof result !== 'object') return result;
  const { ms: _, ...product } = result as { ms?: number };
  return product;
}

const lasting = (files: string[]) => files.filter((file) => !file.startsWith('.steps/'));

function runIdOf(input: object, result: unknown): string | undefined {
  if ('runId' in input) return input.runId as string;
  return (('run' in input ? input : result) as { run?: { runId: string } } | null)?.run?.runId;
}
