import { Worker } from 'node:worker_threads';

/** What a job is given beside its input. */
export interface ThreadContext<Part> {
  /** Hands over a piece of the result before the end: it is kept when the thread is ended early. */
  onPart(part: Part): void;
  onProgress(done: number, of: number): void;
}

export interface ThreadRequest {
  /** File URL of the module. */
  readonly module: string;
  /** The module's export: a function of the input and a ThreadContext. */
  readonly name: string;
  /** Copied, but for what lies in shared memory. */
  readonly input: unknown;
}

export type ThreadReply =
  | { readonly kind: 'started' }
  | { readonly kind: 'part'; readonly part: unknown }
  | { readonly kind: 'progress'; readonly done: number; readonly of: number }
  | { readonly kind: 'ended'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: { readonly name: string; readonly message: string } };

export interface ThreadOptions<Part> extends Partial<ThreadContext<Part>> {
  /** Aborting it ends the thread, and the threads it started, whatever they are at. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the module is loaded and the job begins. */
  readonly onStart?: (() => void) | undefined;
  /** Of JavaScript objects; arrays in buffers are not counted. Beyond it the thread ends, not the process. */
  readonly heapMegabytes?: number | undefined;
}

/** The thread itself ended before its job: out of memory, or killed. What the job throws is not this. */
export class ThreadFailure extends Error {
  override readonly name = 'ThreadFailure';
}

/**
 * Runs an exported function in a thread of its own, TypeScript or JavaScript, under tsx, vitest and plain Node
 * alike.
 *
 * @returns what the function returns, copied, but for what lies in shared memory
 * @throws RangeError or TypeError as the function threw it; Error for all else it threw, with its name in front;
 *   ThreadFailure when the thread ends without a word; the signal's reason when aborted
 *
 * Starting costs half a second: the thread reads the module and all that it imports anew.
 */
export async function runInThread<R, Part = never>(
  request: ThreadRequest,
  options: ThreadOptions<Part> = {},
): Promise<R> {
  const { signal, heapMegabytes } = options;
  signal?.throwIfAborted();
  // Without execArgv and env a loader of the caller (tsx, vitest) would be started in the thread too.
  const worker = new Worker(new URL('./thread.mjs', import.meta.url), {
    workerData: request,
    name: 'strata-job',
    execArgv: [],
    env: {},
    ...(heapMegabytes && { resourceLimits: { maxOldGenerationSizeMb: heapMegabytes } }),
  });
  let onAbort: () => void = () => undefined;
  try {
    return await new Promise<R>((resolve, reject) => {
      onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      worker.on('message', (reply: ThreadReply) => {
        if (reply.kind === 'started') options.onStart?.();
        else if (reply.kind === 'part') options.onPart?.(reply.part as Part);
        else if (reply.kind === 'progress') options.onProgress?.(reply.done, reply.of);
        else if (reply.kind === 'ended') resolve(reply.value as R);
        else reject(errorFrom(reply.error));
      });
      worker.on('error', (cause) =>
        reject(new ThreadFailure(`the thread failed: ${cause.message}`, { cause })),
      );
      worker.on('exit', (code) =>
        reject(new ThreadFailure(`the thread ended with exit code ${code} before its job`)),
      );
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}

const KINDS: Record<string, new (message: string) => Error> = { RangeError, TypeError };

function errorFrom({ name, message }: { name: string; message: string }): Error {
  const Kind = KINDS[name];
  return Kind ? new Kind(message) : new Error(name === 'Error' ? message : `${name}: ${message}`);
}
