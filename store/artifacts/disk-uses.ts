import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { ArtifactKind } from '../../pipelines/contracts/artifacts.ts';
import { type ArtifactFs, type DiskFiles, isMissing } from './disk-files.ts';

// Which run uses which artifact, as empty files: `.uses/<uri>/<run>` answers whether another run needs an
// artifact, `.runs/<run>/<uri, dashed>` which artifacts a run has. A marker is set before its artifact is
// looked for, so a release that goes on at the same time sees it. A database was refused: the artifacts must
// stay readable, and removable, without one.

const MARKER_ATTEMPTS = 10;

export interface DiskUses {
  /** Notes that a run uses an artifact; a second time changes nothing. */
  mark(runId: string, uri: string): Promise<void>;
  /** Takes the run's marks away, and the artifacts that no mark is left for. */
  release(
    runId: string,
    keep: readonly ArtifactKind[],
    onRemoved: (path: string) => void,
  ): Promise<{ removed: number; bytes: number }>;
}

export function createDiskUses(files: DiskFiles, fs: ArtifactFs): DiskUses {
  const usesOf = (uri: string) => join(files.root, '.uses', uri);
  const usedBy = (runId: string) => join(files.root, '.runs', fileName(runId));

  async function mark(runId: string, uri: string): Promise<void> {
    await touch(fs, join(usedBy(runId), markName(uri)));
    await touch(fs, join(usesOf(uri), fileName(runId)));
  }

  /** Bytes freed; null when another run uses the artifact, or it was gone already. */
  async function removeUnused(uri: string): Promise<number | null> {
    if (!(await removeEmptyFolder(fs, usesOf(uri)))) return null;
    const path = join(files.root, uri);
    const bytes = await files.sizeOf(path);
    if (bytes === null) return null;
    return files.withIncoming(async (folder) => {
      const aside = join(folder, randomUUID());
      // Another release of the same artifact may have been faster.
      if (!(await moved(fs, path, aside))) return null;
      // A writer may have marked and found the file in between: it gets it back.
      if ((await namesIn(fs, usesOf(uri))).length === 0) return bytes;
      await fs.rename(aside, path);
      return null;
    });
  }

  async function release(
    runId: string,
    keep: readonly ArtifactKind[],
    onRemoved: (path: string) => void,
  ): Promise<{ removed: number; bytes: number }> {
    const total = { removed: 0, bytes: 0 };
    for (const name of await namesIn(fs, usedBy(runId))) {
      const uri = uriOfMark(name);
      if (keep.some((kind) => uri.startsWith(`${kind}/`))) continue;
      await fs.rm(join(usesOf(uri), fileName(runId)), { force: true });
      const bytes = await removeUnused(uri);
      if (bytes !== null) {
        total.removed += 1;
        total.bytes += bytes;
        onRemoved(join(files.root, uri));
      }
      // Last, so that a release that was killed finds this artifact again.
      await fs.rm(join(usedBy(runId), name), { force: true });
    }
    await removeEmptyFolder(fs, usedBy(runId));
    return total;
  }

  return { mark, release };
}

/** A run id as the name of a file, whatever characters it has. */
export function fileName(id: string): string {
  return encodeURIComponent(id).replace(/^\.+/, (dots) => '%2E'.repeat(dots.length));
}

/** An artifact as the name of a run's mark: `<kind>-<aa>-<sha256>.<ending>`. */
export function markName(uri: string): string {
  return uri.replaceAll('/', '-');
}

/** Kinds have no dash. */
export function uriOfMark(markerName: string): string {
  return markerName.replace('-', '/').replace('-', '/');
}

async function touch(fs: ArtifactFs, path: string): Promise<void> {
  const folder = dirname(path);
  for (let attempt = 1; ; attempt++) {
    try {
      await fs.mkdir(folder, { recursive: true });
      await (await fs.open(path, 'a')).close();
      const handle = await fs.open(folder, 'r');
      await handle.sync().finally(() => handle.close());
      return;
    } catch (error) {
      // A release took the empty folder away in between; `mkdir` itself may find it gone.
      if (!isMissing(error) || attempt === MARKER_ATTEMPTS) throw error;
    }
  }
}

async function moved(fs: ArtifactFs, from: string, to: string): Promise<boolean> {
  try {
    await fs.rename(from, to);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function namesIn(fs: ArtifactFs, folder: string): Promise<string[]> {
  try {
    return (await fs.readdir(folder)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Whether the folder is gone now: false when something is in it. */
async function removeEmptyFolder(fs: ArtifactFs, folder: string): Promise<boolean> {
  try {
    await fs.rmdir(folder);
    return true;
  } catch (error) {
    if (isMissing(error)) return true;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}
