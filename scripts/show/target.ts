import type { Client } from '@temporalio/client';
import { type ListedExecution, listExecutions } from '../../activities/list-executions.ts';
import { runIdOf } from '../../activities/run.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { DEFAULT_PIPELINE } from '../../pipelines/contracts/same-start.ts';
import { WORKFLOWS } from '../../pipelines/contracts/signatures.ts';
import type { RunRecord } from '../../store/postgres/run-records.ts';
import { describeCurrent } from '../current-execution.ts';
import { type AskedRun, LATEST_RUN, lookUpRun, noSuchRun } from '../find-run.ts';
import { inputOf } from '../start-or-join.ts';
import { attributesOf } from './execution.ts';
import type { Target } from './reader.ts';
import type { Sight } from './sight.ts';

const RUN_TYPES: readonly string[] = [WORKFLOWS.segmentCustomers, WORKFLOWS.assignCustomers];
const ARE_RUNS = `WorkflowType IN (${RUN_TYPES.map((type) => `'${type}'`).join(', ')})`;
/** More are not looked through for the beginning of an id. */
const LOOKED_THROUGH = 500;

/**
 * The run that a person means: one that PostgreSQL knows, or one that has not come so far.
 *
 * @throws PipelineError RUN_UNKNOWN with the latest there are, INPUT_INVALID where several are meant
 */
export async function findTarget(sight: Sight, asked: AskedRun): Promise<Target> {
  const { repositories, temporal } = sight;
  const record = repositories ? await lookUpRun({ runs: repositories.runs }, asked) : null;
  const known = record && targetOf(record);
  if (temporal === null) {
    if (known) return known;
    throw await unknown(sight, asked);
  }
  const { client } = temporal;
  if (asked.run === LATEST_RUN)
    return (await latestOf(sight, client, { asked, record })) ?? known ?? orThrow();
  if (known && record.workflow.id !== asked.run) return known;
  // A workflow's id: its newest execution may be one that has not registered its run.
  const found =
    (await byExecution(client, { id: asked.run })) ?? (known ? null : await byRunId(client, asked.run));
  if (found === null || found.workflow.runId === record?.workflow.runId) return known ?? orThrow();
  return (await registered(sight, found)) ?? found;

  async function orThrow(): Promise<never> {
    throw await unknown(sight, asked);
  }
}

/**
 * Runs that are going on and that PostgreSQL does not know (yet), newest first.
 *
 * @param known ids of executions whose runs it does know
 */
export async function unregisteredRuns(
  sight: Sight,
  pipeline: string | undefined,
  known: ReadonlySet<string>,
): Promise<{ target: Target; startedAt: string }[]> {
  const client = sight.temporal?.client;
  if (!client) return [];
  const found: { target: Target; startedAt: string }[] = [];
  const query = `${ARE_RUNS} AND ExecutionStatus = 'Running'`;
  for await (const info of listExecutions(client, query)) {
    if (known.has(info.runId)) continue;
    if (pipeline !== undefined && (await pipelineOf(client, info)) !== pipeline) continue;
    // The list does not tell which run a reset one goes on with.
    const target = await byExecution(client, { id: info.workflowId, runId: info.runId });
    if (target === null || known.has(target.workflow.runId)) continue;
    if ((await registered(sight, target)) === null)
      found.push({ target, startedAt: info.startTime.toISOString() });
    if (found.length === LOOKED_THROUGH) break;
  }
  return found;
}

async function latestOf(
  sight: Sight,
  client: Client,
  { asked, record }: { asked: AskedRun; record: RunRecord | null },
): Promise<Target | null> {
  const known = new Set(record ? [record.workflow.runId] : []);
  const [newest] = await unregisteredRuns(sight, asked.pipeline, known).catch(() => []);
  if (newest && (record === null || newest.startedAt > record.openedAt)) return newest.target;
  if (record !== null || sight.repositories !== null) return null;
  // Without PostgreSQL the last one that Temporal knows is all there is.
  for await (const info of listExecutions(client, ARE_RUNS)) {
    if (asked.pipeline === undefined || (await pipelineOf(client, info)) === asked.pipeline)
      return targetFrom(info);
  }
  return null;
}

/** @param execution its newest one, where no run id is given. @throws PipelineError INPUT_INVALID when it is no run */
async function byExecution(
  client: Client,
  execution: { id: string; runId?: string },
): Promise<Target | null> {
  try {
    const { type, workflowId, runId, raw } = await describeCurrent(client, execution);
    if (!RUN_TYPES.includes(type)) {
      throw new PipelineError(
        'INPUT_INVALID',
        `workflow ${workflowId} is no run, it is of type ${type}; npm run strata -- runs lists the runs`,
      );
    }
    return targetFrom({ workflowId, runId, raw: raw.workflowExecutionInfo ?? {} });
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null;
    throw error;
  }
}

/** The id that a run has or will have is made of its workflow's ids. */
async function byRunId(client: Client, text: string): Promise<Target | null> {
  let looked = 0;
  for await (const info of listExecutions(client, ARE_RUNS)) {
    const target = targetFrom(info);
    const isMeant = [target.runId, target.runId?.replace('run_', '')].some((id) => id?.startsWith(text));
    if (isMeant || info.runId === text) return target;
    looked += 1;
    if (looked === LOOKED_THROUGH) break;
  }
  return null;
}

/** An execution that a reset began has the run of the first one. */
function targetFrom({
  workflowId,
  runId,
  raw,
}: {
  workflowId: string;
  runId: string;
  raw: { firstRunId?: string | null };
}): Target {
  const workflow = { id: workflowId, runId: raw.firstRunId || runId };
  return { runId: runIdOf(workflow), workflow, record: null };
}

async function registered({ repositories }: Sight, { workflow }: Target): Promise<Target | null> {
  const record = await repositories?.runs.byWorkflow(workflow);
  return record ? targetOf(record) : null;
}

function targetOf(record: RunRecord): Target {
  return { runId: record.runId, workflow: record.workflow, record };
}

async function pipelineOf(client: Client, info: ListedExecution): Promise<string> {
  const { pipeline } = attributesOf(info);
  if (pipeline !== null) return pipeline;
  const input = await inputOf(client, { id: info.workflowId, runId: info.runId });
  return input.pipeline ?? DEFAULT_PIPELINE;
}

async function unknown({ repositories, notes }: Sight, asked: AskedRun): Promise<PipelineError> {
  if (repositories !== null) return noSuchRun({ runs: repositories.runs }, asked);
  return new PipelineError('RUN_UNKNOWN', `Temporal knows no run ${asked.run}; ${notes.join('; ')}`);
}
