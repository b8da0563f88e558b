import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { Knex } from 'knex';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../store/postgres/connect.ts';
import { createRepositories, type Repositories } from '../../store/postgres/repositories.ts';
import { filesIn } from '../helpers/activity-shop.ts';
import { openStrataHome, type StrataHome } from '../helpers/strata-home.ts';

const MINUTES = 60_000;
const DISK_MB = 64;
const CLOSE_MS = 30_000;

function canMount(): boolean {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return false;
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!canMount())('the disk of the artifacts is full (skipped where none may be mounted)', () => {
  let disk: string;
  let strata: StrataHome;
  let knex: Knex;
  let repositories: Repositories;

  beforeEach(async () => {
    disk = await mkdtemp(join(tmpdir(), 'strata-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', disk]);
    await chmod(disk, 0o755);
    strata = await openStrataHome({ fewTrials: true });
    await strata.startWorker({ env: { STRATA_ARTIFACTS: artifacts() } });
    knex = connect(strata.services.databaseUrl);
    repositories = createRepositories(knex);
  }, MINUTES);

  afterEach(async () => {
    await knex?.destroy();
    await strata?.close();
    execFileSync('umount', [disk]);
    await rm(disk, { recursive: true });
  });

  const artifacts = () => join(disk, 'artifacts');
  const filler = () => join(disk, 'filler');

  async function fill(leavingBytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(disk);
    await writeFile(filler(), Buffer.alloc(bavail * bsize - leavingBytes));
  }

  /** What the server knows of the running activity's last attempt. */
  async function lastFailure(
    handle: WorkflowHandle,
  ): Promise<{ code: string; message: string; attempt: number }> {
    for (;;) {
      const { raw, status } = await handle.describe();
      const [pending] = raw.pendingActivities ?? [];
      const failure = pending?.lastFailure;
      if (failure) {
        const { type } = failure.applicationFailureInfo!;
        return { code: type!, message: failure.message!, attempt: pending.attempt! };
      }
      if (status.name !== 'RUNNING') throw new Error(`the run ended as ${status.name} without a failure`);
      await sleep(50);
    }
  }

  test(
    'the run says which folder and what to do, publishes nothing, and finishes by itself once there is space',
    async () => {
      await fill(256 * 1024);
      const handle = await strata.startRun();
      const { code, message } = await lastFailure(handle);
      expect(code).toBe('ARTIFACT_DISK_FULL');
      expect(message).toContain(`in ${artifacts()}`);
      expect(message).toMatch(/free space there, or set STRATA_ARTIFACTS/);
      expect(await repositories.publications.current('shop')).toBeNull();
      const left = await filesIn(artifacts());
      expect(left.filter((file) => /^(\.incoming|\.steps|extract)\//.test(file))).toEqual([]);
      await rm(filler());
      expect(await handle.result()).toMatchObject({ outcome: 'published' });
      expect((await repositories.publications.current('shop'))?.segments.length).toBeGreaterThan(2);
    },
    2 * MINUTES,
  );

  test(
    'a run that is cancelled meanwhile ends at once, though nothing can be written',
    async () => {
      await fill(256 * 1024);
      const handle = await strata.startRun();
      await lastFailure(handle);
      await rm(filler());
      await fill(0);
      await handle.cancel();
      const ended = handle.result().catch((error: Error) => error.cause);
      const outcome = await Promise.race([ended, sleep(CLOSE_MS, 'still running')]);
      await rm(filler());
      await ended;
      expect(outcome).toMatchObject({ name: 'CancelledFailure' });
      expect((await repositories.runs.list({ limit: 9 })).map((run) => run.outcome)).toEqual(['cancelled']);
    },
    2 * MINUTES,
  );
});
