import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { HistoryStages } from '../pipelines/contracts/stages.ts';
import type { ActivityContext } from './context.ts';
import { stateOf } from './executions.ts';
import { readHistory } from './read-history.ts';
import { abandonRun } from './run.ts';
import { withHeartbeats } from './stage.ts';

/** A run of seconds is kept at once; one that waits for days for a person is looked at now and then. */
const POLL_MS = { first: 250, longest: 10_000 };

/** What outlives Temporal's retention: the history of every closed run, as an artifact that replays. */
export function createHistoryActivities(context: ActivityContext): HistoryStages {
  return {
    async awaitClosed({ workflow }) {
      return withHeartbeats('history', async ({ signal }) => {
        let state = await stateOf(context, workflow);
        for (let pauseMs = POLL_MS.first; state.status === 'open'; pauseMs *= 1.1) {
          await sleep(Math.min(pauseMs, POLL_MS.longest), undefined, { signal });
          state = await stateOf(context, workflow);
        }
        return { workflow: state.workflow };
      });
    },

    // What it cleans up and writes may take longer than an activity may stay silent.
    keepHistory: (closed) => withHeartbeats('history', () => keepHistory(context, closed)),
  };
}

async function keepHistory(
  context: ActivityContext,
  { runId, workflow }: Parameters<HistoryStages['keepHistory']>[0],
): Promise<ArtifactRef | null> {
  const { artifacts, repositories } = context;
  // First what readers and later runs depend on; a full disk must not keep the run's record open.
  if (runId !== null) {
    await requireRunOf(context, { runId, workflow });
    await abandonRun(context, runId);
  }
  const text = await historyOf(workflow);
  if (text === null) return null;
  const owner = runId ?? workflow.runId;
  const rows = (JSON.parse(text) as { events: unknown[] }).events.length;
  const kept = await artifacts.write('history', Buffer.from(`${text}\n`), {
    runId: owner,
    ending: 'json',
    rows,
  });
  if (runId !== null) await repositories.runs.keepHistory(runId, kept);
  return kept;
}

/** A person may start it by hand: the record of a run that goes on is not closed because another workflow has. */
async function requireRunOf(
  { repositories }: ActivityContext,
  { runId, workflow }: { runId: string; workflow: { id: string } },
): Promise<void> {
  const { id } = (await repositories.runs.get(runId)).workflow;
  if (id === workflow.id) return;
  throw new PipelineError(
    'INPUT_INVALID',
    `the history of ${runId} needs to be that of its workflow ${id}, found another workflow`,
  );
}

/** As `temporal workflow show --output json` prints it; null when the execution was deleted. */
async function historyOf(workflow: { id: string; runId: string }): Promise<string | null> {
  const history = await readHistory(Context.current().client, workflow);
  return history === null ? null : historyToJSON(history);
}
