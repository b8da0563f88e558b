import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { endOf, type InboxStages, type RunEnd, shortened } from '../pipelines/contracts/inbox.ts';
import { DEFAULT_INBOX } from '../pipelines/contracts/inbox-settings.ts';
import type { RunSummary } from '../pipelines/contracts/run.ts';
import { loadDefinition } from '../store/definitions.ts';
import type { ActivityContext } from './context.ts';
import { isNotFound } from './executions.ts';
import { withHeartbeats } from './stage.ts';

/** A run of seconds is noticed at once; one that waits for a person is looked at now and then. */
const POLL_MS = { first: 250, longest: 5_000 };

/** What the inbox of a pipeline asks: what it has to wait for, and what came of a run. */
export function createInboxActivities({
  definitionFolders,
}: Pick<ActivityContext, 'definitionFolders'>): InboxStages {
  return {
    async readInbox({ pipeline }) {
      const { definition } = await loadDefinition(definitionFolders, pipeline);
      return { settings: definition.inbox ?? DEFAULT_INBOX };
    },

    awaitRun: ({ workflowId }) =>
      withHeartbeats('inbox', async ({ signal }) => {
        let end = await endOfRun(workflowId);
        for (let pauseMs = POLL_MS.first; end === null; pauseMs *= 1.1) {
          await sleep(Math.min(pauseMs, POLL_MS.longest), undefined, { signal });
          end = await endOfRun(workflowId);
        }
        return end;
      }),
  };
}

/** Null while it goes on. By its workflow id alone: one that was reset goes on under another run id. */
async function endOfRun(workflowId: string): Promise<RunEnd | null> {
  const handle = Context.current().client.workflow.getHandle(workflowId);
  try {
    const { status } = await handle.describe();
    if (status.name === 'RUNNING') return null;
    if (status.name === 'COMPLETED') return endOf((await handle.result()) as RunSummary);
    if (status.name === 'CANCELLED')
      return { outcome: 'cancelled', runId: null, reason: 'cancelled by a person or a pipeline' };
    const words = await handle.result().then(() => status.name, innermostMessage);
    return { outcome: 'failed', runId: null, reason: shortened(words) };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return { outcome: 'unknown', runId: null, reason: 'Temporal does not know the run any more' };
  }
}

function innermostMessage(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof Error ? cause.message : 'failed without a message';
}
