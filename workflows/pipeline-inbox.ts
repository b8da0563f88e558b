import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { endOf, type InboxStages, type RunEnd, shortened } from '../pipelines/contracts/inbox.ts';
import type { Message } from '../pipelines/contracts/inbox-message.ts';
import type { InboxSettings } from '../pipelines/contracts/inbox-settings.ts';
import { IO, WAIT } from '../pipelines/contracts/policies.ts';
import { DEFAULT_PIPELINE } from '../pipelines/contracts/same-start.ts';
import { PIPELINE_NAME } from '../pipelines/contracts/sent-text.ts';
import { workflowIds } from '../pipelines/contracts/signatures.ts';
import { unreadableIn } from '../pipelines/contracts/unreadable.ts';
import { assignCustomers } from './assign-customers.ts';
import { nowMs } from './clock.ts';
import { openInboxBoard } from './inbox-board.ts';
import { type Arrival, openDoor } from './inbox-door.ts';
import {
  type InboxState,
  nothingYet,
  refuse,
  restMs,
  runEnded,
  type Started,
  startNext,
  take,
  underSettings,
  viewOf,
} from './inbox-state.ts';
import { segmentCustomers } from './segment-customers.ts';
import { wordsOf } from './words-of.ts';

const io = proxyActivities<InboxStages>(IO);
const wait = proxyActivities<InboxStages>(WAIT);

/** From here on a new execution goes on: some 200 messages, or the summaries of a few runs. */
const HISTORY_GROWTH_BYTES = 60_000;
/** While a definition cannot be read: what more is sent is refused. */
const UNSORTED_KEPT = 500;
const RETRY_MS = { first: 30_000, longest: 900_000 };

/** What an execution hands on to the next. */
interface InboxSoFar {
  state: InboxState;
  settings: InboxSettings | null;
  unsorted: { message: Message; at: number }[];
}

interface Inbox {
  pipeline: string;
  settings: InboxSettings | null;
  /** Settings are read again when a run has ended or nothing waits: a definition may have changed. */
  isFresh: boolean;
  blocked: { words: string; retryAt: number; pauseMs: number } | null;
  state: InboxState;
  arrived: Arrival[];
  /** Whether the present run has an execution of its own: before that, this one must not end. */
  isStarted: boolean;
  end: RunEnd | null;
  draw(): void;
}

/**
 * Collects what other pipelines tell of one, and starts its runs, one at a time: when all inputs have landed that the
 * definition names, or its deadline has passed, or a run is asked for. It lives until it is cancelled; a run that it
 * has started goes on without it.
 *
 * @param input nothing, or `{"pipeline": NAME}`; without it the workflow id `inbox-NAME` says which
 */
export async function pipelineInbox(input?: { pipeline?: string }, soFar?: InboxSoFar): Promise<void> {
  const startBytes = workflowInfo().historySize;
  const inbox = open(pipelineOf(input), soFar);
  try {
    await untilLong(inbox, startBytes);
  } catch (error) {
    // Whoever waits for an answer gets one.
    for (const { answer } of inbox.arrived.splice(0)) answer?.(`the inbox has ended: ${wordsOf(error)}`);
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    inbox.draw();
    throw error;
  }
  // A message that comes at this moment fails the task that says so, and is taken before it is said again.
  const { state, settings, arrived } = inbox;
  const unsorted = arrived.map(({ message, at }) => ({ message, at }));
  await continueAsNew<typeof pipelineInbox>({ pipeline: inbox.pipeline }, { state, settings, unsorted });
}

async function untilLong(inbox: Inbox, startBytes: number): Promise<void> {
  for (;;) {
    await sort(inbox);
    noteEnd(inbox);
    startDue(inbox);
    inbox.draw();
    if (isLong(startBytes) && isBetweenMessages(inbox)) return;
    await untilSomething(inbox);
  }
}

