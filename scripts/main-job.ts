import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Outcome, Run, RunKind, RunSummary, StartInput } from '../pipelines/contracts/run.ts';
import { DEFAULT_PIPELINE } from '../pipelines/contracts/same-start.ts';
import { workflowIds } from '../pipelines/contracts/signatures.ts';
import { loadDefinition } from '../store/definitions.ts';
import { inspectFiles } from '../store/warehouse/sources.ts';
import type { Config } from './config.ts';
import { definitionFolders } from './definition-folders.ts';
import { innermostMessage } from './error-text.ts';
import { type Followed, followRun } from './follow-run.ts';
import type { Log } from './log.ts';
import type { Strata } from './open-strata.ts';
import { startOrJoin } from './start-or-join.ts';

const HISTORY_WAIT_MS = 30_000;

export interface MainJob {
  outcome: Outcome;
  summary: RunSummary | null;
  /** What went wrong, when there is no summary. */
  message: string | null;
  workflow: Run['workflow'];
  /** Where the run is found when the command has ended. */
  address: string;
}

/**
 * What can be seen to be wrong before anything is started: the pipeline, its definition, the file.
 *
 * @throws PipelineError PIPELINE_UNKNOWN, DEFINITION_INVALID, EXTRACT_NOT_FOUND, EXTRACT_EMPTY, EXTRACT_UNREADABLE
 */
export async function checkInput(input: StartInput, config: Pick<Config, 'definitions'>): Promise<void> {
  const pipeline = input.pipeline ?? DEFAULT_PIPELINE;
  const { definition } = await loadDefinition(definitionFolders(config), pipeline);
  if (input.extract !== undefined) await inspectFiles(input.extract, definition.source.format);
}

/**
 * Starts the run, or joins the one of the same id and input that is still going on, and follows it to its end.
 *
 * @throws PipelineError RUN_IN_PROGRESS, TEMPORAL_UNREACHABLE
 */
export async function runMainJob(
  strata: Strata,
  { kind = 'refit', ...input }: StartInput & { kind?: RunKind },
  signal: AbortSignal,
): Promise<MainJob> {
  const { client, log, repositories } = strata;
  const heldRunOf = async (workflow: Run['workflow']) => {
    const record = await repositories.runs.byWorkflow(workflow);
    return record?.outcome === 'held' ? record.runId : null;
  };
  const { execution, joinedFrom } = await startOrJoin(client, input, { kind, heldRunOf });
  if (joinedFrom) log.info(`joined run ${execution.id}, started earlier: ${joinedFrom.toISOString()}`);
  log.info(`run  ${strata.addressOf(execution)}`);
  return followToEnd(strata, execution, signal);
}

/**
 * Follows a run until it has ended or is held for a person.
 *
 * @throws PipelineError TEMPORAL_UNREACHABLE
 */
export async function followToEnd(
  strata: Pick<Strata, 'client' | 'repositories' | 'log' | 'addressAfter'>,
  execution: Run['workflow'],
  signal: AbortSignal,
): Promise<MainJob> {
  const { client, log } = strata;
  const handle = client.workflow.getHandle(execution.id, execution.runId);
  const followed = await followRun(handle, { log, signal });
  const ended = await endOf(strata, followed);
  return { workflow: execution, address: strata.addressAfter(execution), ...ended };
}

/**
 * How the run ended, by its record: a run that was published before a cancel or a fault reached it is
 * published. A held one's summary is what it knew when it was held.
 */
async function endOf(
  { client, repositories, log }: Pick<Strata, 'client' | 'repositories' | 'log'>,
  { outcome, progress, message }: Followed,
): Promise<Pick<MainJob, 'outcome' | 'summary' | 'message'>> {
  if (!progress?.runId) return { outcome, message, summary: null };
  if (outcome !== 'held') await awaitHistory(client, progress.runId, { log });
  // By its id: one that was reset goes on under another workflow run id than it was registered with.
  const record = await repositories.runs.get(progress.runId);
  const recorded = record.outcome ?? outcome;
  const summary = record.summary?.outcome === recorded ? record.summary : null;
  return { outcome: recorded, message, summary };
}

/** The run is over for a reader when its history is safe, too; but one that is not takes nothing from the run. */
export async function awaitHistory(
  client: Client,
  runId: string,
  { log, waitMs = HISTORY_WAIT_MS }: { log: Log; waitMs?: number },
): Promise<void> {
  const kept = client.workflow.getHandle(workflowIds.history(runId)).result();
  const isKept = kept.then(() => true);
  try {
    if (await Promise.race([isKept, sleep(waitMs, false, { ref: false })])) return;
    log.warn(`the history of ${runId} is not kept yet, though the run has ended: a worker does it later`);
  } catch (fault) {
    log.warn(`the history of ${runId} was not kept, the run itself stands: ${innermostMessage(fault)}`);
  }
}
