import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const SAMPLE_MS = 500;
const KILOBYTE = 1024;

/**
 * The most memory that these processes and all that they started had at one moment, in bytes: proportional set sizes, so
 * that what processes share (PostgreSQL's buffers) counts once. Null where the system does not tell (it is Linux that does).
 */
export function watchMemoryOfAll(pids: () => readonly number[]): { stop(): Promise<number | null> } {
  let isOver = false;
  let most: number | null = null;
  const watching = (async () => {
    while (!isOver) {
      const now = memoryOf(familyOf(pids()));
      if (now !== null) most = Math.max(most ?? 0, now);
      await sleep(SAMPLE_MS);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await watching;
      return most;
    },
  };
}

function memoryOf(pids: readonly number[]): number | null {
  const found = pids.flatMap((pid) => {
    const pss = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1];
    return pss === undefined ? [] : [Number(pss) * KILOBYTE];
  });
  return found.length === 0 ? null : found.reduce((sum, bytes) => sum + bytes, 0);
}

/** These processes and their descendants. */
function familyOf(pids: readonly number[]): number[] {
  const family = new Set(pids);
  const parents = new Map(parentsOfAll());
  for (let isGrowing = true; isGrowing; ) {
    isGrowing = false;
    for (const [pid, parent] of parents) {
      if (family.has(pid) || !family.has(parent)) continue;
      family.add(pid);
      isGrowing = true;
    }
  }
  return [...family];
}

function parentsOfAll(): [pid: number, parent: number][] {
  return entriesOf('/proc').flatMap((name): [number, number][] => {
    if (!/^\d+$/.test(name)) return [];
    // After the name of the program, which may have blanks and brackets in it: state, parent.
    const parent = /.*\) \S (\d+)/s.exec(read(`/proc/${name}/stat`))?.[1];
    return parent === undefined ? [] : [[Number(name), Number(parent)]];
  });
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Empty of a process that is gone. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