/** A second argument is heeded only of our own making. */
function open(pipeline: string, soFar: InboxSoFar | undefined): Inbox {
  const carried = workflowInfo().continuedFromExecutionRunId === undefined ? undefined : soFar;
  const inbox: Inbox = {
    pipeline,
    settings: carried?.settings ?? null,
    isFresh: false,
    blocked: null,
    state: { ...nothingYet(), ...carried?.state },
    arrived: [],
    isStarted: true,
    end: null,
    draw: () => undefined,
  };
  inbox.draw = openInboxBoard(pipeline, {
    view: () => {
      const { settings, blocked, arrived, state } = inbox;
      return viewOf(state, { pipeline, settings, blocked: blocked?.words ?? null, unsorted: arrived.length });
    },
    runOf: (id) => inbox.state.seen.find(([known]) => known === id)?.[1] ?? null,
  });
  // What waited unsorted comes before what is sent from now on.
  const earlier = carried?.unsorted ?? [];
  const arrived = openDoor((message, reason) => {
    inbox.state = refuse(inbox.state, { message, reason, at: nowMs() });
    inbox.draw();
  });
  arrived.unshift(...earlier);
  inbox.arrived = arrived;
  if (inbox.state.running) follow(inbox, () => awaitEnd(inbox.state.running!));
  return inbox;
}

/** Whatever a person or a pipeline starts it with. */
function pipelineOf(input: unknown): string {
  const { workflowId } = workflowInfo();
  const beginning = workflowIds.inbox('');
  const named = workflowId.startsWith(beginning) ? workflowId.slice(beginning.length) : undefined;
  const given = (input as { pipeline?: unknown } | null | undefined)?.pipeline ?? undefined;
  const pipeline = given ?? named ?? DEFAULT_PIPELINE;
  const unreadable = unreadableIn(input);
  const isSound = typeof pipeline === 'string' && PIPELINE_NAME.test(pipeline) && unreadable === null;
  if (isSound && pipeline === (named ?? pipeline)) return pipeline;
  const found = unreadable ?? shortened(JSON.stringify(pipeline), 60);
  throw ApplicationFailure.nonRetryable(
    `pipelineInbox needs nothing, or {"pipeline": NAME} with the name that its workflow id has (inbox-NAME), found ${found} for ${shortened(workflowId, 60)}`,
    'INPUT_INVALID',
  );
}

/** What has arrived, put into runs. While the definition cannot be read it is kept. */
async function sort(inbox: Inbox): Promise<void> {
  const { arrived, blocked } = inbox;
  if (arrived.length === 0 && blocked === null) return;
  if (!inbox.isFresh || inbox.state.waiting.length === 0 || blocked) await readSettings(inbox);
  if (inbox.blocked) return keepBack(inbox, inbox.blocked.words);
  for (const { message, at, answer } of arrived.splice(0)) {
    const [state, said] = take(inbox.state, message, { settings: inbox.settings!, now: at });
    inbox.state = state;
    answer?.(said);
  }
}

async function readSettings(inbox: Inbox): Promise<void> {
  const { pipeline } = inbox;
  try {
    const options = { summary: `what the inbox of ${shortened(pipeline, 60)} waits for` };
    const { settings } = await io.readInbox.executeWithOptions(options, [{ pipeline }]);
    inbox.settings = settings;
    inbox.state = underSettings(inbox.state, { settings, now: nowMs() });
    inbox.isFresh = true;
    inbox.blocked = null;
  } catch (error) {
    if (isCancellation(error)) throw error;
    // An inbox of a pipeline that never was: nobody would look at it again.
    if (inbox.settings === null && codeOf(error) === 'PIPELINE_UNKNOWN')
      throw ApplicationFailure.nonRetryable(wordsOf(error), 'PIPELINE_UNKNOWN');
    const pauseMs = Math.min((inbox.blocked?.pauseMs ?? RETRY_MS.first / 2) * 2, RETRY_MS.longest);
    inbox.blocked = { words: shortened(wordsOf(error), 500), retryAt: nowMs() + pauseMs, pauseMs };
  }
}

