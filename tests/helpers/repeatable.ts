import { expect } from 'vitest';

/**
 * Temporal may run anything twice: the second time must return the same and leave the same.
 *
 * @param snapshot all that the work may have changed
 */
export async function assertRepeatable<O>(
  work: () => Promise<O>,
  snapshot: () => Promise<unknown>,
): Promise<O> {
  const first = await work();
  const left = await snapshot();
  const second = await work();
  expect(second).toEqual(first);
  expect(await snapshot()).toEqual(left);
  return first;
}
