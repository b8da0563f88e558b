import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const SAMPLE_MS = 50;
const KILOBYTE = 1024;

export interface MemorySample {
  /** Milliseconds since 1970. */
  at: number;
  /** Resident set of the process. */
  bytes: number;
}

/** Samples a process's resident memory until stopped; `stop` is repeatable. */
export function startMemoryWatch(pid: number): { stop(): MemorySample[] } {
  const samples: MemorySample[] = [];
  const timer = setInterval(() => samples.push({ at: Date.now(), bytes: residentBytes(pid) }), SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      return samples;
    },
  };
}

function residentBytes(pid: number): number {
  const status = `/proc/${pid}/status`;
  if (existsSync(status)) {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(status, 'utf8'))?.[1] ?? 0) * KILOBYTE;
  }
  return (
    Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).trim()) * KILOBYTE
  );
}
