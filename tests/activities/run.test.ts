import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ArtifactKind, ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type { Run } from '../../pipelines/contracts/run.ts';
import { eventBeforeAll, resetRun } from '../../scripts/reset-run.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { closingOf, publishWalked, type Walked, walkToStability } from '../helpers/activity-walk.ts';

let shop: ActivityShop;

beforeAll(async () => {
  shop = await openActivityShop();
}, 60_000);

afterAll(() => shop?.close());

/** A run that was opened, under a workflow that goes on until it is terminated. */
async function opened(change: { workflow?: Run['workflow'] } = {}): Promise<Run> {
  const workflow = change.workflow ?? (await shop.openWorkflow()).execution;
  return (await shop.perform('openRun', { input: {}, workflow, scheduledAt: null })).run;
}

const end = ({ workflow }: Run) => shop.client.workflow.getHandle(workflow.id).terminate();
const recordOf = ({ runId }: Run) => shop.context.repositories.runs.get(runId);
const publishedRunId = async () => (await shop.context.repositories.publications.current('shop'))?.runId;

/** Closes a run that came no further than being opened. */
async function closeEmpty(run: Run) {
  const { runId, kind, pipeline, asOf, workflow } = run;
  const counts = { rowsRead: 0, rowsAccepted: 0, rowsQuarantined: 0, quarantinedBy: [], customers: 0 };
  const nothing = { counts, k: null, segments: [], quality: null, stages: [], verdict: null, reasons: [] };
  const closing = { runId, kind, pipeline, asOf, workflow, ...nothing, outcome: 'failed' as const };
  await shop.perform('closeRun', { run, closing });
}

