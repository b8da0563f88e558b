import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { TASK_QUEUES } from '../../pipelines/contracts/policies.ts';
import { WORKFLOWS } from '../../pipelines/contracts/signatures.ts';
import type { FuzzMessage, MessageKind, RawPayload } from './fuzz-messages.ts';
import { FULL_OUTBOX, STAYS } from './fuzz-stages.ts';
import { failedTasks } from './inbox.ts';
import type { TestRuns } from './temporal.ts';

const NAMESPACE = 'default';
/** So few that a worker on a busy machine has done each in the seconds that Temporal gives it. */
const AT_ONCE = 8;
const CLOSES_MS = 60_000;
const ASKED_MS = 60_000;
const STUCK_MS = 60_000;
const { UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED: COMPLETED } =
  proto.temporal.api.enums.v1.UpdateWorkflowExecutionLifecycleStage;

export interface FuzzReport {
  sent: Record<MessageKind, number>;
  /** By who refused: our code in words of ours, or Temporal before it came to that. */
  answers: { taken: number; refused: number; refusedByTemporal: number; tooLate: number };
  executions: { open: number; closed: number; failed: number };
  /** Different words of refusals, for a person to read. */
  words: string[];
  /** What must not be: wedged executions, words that say nothing. */
  faults: string[];
}

/** Of each type some that stay open, to be sent messages. */
const FLEET: [type: string, input: unknown, count: number][] = [
  [WORKFLOWS.segmentCustomers, {}, 3],
  [WORKFLOWS.assignCustomers, {}, 2],
  [WORKFLOWS.compareAlgorithms, {}, 1],
  [WORKFLOWS.backfillRuns, {}, 2],
  [WORKFLOWS.deliverMessages, { pipeline: FULL_OUTBOX }, 2],
  [WORKFLOWS.preserveHistory, { runId: null, workflow: { id: `${STAYS}x`, runId: randomUUID() } }, 2],
  [WORKFLOWS.pipelineInbox, {}, 2],
  [WORKFLOWS.reproduceRun, { run: 'run_1' }, 2],
  [WORKFLOWS.watchSchedules, {}, 1],
];

/** Sends all of them, and looks at every execution afterwards: none may be stuck, each must end when it is told to. */
export async function fuzz({ client }: TestRuns, messages: readonly FuzzMessage[]): Promise<FuzzReport> {
  const began = new Date().toISOString();
  const report: FuzzReport = {
    sent: { start: 0, signal: 0, update: 0, query: 0 },
    answers: { taken: 0, refused: 0, refusedByTemporal: 0, tooLate: 0 },
    executions: { open: 0, closed: 0, failed: 0 },
    words: [],
    faults: [],
  };
  const fleet = await startFleet(client);
  await each(messages, async (message) => {
    report.sent[message.kind] += 1;
    const target = fleet[message.target % fleet.length]!;
    note(report, message, await answerTo(client, message, target));
  });
  const query = `TaskQueue = '${TASK_QUEUES.workflows}' AND StartTime >= '${began}'`;
  await each(await handlesOf(client, query), (handle) => inspect(handle, report));
  await closeAll(client, query, report);
  report.words = [...new Set(report.words)].sort();
  return report;
}

async function startFleet(client: Client): Promise<string[]> {
  const types = FLEET.flatMap(([type, input, count]) => Array.from({ length: count }, () => [type, input]));
  return Promise.all(
    types.map(async ([type, input], i) => {
      const workflowId = `${STAYS}${i}-${randomUUID().slice(0, 8)}`;
      await client.workflow.start(type as string, { workflowId, taskQueue: 'strata', args: [input] });
      return workflowId;
    }),
  );
}

type Answer = { is: 'taken' | 'tooLate' } | { is: 'refused' | 'refusedByTemporal' | 'fault'; words: string };