/** People are told at once; what pipelines have sent waits for the definition to be mended. */
function keepBack(inbox: Inbox, words: string): void {
  const kept: Arrival[] = [];
  for (const arrival of inbox.arrived.splice(0)) {
    const { message, answer } = arrival;
    const isKept = answer === undefined && kept.length < UNSORTED_KEPT;
    if (isKept) kept.push(arrival);
    else inbox.state = refuse(inbox.state, { message: message.name, reason: words, at: nowMs() });
    answer?.(words);
  }
  inbox.arrived.push(...kept);
  if (kept.length === 0 && inbox.state.waiting.length === 0) inbox.blocked = null;
}

function codeOf(error: unknown): string | null | undefined {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof ApplicationFailure ? cause.type : undefined;
}

function noteEnd(inbox: Inbox): void {
  if (inbox.end === null) return;
  inbox.state = runEnded(inbox.state, inbox.end, nowMs());
  inbox.end = null;
  inbox.isFresh = false;
}

function startDue(inbox: Inbox): void {
  const { pipeline, settings, blocked } = inbox;
  if (settings === null || blocked !== null) return;
  const { firstExecutionRunId } = workflowInfo();
  const idOf = (run: Parameters<typeof workflowIds.inboxRun>[1]) =>
    workflowIds.inboxRun(pipeline, run, firstExecutionRunId);
  const state = startNext(inbox.state, { settings, now: nowMs(), idOf });
  if (state === null) return;
  inbox.state = state;
  inbox.isStarted = false;
  follow(inbox, () => runToEnd(inbox, state.running!));
}

/** In the background: messages are taken while the run goes on. */
function follow(inbox: Inbox, toEnd: () => Promise<RunEnd>): void {
  const isOver = async () => {
    try {
      inbox.end = await toEnd();
    } catch (error) {
      // The inbox is cancelled: the run goes on without it.
      if (isCancellation(error) && CancellationScope.current().consideredCancelled) return;
      inbox.end = isCancellation(error)
        ? { outcome: 'cancelled', runId: null, reason: 'cancelled by a person or a pipeline' }
        : { outcome: 'failed', runId: null, reason: shortened(wordsOf(error)) };
    } finally {
      inbox.isStarted = true;
    }
  };
  void isOver();
}

async function runToEnd(inbox: Inbox, run: Started): Promise<RunEnd> {
  const { pipeline } = inbox;
  const { kind, asOf, extract, messages, workflowId } = run;
  const what = `${kind === 'assign' ? 'assign' : 'segment'} customers of ${pipeline}${asOf ? ` as of ${asOf}` : ''}`;
  try {
    const child = await startChild(kind === 'assign' ? assignCustomers : segmentCustomers, {
      workflowId,
      args: [{ pipeline, ...(asOf !== null && { asOf }), ...(extract !== null && { extract }) }],
      staticSummary: `${what}: ${messages} messages`,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    inbox.isStarted = true;
    return endOf(await child.result());
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    // An inbox that was reset to before this run's start finds it going on.
    inbox.isStarted = true;
    return awaitEnd(run);
  }
}

function awaitEnd({ number, workflowId }: Started): Promise<RunEnd> {
  return wait.awaitRun.executeWithOptions({ summary: `run ${number} goes on` }, [{ workflowId }]);
}

function isLong(startBytes: number): boolean {
  const { continueAsNewSuggested, historySize } = workflowInfo();
  return continueAsNewSuggested || historySize - startBytes > HISTORY_GROWTH_BYTES;
}

/** Nobody waits for an answer, everything that has arrived is in the state, and the run has begun. */
function isBetweenMessages({ arrived, blocked, isStarted, end }: Inbox): boolean {
  return (blocked !== null || arrived.length === 0) && isStarted && end === null && allHandlersFinished();
}

async function untilSomething(inbox: Inbox): Promise<void> {
  const { settings, blocked, state } = inbox;
  const keptBack = blocked === null ? 0 : inbox.arrived.length;
  const happens = () => inbox.arrived.length > keptBack || inbox.end !== null;
  const ms =
    blocked !== null ? blocked.retryAt - nowMs() : settings && restMs(state, { settings, now: nowMs() });
  if (ms === null) await condition(happens);
  else if (ms > 0) await condition(happens, Math.ceil(ms));
}
