import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { ArtifactFs } from './disk-files.ts';

const FULL_CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const UNWRITABLE_CODES = new Set(['EACCES', 'EPERM', 'EROFS']);
// A producer in another language reports what the system told it as text.
const FULL_TEXT = /no space left on device|disk quota exceeded|file too large|out of disk space/i;
const UNWRITABLE_TEXT = /permission denied|read-only file system/i;

export interface WriteAttempt {
  /** In words: `matrix artifact of run 2026-06-30`. */
  what: string;
  root: string;
  /** Null when the producer did not come far enough to know. */
  bytes: number | null;
  /** What names another folder; default: STRATA_ARTIFACTS. */
  variable?: string;
}

/** Errors of a write as the catalogue knows them; others come back as they are. */
export async function translateWriteError(
  error: unknown,
  attempt: WriteAttempt,
  fs: ArtifactFs,
): Promise<unknown> {
  if (isDiskFull(error)) return diskFull(error, attempt, fs);
  if (isUnwritable(error, attempt.root)) {
    return new PipelineError(
      'ARTIFACT_UNWRITABLE',
      `${attempt.what} needs a folder that can be written, ${attempt.root} cannot; ` +
        `give this user the right to write there, or set ${attempt.variable ?? 'STRATA_ARTIFACTS'} to another folder`,
      { folder: attempt.root },
      { cause: error },
    );
  }
  return error;
}

/** Only about files below the root: a producer may be refused its source as well, which is another matter. */
function isUnwritable(error: unknown, root: string): boolean {
  if (!(error instanceof Error)) return false;
  const { code, path } = error as NodeJS.ErrnoException;
  if (code !== undefined && UNWRITABLE_CODES.has(code)) return path?.startsWith(root) ?? false;
  return UNWRITABLE_TEXT.test(error.message) && error.message.includes(root);
}

async function diskFull(cause: unknown, attempt: WriteAttempt, fs: ArtifactFs): Promise<PipelineError> {
  const free = await freeBytes(attempt.root, fs);
  const needed = attempt.bytes === null ? 'more space' : `${attempt.bytes} bytes`;
  const found = free === null ? 'which is full' : `which has ${free} bytes left`;
  return new PipelineError(
    'ARTIFACT_DISK_FULL',
    `${attempt.what} needs ${needed} in ${attempt.root}, ${found}; ` +
      `free space there, or set ${attempt.variable ?? 'STRATA_ARTIFACTS'} to a folder with more`,
    { folder: attempt.root, bytesNeeded: attempt.bytes, bytesFree: free },
    { cause },
  );
}

/** Looks through the causes too: a producer may have wrapped what the system said. */
function isDiskFull(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const code = (at as NodeJS.ErrnoException).code;
    if (code !== undefined && FULL_CODES.has(code)) return true;
    if (FULL_TEXT.test(at.message)) return true;
  }
  return false;
}

async function freeBytes(root: string, fs: ArtifactFs): Promise<number | null> {
  try {
    const { bavail, bsize } = await fs.statfs(root);
    return bavail * bsize;
  } catch {
    // Only for the message: a system that cannot tell must not hide the error itself.
    return null;
  }
}
