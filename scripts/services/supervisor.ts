import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { formatDuration } from '../log.ts';
import { isAlive } from '../set-up/processes.mjs';
import type { ServiceRecord } from './state.ts';

/** A look is one small file on Linux, elsewhere a run of ps. */
const LOOK_EVERY_MS = process.platform === 'linux' ? 250 : 1_000;
const BACKOFF_MS = { first: 250, longest: 30_000 } as const;
/** A service that has lived this long is healthy again; its next death starts at the first distance. */
const HEALTHY_AFTER_MS = 60_000;

interface SuperviseOptions {
  readonly name: string;
  readonly record: ServiceRecord;
  /** Brings the service back at the same port; when another process has done so already, finds it. */
  readonly recover: (dead: ServiceRecord) => Promise<ServiceRecord>;
  readonly log: Log;
}

export interface Supervision {
  /** No further restart after this has resolved; one that is under way is waited for. */
  readonly end: () => Promise<void>;
}

/**
 * Starts a service again when its process is gone. It looks at the process table rather than waits for
 * its child's exit: an adopted service is nobody's child here. A service that keeps dying is tried at
 * growing distances, so that the log stays readable and the machine usable.
 */
export function supervise({ name, record, recover, log }: SuperviseOptions): Supervision {
  const stopped = new AbortController();
  const pause = (ms: number) => sleep(ms, undefined, { ref: false, signal: stopped.signal }).catch(() => {});

  const watch = async () => {
    let current = record;
    let backoffMs: number = BACKOFF_MS.first;
    let broughtBackAt = performance.now();
    while (!stopped.signal.aborted) {
      await pause(LOOK_EVERY_MS);
      if (stopped.signal.aborted || isAlive(current)) continue;
      const goneAt = performance.now();
      if (goneAt - broughtBackAt > HEALTHY_AFTER_MS) backoffMs = BACKOFF_MS.first;
      try {
        const dead = current;
        current = await recover(dead);
        broughtBackAt = performance.now();
        const time = formatDuration(broughtBackAt - goneAt);
        log.warn(
          `${name} (process ${dead.pid}) was gone; it runs again on port ${current.port} after ${time}`,
        );
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.warn(`${name} could not be started again, next try in ${formatDuration(backoffMs)}: ${reason}`);
      }
      await pause(backoffMs);
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MS.longest);
    }
  };
  const watching = watch();
  return {
    end: () => {
      stopped.abort();
      return watching;
    },
  };
}