function note(report: FuzzReport, { kind, name }: FuzzMessage, answer: Answer): void {
  const about = `${kind} ${JSON.stringify(name.slice(0, 40))}`;
  if (answer.is === 'fault') {
    report.faults.push(`${about}: ${answer.words.slice(0, 300)}`);
    return;
  }
  report.answers[answer.is] += 1;
  if ('words' in answer) judgeWords(report, about, answer);
}

/** Words of the code, in which no caller can read what is wrong with what he sent. */
const OF_THE_CODE =
  /Cannot (?:read|convert|destructure|mix)|is not (?:a function|iterable|a constructor|an object)|\w is not defined|\[object |Unexpected (?:token|end|non)|Maximum call stack|circular structure|Failure exceeds/;
const SAYS_WHAT = /\bneeds?\b|\bexpected\b|there (?:is|are)\b|Registered queries|\bfields: /;

function judgeWords(report: FuzzReport, about: string, { is, words }: { is: string; words: string }): void {
  report.words.push(`${is === 'refused' ? '' : 'Temporal: '}${words.slice(0, 300)}`);
  if (words.length > 3_000) report.faults.push(`${about}: ${words.length} characters of refusal`);
  if (OF_THE_CODE.test(words)) report.faults.push(`${about}: words of the code: ${words.slice(0, 300)}`);
  if (is === 'refused' && !SAYS_WHAT.test(words))
    report.faults.push(`${about}: does not say what was expected: ${words.slice(0, 300)}`);
  if (words.trim() === '') report.faults.push(`${about}: refused without a word`);
}

async function answerTo(client: Client, message: FuzzMessage, workflowId: string): Promise<Answer> {
  const deadline = Date.now() + ASKED_MS;
  for (;;) {
    try {
      return await client.connection.withDeadline(deadline, () =>
        senders[message.kind](client, message, workflowId),
      );
    } catch (error) {
      const { code } = error as { code?: number };
      // Temporal waits ten seconds for the answer to a question, which may be asked again.
      const isSlow = message.kind === 'query' && code === STATUS.deadline;
      // A run that was just ending when another message came looks at that one first: nothing has become of the update.
      const isUnheard = message.kind === 'update' && code === STATUS.precondition;
      if (!(isSlow || isUnheard) || Date.now() >= deadline) return refusalOf(error);
    }
  }
}

const STATUS = {
  deadline: 4,
  notFound: 5,
  invalid: 3,
  exhausted: 8,
  precondition: 9,
  outOfRange: 11,
} as const;

function refusalOf(error: unknown): Answer {
  const { code, details = '', message = '' } = error as { code?: number; details?: string; message?: string };
  const words = details || message;
  if (code === STATUS.notFound) return { is: 'tooLate' };
  if (code === STATUS.invalid && /did not register|Registered queries/.test(words)) {
    return { is: 'refused', words };
  }
  if (code === STATUS.invalid || code === STATUS.exhausted || code === STATUS.outOfRange) {
    return { is: 'refusedByTemporal', words };
  }
  return { is: 'fault', words: `${code}: ${words || String(error)}` };
}

type Sender = (client: Client, message: FuzzMessage, workflowId: string) => Promise<Answer>;
const input = (payloads: RawPayload[]) => (payloads.length === 0 ? null : { payloads });

/** Temporal's, of an update too large to be answered by a worker: docs/operating-runs.md. */
const UNANSWERED = /^Workflow Update is rejected because it wasn't processed by worker/;

const senders: Record<MessageKind, Sender> = {
  async start({ workflowService }, { name, payloads }) {
    await workflowService.startWorkflowExecution({
      ...{ namespace: NAMESPACE, workflowId: `fuzz/${randomUUID()}`, requestId: randomUUID() },
      ...{ workflowType: { name }, taskQueue: { name: TASK_QUEUES.workflows }, input: input(payloads) },
    });
    return { is: 'taken' };
  },
  async signal({ workflowService }, { name, payloads }, workflowId) {
    await workflowService.signalWorkflowExecution({
      ...{ namespace: NAMESPACE, workflowExecution: { workflowId } },
      ...{ signalName: name, input: input(payloads), requestId: randomUUID() },
    });
    return { is: 'taken' };
  },
  async update({ workflowService }, { name, payloads }, workflowId) {
    const request = { meta: { updateId: randomUUID() }, input: { name, args: input(payloads) } };
    // Temporal holds the line for some seconds, and then says nothing: the same update is asked for again.
    for (;;) {
      const { outcome } = await workflowService.updateWorkflowExecution({
        ...{ namespace: NAMESPACE, workflowExecution: { workflowId } },
        ...{ waitPolicy: { lifecycleStage: COMPLETED }, request },
      });
      if (!outcome) continue;
      if (!outcome.failure) return { is: 'taken' };
      const words = innermost(outcome.failure);
      return { is: UNANSWERED.test(words) ? 'refusedByTemporal' : 'refused', words };
    }
  },
  async query({ workflowService }, { name, payloads }, workflowId) {
    const { queryResult } = await workflowService.queryWorkflow({
      ...{ namespace: NAMESPACE, execution: { workflowId } },
      query: { queryType: name, queryArgs: input(payloads) },
    });
    return queryResult?.payloads?.length === 1 ? { is: 'taken' } : { is: 'fault', words: 'no answer' };
  },
};

type Failure = proto.temporal.api.failure.v1.IFailure;
const innermost = (failure: Failure): string =>
  failure.cause ? innermost(failure.cause) : (failure.message ?? '');

async function handlesOf(client: Client, query: string): Promise<WorkflowHandle[]> {
  const handles: WorkflowHandle[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query }))
    handles.push(client.workflow.getHandle(workflowId, runId));
  return handles;
}

