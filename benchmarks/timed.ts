/** Seconds of each run after one to warm up, which compiles and starts the threads; and what the last one returned. */
export async function timed<T>(
  repeat: number,
  work: () => T | Promise<T>,
): Promise<{ seconds: number[]; result: T }> {
  let result = await work();
  const seconds: number[] = [];
  for (let i = 0; i < repeat; i++)
    seconds.push(
      await secondsOf(async () => {
        result = await work();
      }),
    );
  return { seconds, result };
}

export async function secondsOf(work: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}
