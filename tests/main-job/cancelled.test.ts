import { execFile, execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import type { Knex } from 'knex';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STAGES, type Stage } from '../../pipelines/contracts/run.ts';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import type { WorkerProcess } from '../../scripts/worker-process.ts';
import { connect } from '../../store/postgres/connect.ts';
import { createRepositories, type Repositories } from '../../store/postgres/repositories.ts';
import { filesIn } from '../helpers/activity-shop.ts';
import { allRows } from '../helpers/postgres-rows.ts';
import { openStrataHome, type StrataHome, untilProgress } from '../helpers/strata-home.ts';

const MINUTES = 60_000;
/** The promise of the design is 5 s, on a machine that has nothing else to do. */
const CANCEL_MS = 15_000;

let strata: StrataHome;
let worker: WorkerProcess;
let knex: Knex;
let repositories: Repositories;
let publishedRunId: string;
const tookMs = new Map<string, number>();

beforeAll(async () => {
  strata = await openStrataHome({ fewTrials: true });
  worker = await strata.startWorker();
  knex = connect(strata.services.databaseUrl);
  repositories = createRepositories(knex);
  const { runId } = await (await strata.startRun({ asOf: '2026-05-01' })).result();
  await strata.client.workflow.getHandle(`history/${runId}`).result();
  publishedRunId = runId;
}, 3 * MINUTES);

