import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { Knex } from 'knex';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import type { WorkerProcess } from '../../scripts/worker-process.ts';
import { connect } from '../../store/postgres/connect.ts';
import { createRepositories, type Repositories } from '../../store/postgres/repositories.ts';
import { filesIn } from '../helpers/activity-shop.ts';
import { allRows } from '../helpers/postgres-rows.ts';
import { openStrataHome, type StrataHome } from '../helpers/strata-home.ts';

const MINUTES = 60_000;
/** The promise of the design: an activity stops within so long of a cancel. */
const CANCEL_MS = 5_000;

let strata: StrataHome;
let worker: WorkerProcess;
let knex: Knex;
let repositories: Repositories;
let publishedRunId: string;

beforeAll(async () => {
  strata = await openStrataHome({ fewTrials: true });
  worker = await strata.startWorker();
  knex = connect(strata.services.databaseUrl);
  repositories = createRepositories(knex);
  const { runId } = await (await strata.startRun({ asOf: '2026-05-01' })).result();
  await strata.client.workflow.getHandle(`history/${runId}`).result();
  publishedRunId = runId;
}, 2 * MINUTES);

afterAll(async () => {
  await knex?.destroy();
  await strata?.close();
});

/** All that a run may leave, but for what is kept of every one: its record, its log, its manifest, its history. */
async function lasting() {
  const { runs: _, run_stages: __, ...rows } = await allRows(knex);
  const files = await filesIn(join(strata.home, 'artifacts'));
  const kept = /^(\.uses\/|\.runs\/[^/]+\/)?(manifest|history)[/-]/;
  return {
    rows,
    files: files.filter((file) => !kept.test(file)),
    scratch: await readdir(join(strata.home, 'scratch')),
    children: childrenOf(worker.pid),
  };
}

function childrenOf(pid: number): string[] {
  const processes = execFileSync('ps', ['-eo', 'ppid=,pid=,args='], { encoding: 'utf8' }).split('\n');
  return processes.filter((line) => line.trim().startsWith(`${pid} `));
}

const ACTIVITIES = {
  extract: 'extractCustomers',
  features: 'buildFeatures',
  cluster: 'fitClusters',
  persist: 'persistRun',
};

/** Asks the server, not the run: a busy worker answers late, and the stage would have passed. */
async function untilPending(handle: WorkflowHandle, activity: string): Promise<void> {
  for (;;) {
    const { raw, status } = await handle.describe();
    if (raw.pendingActivities?.some(({ activityType }) => activityType?.name === activity)) return;
    if (status.name !== 'RUNNING') throw new Error(`the run ended before ${activity} was seen`);
    await sleep(5);
  }
}

interface Ended {
  /** From the cancel to the end of the workflow, by the server's clock. */
  ms: number;
  /** The activity that was going on when the cancel came. */
  during: string | undefined;
}

async function endOf(handle: WorkflowHandle): Promise<Ended> {
  const { events } = await handle.fetchHistory();
  const at = events!.findIndex((event) => event.workflowExecutionCancelRequestedEventAttributes);
  const scheduled = events!.slice(0, at).findLast((event) => event.activityTaskScheduledEventAttributes);
  const isDone = events!
    .slice(0, at)
    .some(
      (event) =>
        String(event.activityTaskCompletedEventAttributes?.scheduledEventId) === String(scheduled?.eventId),
    );
  const ms = ({ eventTime }: (typeof events & object)[number]) =>
    Number(eventTime!.seconds) * 1_000 + eventTime!.nanos! / 1e6;
  return {
    ms: ms(events!.at(-1)!) - ms(events![at]!),
    during: isDone
      ? undefined
      : (scheduled?.activityTaskScheduledEventAttributes?.activityType?.name ?? undefined),
  };
}

describe('a run that is cancelled ends within seconds, and readers see what they saw before', () => {
  test.each(Object.entries(ACTIVITIES))(
    'in its stage %s',
    async (stage, activity) => {
      const before = await lasting();
      const handle = await strata.startRun({ asOf: '2026-06-01' }, `segment/cancelled/${stage}`);
      await untilPending(handle, activity);
      await handle.cancel();
      await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
      expect((await handle.describe()).status.name).toBe('CANCELLED');
      const { ms, during } = await endOf(handle);
      expect(during).toBe(activity);
      expect(ms).toBeLessThan(CANCEL_MS);
      const { runId } = await handle.query<RunProgress>('progress');
      await expectNothingLeft(runId!, before);
    },
    MINUTES,
  );

  test(
    'while it is being opened',
    async () => {
      const before = await lasting();
      const opening = await knex.transaction();
      // Registering a run waits for this row: the cancel comes in the middle of it.
      await opening('pipelines').where({ name: 'shop' }).forUpdate();
      const handle = await strata.startRun({ asOf: '2026-06-01' }, 'segment/cancelled/opening');
      await untilPending(handle, 'openRun');
      await handle.cancel();
      await sleep(500);
      await opening.rollback();
      await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
      const workflow = { id: handle.workflowId, runId: (await handle.describe()).runId };
      const record = await repositories.runs.byWorkflow(workflow);
      if (record) await expectNothingLeft(record.runId, before);
      else expect(await lasting()).toEqual(before);
    },
    MINUTES,
  );
});

async function expectNothingLeft(runId: string, before: Awaited<ReturnType<typeof lasting>>): Promise<void> {
  await strata.client.workflow.getHandle(`history/${runId}`).result();
  expect(await repositories.runs.get(runId)).toMatchObject({
    outcome: 'cancelled',
    manifest: { kind: 'manifest' },
    history: { kind: 'history' },
  });
  expect(await lasting()).toEqual(before);
  expect((await repositories.publications.current('shop'))?.runId).toBe(publishedRunId);
}
