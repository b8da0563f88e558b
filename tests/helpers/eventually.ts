import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again as long as what is asked is away, or has not heard of it yet. @throws the last refusal */
export async function eventually<T>(ask: () => Promise<T>, withinMs: number): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(200);
    }
  }
}
