import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import * as nodeFs from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

// A file gets its name only when its bytes are on the disk: written and synced under .incoming, then renamed,
// then the folder is synced. Killed at any point, the name stands for the whole file or for none.

/** What is needed of `node:fs/promises`; tests put faults in its place. */
export type ArtifactFs = Pick<
  typeof nodeFs,
  'mkdir' | 'open' | 'readdir' | 'rename' | 'rm' | 'rmdir' | 'stat' | 'statfs'
>;

export const realFs: ArtifactFs = nodeFs;

const CHUNK_BYTES = 8 * 1024 * 1024;
const DAY_MS = 24 * 3600 * 1000;
const INCOMING = '.incoming';
/** Where a process number says which process it is: on this machine since it was started, and in this container of it. */
const PLACE = `${hostname()}.${processSpace()}`;
/** Folders that this process is writing in. */
const OPENED = new Set<string>();

export interface DiskFiles {
  readonly root: string;
  /** Puts bytes at a path below the root, all or nothing. */
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** Moves a finished file to a path below the root, all or nothing. */
  adopt(from: string, path: string): Promise<void>;
  /** Lends an empty folder of its own, gone afterwards whatever happens. */
  withIncoming<T>(use: (folder: string) => Promise<T>): Promise<T>;
  /** Whole content and its digest in one pass. */
  readDigested(path: string): Promise<{ bytes: Buffer; sha256: string }>;
  /** Digest and size of a file that is not wanted in memory. */
  digestFile(path: string): Promise<{ bytes: number; sha256: string }>;
  /** Size in bytes, null when there is no such file. */
  sizeOf(path: string): Promise<number | null>;
}

/** All paths are absolute; nothing is touched before the first call. */
export function createDiskFiles(root: string, fs: ArtifactFs): DiskFiles {
  const incoming = join(root, INCOMING);
  let opening: Promise<void> | undefined;

  // A failed opening is forgotten, so that a retry after the disk was repaired opens anew.
  const open = () => {
    opening ??= openRoot(fs, incoming).catch((error) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  async function withIncoming<T>(use: (folder: string) => Promise<T>): Promise<T> {
    await open();
    const folder = join(incoming, `${process.pid}-${randomUUID()}@${PLACE}`);
    OPENED.add(basename(folder));
    try {
      await fs.mkdir(folder, { recursive: true });
      return await use(folder);
    } finally {
      await fs.rm(folder, { recursive: true, force: true });
      OPENED.delete(basename(folder));
    }
  }

  async function adopt(from: string, path: string): Promise<void> {
    await syncPath(fs, from);
    const created = await fs.mkdir(dirname(path), { recursive: true });
    await fs.rename(from, path);
    await syncPath(fs, dirname(path));
    if (created) await syncFoldersAbove(fs, dirname(path), root);
  }

  const put = (path: string, bytes: Uint8Array) =>
    withIncoming(async (folder) => {
      const file = join(folder, 'file');
      const handle = await fs.open(file, 'wx');
      try {
        await handle.writeFile(bytes);
      } finally {
        await handle.close();
      }
      await adopt(file, path);
    });

  return {
    root,
    put,
    adopt,
    withIncoming,
    readDigested: (path) => readDigested(fs, path),
    digestFile: (path) => digestFile(fs, path),
    sizeOf: async (path) => {
      try {
        return (await fs.stat(path)).size;
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
  };
}

/** SHA-256 in pieces, letting other work through in between: heartbeats, mostly. */
export async function digestBytes(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let from = 0; from < bytes.byteLength; from += CHUNK_BYTES) {
    if (from > 0) await setImmediate();
    hash.update(bytes.subarray(from, from + CHUNK_BYTES));
  }
  return hash.digest('hex');
}

export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** On Linux the numbers of the process namespace and of the start of the machine; elsewhere there is one for all. */
function processSpace(): string {
  try {
    const space = readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '');
    return `${space}.${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`;
  } catch {
    return '';
  }
}

async function openRoot(fs: ArtifactFs, incoming: string): Promise<void> {
  await fs.mkdir(incoming, { recursive: true });
  for (const name of await fs.readdir(incoming)) {
    const path = join(incoming, name);
    if (await isStale(fs, path)) await fs.rm(path, { recursive: true, force: true });
  }
}

/**
 * Of a process of this place that is gone; of another place nobody here can tell, but no file takes a day to be written.
 * What says no place is of a version before there were any: its age alone would take a slow producer's file away.
 */
async function isStale(fs: ArtifactFs, path: string): Promise<boolean> {
  const name = basename(path);
  const [, pid, place] = /^(\d+)-[^@]*@?(.*)$/.exec(name) ?? [];
  // What has this process's number and was not opened by it is of one before it: in containers all have 1.
  const isWriting = () => (Number(pid) === process.pid ? OPENED.has(name) : isAlive(Number(pid)));
  if (place === PLACE) return !isWriting();
  try {
    const { mtimeMs } = await fs.stat(path);
    return Date.now() - mtimeMs > DAY_MS && (Boolean(place) || !isAlive(Number(pid)));
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function readDigested(fs: ArtifactFs, path: string): Promise<{ bytes: Buffer; sha256: string }> {
  const handle = await fs.open(path, 'r');
  try {
    const { size } = await handle.stat();
    // Memory of its own, never of the shared pool: columns in it can then be viewed without a copy.
    const bytes = Buffer.allocUnsafeSlow(size);
    const hash = createHash('sha256');
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await handle.read(bytes, filled, Math.min(CHUNK_BYTES, size - filled), filled);
      if (bytesRead === 0) break;
      hash.update(bytes.subarray(filled, filled + bytesRead));
      filled += bytesRead;
    }
    return { bytes: bytes.subarray(0, filled), sha256: hash.digest('hex') };
  } finally {
    await handle.close();
  }
}

async function digestFile(fs: ArtifactFs, path: string): Promise<{ bytes: number; sha256: string }> {
  const handle = await fs.open(path, 'r');
  try {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const hash = createHash('sha256');
    let bytes = 0;
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, bytes);
      if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
      hash.update(chunk.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

async function syncPath(fs: ArtifactFs, path: string): Promise<void> {
  const handle = await fs.open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFoldersAbove(fs: ArtifactFs, folder: string, root: string): Promise<void> {
  for (let above = folder; above !== root && above !== dirname(above); ) {
    above = dirname(above);
    await syncPath(fs, above);
  }
}
