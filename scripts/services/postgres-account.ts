import { execFile, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { promisify } from 'node:util';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { Log } from '../log.ts';

const run = promisify(execFile);

/** A user of the system; undefined stands for the one who runs this process. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Names that systems give to PostgreSQL's user; `nobody` is there where no user can be made. */
const KNOWN_NAMES = ['postgres', '_postgres'];
const LAST_RESORT = 'nobody';

/**
 * PostgreSQL refuses to run as root, so root runs it as somebody else: the owner of the data that is
 * there already, or PostgreSQL's usual user, made when missing.
 *
 * @throws PipelineError POSTGRES_UNREACHABLE when no user can be had
 */
export async function chooseAccount(dataFolder: string, log: Log): Promise<Account | undefined> {
  const owner = statSync(dataFolder, { throwIfNoEntry: false });
  if (process.getuid?.() !== 0) {
    if (owner !== undefined && owner.uid !== process.getuid?.()) throw ownedByAnother(dataFolder);
    return undefined;
  }
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  for (const name of KNOWN_NAMES) {
    const account = await findAccount(name);
    if (account !== undefined) return account;
  }
  const account = (await makeAccount(log)) ?? (await findAccount(LAST_RESORT));
  if (account !== undefined) return account;
  throw new PipelineError(
    'POSTGRES_UNREACHABLE',
    'PostgreSQL needs a user other than root to run as, and none could be found or made; create a user named postgres, run as an ordinary user, or set STRATA_DATABASE_URL',
  );
}

/** Whether the account may run a program, or, for a folder, enter it and write there. */
export function canUse(path: string, account: Account | undefined): boolean {
  const test = 'if [ -d "$0" ]; then cd "$0" && [ -w . ]; else [ -x "$0" ]; fi';
  return spawnSync('/bin/sh', ['-c', test, path], { cwd: '/', stdio: 'ignore', ...account }).status === 0;
}

async function findAccount(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)),
    );
    return uid ? { uid, gid: gid ?? uid } : undefined;
  } catch {
    return undefined;
  }
}

async function makeAccount(log: Log): Promise<Account | undefined> {
  try {
    await run('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      '/usr/sbin/nologin',
      'postgres',
    ]);
    log.info('Made the system user postgres, since PostgreSQL does not run as root');
    return await findAccount('postgres');
  } catch {
    return undefined;
  }
}

const ownedByAnother = (dataFolder: string) =>
  new PipelineError(
    'POSTGRES_UNREACHABLE',
    `${dataFolder} belongs to another user; start Strata as that user, or choose another folder with STRATA_HOME`,
  );
