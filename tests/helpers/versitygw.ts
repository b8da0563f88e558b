import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readConfig } from '../../scripts/config.ts';
import { findGo } from '../../scripts/services/temporal-supply.ts';
import { withLock } from '../../scripts/set-up/lock.mjs';

const VERSION = 'v1.8.0';
const MODULE = 'github.com/versity/versitygw';
const BUILD_WITHIN_MS = 600_000;
const TELLS_WITHIN_MS = 10_000;

/**
 * An S3 server over a folder: STRATA_VERSITYGW; else the pinned version, from Strata's cache, PATH or Go's bin folder; else
 * built into the cache, in a minute, where Go is there. Null: none can be had, and what needs one is skipped.
 */
export async function findVersitygw(): Promise<string | null> {
  const { tools } = readConfig();
  const named = process.env.STRATA_VERSITYGW;
  if (named) return named;
  const cached = join(tools.cacheFolder, 'versitygw', VERSION, 'versitygw');
  if (existsSync(cached)) return cached;
  for (const folder of [...tools.pathFolders, ...tools.goBinFolders]) {
    const place = join(folder, 'versitygw');
    if (existsSync(place) && (await isPinned(place))) return place;
  }
  const go = await findGo(tools.pathFolders);
  if (go === undefined) return null;
  return withLock(`${cached}.lock`, async () => {
    if (existsSync(cached)) return cached;
    await mkdir(dirname(cached), { recursive: true });
    const { status } = spawnSync(go, ['install', `${MODULE}/cmd/versitygw@${VERSION}`], {
      env: { ...tools.childEnvironment, GOBIN: dirname(cached) },
      stdio: 'ignore',
      timeout: BUILD_WITHIN_MS,
    });
    return status === 0 && existsSync(cached) ? cached : null;
  });
}

/** A release tells its version; one that Go has installed has it written in it alone. */
async function isPinned(program: string): Promise<boolean> {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: TELLS_WITHIN_MS });
  const told = /^Version\s*:\s*v?(\d+\.\d+\.\d+\S*)/m.exec(stdout ?? '')?.[1];
  if (told !== undefined) return `v${told}` === VERSION;
  return (await readFile(program)).includes(`mod\t${MODULE}\t${VERSION}\t`);
}
