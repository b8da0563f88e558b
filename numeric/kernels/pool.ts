// Threads that run the compiled kernels, so that the caller's event loop stays free: the main thread only
// sends tasks and receives replies. One operation runs at a time and has all threads; others queue.
//
// Threads are started at the first operation, and again when one has died. Memory of a fit is kept at its
// high-water mark until the pool is closed, since shared memory that no thread can see the end of is not
// given back reliably.

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { ABORT, createControls, DONE, ITERATIONS } from './control.mjs';
import { KernelMemoryError } from './errors.mjs';
import { shapeOf } from './fit.mjs';
import { layoutOf, MAX_BYTES, maxRows, maxSilhouetteRows, type Shape } from './layout.mjs';
import { createMemory, growTo } from './memory.mjs';
import type { FitTask, ResultOf, Task } from './tasks.ts';
import { AbortedInThread, type KernelThread, startThread } from './thread.ts';

export interface RunOptions {
  /** Aborting it rejects the operation with the signal's reason within a second. */
  readonly signal?: AbortSignal | undefined;
  /** Called about ten times a second while pieces of work get done. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

export interface KernelPool {
  readonly threads: number;
  /**
   * Runs the tasks, each on one thread, in order of the list as threads become free.
   *
   * @returns one result per task, in the same order
   * @throws RangeError from a task; KernelFailure when a thread dies or has no memory; Error when the pool is
   *   closed
   */
  run<T extends Task>(tasks: readonly T[], options?: RunOptions): Promise<ResultOf<T>[]>;
  /**
   * Memory for a fit by all threads together.
   *
   * @throws KernelMemoryError when 32-bit addresses cannot hold it, naming the number of rows that they can;
   *   KernelFailure when the machine has no such memory
   */
  reserve(shape: { rows: number; columns: number; k: number }): WebAssembly.Memory;
  /** Ends all threads; work in progress is rejected. */
  close(): Promise<void>;
}

const PROGRESS_MS = 100;

/**
 * @param threads at least 1; default: the cores this process may use
 * @throws RangeError when threads is not a positive integer; Error when the kernels have not been built
 */
export function createKernelPool({ threads = availableParallelism() } = {}): KernelPool {
  if (!Number.isInteger(threads) || threads < 1)
    throw new RangeError(`a kernel pool needs at least 1 thread, found ${threads}`);
  const module = loadKernels();
  const crew: KernelThread[] = [];
  let memory: WebAssembly.Memory | undefined;
  let tail: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const liveThreads = () => {
    if (isClosed) throw new Error('the kernel pool is closed');
    for (let i = 0; i < threads; i++) {
      if (crew[i] === undefined || crew[i]!.isDead) crew[i] = startThread(module);
    }
    return crew;
  };

  return {
    threads,
    run<T extends Task>(tasks: readonly T[], options: RunOptions = {}) {
      const turn = tail.then(() => {
        options.signal?.throwIfAborted();
        for (const task of tasks) refuseTask(task);
        return runOnThreads(liveThreads(), tasks, options);
      });
      tail = turn.catch(() => undefined);
      return turn;
    },
    reserve(shape) {
      refuseTooLarge(shape);
      memory ??= createMemory();
      growTo(memory, layoutOf(shape).bytes);
      return memory;
    },
    async close() {
      isClosed = true;
      await Promise.all(crew.map((thread) => thread.end()));
      memory = undefined;
    },
  };
}

async function runOnThreads<T extends Task>(
  crew: readonly KernelThread[],
  tasks: readonly T[],
  { signal, onProgress }: RunOptions,
): Promise<ResultOf<T>[]> {
  const controls = createControls(crew.length);
  const sources = sourcesOf(tasks);
  const results: ResultOf<T>[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const stop = () => {
    for (const control of controls) Atomics.store(control, ABORT, 1);
  };
  const drain = async (thread: KernelThread, own: Int32Array) => {
    while (next < tasks.length && failures.length === 0 && !signal?.aborted) {
      const index = next++;
      const task = tasks[index]!;
      // Fits are whole on one thread; the other kinds share one list of pieces.
      const control = task.kind === 'fit' ? own : controls[0]!;
      results[index] = (await thread.perform({ task, control, source: sources[index]! })) as ResultOf<T>;
    }
  };

  const watch = onProgress && setInterval(() => onProgress(doneOf(controls, tasks)), PROGRESS_MS);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await Promise.all(
      crew.map((thread, i) =>
        drain(thread, controls[i]!).catch((error: unknown) => {
          failures.push(error);
          stop();
        }),
      ),
    );
  } finally {
    clearInterval(watch);
    signal?.removeEventListener('abort', stop);
  }
  signal?.throwIfAborted();
  if (failures.length > 0) throw failures.find((error) => !(error instanceof AbortedInThread)) ?? failures[0];
  return results;
}

let lastSource = 0;

/** A new number wherever a fit's rows are others than those of the fit before it. */
function sourcesOf(tasks: readonly Task[]): number[] {
  let before: FitTask | undefined;
  return tasks.map((task) => {
    if (task.kind !== 'fit') return 0;
    const isSame =
      before !== undefined &&
      before.x === task.x &&
      before.rows === task.rows &&
      before.weights === task.weights;
    before = task;
    if (!isSame) lastSource += 1;
    return lastSource;
  });
}

function doneOf(controls: readonly Int32Array[], tasks: readonly Task[]): number {
  const counter = tasks[0]?.kind === 'teamFit' ? ITERATIONS : DONE;
  return controls.reduce((sum, control) => sum + Atomics.load(control, counter), 0);
}

function loadKernels(): WebAssembly.Module {
  const url = new URL('./build/kernels.wasm', import.meta.url);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = readFileSync(url);
  } catch (cause) {
    throw new Error('the kernels have not been built: run node scripts/build-kernels.mjs', { cause });
  }
  return new WebAssembly.Module(bytes);
}

/** @throws KernelMemoryError when a thread could not hold what the task needs */
function refuseTask(task: Task): void {
  if (task.kind === 'fit') refuseTooLarge(shapeOf(task));
  if (task.kind !== 'silhouette') return;
  const { rows, columns } = task.x;
  const mostRows = maxSilhouetteRows({ columns, k: task.k });
  if (rows <= mostRows) return;
  throw new KernelMemoryError(
    `silhouettes of ${rows} rows x ${columns} columns need more kernel memory than the 4 GiB there can be: at ` +
      `most ${mostRows} rows fit, or take a sample`,
    mostRows,
  );
}

function refuseTooLarge(shape: Shape): void {
  const { bytes } = layoutOf(shape);
  if (bytes <= MAX_BYTES) return;
  const gigabytes = (bytes / 2 ** 30).toFixed(1);
  const mostRows = maxRows(shape);
  throw new KernelMemoryError(
    `fitting ${shape.rows} rows x ${shape.columns} columns needs ${gigabytes} GiB of kernel memory, of which ` +
      `there can be 4 GiB: at most ${mostRows} rows fit, or fit on a sample and assign the rest`,
    mostRows,
  );
}
