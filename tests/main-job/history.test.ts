import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type { ReproductionSummary } from '../../pipelines/contracts/reproduce.ts';
import type { RunSummary, StartInput } from '../../pipelines/contracts/run.ts';
import { historiesIn, type Replayed, replayHistories } from '../../scripts/replay-histories.ts';
import { connect } from '../../store/postgres/connect.ts';
import { createRepositories, type Repositories } from '../../store/postgres/repositories.ts';
import { writeShopExtract } from '../helpers/activity-extract.ts';
import { filesIn } from '../helpers/activity-shop.ts';
import { allRows } from '../helpers/postgres-rows.ts';
import { openStrataHome, type StrataHome, untilProgress } from '../helpers/strata-home.ts';
import { bundleWorkflows } from '../helpers/temporal.ts';

const MINUTES = 60_000;

let folder: string;
let extract: string;
let strata: StrataHome;
let knex: Knex;
let repositories: Repositories;
let workflows = 0;
/** What left a history and no record: a start that was refused, a reproduction. */
let withoutRecord = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-extracts-'));
  extract = await writeShopExtract(folder, { customers: 1_000 });
  strata = await openStrataHome();
  await strata.startWorker();
  knex = connect(strata.services.databaseUrl);
  repositories = createRepositories(knex);
}, 3 * MINUTES);

afterAll(async () => {
  await knex?.destroy();
  await strata?.close();
  await rm(folder, { recursive: true, force: true });
});

const start = (input: StartInput = {}) =>
  strata.startRun({ extract, ...input }, `segment/history/${workflows++}`);

/** What the history's keeper gives when it is done. */
const keptHistory = (runId: string): Promise<ArtifactRef> =>
  strata.client.workflow.getHandle(`history/${runId}`).result();

async function replayKept(): Promise<Replayed[]> {
  const bundle = await bundleWorkflows();
  const replayed: Replayed[] = [];
  const kept = historiesIn(join(strata.home, 'artifacts/history'), 'kept');
  for await (const result of replayHistories(bundle, kept)) replayed.push(result);
  return replayed;
}

describe('runs of one pipeline', () => {
  test(
    'for one as-of date, started at once, go one after another, and are versions of one truth',
    async () => {
      const first = await start({ asOf: '2026-05-01' });
      const { runId } = await untilProgress(first, (progress) => progress.stage !== null);
      const second = await start({ asOf: '2026-05-01' });
      const waiting = await untilProgress(second, (progress) => progress.waitsFor !== null);
      expect(waiting.waitsFor).toBe(first.workflowId);
      expect(waiting.done).toEqual([]);
      const summaries: RunSummary[] = [await first.result(), await second.result()];
      expect(summaries.map(({ outcome }) => outcome)).toEqual(['published', 'published']);
      const records = await Promise.all(summaries.map((summary) => repositories.runs.get(summary.runId)));
      expect(records.map(({ version }) => version)).toEqual([1, 2]);
      const segments = summaries.map((summary) =>
        summary.segments.map(({ segmentId, name }) => [segmentId, name]),
      );
      expect(segments[1]).toEqual(segments[0]);
      expect((await repositories.publications.current('shop'))?.runId).toBe(summaries[1]!.runId);
      expect(records[0]!.runId).toBe(runId);
    },
    MINUTES,
  );
});

describe('a run', () => {
  test(
    'that was compared with another is the same to the byte when it is computed again, and nothing of that stays',
    async () => {
      const { runId } = (await repositories.publications.current('shop'))!;
      const lasting = async () => ({
        rows: await allRows(knex),
        files: (await filesIn(join(strata.home, 'artifacts'))).filter((file) => !/history[/-]/.test(file)),
      });
      for (const run of await repositories.runs.list({ limit: 99 })) await keptHistory(run.runId);
      const before = await lasting();
      const handle = await strata.client.workflow.start('reproduceRun', {
        workflowId: `reproduce/${runId}`,
        taskQueue: 'strata',
        args: [{ run: runId }],
      });
      const summary = (await handle.result()) as ReproductionSummary;
      expect(summary).toMatchObject({
        ...{ runId, verdict: 'reproduced', differences: [], reasons: [], notes: [] },
      });
      expect(summary.code!.before).toBe(summary.code!.now);
      expect(await lasting()).toEqual(before);
      const { runId: executionId, historySize } = await handle.describe();
      expect(historySize).toBeLessThan(200_000);
      await keptHistory(executionId);
      withoutRecord += 1;
    },
    2 * MINUTES,
  );
});

describe('the history of a closed run is kept', () => {
  test(
    'of one that was published, and of one that was rejected',
    async () => {
      const published = await (await start({ asOf: '2026-05-15' })).result();
      const reviewed = await start({ asOf: '2026-05-16', review: 'always' });
      await untilProgress(reviewed, (progress) => progress.outcome === 'held');
      await reviewed.executeUpdate('review', { args: [{ decision: 'reject' }] });
      const rejected = await reviewed.result();
      for (const { runId } of [published, rejected]) {
        const kept = await keptHistory(runId);
        expect((await repositories.runs.get(runId)).history).toEqual(kept);
      }
    },
    MINUTES,
  );

  test(
    'of a start that was refused, which never became a run',
    async () => {
      const handle = await start({ pipeline: 'shoop' });
      await expect(handle.result()).rejects.toThrow();
      const { runId } = await handle.describe();
      expect(await keptHistory(runId)).toMatchObject({ kind: 'history' });
      withoutRecord += 1;
    },
    MINUTES,
  );

  test(
    'of one that was terminated: it is closed as failed, and nothing else is left of it',
    async () => {
      const lasting = async () =>
        (await filesIn(join(strata.home, 'artifacts'))).filter((file) => !/history[/-]/.test(file));
      const before = await lasting();
      const publishedBefore = await repositories.publications.current('shop');
      const handle = await start({ asOf: '2026-05-20' });
      const { runId } = await untilProgress(handle, (progress) => progress.stage === 'cluster');
      await handle.terminate('by hand');
      await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'TerminatedFailure' } });
      const kept = await keptHistory(runId!);
      expect(await repositories.runs.get(runId!)).toMatchObject({
        outcome: 'failed',
        reasons: [expect.stringContaining('RUN_ABANDONED')],
        history: kept,
      });
      expect(await repositories.memberships.count(runId!)).toBe(0);
      // The stage that was going on notices with its next heartbeat that no one waits for it.
      await sleep(3_000);
      await expect.poll(lasting, { timeout: MINUTES / 2 }).toEqual(before);
      expect(await repositories.publications.current('shop')).toEqual(publishedBefore);
    },
    MINUTES,
  );

  test(
    'and replays with today’s workflow code',
    async () => {
      const replayed = await replayKept();
      const records = await repositories.runs.list({ limit: 99 });
      expect(records.every(({ history }) => history !== null)).toBe(true);
      expect(replayed).toHaveLength(records.length + withoutRecord);
      expect(replayed.filter(({ fault }) => fault !== null)).toEqual([]);
    },
    MINUTES,
  );
});
