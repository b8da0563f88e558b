import { Worker } from 'node:worker_threads';
import { KernelFailure } from './errors.mjs';
import type { Fit, Reply, Request } from './tasks.ts';

/** One kernel thread. It keeps the process alive only while it works. */
export interface KernelThread {
  readonly isDead: boolean;
  /** Rejects when the task fails, and with KernelFailure when the thread dies; never hangs on a dead thread. */
  perform(request: Request): Promise<Fit | null>;
  end(): Promise<void>;
}

/** A thread left because the operation was aborted: the reason is known elsewhere. */
export class AbortedInThread extends Error {
  override name = 'AbortedInThread';
}

export function startThread(module: WebAssembly.Module): KernelThread {
  // Without execArgv and env a loader of the caller (tsx, vitest) would be started in the thread too.
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
    workerData: { module },
    name: 'strata-kernels',
    execArgv: [],
    env: {},
  });
  let settle: { resolve(value: Fit | null): void; reject(error: Error): void } | undefined;
  let death: Error | undefined;
  const die = (error: Error) => {
    death ??= error;
    settle?.reject(death);
  };
  worker.on('error', (cause) =>
    die(new KernelFailure(`a kernel thread failed: ${cause.message}`, { cause })),
  );
  worker.on('exit', (code) =>
    die(new KernelFailure(`a kernel thread ended with exit code ${code} while in use`)),
  );
  worker.on('message', (reply: Reply) => {
    if ('value' in reply) settle?.resolve(reply.value);
    else settle?.reject(errorFrom(reply.error));
  });
  // After the listeners: the one for messages would keep the process alive again.
  worker.unref();

  return {
    get isDead() {
      return death !== undefined;
    },
    async perform(request) {
      if (death !== undefined) throw death;
      worker.ref();
      try {
        return await new Promise<Fit | null>((resolve, reject) => {
          settle = { resolve, reject };
          worker.postMessage(request);
        });
      } finally {
        settle = undefined;
        worker.unref();
      }
    },
    async end() {
      await worker.terminate();
    },
  };
}

function errorFrom({ name, message }: { name: string; message: string }): Error {
  if (name === 'RangeError') return new RangeError(message);
  if (name === 'Aborted') return new AbortedInThread();
  if (name === 'KernelFailure') return new KernelFailure(message);
  return new KernelFailure(`a kernel thread failed: ${name}: ${message}`);
}
