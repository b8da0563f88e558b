import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdir, rename, rm, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { createDiskFiles, type DiskFiles, realFs } from './disk-files.ts';

// Files of one process, for readers that want a path: what was fetched and checked, and what was made here. They make
// room for one another by age, but never while the work that was told a path goes on: DuckDB opens a file anew for
// each query. They hold customers' rows, so that none stays long after its last use.

/** Copies that change under the hands of others are fetched so often. */
const FETCHES = 4;
const IDLE_MS = 10 * 60_000;
/** Of the disk that others use as well. */
const SHARE_OF_DISK = 0.5;

export interface LocalCopies {
  readonly folder: string;
  /** Lends an empty folder of its own, gone afterwards whatever happens. */
  withIncoming: DiskFiles['withIncoming'];
  /** Of a file that is not wanted in memory. */
  digestFile: DiskFiles['digestFile'];
  /**
   * The copy; where there is none of this size, `fetch` writes one, which has to be checked already.
   *
   * @param signal ends waiting for what another fetches
   */
  path(
    uri: string,
    bytes: number,
    fetch: (file: string) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<string>;
  /** Keeps a file that was made here, whose digest is known; it is moved. */
  adopt(file: string, uri: string, bytes: number): Promise<void>;
  /** Drops the copy, as soon as no work uses it. */
  forget(uri: string): Promise<void>;
  /** Drops all that no work uses. @returns how many */
  dropIdle(): Promise<number>;
  /** Paths that are told within stay until the work ends; those told outside of any, as long as the process. */
  during<T>(work: () => Promise<T>): Promise<T>;
}

interface Copy {
  readonly uri: string;
  readonly file: string;
  readonly bytes: number;
  /** Works that were told its path, and whoever is writing it. */
  holders: number;
  isForgotten: boolean;
  /** Counts up with each use. */
  usedAt: number;
  ready: Promise<void> | null;
  /** While no one holds it. */
  dropsAt: NodeJS.Timeout | undefined;
}

/** @param options.limitBytes what is in use may take more; half of the free disk is the limit where that is less */
export function createLocalCopies(
  folder: string,
  {
    limitBytes,
    idleMs = IDLE_MS,
    freeBytes = () => freeBytesOf(folder),
  }: { limitBytes: number; idleMs?: number; freeBytes?: () => Promise<number> },
): LocalCopies {
  const files = createDiskFiles(folder, realFs);
  const copies = new Map<string, Copy>();
  const works = new AsyncLocalStorage<Set<Copy>>();
  let uses = 0;

  // A number of its own for each: a file that is being dropped is never one that comes anew.
  const added = (uri: string, bytes: number): Copy => {
    const file = join(folder, `${++uses}-${basename(uri)}`);
    const copy = { uri, file, bytes, holders: 0, usedAt: uses, isForgotten: false };
    const fresh: Copy = { ...copy, ready: null, dropsAt: undefined };
    copies.set(uri, fresh);
    return fresh;
  };

  function hold(copy: Copy): void {
    copy.usedAt = ++uses;
    clearTimeout(copy.dropsAt);
    const work = works.getStore();
    if (work === undefined) copy.holders = Number.POSITIVE_INFINITY;
    else if (!work.has(copy)) {
      work.add(copy);
      copy.holders += 1;
    }
  }

  async function letGo(copy: Copy): Promise<void> {
    copy.holders -= 1;
    if (copy.holders > 0) return;
    if (copy.isForgotten) return drop(copy);
    clearTimeout(copy.dropsAt);
    // A timer has nobody to tell a fault to; what is left then goes with the folder.
    copy.dropsAt = setTimeout(() => void dropUnused(copy).catch(() => undefined), idleMs).unref();
  }

  async function drop(copy: Copy): Promise<void> {
    clearTimeout(copy.dropsAt);
    if (copies.get(copy.uri) === copy) copies.delete(copy.uri);
    await rm(copy.file, { force: true });
  }

  /** Each removal takes its time: whoever asks for several looks anew before each. */
  async function dropUnused(copy: Copy): Promise<boolean> {
    if (copy.holders > 0 || copies.get(copy.uri) !== copy) return false;
    await drop(copy);
    return true;
  }

  /** @param coming what is about to be written */
  async function makeRoom(coming?: Copy): Promise<void> {
    const free = await freeBytes();
    let total = 0;
    for (const copy of copies.values()) if (copy.ready !== null) total += copy.bytes;
    const limit = Math.min(limitBytes, SHARE_OF_DISK * (free + total - (coming?.bytes ?? 0)));
    for (const copy of byAge()) {
      if (total <= limit) return;
      if (await dropUnused(copy)) total -= copy.bytes;
    }
  }

  const byAge = () => [...copies.values()].sort((a, b) => a.usedAt - b.usedAt);

  async function dropIdle(): Promise<number> {
    let dropped = 0;
    for (const copy of byAge()) if (await dropUnused(copy)) dropped += 1;
    return dropped;
  }

  /** Held while it is written: what is removed before it is there would never go. */
  async function written(copy: Copy, write: () => Promise<void>): Promise<void> {
    copy.holders += 1;
    clearTimeout(copy.dropsAt);
    try {
      await write();
    } finally {
      await letGo(copy);
    }
  }

  async function bring(copy: Copy, fetch: (file: string) => Promise<void>): Promise<void> {
    await makeRoom(copy);
    await files.withIncoming(async (incoming) => {
      const file = join(incoming, basename(copy.file));
      await fetch(file);
      await rename(file, copy.file);
    });
  }

  return {
    folder,
    withIncoming: files.withIncoming,
    digestFile: files.digestFile,
    dropIdle,

    async path(uri, bytes, fetch, signal) {
      const copy = copies.get(uri) ?? added(uri, bytes);
      hold(copy);
      for (let fetches = 0; ; ) {
        const isOurs = copy.ready === null;
        copy.ready ??= written(copy, () => bring(copy, fetch));
        const { ready } = copy;
        const isFetched = ready.then(
          () => true,
          (error: unknown) => {
            if (copy.ready === ready) copy.ready = null;
            // Another's fetch may have ended with that other's work.
            if (isOurs) throw error;
            return false;
          },
        );
        const isThere = await (isOurs ? isFetched : untilAborted(isFetched, signal));
        if (isThere && (await files.sizeOf(copy.file)) === bytes) return copy.file;
        if (copy.ready === ready) copy.ready = null;
        if (isOurs && ++fetches === FETCHES) throw changing(copy);
      }
    },

    async adopt(file, uri, bytes) {
      const there = copies.get(uri);
      if (there?.ready) return;
      const copy = there ?? added(uri, bytes);
      copy.ready = written(copy, () => rename(file, copy.file));
      await copy.ready;
      await makeRoom();
    },

    async forget(uri) {
      const copy = copies.get(uri);
      if (copy === undefined) return;
      copy.isForgotten = true;
      await dropUnused(copy);
    },

    async during(work) {
      const held = new Set<Copy>();
      try {
        return await works.run(held, work);
      } finally {
        for (const copy of held) await letGo(copy);
      }
    },
  };
}

async function freeBytesOf(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  let end = () => {};
  const aborted = new Promise<never>((_, reject) => {
    end = () => reject(signal.reason);
  });
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function changing({ uri, bytes }: Copy): PipelineError {
  return new PipelineError(
    'ARTIFACT_CORRUPT',
    `local copy of ${uri} needs to stay at ${bytes} bytes, which it did not ${FETCHES} times: ` +
      'nothing but Strata may write in the scratch folder of STRATA_HOME',
    { bytes },
  );
}
