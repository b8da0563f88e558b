import { beforeAll, describe, expect, test } from 'vitest';
import { runInThread, ThreadFailure } from '../../../numeric/threads/run-in-thread.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';

const module = new URL('./jobs.ts', import.meta.url).href;

beforeAll(() => buildKernels());

describe('a job in a thread of its own', () => {
  test('works on shared memory in place, hands over parts in order, and gives its result', async () => {
    const cells = new Int32Array(new SharedArrayBuffer(12));
    cells.set([1, 2, 3]);
    const parts: number[] = [];
    const progress: number[] = [];
    const result = await runInThread<number, number>(
      { module, name: 'double', input: { cells } },
      { onPart: (part) => parts.push(part), onProgress: (done) => progress.push(done) },
    );
    expect({ result, parts, progress, cells: [...cells] }).toEqual({
      result: 3,
      parts: [2, 4, 6],
      progress: [1, 2, 3],
      cells: [2, 4, 6],
    });
  });

  test('leaves the event loop free while it loops, and is ended by an abort within 5 s', async () => {
    const abort = new AbortController();
    let turns = 0;
    const watch = setInterval(() => {
      turns += 1;
    }, 10);
    let abortedAt = 0;
    const hanging = runInThread(
      { module, name: 'hang', input: null },
      {
        signal: abort.signal,
        onProgress() {
          turns = 0;
          setTimeout(() => {
            abortedAt = performance.now();
            abort.abort(new Error('enough'));
          }, 200);
        },
      },
    );
    await expect(hanging).rejects.toThrow('enough');
    clearInterval(watch);
    expect(turns).toBeGreaterThan(5);
    expect(performance.now() - abortedAt).toBeLessThan(5_000);
  });

  test('an aborted signal starts none', async () => {
    const started: string[] = [];
    const work = runInThread(
      { module, name: 'double', input: { cells: new Int32Array(1) } },
      { signal: AbortSignal.abort(new Error('too late')), onStart: () => started.push('started') },
    );
    await expect(work).rejects.toThrow('too late');
    expect(started).toEqual([]);
  });
});

describe('a job that goes wrong', () => {
  test('what it throws comes through as what it is', async () => {
    const error = await runInThread({ module, name: 'refuse', input: null }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(RangeError);
    expect((error as Error).message).toBe('2 needed, 1 found');
  });

  test.each([
    ['an export that there is not', { module, name: 'missing' }, /needs to export a function missing/],
    ['a module that there is not', { module: `${module}.not`, name: 'double' }, /jobs\.ts\.not/],
  ])('%s is said', async (_, request, message) => {
    await expect(runInThread({ ...request, input: null })).rejects.toThrow(message);
  });

  test('a thread that leaves without a word is no hang', async () => {
    const error = await runInThread({ module, name: 'leave', input: null }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(ThreadFailure);
  });

  test('one that fills its heap ends alone: the process lives', async () => {
    const filling = runInThread({ module, name: 'fill', input: null }, { heapMegabytes: 64 });
    await expect(filling).rejects.toThrow(/memory/i);
  });
});
