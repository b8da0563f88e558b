import { proxyActivities } from '@temporalio/workflow';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import { IO, WAIT } from '../pipelines/contracts/policies.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { HistoryStages } from '../pipelines/contracts/stages.ts';

const io = proxyActivities<HistoryStages>(IO);
const wait = proxyActivities<HistoryStages>(WAIT);

/**
 * Keeps the history of a run once it has closed, however it closed: Temporal forgets closed runs after its
 * retention, Strata does not. It is started with the run, so that a terminated run is kept, too, and closed.
 *
 * @returns where the history is; null when the execution was deleted before it could be kept
 */
export async function preserveHistory(input: {
  /** Null for a start that was refused before there was a run. */
  runId: string | null;
  workflow: Run['workflow'];
}): Promise<ArtifactRef | null> {
  const { workflow } = await wait.awaitClosed({ workflow: input.workflow });
  return io.keepHistory({ runId: input.runId, workflow });
}
