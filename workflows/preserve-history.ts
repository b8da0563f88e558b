import { ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import { IO, WAIT } from '../pipelines/contracts/policies.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import { isOneLine } from '../pipelines/contracts/sent-text.ts';
import type { HistoryStages } from '../pipelines/contracts/stages.ts';
import { openChoreBoard } from './chore-board.ts';

const io = proxyActivities<HistoryStages>(IO);
const wait = proxyActivities<HistoryStages>(WAIT);

/**
 * Keeps the history of a run once it has closed, however it closed: Temporal forgets closed runs after its
 * retention, Strata does not. It is started with the run, so that a terminated run is kept, too, and closed.
 *
 * @returns where the history is; null when the execution was deleted before it could be kept
 */
export async function preserveHistory(input?: Closing): Promise<ArtifactRef | null> {
  const tell = openChoreBoard();
  const { runId, workflow: asked } = closingOf(input);
  tell(`waits until \`${asked.id}\` has closed, and keeps its history`);
  const { workflow } = await wait.awaitClosed({ workflow: asked });
  return io.keepHistory({ runId, workflow });
}

interface Closing {
  /** Null for a start that was refused before there was a run. */
  runId: string | null;
  workflow: Run['workflow'];
}

const ID_LENGTH = 1_000;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Runs start it; a person may, with anything: what throws otherwise would be tried for ever. */
function closingOf(input: unknown): Closing {
  const { runId, workflow } = (input ?? {}) as { [K in keyof Closing]?: unknown };
  const { id, runId: execution } = (workflow ?? {}) as { [K in keyof Run['workflow']]?: unknown };
  if (isId(id) && typeof execution === 'string' && UUID.test(execution) && (runId === null || isId(runId)))
    return { runId, workflow: { id, runId: execution } };
  throw ApplicationFailure.nonRetryable(
    'preserveHistory needs {"runId": the run\'s id or null, "workflow": {"id": a workflow id, "runId": its execution}}, found something else; every run starts it by itself',
    'INPUT_INVALID',
  );
}

function isId(sent: unknown): sent is string {
  return typeof sent === 'string' && sent !== '' && sent.length <= ID_LENGTH && isOneLine(sent);
}
