import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { HistoryStages } from '../pipelines/contracts/stages.ts';
import type { ActivityContext } from './context.ts';
import { abandonRun } from './run.ts';
import { withHeartbeats } from './stage.ts';

const POLL_MS = 1_000;

/** What outlives Temporal's retention: the history of every closed run, as an artifact that replays. */
export function createHistoryActivities(context: ActivityContext): HistoryStages {
  const { artifacts, repositories } = context;
  return {
    async awaitClosed({ workflow }) {
      const handle = Context.current().client.workflow.getHandle(workflow.id, workflow.runId);
      return withHeartbeats('history', async ({ signal }) => {
        let { status } = await handle.describe();
        while (status.name === 'RUNNING') {
          await sleep(POLL_MS, undefined, { signal });
          status = (await handle.describe()).status;
        }
        return { status: status.name };
      });
    },

    async keepHistory({ runId, workflow }) {
      const handle = Context.current().client.workflow.getHandle(workflow.id, workflow.runId);
      const history = await handle.fetchHistory();
      const text = historyToJSON(history);
      const rows = history.events?.length ?? 0;
      const kept = await artifacts.write('history', Buffer.from(`${text}\n`), {
        runId,
        ending: 'json',
        rows,
      });
      await abandonRun(context, runId);
      await repositories.runs.keepHistory(runId, kept);
      return kept;
    },
  };
}
