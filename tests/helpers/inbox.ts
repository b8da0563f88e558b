import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { createInboxActivities } from '../../activities/inbox.ts';
import type { InboxQuestion, InboxStages, InboxView } from '../../pipelines/contracts/inbox.ts';
import { type InboxSettings, inboxSettings } from '../../pipelines/contracts/inbox-settings.ts';
import type { RunKind, RunSummary, StartInput } from '../../pipelines/contracts/run.ts';
import { workflowIds } from '../../pipelines/contracts/signatures.ts';
import { WORKFLOW_INTERCEPTORS } from '../../scripts/workflow-bundle.ts';
import type { LightRuns } from '../fixtures/inbox-workflows/index.ts';
import { fakeStages } from './fake-stages.ts';
import { type TestRuns, withWorker } from './temporal.ts';

const LIGHT = fileURLToPath(new URL('../fixtures/inbox-workflows/index.ts', import.meta.url));

/** What the definition would say; a run's end is waited for as it really is. */
export const inboxStages = (settings: Partial<InboxSettings> = {}): InboxStages => ({
  ...createInboxActivities({ definitionFolders: [] }),
  readInbox: async () => ({ settings: { ...inboxSettings.parse({}), settleSeconds: 0.2, ...settings } }),
});

/** The summary of a run that found nothing worth telling. */
export const published = (input: StartInput, kind: RunKind = 'refit'): RunSummary => ({
  ...{ runId: `run_${randomUUID().slice(0, 8)}`, kind, pipeline: input.pipeline ?? 'shop' },
  ...{ asOf: input.asOf ?? null, outcome: 'published', verdict: 'stable', reasons: [] },
  counts: { rowsRead: 0, rowsAccepted: 0, rowsQuarantined: 0, quarantinedBy: [], customers: 0 },
  ...{ k: 3, segments: [], quality: null, stages: [], manifest: null, workflow: { id: '', runId: '' } },
});

export interface TestInbox {
  pipeline: string;
  handle: WorkflowHandle;
  /** With the signal that makes the inbox where there is none. */
  send(signal: string, ...sent: unknown[]): Promise<void>;
  view(question?: InboxQuestion): Promise<InboxView>;
  /** The view, once it is as it should be. */
  until(isSo: (view: InboxView) => boolean): Promise<InboxView>;
  runs: TestRuns;
}

const UNTIL_MS = 100_000;
let light: Promise<WorkflowBundle> | undefined;

export const newPipeline = () => `shop-${randomUUID().slice(0, 13)}`;

export interface InboxSetting {
  settings?: Partial<InboxSettings>;
  /** In place of runs that are published at once. */
  wholeRun?: (input: StartInput, kind: RunKind) => Promise<RunSummary>;
  stages?: Partial<InboxStages>;
  /** Workflow code with whole runs, on healthy stages. */
  bundle?: WorkflowBundle;
  pipeline?: string;
  /** Whether the inbox outlives the worker. */
  goesOn?: boolean;
}

/** A worker on the real server, and the inbox of a pipeline of its own, which ends with `check`. */
export async function withInbox(
  setting: InboxSetting,
  check: (inbox: TestInbox) => Promise<void>,
): Promise<void> {
  const { settings, wholeRun = async (...run) => published(...run), stages, goesOn = false } = setting;
  const { pipeline = newPipeline() } = setting;
  light ??= bundleWorkflowCode({
    workflowsPath: LIGHT,
    workflowInterceptorModules: WORKFLOW_INTERCEPTORS,
    logger: new DefaultLogger('ERROR'),
  });
  const lightRuns: LightRuns = { wholeRun: ({ kind, input }) => wholeRun(input, kind) };
  const activities = { ...fakeStages(), ...inboxStages(settings), ...stages, ...lightRuns };
  await withWorker({ bundle: setting.bundle ?? (await light), activities, goesOn }, async (runs) => {
    const inbox = inboxOf(runs, pipeline);
    try {
      await check(inbox);
    } finally {
      if (!goesOn) await inbox.handle.terminate('the test is over').catch(() => undefined);
    }
  });
}

function inboxOf(runs: TestRuns, pipeline: string): TestInbox {
  const workflowId = workflowIds.inbox(pipeline);
  const handle = runs.client.workflow.getHandle(workflowId);
  const view = (question?: InboxQuestion) => handle.query<InboxView, [InboxQuestion?]>('inbox', question);
  return {
    ...{ pipeline, handle, runs, view },
    async send(signal, ...signalArgs) {
      const options = { workflowId, taskQueue: 'strata', signal, signalArgs };
      await runs.client.workflow.signalWithStart('pipelineInbox', options);
    },
    async until(isSo) {
      const deadline = performance.now() + UNTIL_MS;
      for (;;) {
        // A worker that has much to do may answer too late for one question.
        const seen = await view().catch(() => null);
        if (seen && isSo(seen)) return seen;
        if (performance.now() > deadline) throw new Error(`never came to be: ${JSON.stringify(seen)}`);
        await sleep(150);
      }
    },
  };
}

/** All executions of the inbox, newest first. */
export async function executionsOf({ handle, runs }: TestInbox): Promise<WorkflowHandle[]> {
  const executions: WorkflowHandle[] = [];
  let runId = (await handle.describe()).runId;
  while (runId !== '') {
    const execution: WorkflowHandle = runs.client.workflow.getHandle(handle.workflowId, runId);
    executions.push(execution);
    const history = await execution.fetchHistory();
    const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
    runId = started?.continuedExecutionRunId ?? '';
  }
  return executions;
}

const { WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;
/**
 * No failure of the code: a message came while the inbox handed itself on, more of them than the server holds back came
 * while a task was at work, or the worker left.
 */
const BLAMELESS = new Set(['UNHANDLED_COMMAND', 'FORCE_CLOSE_COMMAND', 'RESET_STICKY_TASK_QUEUE']);

/** Causes and messages of the workflow tasks that failed. */
export async function failedTasks(execution: WorkflowHandle): Promise<string[]> {
  const { events } = await execution.fetchHistory();
  return (events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) => {
    const cause = WorkflowTaskFailedCause[failed?.cause ?? 0]!.replace('WORKFLOW_TASK_FAILED_CAUSE_', '');
    return failed && !BLAMELESS.has(cause) ? [`${cause}: ${failed.failure?.message}`] : [];
  });
}
