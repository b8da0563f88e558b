import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { listExecutions } from '../activities/list-executions.ts';
import { readHistory } from '../activities/read-history.ts';
import { runIdOf } from '../activities/run.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { WORKFLOWS } from '../pipelines/contracts/signatures.ts';
import type { ArtifactStore } from '../store/artifacts/artifact-store.ts';
import { PROJECT_FOLDER } from './config.ts';
import { currentExecution } from './current-execution.ts';
import { historiesIn, historyOf, type KeptHistory, type Replayed, workflowOf } from './replay-histories.ts';

// Where histories come from: the committed ones, those among the artifacts, those of the server.

/** The committed ones, of every outcome. */
export function committedHistories(): AsyncGenerator<KeptHistory> {
  return historiesIn(join(PROJECT_FOLDER, 'tests/histories'), 'fixture');
}

/** Of every closed run and of what goes on beside runs, as they were kept. */
export async function* keptHistories(artifacts: ArtifactStore): AsyncGenerator<KeptHistory> {
  for (const ref of await artifacts.list('history')) {
    yield {
      name: `kept ${ref.sha256.slice(0, 16)}`,
      read: async () => (await artifacts.read(ref)).toString('utf8'),
    };
  }
}

const OURS = Object.values(WORKFLOWS)
  .map((type) => `'${type}'`)
  .join(', ');
const RUN_TYPES: readonly string[] = [WORKFLOWS.segmentCustomers, WORKFLOWS.assignCustomers];
/** Open ones, those that Temporal itself has paused, too. */
const RUNNING = `CloseTime IS NULL AND WorkflowType IN (${OURS})`;

/** How many there are, which changes while they are replayed. */
export async function countRunning(client: Client): Promise<number> {
  return (await client.workflow.count(RUNNING)).count;
}

/**
 * Every workflow of ours that is open on the server, page by page; its history is fetched when its turn comes.
 *
 * @param only a condition of Temporal's list filter
 */
export async function* runningHistories(client: Client, only?: string): AsyncGenerator<KeptHistory> {
  const query = only === undefined ? RUNNING : `${RUNNING} AND ${only}`;
  for await (const { workflowId, runId } of listExecutions(client, query))
    yield onServer(client, { workflowId, runId });
}

/** One that has closed meanwhile replays as well; one that was deleted is gone. */
function onServer(client: Client, { workflowId, runId }: { workflowId: string; runId: string }): KeptHistory {
  return { name: workflowId, read: () => readHistory(client, { id: workflowId, runId }) };
}

/** Whether a person means this workflow by a run id, the beginning of one, or a workflow id. */
function isMeant(asked: string, { id, runId, type }: NonNullable<Replayed['workflow']>): boolean {
  if (asked === id || asked === runId) return true;
  // What is no run has no run id of ours.
  if (!RUN_TYPES.includes(type)) return false;
  const strataId = runIdOf({ id, runId });
  return strataId.startsWith(asked.startsWith('run_') ? asked : `run_${asked}`);
}

export interface Found {
  asked: string;
  /** Of each run that is meant. */
  histories: KeptHistory[];
}

/**
 * The kept histories that are meant, in one walk over all of them.
 *
 * @throws PipelineError INPUT_INVALID for the beginning of several runs
 */
export async function findKept(
  histories: AsyncIterable<KeptHistory>,
  asked: readonly string[],
): Promise<Found[]> {
  const found = asked.map((one): Found & { ids: Set<string> } => ({
    asked: one,
    histories: [],
    ids: new Set(),
  }));
  for await (const history of histories) {
    const workflow = await workflowIn(history);
    if (workflow === null) continue;
    for (const one of found) {
      if (!isMeant(one.asked, workflow)) continue;
      one.histories.push({ ...history, name: workflow.id });
      one.ids.add(one.asked === workflow.id ? workflow.id : runIdOf(workflow));
    }
  }
  for (const { asked: beginning, ids } of found) {
    if (ids.size < 2) continue;
    throw new PipelineError(
      'INPUT_INVALID',
      `several runs begin with ${beginning}: ${[...ids].sort().join(', ')}; type more of the id`,
    );
  }
  return found.map(({ asked: one, histories: meant }) => ({ asked: one, histories: meant }));
}

/** Null for a file that is no history: it is told of where all are replayed, and is nobody's here. */
async function workflowIn({ read }: KeptHistory) {
  try {
    const found = await read();
    return found === null ? null : workflowOf(historyOf(found));
  } catch {
    return null;
  }
}

/** The same on the server, of a run that is not closed yet or whose file is gone; open ones first. */
export async function findOnServer(client: Client, asked: string): Promise<KeptHistory[]> {
  const byId = listExecutions(client, `WorkflowId = ${quoted(asked)}`);
  for await (const { workflowId, runId } of byId) return [onServer(client, { workflowId, runId })];
  const query = `WorkflowType IN (${RUN_TYPES.map(quoted).join(', ')})`;
  for await (const { workflowId, runId, type } of listExecutions(client, query)) {
    if (!isMeant(asked, { id: workflowId, runId, type })) continue;
    // One that was retried goes on in another execution.
    const { execution } = await currentExecution(client, { id: workflowId, runId });
    return [onServer(client, { workflowId, runId: execution.runId })];
  }
  return [];
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