/** Whether an execution answers, none of its workflow tasks failed, and why it did if it has. */
async function inspect(handle: WorkflowHandle, { executions, faults, ...report }: FuzzReport): Promise<void> {
  const about = `${handle.workflowId}`;
  const { status, type } = await handle.describe();
  executions[status.name === 'RUNNING' ? 'open' : 'closed'] += 1;
  if (await isStuck(handle)) faults.push(`${about} (${type}): its workflow task is tried again and again`);
  for (const words of await failedTasks(handle)) faults.push(`${about} (${type}): ${words}`);
  const last = (await handle.fetchHistory()).events?.at(-1);
  const failure = last?.workflowExecutionFailedEventAttributes?.failure;
  if (!failure) return;
  executions.failed += 1;
  const whole = { executions, faults, ...report };
  judgeWords(whole, `${about} (${type})`, { is: 'refused', words: innermost(failure) });
}

/** A task that a busy machine was too slow for is tried again, once or twice. */
async function isStuck(handle: WorkflowHandle): Promise<boolean> {
  const deadline = performance.now() + STUCK_MS;
  for (;;) {
    const { status, raw } = await handle.describe();
    if (status.name !== 'RUNNING' || Number(raw.pendingWorkflowTask?.attempt ?? 0) <= 1) return false;
    if (performance.now() > deadline) return true;
    await sleep(500);
  }
}

/** A cancel ends each that is open, as it ends one that was sent nothing. */
async function closeAll(client: Client, query: string, { faults }: FuzzReport): Promise<void> {
  const deadline = performance.now() + CLOSES_MS;
  for (;;) {
    const open = await handlesOf(client, `${query} AND ExecutionStatus = 'Running'`);
    if (open.length === 0) return;
    if (performance.now() > deadline) {
      faults.push(...open.map(({ workflowId }) => `${workflowId} was cancelled and goes on`));
      return;
    }
    await each(open, (handle) => handle.cancel().then(ignore, ignore));
    await sleep(500);
  }
}

const ignore = () => undefined;

async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const lanes = Array.from({ length: AT_ONCE }, async () => {
    for (const item of rest) await work(item);
  });
  await Promise.all(lanes);
}
