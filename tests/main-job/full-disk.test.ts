import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { Knex } from 'knex';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../store/postgres/connect.ts';
import { createRepositories, type Repositories } from '../../store/postgres/repositories.ts';
import { filesIn } from '../helpers/activity-shop.ts';
import { canMount, type Disk, mountDisk } from '../helpers/disk.ts';
import { openStrataHome, type StrataHome } from '../helpers/strata-home.ts';

const MINUTES = 60_000;
const DISK_MB = 64;
const CLOSE_MS = 30_000;

describe.skipIf(!canMount())('the disk of the artifacts is full (skipped where none may be mounted)', () => {
  let disk: Disk;
  let strata: StrataHome;
  let knex: Knex;
  let repositories: Repositories;

  beforeEach(async () => {
    disk = await mountDisk(DISK_MB);
    strata = await openStrataHome({ fewTrials: true });
    await strata.startWorker({ env: { STRATA_ARTIFACTS: artifacts() } });
    knex = connect(strata.services.databaseUrl);
    repositories = createRepositories(knex);
  }, MINUTES);

  afterEach(async () => {
    await knex?.destroy();
    await strata?.close();
    await disk?.remove();
  });

  const artifacts = () => join(disk.folder, 'artifacts');

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
      await disk.fill(256 * 1024);
      const handle = await strata.startRun();
      const { code, message } = await lastFailure(handle);
      expect(code).toBe('ARTIFACT_DISK_FULL');
      expect(message).toContain(`in ${artifacts()}`);
      expect(message).toMatch(/free space there, or set STRATA_ARTIFACTS/);
      expect(await repositories.publications.current('shop')).toBeNull();
      const left = await filesIn(artifacts());
      expect(left.filter((file) => /^(\.incoming|\.steps|extract)\//.test(file))).toEqual([]);
      await disk.free();
      expect(await handle.result()).toMatchObject({ outcome: 'published' });
      expect((await repositories.publications.current('shop'))?.segments.length).toBeGreaterThan(2);
    },
    2 * MINUTES,
  );

  test(
    'a run that is cancelled meanwhile ends at once, though nothing can be written',
    async () => {
      await disk.fill(256 * 1024);
      const handle = await strata.startRun();
      await lastFailure(handle);
      await disk.free();
      await disk.fill(0);
      await handle.cancel();
      const ended = handle.result().catch((error: Error) => error.cause);
      const outcome = await Promise.race([ended, sleep(CLOSE_MS, 'still running')]);
      await disk.free();
      await ended;
      expect(outcome).toMatchObject({ name: 'CancelledFailure' });
      expect((await repositories.runs.list({ limit: 9 })).map((run) => run.outcome)).toEqual(['cancelled']);
    },
    2 * MINUTES,
  );
});
