import { realpath, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { glob } from 'tinyglobby';
import { PipelineError } from '../../pipelines/contracts/errors.ts';

// Which files a source names. Its folders are the only ones that DuckDB may look into, so a pattern or a link
// that leaves them is refused here in words.

export interface FoundFile {
  /** Absolute. */
  path: string;
  /** For messages: the base name, with folders where two files share it. */
  name: string;
}

export interface FoundFiles {
  files: FoundFile[];
  /** Absolute. */
  folders: string[];
}

export interface FileStatus {
  bytes: number;
  /** Changes whenever the file does: size, inode, times of content and of status, in nanoseconds. */
  fingerprint: string;
}

const WILD = /[*?[\]{}()!]/;

/**
 * The files that paths and patterns name, each once, in the order of their paths.
 *
 * @throws PipelineError EXTRACT_NOT_FOUND, also when a pattern fits no file; EXTRACT_UNREADABLE for a link out
 *   of the folder
 */
export async function findFiles(paths: readonly string[]): Promise<FoundFiles> {
  const found = new Set<string>();
  const folders = new Set<string>();
  for (const path of paths) {
    const absolute = resolve(path);
    const pattern = WILD.test(path) && !(await exists(absolute)) ? path : null;
    const folder = pattern === null ? dirname(absolute) : folderOf(pattern);
    folders.add(folder);
    const fitting = pattern === null ? [absolute] : await filesOf(pattern, folder);
    for (const file of fitting) {
      await assertWithin(file, folder);
      found.add(file);
    }
  }
  const files = [...found].sort((left, right) => (left < right ? -1 : 1));
  const names = namesOf(files);
  return { files: files.map((path, i) => ({ path, name: names[i]! })), folders: [...folders] };
}

/** @throws PipelineError EXTRACT_NOT_FOUND, EXTRACT_UNREADABLE when it may not be read or is no file */
export async function statusOf({ path, name }: FoundFile): Promise<FileStatus> {
  const status = await stat(path, { bigint: true }).catch((cause: NodeJS.ErrnoException) => {
    const denied = cause.code === 'EACCES' || cause.code === 'EPERM';
    const code = denied ? 'EXTRACT_UNREADABLE' : 'EXTRACT_NOT_FOUND';
    const found = denied ? 'may not be read by this user' : `is not there, as seen from ${hostname()}`;
    throw new PipelineError(code, `extract ${path} ${found}`, { file: name });
  });
  if (!status.isFile()) {
    const message = `extract ${path} needs to be a file, found a folder or device; of a folder name its files, such as ${name}/*.parquet`;
    throw new PipelineError('EXTRACT_UNREADABLE', message, { file: name });
  }
  const fingerprint = [status.size, status.ino, status.mtimeNs, status.ctimeNs].join('-');
  return { bytes: Number(status.size), fingerprint };
}

/** The part of a pattern before its first wildcard. */
function folderOf(pattern: string): string {
  const parts = pattern.split('/');
  const first = parts.findIndex((part) => WILD.test(part));
  if (parts.slice(first).includes('..')) {
    throw new PipelineError(
      'EXTRACT_UNREADABLE',
      `the pattern ${pattern} needs to stay below its folder, found .. after a wildcard`,
    );
  }
  return resolve(parts.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.'));
}

async function filesOf(pattern: string, folder: string): Promise<string[]> {
  const parts = pattern.split('/');
  const wild = parts.slice(parts.findIndex((part) => WILD.test(part))).join('/');
  const files = await glob(wild, {
    cwd: folder,
    absolute: true,
    dot: false,
    followSymbolicLinks: true,
    expandDirectories: false,
  });
  if (files.length > 0) return files.map((file) => resolve(file));
  throw new PipelineError(
    'EXTRACT_NOT_FOUND',
    `the pattern ${pattern} needs to fit at least one file, found none below ${folder}, as seen from ${hostname()}`,
  );
}

/** A folder may itself be reached through a link; a link within it may not lead out of it. */
async function assertWithin(file: string, folder: string): Promise<void> {
  const [real, base] = await Promise.all([file, folder].map((path) => realpath(path).catch(() => null)));
  // What is not there is said when its status is asked for.
  if (!real || !base || real.startsWith(base.endsWith(sep) ? base : base + sep)) return;
  throw new PipelineError(
    'EXTRACT_UNREADABLE',
    `extract ${basename(file)} is a link that leads out of ${folder}; name the folder it leads to in source.path`,
    { file: basename(file) },
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Names for messages; files are read by the ten thousand, so no name may look at all the others. */
export function namesOf(files: readonly string[]): string[] {
  const names = files.map((file) => basename(file));
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const isUnique = (name: string) => counts.get(name) === 1;
  if (names.every(isUnique)) return names;
  const folder = sharedFolder(files);
  return names.map((name, i) => (isUnique(name) ? name : relative(folder, files[i]!)));
}

function sharedFolder(files: readonly string[]): string {
  let shared = dirname(files[0]!).split(sep);
  for (const file of files) {
    const parts = dirname(file).split(sep);
    const end = shared.findIndex((part, i) => part !== parts[i]);
    if (end !== -1) shared = shared.slice(0, end);
  }
  return shared.join(sep) || sep;
}