describe('opening a run', () => {
  beforeEach(() => shop.database.clear());

  test('twice, also at the same time, is one run', async () => {
    const { execution: workflow } = await shop.openWorkflow();
    const opening = { input: {}, workflow, scheduledAt: null };
    const [first, second] = await Promise.all([
      shop.perform('openRun', opening),
      shop.perform('openRun', opening),
    ]);
    expect(second).toEqual(first);
    expect(await shop.context.repositories.runs.list({ limit: 9 })).toHaveLength(1);
  });

  test('of a schedule is as of the day it was scheduled for, unless the input has a date', async () => {
    const { execution: workflow } = await shop.openWorkflow();
    const scheduledAt = '2026-05-31T23:59:59.000Z';
    const asOf = async (input: { asOf?: string }) =>
      (await shop.perform('openRun', { input, workflow, scheduledAt })).run.asOf;
    expect(await asOf({})).toBe('2026-05-31');
    expect(await asOf({ asOf: '2026-04-30' })).toBe('2026-04-30');
  });

  test('of a schedule is as of the day that the shop has then', async () => {
    const file = join(shop.context.definitionFolders[0]!, 'shop/pipeline.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('source:\n', 'source:\n  timezone: Asia/Tokyo\n'));
    try {
      const { execution: workflow } = await shop.openWorkflow();
      const opening = { input: {}, workflow, scheduledAt: '2026-05-31T20:00:00.000Z' };
      expect((await shop.perform('openRun', opening)).run.asOf).toBe('2026-06-01');
      expect((await shop.perform('openComparison', opening)).run.asOf).toBe('2026-06-01');
    } finally {
      await writeFile(file, text);
    }
  });

  test('with a number of segments keeps it as decided; without, it is to be chosen from the range', async () => {
    const { execution: workflow } = await shop.openWorkflow();
    const open = (input: { k?: number }) => shop.perform('openRun', { input, workflow, scheduledAt: null });
    expect(await open({ k: 7 })).toMatchObject({ run: { k: 7 }, k: { min: 7, max: 7 } });
    expect(await open({})).toMatchObject({ run: { k: null }, k: { min: 3, max: 5 } });
    await expect(open({ k: 65 })).rejects.toMatchObject({ type: 'INPUT_INVALID' });
  });

  test('that is refused registers nothing', async () => {
    const { execution: workflow } = await shop.openWorkflow();
    const input = { pipeline: 'shoop' };
    const opening = shop.perform('openRun', { input, workflow, scheduledAt: null });
    await expect(opening).rejects.toMatchObject({ type: 'PIPELINE_UNKNOWN' });
    expect(await shop.context.repositories.runs.list({ limit: 9 })).toEqual([]);
  });
});

describe('runs of one pipeline go one after another', () => {
  beforeEach(() => shop.database.clear());

  const turn = (run: Run) => shop.perform('takeTurn', { run });

  test('in the order in which they were opened', async () => {
    const [first, second, third] = [await opened(), await opened(), await opened()];
    const waitsFor = ({ runId, workflow }: Run) => ({
      granted: false,
      waitsFor: { runId, workflowId: workflow.id },
    });
    expect(await turn(first)).toEqual({ granted: true, waitsFor: null });
    expect(await turn(second)).toEqual(waitsFor(first));
    expect(await turn(third)).toEqual(waitsFor(first));
    await closeEmpty(first);
    expect(await turn(third)).toEqual(waitsFor(second));
    expect(await turn(second)).toEqual({ granted: true, waitsFor: null });
  });

  test('a run whose workflow was terminated does not hold the line: it is closed as failed', async () => {
    const [gone, next] = [await opened(), await opened()];
    await end(gone);
    expect(await turn(next)).toEqual({ granted: true, waitsFor: null });
    expect(await recordOf(gone)).toMatchObject({
      outcome: 'failed',
      reasons: [expect.stringContaining('RUN_ABANDONED')],
    });
    expect((await recordOf(next)).outcome).toBeNull();
  });

  test('nor does one that the server no longer knows', async () => {
    const unknown = { id: 'segment/lost', runId: '00000000-0000-4000-8000-000000000000' };
    const lost = await opened({ workflow: unknown });
    expect(await turn(await opened())).toEqual({ granted: true, waitsFor: null });
    expect((await recordOf(lost)).outcome).toBe('failed');
  });

  test('one that waits is granted its turn when the earlier one ends, and heartbeats meanwhile', async () => {
    const [first, second] = [await opened(), await opened()];
    const environment = shop.environment();
    let heartbeats = 0;
    let closing: Promise<void> | undefined;
    // The first two come at the beginning.
    environment.on('heartbeat', () => {
      heartbeats += 1;
      if (heartbeats === 3) closing = closeEmpty(first);
    });
    const granted = await shop.perform('awaitTurn', { run: second }, environment);
    expect(granted).toEqual({ granted: true, waitsFor: null });
    await closing;
  });

  test('one that waits can be cancelled', async () => {
    await opened();
    const second = await opened();
    const environment = shop.environment();
    const waiting = shop.perform('awaitTurn', { run: second }, environment);
    environment.cancel();
    await expect(waiting).rejects.toBeInstanceOf(CancelledFailure);
  });
});

describe('an execution that is reset', () => {
  beforeEach(() => shop.database.clear());

  const turn = (run: Run) => shop.perform('takeTurn', { run });

  const COMPLETE = {
    commandType: proto.temporal.api.enums.v1.CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    completeWorkflowExecutionCommandAttributes: {},
  };

  /** A run whose workflow has done its first task, after which it stays open or not. */
  async function begun(task: 'stays' | 'completes' = 'stays'): Promise<Run> {
    const run = await opened();
    await doTask(run.workflow, task);
    return run;
  }

  async function doTask({ id }: Run['workflow'], task: 'stays' | 'completes'): Promise<void> {
    const { workflowService } = shop.client;
    const taskQueue = { name: id };
    const { taskToken } = await shop.client.withDeadline(Date.now() + 10_000, () =>
      workflowService.pollWorkflowTaskQueue({ namespace: 'default', taskQueue }),
    );
    const commands = task === 'completes' ? [COMPLETE] : [];
    await workflowService.respondWorkflowTaskCompleted({ namespace: 'default', taskToken, commands });
  }

  /** Back to its first task. */
  async function reset({ workflow: execution }: Run): Promise<Run['workflow']> {
    const { events } = await shop.client.workflow.getHandle(execution.id, execution.runId).fetchHistory();
    return resetRun(shop.client, { execution, to: eventBeforeAll(events!)!, reason: 'a test' });
  }

  test('in the middle goes on as the same run: later ones wait for it, and its history is the one kept', async () => {
    const [run, later] = [await begun(), await opened()];
    const next = await reset(run);
    expect(await turn(later)).toMatchObject({ granted: false, waitsFor: { runId: run.runId } });
    await end(run);
    expect(await turn(later)).toEqual({ granted: true, waitsFor: null });
    expect(await shop.perform('awaitClosed', { workflow: run.workflow })).toEqual({ workflow: next });
  });

  test('after it was terminated, to before it was opened, does not wait for what it was', async () => {
    const run = await begun();
    await end(run);
    const next = await opened({ workflow: await reset(run) });
    expect(next.runId).not.toBe(run.runId);
    // The keeper of what it was does not take the other's history for its own.
    const closed = await shop.perform('awaitClosed', { workflow: run.workflow });
    expect(closed).toEqual({ workflow: run.workflow });
    expect(await turn(next)).toEqual({ granted: true, waitsFor: null });
    expect((await recordOf(run)).outcome).toBe('failed');
    expect((await recordOf(next)).outcome).toBeNull();
    await end(next);
  });

  test('after it ended by itself is another from the first moment on', async () => {
    const run = await begun('completes');
    const next = await reset(run);
    const closed = await shop.perform('awaitClosed', { workflow: run.workflow });
    expect(closed).toEqual({ workflow: run.workflow });
    expect(await turn(await opened())).toEqual({ granted: true, waitsFor: null });
    await shop.client.workflow.getHandle(next.id, next.runId).terminate();
  });
});

describe('closing a run', () => {
  let published: Walked;
  /** Artifacts of the published run, which later runs of other dates share in part, of its own date in whole. */
  let refs: ArtifactRef[];

  beforeAll(async () => {
    await shop.database.clear();
    published = await walkToStability(shop, { asOf: '2026-06-01' });
    await publishWalked(shop, published);
    const { run, extract, features, clustering } = published;
    refs = [run.definition, extract.artifact, features.customers, features.values, clustering.model];
  }, 60_000);

  /** Rows and files but for those that stay of every run: its record, its log, and which artifacts it keeps. */
  async function lasting(): Promise<{ rows: Record<string, unknown[]>; files: string[] }> {
    const { rows, files } = await shop.snapshot();
    const { runs: _, run_stages: __, ...others } = rows;
    return { rows: others, files: files.filter((file) => !/^\.(uses|runs)\//.test(file)) };
  }

  const added = (after: string[], before: string[]) =>
    after.filter((file) => !before.includes(file)).map((file) => file.split('/')[0] as ArtifactKind);

  test.each([
    ['failed', ['manifest']],
    ['cancelled', ['manifest']],
    // Of the validation, the profile and its page, what changed in it, and the features.
    ['rejected', ['manifest', 'quarantine', 'report', 'report', 'report', 'report', 'report']],
  ] as const)(
    'as %s leaves no rows but its record and log, and of its artifacts: %s',
    async (outcome, kinds) => {
      const before = await lasting();
      const walked = await walkToStability(shop, { asOf: '2026-06-15' });
      expect((await lasting()).rows).not.toEqual(before.rows);
      const closing = closingOf(walked, outcome, ['because']);
      const summary = await shop.perform('closeRun', { run: walked.run, closing });
      expect(summary).toMatchObject({ outcome, reasons: ['because'] });
      const after = await lasting();
      expect(after.rows).toEqual(before.rows);
      expect(added(after.files, before.files)).toEqual(kinds);
      expect(before.files.filter((file) => !after.files.includes(file))).toEqual([]);
      expect(await recordOf(walked.run)).toMatchObject({ outcome, reasons: ['because'] });
      expect(await shop.context.repositories.stages.forRun(walked.run.runId)).toHaveLength(9);
      expect(await publishedRunId()).toBe(published.run.runId);
      await shop.context.artifacts.release(walked.run.runId);
    },
    60_000,
  );

  test('leaves alone what another run uses: a cancelled run of the same date shared everything', async () => {
    const before = await lasting();
    const walked = await walkToStability(shop, { asOf: '2026-06-01' });
    expect(walked.features.values).toEqual(published.features.values);
    await shop.perform('closeRun', { run: walked.run, closing: closingOf(walked, 'cancelled') });
    const after = await lasting();
    expect(added(after.files, before.files)).toEqual(['manifest']);
    for (const ref of refs) await expect(shop.context.artifacts.read(ref)).resolves.toHaveLength(ref.bytes);
  }, 60_000);

  test('after it was closed, a straggling attempt brings nothing back', async () => {
    const walked = await walkToStability(shop, { asOf: '2026-06-20' });
    const { run } = walked;
    await shop.perform('closeRun', { run, closing: closingOf(walked, 'cancelled') });
    const before = await lasting();
    const late = shop.perform('persistRun', walked, shop.environment(2));
    await expect(late).rejects.toMatchObject({ nonRetryable: true });
    const publishing = shop.perform('publishRun', { ...walked, review: null });
    await expect(publishing).rejects.toMatchObject({ type: 'RUN_ABANDONED' });
    expect(await lasting()).toEqual(before);
  }, 60_000);

  test('after it was closed, a stage that is still at work leaves neither files nor a line in the log', async () => {
    const run = await opened();
    await closeEmpty(run);
    const before = await shop.snapshot();
    const late = shop.perform('extractCustomers', { run }, shop.environment(2));
    await expect(late).rejects.toMatchObject({ nonRetryable: true });
    expect(await shop.snapshot()).toEqual(before);
  }, 60_000);

  test.each(['failed', 'cancelled'] as const)(
    'as %s, a late validation leaves no row of a customer, though what it was made of is there',
    async (outcome) => {
      const { execution: workflow } = await shop.openWorkflow();
      const opening = { input: { asOf: '2026-06-01' }, workflow, scheduledAt: null };
      const { run } = await shop.perform('openRun', opening);
      const extract = await shop.perform('extractCustomers', { run });
      expect(extract.artifact).toEqual(published.extract.artifact);
      const closing = { ...closingOf(published, outcome), runId: run.runId };
      await shop.perform('closeRun', { run, closing });
      const before = await shop.snapshot();
      const late = shop.perform('validateExtract', { run, extract }, shop.environment(2));
      await expect(late).rejects.toMatchObject({ nonRetryable: true });
      expect(await shop.snapshot()).toEqual(before);
    },
    60_000,
  );

  test('as published without a publication is refused', async () => {
    const walked = await walkToStability(shop, { asOf: '2026-06-15' });
    const { run } = walked;
    const closing = shop.perform('closeRun', { run, closing: closingOf(walked, 'published') });
    await expect(closing).rejects.toMatchObject({ type: 'RUN_UNKNOWN', nonRetryable: true });
    await shop.perform('closeRun', { run, closing: closingOf(walked, 'failed') });
  }, 60_000);

  test.each(['cancelled', 'failed'] as const)(
    'as %s after the pointer moved says what readers see: it is published',
    async (outcome) => {
      const walked = await walkToStability(shop, {
        asOf: outcome === 'failed' ? '2026-06-16' : '2026-06-17',
      });
      const { run, match, naming } = walked;
      await shop.perform('publishRun', { run, match, naming, review: null });
      const summary = await shop.perform('closeRun', { run, closing: closingOf(walked, outcome, ['late']) });
      expect(summary).toMatchObject({ outcome: 'published', reasons: ['late'] });
      expect(await recordOf(run)).toMatchObject({ outcome: 'published' });
      expect(await publishedRunId()).toBe(run.runId);
      const { memberships } = shop.context.repositories;
      expect(await memberships.count(run.runId)).toBe(summary.counts.customers);
    },
    60_000,
  );
});
