import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readConfig } from '../../scripts/config.ts';
import { findGo } from '../../scripts/services/temporal-supply.ts';
import { withLock } from '../../scripts/set-up/lock.mjs';

const VERSION = 'v1.8.0';
const GO_PACKAGE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;
const BUILD_WITHIN_MS = 600_000;

/**
 * An S3 server over a folder: STRATA_VERSITYGW, PATH, Go's bin folder, Strata's cache; else built into the cache, in a
 * minute, where Go is there. Null: none can be had, and what needs one is skipped.
 */
export async function findVersitygw(): Promise<string | null> {
  const { tools } = readConfig();
  const named = process.env.STRATA_VERSITYGW;
  if (named) return named;
  const cached = join(tools.cacheFolder, 'versitygw', VERSION, 'versitygw');
  const places = [...tools.pathFolders, ...tools.goBinFolders].map((folder) => join(folder, 'versitygw'));
  const found = [...places, cached].find((place) => existsSync(place));
  if (found !== undefined) return found;
  const go = await findGo(tools.pathFolders);
  if (go === undefined) return null;
  return withLock(`${cached}.lock`, async () => {
    if (existsSync(cached)) return cached;
    await mkdir(dirname(cached), { recursive: true });
    const { status } = spawnSync(go, ['install', GO_PACKAGE], {
      env: { ...tools.childEnvironment, GOBIN: dirname(cached) },
      stdio: 'ignore',
      timeout: BUILD_WITHIN_MS,
    });
    return status === 0 && existsSync(cached) ? cached : null;
  });
}
