import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { createInboxActivities } from '../../activities/inbox.ts';
import type { InboxQuestion, InboxStages, InboxView } from '../../pipelines/contracts/inbox.ts';
import { type InboxSettings, inboxSettings } from '../../pipelines/contracts/inbox-settings.ts';
import type { StartInput } from '../../pipelines/contracts/run.ts';
import type { AssignStages, Stages } from '../../pipelines/contracts/stages.ts';
import { fakeStages } from './fake-stages.ts';
import { bundleWorkflows, type TestRuns, withWorker } from './temporal.ts';

export type Settings = Partial<InboxSettings>;

/** What the definition would say; a run's end is waited for as it really is. */
export const inboxStages = (settings: Settings = {}): InboxStages => ({
  ...createInboxActivities({ definitionFolders: [] }),
  readInbox: async () => ({ settings: { ...inboxSettings.parse({}), settleSeconds: 0.2, ...settings } }),
});

export interface TestInbox {
  pipeline: string;
  handle: WorkflowHandle;
  /** With the signal that makes the inbox where there is none. */
  send(signal: string, ...sent: unknown[]): Promise<void>;
  view(question?: InboxQuestion): Promise<InboxView>;
  /** The view, once it is as it should be. */
  until(isSo: (view: InboxView) => boolean): Promise<InboxView>;
  /** What each run was started with, in order. */
  opened: (StartInput & { kind: string })[];
  runs: TestRuns;
}

const UNTIL_MS = 25_000;
let bundle: ReturnType<typeof bundleWorkflows> | undefined;

export const newPipeline = () => `inbox-${randomUUID().slice(0, 13)}`;

/** A worker with healthy stages on the real server, and the inbox of a pipeline of its own, which ends with `check`. */
export async function withInbox(
  {
    settings,
    stages = {},
    pipeline = newPipeline(),
    opened = [],
    goesOn = false,
  }: {
    settings?: Settings;
    stages?: Partial<Stages & AssignStages & InboxStages>;
    pipeline?: string;
    opened?: TestInbox['opened'];
    goesOn?: boolean;
  },
  check: (inbox: TestInbox) => Promise<void>,
): Promise<void> {
  bundle ??= bundleWorkflows();
  const healthy = fakeStages();
  const activities = {
    ...healthy,
    openRun: async (opening: Parameters<Stages['openRun']>[0]) => {
      opened.push({ ...opening.input, kind: opening.kind ?? 'refit' });
      return healthy.openRun(opening);
    },
    ...inboxStages(settings),
    ...stages,
  };
  await withWorker({ bundle: await bundle, activities }, async (runs) => {
    const handle = runs.client.workflow.getHandle(`inbox/${pipeline}`);
    const view = (question?: InboxQuestion) => handle.query<InboxView, [InboxQuestion?]>('inbox', question);
    const inbox: TestInbox = {
      ...{ pipeline, handle, runs, opened, view },
      async send(signal, ...signalArgs) {
        await runs.client.workflow.signalWithStart('pipelineInbox', {
          ...{ workflowId: `inbox/${pipeline}`, taskQueue: 'strata', signal, signalArgs },
        });
      },
      async until(isSo) {
        const deadline = performance.now() + UNTIL_MS;
        for (;;) {
          const seen = await view();
          if (isSo(seen)) return seen;
          if (performance.now() > deadline) throw new Error(`never came to be: ${JSON.stringify(seen)}`);
          await sleep(50);
        }
      },
    };
    try {
      await check(inbox);
    } finally {
      if (!goesOn) await handle.terminate('the test is over').catch(() => undefined);
    }
  });
}

/** Of all executions of the inbox, newest first. */
export async function executionsOf(inbox: TestInbox): Promise<WorkflowHandle[]> {
  const handles: WorkflowHandle[] = [];
  let runId: string | undefined = (await inbox.handle.describe()).runId;
  while (runId) {
    const handle = inbox.runs.client.workflow.getHandle(inbox.handle.workflowId, runId);
    handles.push(handle);
    const { events } = await handle.fetchHistory();
    runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
  }
  return handles;
}

/** Kinds of event in a history, as numbers of times; the last is that of a workflow task that failed. */
export async function failedTasks(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) =>
    failed ? [failed.failure?.message ?? 'failed'] : [],
  );
}
