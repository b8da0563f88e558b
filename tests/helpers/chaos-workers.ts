import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerProcess } from '../../scripts/worker-process.ts';

const RESTART_MS = 250;
const POLLS_WITHIN_MS = 120_000;

/** Workers that an operator's init would start again. */
export interface KeptWorkers {
  /** All of them poll. */
  polling(): Promise<void>;
  /** How often one ended that nobody had killed. */
  ownEnds(): number;
  /** @param which in [0, 1). @returns false when that one is not there; else it stays away for `forMs` */
  kill(which: number, forMs: number): Promise<boolean>;
  end(): Promise<void>;
}

export function keepWorkers(count: number, start: () => Promise<WorkerProcess>): KeptWorkers {
  const workers = Array.from({ length: count }, () => keepWorker(start));
  return {
    async polling() {
      for (const worker of workers) await worker.polling();
    },
    ownEnds: () => workers.reduce((sum, worker) => sum + worker.ownEnds(), 0),
    kill: (which, forMs) => workers[Math.floor(which * count)]!.kill(forMs),
    async end() {
      await Promise.all(workers.map((worker) => worker.end()));
    },
  };
}

/** Starts a worker again whenever it is gone, whatever ended it; one that cannot start yet is tried again. */
function keepWorker(start: () => Promise<WorkerProcess>) {
  let isOver = false;
  let awayMs = 0;
  let ownEnds = 0;
  let current: WorkerProcess | null = null;
  let fault: unknown = null;
  const keep = async () => {
    while (!isOver) {
      current = await start().catch((error: unknown) => {
        fault = error;
        return null;
      });
      if (isOver) await current?.stop();
      else if (current) {
        const { child } = current;
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }
      const isKilled = current?.child.signalCode === 'SIGKILL';
      if (!isKilled && !isOver) ownEnds += 1;
      current = null;
      await sleep(RESTART_MS + awayMs);
      awayMs = 0;
    }
  };
  const keeping = keep();
  const polling = async () => {
    const deadline = performance.now() + POLLS_WITHIN_MS;
    while (!current) {
      if (performance.now() > deadline) throw new Error('no worker starts any more', { cause: fault });
      await sleep(20);
    }
  };
  return {
    polling,
    ownEnds: () => ownEnds,
    async kill(forMs: number) {
      if (!current) return false;
      awayMs = forMs;
      await current.kill();
      return true;
    },
    async end() {
      isOver = true;
      await current?.stop();
      await keeping;
    },
  };
}