afterAll(async () => {
  const took = [...tookMs].map(([stage, ms]) => `${stage} ${Math.round(ms)}`);
  console.log(`from cancel to end, in ms: ${took.join(', ')}`);
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

/** Long enough to be met in their middle. */
const IN_THE_MIDDLE = {
  extract: 'extractCustomers',
  features: 'buildFeatures',
  cluster: 'fitClusters',
  persist: 'persistRun',
};

/** Short: they are held when all is written that they leave, and is noted in the run's log. */
const AT_THE_END = {
  validate: 'validateExtract',
  profile: 'profileExtract',
  match: 'matchIdentities',
  name: 'nameSegments',
  stability: 'measureStability',
};

const TOO_LATE = { publish: 'publishRun', notify: 'deliverOutbox' };

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

async function expectCancelled(handle: WorkflowHandle, stage: string, activity: string): Promise<string> {
  await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  const { ms, during } = await endOf(handle);
  tookMs.set(stage, ms);
  expect(during).toBe(activity);
  expect(ms).toBeLessThan(CANCEL_MS);
  return (await handle.query<RunProgress>('progress')).runId!;
}

/** A run that stands before a stage, and what lets it begin that stage. */
async function pausedBefore(stage: Stage, workflowId: string) {
  // A fixed k is fitted in a moment.
  const handle = await strata.startRun({ asOf: '2026-06-01', k: 4 }, workflowId);
  await handle.executeUpdate('pause', { args: [{ before: stage }] });
  const stands = ({ paused }: RunProgress) => paused?.standsBefore === stage;
  const { runId } = await untilProgress(handle, stands, 2 * MINUTES);
  return { handle, runId: runId!, resume: () => handle.executeUpdate('resume') };
}

/** The run's log takes no row until it is let go: whatever stage ends hangs there. */
async function holdLog() {
  const holding = await knex.transaction();
  await holding.raw('lock table run_stages in share row exclusive mode');
  return {
    async untilHeld() {
      const waiting = () =>
        knex('pg_locks')
          .whereRaw("relation = 'run_stages'::regclass")
          .where({ granted: false })
          .select('pid');
      await expect.poll(waiting, { timeout: 30_000, interval: 20 }).toHaveLength(1);
    },
    letGo: () => holding.rollback(),
  };
}

describe('a run that is cancelled ends within seconds, and readers see what they saw before', () => {
  test('in every stage that there is', () => {
    const tried = [IN_THE_MIDDLE, AT_THE_END, TOO_LATE].flatMap((stages) => Object.keys(stages));
    expect(tried.sort()).toEqual([...STAGES].sort());
  });

  test.each(Object.entries(IN_THE_MIDDLE))(
    'in the middle of %s',
    async (stage, activity) => {
      const before = await lasting();
      const handle = await strata.startRun({ asOf: '2026-06-01' }, `segment/cancelled/${stage}`);
      await untilPending(handle, activity);
      await handle.cancel();
      await expectNothingLeft(await expectCancelled(handle, stage, activity), before);
    },
    3 * MINUTES,
  );

  test.each(Object.entries(AT_THE_END) as [Stage, string][])(
    'at the end of %s',
    async (stage, activity) => {
      const before = await lasting();
      const { handle, resume } = await pausedBefore(stage, `segment/cancelled/${stage}`);
      const log = await holdLog();
      try {
        await resume();
        await log.untilHeld();
        await handle.cancel();
      } finally {
        await log.letGo();
      }
      await expectNothingLeft(await expectCancelled(handle, stage, activity), before);
    },
    3 * MINUTES,
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
    3 * MINUTES,
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

describe('a run whose pointer has moved is published, however it is cancelled', () => {
  test.each(Object.entries(TOO_LATE))(
    'in %s',
    async (stage, activity) => {
      const { handle, runId, resume } = await pausedBefore('publish', `segment/too-late/${stage}`);
      let log = await holdLog();
      try {
        await resume();
        await log.untilHeld();
        if (stage === 'notify') {
          await log.letGo();
          log = await holdLog();
          await untilPending(handle, activity);
          await log.untilHeld();
        }
        await handle.cancel();
      } finally {
        await log.letGo();
      }
      expect((await handle.result()).outcome).toBe('published');
      const { ms, during } = await endOf(handle);
      tookMs.set(stage, ms);
      expect({ during, isSoon: ms < CANCEL_MS }).toEqual({ during: activity, isSoon: true });
      expect((await repositories.publications.current('shop'))?.runId).toBe(runId);
      publishedRunId = runId;
    },
    3 * MINUTES,
  );
});

/** The command as it is typed, in this Strata. */
async function command(...args: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', 'scripts/strata.ts', ...args],
      { cwd: PROJECT_FOLDER, env: { ...process.env, STRATA_HOME: strata.home } },
      (error, stdout, stderr) =>
        resolve({
          code: error ? Number(error.code) : 0,
          said: stripVTControlCharacters(`${stdout}${stderr}`),
        }),
    );
  });
}

describe('by command', () => {
  test(
    'a paused run is cancelled for a reason, which stays with it; a published one is not',
    async () => {
      const before = await lasting();
      const { handle, runId } = await pausedBefore('match', 'segment/in-hand/cancelled');
      const { code, said } = await command('cancel', runId, '--because', 'the export is wrong');
      expect(said).toMatch(new RegExp(`✓ ${runId} is cancelled, [0-9.]+ s after it was asked to`));
      expect(said).toContain(`readers of shop see ${publishedRunId} as of 2026-06-01, as before`);
      expect(code).toBe(0);
      expect((await handle.describe()).status.name).toBe('CANCELLED');
      expect((await repositories.runs.get(runId)).reasons).toEqual(['cancelled: the export is wrong']);
      await expectNothingLeft(runId, before);
      const late = await command('cancel', publishedRunId);
      expect(late).toMatchObject({ code: 2, said: expect.stringContaining('too late') });
    },
    3 * MINUTES,
  );

  test(
    'a run is paused, survives its worker, is taken back to a stage, and ends published as itself',
    async () => {
      const { runId } = await pausedBefore('match', 'segment/in-hand/retried');
      expect((await command('pause', runId)).said).toContain('this one is; resume makes it go on');
      await worker.kill();
      worker = await strata.startWorker();
      expect((await command('retry', runId, '--from', 'persist')).said).toContain(
        `retrying ${runId} needs a run that has reached persist, it has come to extract, validate, profile, features, cluster`,
      );
      const { code, said } = await command('retry', runId, '--from', 'features');
      expect(said).toContain(`${runId} goes on from features: workflow segment/in-hand/retried`);
      expect({ code, said: said.includes('✓ published') }, said).toEqual({ code: 0, said: true });
      expect((await repositories.publications.current('shop'))?.runId).toBe(runId);
      expect((await repositories.runs.get(runId)).outcome).toBe('published');
    },
    3 * MINUTES,
  );

  test(
    'what began anew from a run that has ended goes on when that one is cancelled once more',
    async () => {
      const { runId } = await pausedBefore('match', 'segment/in-hand/anew');
      expect((await command('cancel', runId)).code).toBe(0);
      const retried = command('retry', runId, '--from', 'extract');
      const goingOn = async () => (await repositories.runs.list({ limit: 1, isEnded: false }))[0];
      await expect.poll(goingOn, { timeout: 60_000, interval: 20 }).toBeDefined();
      const { workflow } = (await goingOn())!;
      const handle = strata.client.workflow.getHandle(workflow.id, workflow.runId);
      await handle.executeUpdate('pause', { args: [{ before: 'publish' }] });
      const again = await command('cancel', runId);
      expect(again.said).toContain(`a cancel needs a run that has not ended, ${runId} is cancelled`);
      await handle.executeUpdate('resume');
      const { code, said } = await retried;
      const anew = / begins anew, as another run, (run_[0-9a-f]{16}): /.exec(said)?.[1];
      expect({ code, anew: said.includes('✓ published') ? anew : null }, said).toEqual({
        code: 0,
        anew: (await repositories.publications.current('shop'))?.runId,
      });
      expect(anew).not.toBe(runId);
    },
    3 * MINUTES,
  );
});
