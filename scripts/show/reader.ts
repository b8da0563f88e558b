import { type Client, type WorkflowExecutionDescription, WorkflowFailedError } from '@temporalio/client';
import { frozenDefinition } from '../../activities/context.ts';
import type { RunKind, RunSummary, Stage, StartInput } from '../../pipelines/contracts/run.ts';
import { HANDLERS, type RunProgress, WORKFLOWS } from '../../pipelines/contracts/signatures.ts';
import type { ReviewSettings } from '../../pipelines/contracts/stages.ts';
import type { RunRecord } from '../../store/postgres/run-records.ts';
import type { StageRecord } from '../../store/postgres/stages.ts';
import { TASK_QUEUES } from '../../temporal.config.ts';
import { isKeyMissing } from '../codec/read-payload.ts';
import { describeCurrent } from '../current-execution.ts';
import { firstLine, innermostMessage } from '../error-text.ts';
import { hasBegun } from '../follow-run.ts';
import { inputOf } from '../start-or-join.ts';
import type { Usual } from './estimate.ts';
import { type Execution, executionOf, whatIsWrong } from './execution.ts';
import type { RunFacts } from './facts.ts';
import type { Sight } from './sight.ts';

/** Where no worker is there, a query would wait for one. */
const ANSWER_WITHIN_MS = 3_000;
/** As many past runs tell how long a stage takes. */
const USUAL_RUNS = 10;

/** A run to be looked at: by its record, or where PostgreSQL has none, by its workflow alone. */
export interface Target {
  runId: string | null;
  workflow: { id: string; runId: string };
  record: RunRecord | null;
}

/** What the run's own execution says, at a moment. */
export interface Seen {
  description: WorkflowExecutionDescription;
  progress: RunProgress | null;
}

export interface RunReader {
  /** All that is known now. @param seen what was just asked; default: Temporal is asked */
  read(seen?: Seen): Promise<RunFacts>;
}

/** What never changes of a run is read once. */
export function createRunReader(
  { repositories, artifacts, temporal, notes }: Sight,
  target: Target,
): RunReader {
  const client = temporal?.client ?? null;
  let usual: Usual | null = null;
  let review: ReviewSettings | null = null;
  let input: StartInput | null = target.record?.input ?? null;
  let last = { record: target.record, stages: [] as StageRecord[] };

  /** PostgreSQL may be away for a moment: then it is what it was. */
  async function stored(runId: string | null): Promise<{ fault: string | null }> {
    if (repositories === null || runId === null) return { fault: null };
    try {
      const [record] = await repositories.runs.matching({ text: runId });
      last = { record: record ?? last.record, stages: await repositories.stages.forRun(runId) };
      return { fault: null };
    } catch (fault) {
      return { fault: firstLine(fault) };
    }
  }

  async function usualOf(facts: { kind: RunKind; pipeline: string | null; runId: string | null }) {
    if (usual !== null || repositories === null || facts.pipeline === null) return usual ?? NOTHING_USUAL;
    const asked = { pipeline: facts.pipeline, kind: facts.kind, except: facts.runId, runs: USUAL_RUNS };
    const rows = await repositories.runs.usualStages(asked).catch(() => null);
    if (rows === null) return NOTHING_USUAL;
    const ms = Object.fromEntries(rows.map((row) => [row.stage as Stage, row.ms]));
    usual = { ms, runs: Math.max(0, ...rows.map((row) => row.runs)) };
    return usual;
  }

  async function reviewOf(record: RunRecord | null): Promise<ReviewSettings | null> {
    if (review !== null || record === null || artifacts === null) return review;
    const definition = await frozenDefinition(artifacts, record).catch(() => null);
    if (definition) {
      const { timeoutHours, onTimeout } = definition.review;
      review = { timeoutHours, onTimeout };
    }
    return review;
  }

  return {
    async read(given) {
      const { seen, state, fault } = given
        ? { seen: given, state: 'answers' as const, fault: null }
        : await look(client, target);
      const execution = seen && client ? await understood(client, seen.description) : null;
      const runId = seen?.progress?.runId ?? target.runId;
      const store = await stored(runId);
      const { record, stages } = last;
      if (input === null && client && execution)
        input = await inputOf(client, execution.workflow).catch(() => null);
      const kind = record?.kind ?? (execution?.type === WORKFLOWS.assignCustomers ? 'assign' : 'refit');
      const pipeline = record?.pipeline ?? execution?.attributes.pipeline ?? input?.pipeline ?? null;
      const isOpen = record?.closedAt == null;
      const earlier =
        isOpen && repositories && record
          ? await repositories.runs.earlierOpen(runId!).catch(() => null)
          : null;
      const isUntold = execution !== null && !execution.isOpen && record?.closedAt == null;
      return {
        ...{ runId, record, stages, execution, input, earlier, review: await reviewOf(record) },
        workflow: execution?.workflow ?? record?.workflow ?? target.workflow,
        usual: isOpen ? await usualOf({ kind, pipeline, runId }) : NOTHING_USUAL,
        temporal: state,
        progress: seen?.progress ?? null,
        ...(isUntold && client ? await endOf(client, execution) : NO_END),
        notes: [...notes, ...[fault, store.fault].filter((note) => note !== null)],
      };
    },
  };
}

