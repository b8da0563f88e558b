import { createHash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { findProcesses } from '../set-up/processes.mjs';
import { type Account, canUse } from './postgres-account.ts';

/** Places outside every home folder, for what must not be swept away with temporary files. */
export const LASTING_PARENTS: readonly string[] = ['/var/lib/strata', '/var/tmp/strata'];
const HOME_NOTE = 'home';

/**
 * A folder for the data of a home the account cannot enter. The data of a temporary home goes to a
 * temporary place; there, what belongs to homes that are gone is swept away, as nothing else would.
 *
 * @throws PipelineError POSTGRES_UNREACHABLE when no place will do
 */
export function placeOutside(home: string, account: Account | undefined): string {
  const realHome = realpathSync(home);
  const name = createHash('sha256').update(realHome).digest('hex').slice(0, 12);
  const temporary = realpathSync(tmpdir());
  if (!realHome.startsWith(`${temporary}/`)) return shareFolder(name, { account, parents: LASTING_PARENTS });
  const parent = join(temporary, 'strata');
  sweepOrphans(parent);
  const folder = shareFolder(name, { account, parents: [parent, ...LASTING_PARENTS] });
  writeFileSync(join(folder, HOME_NOTE), realHome);
  return folder;
}

/** Only what says whose it was is removed, and only when no server runs in it. */
function sweepOrphans(parent: string): void {
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    const folder = join(parent, name);
    const note = join(folder, HOME_NOTE);
    if (!existsSync(note) || existsSync(readFileSync(note, 'utf8'))) continue;
    if (findProcesses(folder).length === 0) rmSync(folder, { recursive: true, force: true });
  }
}

/** Asks the account itself, on a folder of its own, rather than reason about modes and ACLs. */
export function canReach(folder: string, account: Account | undefined): boolean {
  if (account === undefined) return true;
  const probe = join(folder, `probe-${randomUUID()}`);
  mkdirSync(probe);
  chownSync(probe, account.uid, account.gid);
  const isReachable = canUse(probe, account);
  rmSync(probe, { recursive: true });
  return isReachable;
}

interface SharedPlace {
  readonly account: Account | undefined;
  /** Tried in order. */
  readonly parents: readonly string[];
}

/**
 * A folder of this user's that the account may enter. One that somebody else made beforehand is not trusted.
 *
 * @throws PipelineError POSTGRES_UNREACHABLE when no parent will do
 */
export function shareFolder(name: string, { account, parents }: SharedPlace): string {
  for (const parent of parents) {
    const folder = join(parent, name);
    try {
      for (const path of [parent, folder]) {
        mkdirSync(path, { recursive: true, mode: 0o755 });
        const entry = lstatSync(path);
        if (!entry.isDirectory() || entry.uid !== process.getuid?.()) throw new Error(`${path} is not ours`);
        chmodSync(path, 0o755);
      }
      if (canReach(folder, account)) return folder;
    } catch {
      // The next parent is tried; when none is left the error below names them all.
    }
  }
  throw new PipelineError(
    'POSTGRES_UNREACHABLE',
    `PostgreSQL needs a folder its user can enter, and none of ${parents.join(', ')} can be used; choose one with STRATA_HOME, or set STRATA_DATABASE_URL`,
  );
}
