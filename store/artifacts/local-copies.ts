import { AsyncLocalStorage } from 'node:async_hooks';
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createDiskFiles, type DiskFiles, realFs } from './disk-files.ts';

// Files of one process, for readers that want a path: what was fetched and checked, and what was made here. They make
// room for one another by age, but never while the work that was told a path goes on: DuckDB opens a file anew for
// each query.

export interface LocalCopies {
  readonly folder: string;
  /** Lends an empty folder of its own, gone afterwards whatever happens. */
  withIncoming: DiskFiles['withIncoming'];
  /** Of a file that is not wanted in memory. */
  digestFile: DiskFiles['digestFile'];
  /** The copy; where there is none of this size, `fetch` writes one, which has to be checked already. */
  path(uri: string, bytes: number, fetch: (file: string) => Promise<void>): Promise<string>;
  /** Keeps a file that was made here, whose digest is known; it is moved. */
  adopt(file: string, uri: string, bytes: number): Promise<void>;
  /** Drops the copy, where no work uses it. */
  forget(uri: string): Promise<void>;
  /** Paths that are told within stay until the work ends; those told outside of any, as long as the process. */
  during<T>(work: () => Promise<T>): Promise<T>;
}

interface Copy {
  file: string;
  bytes: number;
  /** Works that were told its path. */
  holders: number;
  /** Counts up with each use. */
  usedAt: number;
  ready: Promise<void> | null;
}

/** @param options.limitBytes what is in use may take more */
export function createLocalCopies(folder: string, { limitBytes }: { limitBytes: number }): LocalCopies {
  const files = createDiskFiles(folder, realFs);
  const copies = new Map<string, Copy>();
  const works = new AsyncLocalStorage<Set<Copy>>();
  let uses = 0;

  // A number of its own for each: a file that is being dropped is never one that comes anew.
  const added = (uri: string, bytes: number): Copy => {
    const copy = {
      file: join(folder, `${++uses}-${basename(uri)}`),
      bytes,
      holders: 0,
      usedAt: uses,
      ready: null,
    };
    copies.set(uri, copy);
    return copy;
  };

  function hold(copy: Copy): void {
    copy.usedAt = ++uses;
    const work = works.getStore();
    if (work === undefined) copy.holders = Number.POSITIVE_INFINITY;
    else if (!work.has(copy)) {
      work.add(copy);
      copy.holders += 1;
    }
  }

  async function drop(uri: string, copy: Copy): Promise<void> {
    if (copies.get(uri) === copy) copies.delete(uri);
    await rm(copy.file, { force: true });
  }

  async function makeRoom(bytes = 0): Promise<void> {
    const idle = [...copies]
      .filter(([, copy]) => copy.holders === 0)
      .sort(([, a], [, b]) => a.usedAt - b.usedAt);
    let total = bytes;
    for (const copy of copies.values()) if (copy.ready !== null) total += copy.bytes;
    for (const [uri, copy] of idle) {
      if (total <= limitBytes) return;
      // Each removal takes its time: meanwhile work may have been told the path.
      if (copy.holders > 0 || copies.get(uri) !== copy) continue;
      total -= copy.bytes;
      await drop(uri, copy);
    }
  }

  async function bring(copy: Copy, fetch: (file: string) => Promise<void>): Promise<void> {
    await makeRoom(copy.bytes);
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

    async path(uri, bytes, fetch) {
      const copy = copies.get(uri) ?? added(uri, bytes);
      hold(copy);
      for (;;) {
        const isOurs = copy.ready === null;
        copy.ready ??= bring(copy, fetch);
        const { ready } = copy;
        const isFetched = await ready.then(
          () => true,
          (error: unknown) => {
            if (copy.ready === ready) copy.ready = null;
            // Another's fetch may have ended with that other's work.
            if (isOurs) throw error;
            return false;
          },
        );
        if (isFetched && (await files.sizeOf(copy.file)) === bytes) return copy.file;
        if (copy.ready === ready) copy.ready = null;
      }
    },

    async adopt(file, uri, bytes) {
      const there = copies.get(uri);
      if (there?.ready) return;
      const copy = there ?? added(uri, bytes);
      copy.ready = rename(file, copy.file);
      await copy.ready;
      await makeRoom();
    },

    async forget(uri) {
      const copy = copies.get(uri);
      if (copy?.holders === 0) await drop(uri, copy);
    },

    async during(work) {
      const held = new Set<Copy>();
      try {
        return await works.run(held, work);
      } finally {
        for (const copy of held) copy.holders -= 1;
      }
    },
  };
}