const NOTHING_USUAL: Usual = { ms: {}, runs: 0 };

async function understood(client: Client, description: WorkflowExecutionDescription): Promise<Execution> {
  const execution = await executionOf(client, description);
  if (!execution.isOpen) return execution;
  return whatIsWrong(client, execution, Object.values(TASK_QUEUES)).catch(() => execution);
}

interface Looked {
  seen: Seen | null;
  state: RunFacts['temporal'];
  fault: string | null;
}

async function look(client: Client | null, { workflow, record }: Target): Promise<Looked> {
  if (client === null) return { seen: null, state: 'away', fault: null };
  try {
    const description = await describeCurrent(client, workflow);
    const isAsked = record?.closedAt == null;
    const { progress, fault } = isAsked ? await progressOf(client, description) : NO_ANSWER;
    return { seen: { description, progress }, state: 'answers', fault };
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError')
      return { seen: null, state: 'forgotten', fault: null };
    return { seen: null, state: 'away', fault: `Temporal does not answer: ${firstLine(error)}` };
  }
}

interface Answer {
  progress: RunProgress | null;
  fault: string | null;
}

const NO_ANSWER: Answer = { progress: null, fault: null };

/** No answer is a fault only where a key is missing: a worker that is not there is told elsewhere. */
async function progressOf(client: Client, description: WorkflowExecutionDescription): Promise<Answer> {
  if (!hasBegun(description)) return NO_ANSWER;
  const { workflowId, runId } = description;
  const handle = client.workflow.getHandle(workflowId, runId);
  return client
    .withDeadline(Date.now() + ANSWER_WITHIN_MS, () => handle.query<RunProgress>(HANDLERS.progress))
    .then((progress) => ({ progress, fault: null }))
    .catch((fault) => (isKeyMissing(fault) ? { progress: null, fault: firstLine(fault) } : NO_ANSWER));
}

const NO_END = { result: null, failure: null };

/** What was not the run's own end. */
const ENDINGS: Readonly<Record<string, string>> = {
  TERMINATED: 'its workflow was terminated: ',
  TIMED_OUT: 'its workflow took longer than it may: ',
};

/** How the workflow ended, by itself: its record is closed a moment earlier or later, or there is none. */
async function endOf(
  client: Client,
  { workflow, status }: Execution,
): Promise<Pick<RunFacts, 'result' | 'failure'>> {
  try {
    const result = (await client.workflow.getHandle(workflow.id, workflow.runId).result()) as RunSummary;
    return { result, failure: null };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) return NO_END;
    return { result: null, failure: `${ENDINGS[status] ?? ''}${innermostMessage(error)}` };
  }
}
