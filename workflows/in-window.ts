import { CancellationScope } from '@temporalio/workflow';

/**
 * Calls for every item, at most `atOnce` at a time: the next one begins as soon as any is done. When one fails, those going
 * on are cancelled and waited for, so that nothing of them writes after the run was closed.
 *
 * @returns the results in the order of the items
 */
export async function inWindow<T, R>(
  items: readonly T[],
  atOnce: number,
  call: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const window = new CancellationScope();
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const number = next++;
      results[number] = await call(items[number]!);
    }
  };
  await window.run(async () => {
    const lanes = Array.from({ length: Math.min(atOnce, items.length) }, lane);
    try {
      await Promise.all(lanes);
    } catch (error) {
      next = items.length;
      window.cancel();
      await Promise.allSettled(lanes);
      throw error;
    }
  });
  return results;
}
