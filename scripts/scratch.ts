import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

// Copies of customers' data lie in the scratch folder while a stage runs. A process that is killed cannot take its
// own away, so the next one does: each has a folder that says whose it is.

const DAY_MS = 24 * 3600 * 1000;
const opened = new Set<string>();

interface Scratch {
  folder: string;
  remove(): Promise<void>;
}

/** For a folder of this process below the root: it stays as long as the process, and goes with the next after it. */
export function scratchName(): string {
  const name = `${process.pid}-${randomUUID()}@${hostname()}`;
  opened.add(name);
  return name;
}

/** A folder of this process below the root, without what processes that are gone left there. */
export async function openScratch(root: string): Promise<Scratch> {
  const name = scratchName();
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  for (const other of await readdir(root)) if (!opened.has(other)) await sweep(join(root, other), other);
  return {
    folder,
    async remove() {
      await rm(folder, { recursive: true, force: true });
      opened.delete(name);
    },
  };
}

async function sweep(path: string, name: string): Promise<void> {
  const [, pid, host] = /^(\d+)-[0-9a-f-]{36}@(.+)$/.exec(name) ?? [];
  if (pid === undefined) return removeOld(path);
  if (host === hostname()) {
    // What has this process's number and was not opened by it is of one before it: in containers all have 1.
    if (Number(pid) !== process.pid && isAlive(Number(pid))) return;
    return rm(path, { recursive: true, force: true });
  }
  // Of another machine or container nobody here can tell whether it lives; no stage of it lasts a day.
  for (const child of await readdir(path).catch(() => [])) await removeOld(join(path, child));
}

async function removeOld(path: string): Promise<void> {
  const status = await stat(path).catch(() => null);
  if (status && Date.now() - status.mtimeMs > DAY_MS) await rm(path, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
